//! The service as a process: its command line, its settings, its exit codes.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;
use widget_service::WidgetArgs;

use crate::auth::SERVICE_TOKEN;

/// The program in a folder of its own, with nothing set.
fn program(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_widget-service"));
    command.env_clear().current_dir(folder.path()).stdin(Stdio::null());
    command
}

/// The same with all that it needs to serve on free ports.
fn server(folder: &TempDir) -> Command {
    let mut command = program(folder);
    let ports = [("WIDGET_LISTEN", "127.0.0.1:0"), ("WIDGET_OPS_LISTEN", "127.0.0.1:0")];
    command.envs(ports).env("SERVICE_TOKEN", SERVICE_TOKEN);
    command
}

fn exits(command: &mut Command, code: i32) -> Output {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{command:?}: {output:?}");
    output
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone())
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_service_prints_where_it_is_and_ends_well_when_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = server(&folder)
        .arg("serve")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();

    let asked = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();

    assert!(asked.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(
        first.starts_with("widget grpc://127.0.0.1:") && !first.contains(":0\n"),
        "{first}"
    );
    let mode = fs::metadata(folder.path().join("data/widget.db"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_bad_setting_is_named_with_what_it_got_and_what_it_wants() {
    let folder = tempfile::tempdir().unwrap();
    let long = SERVICE_TOKEN;
    for (variable, value, shown) in [
        ("WIDGET_LISTEN", "nowhere", true),
        ("WIDGET_OPS_LISTEN", "127.0.0.1", true),
        ("WIDGET_AUTH_URL", "ftp://auth", true),
        ("WIDGET_MIGRATE", "perhaps", true),
        ("WIDGET_REFLECTION", "perhaps", true),
        ("TRUST_MAX_STALENESS", "soon", true),
        ("AUTH_ISSUER", "", false),
        ("WIDGET_DATABASE_URL", "mysql://root:hunter2@db/x", false),
        ("SERVICE_TOKEN", "hunter2", false),
        ("WIDGET_TLS_CERT", "/nowhere.pem", false),
        ("UPSTREAM_TLS_KEY", "/nowhere.pem", false),
    ] {
        let output = exits(server(&folder).env("SERVICE_TOKEN", long).env(variable, value), 64);
        let text = said(&output);
        assert!(
            text.contains("WIDGET_TLS_KEY") || text.contains("UPSTREAM_TLS_CERT") || text.contains(variable),
            "{text}"
        );
        assert!(text.contains("wants"), "{text}");
        assert!(!shown || text.contains(&format!("got \"{value}\"")), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(
        said(&exits(&mut program(&folder), 64)).contains("SERVICE_TOKEN"),
        "it is required"
    );
    assert!(
        !folder.path().join("data").exists(),
        "nothing is opened before the settings are good"
    );
}

#[test]
fn secrets_come_from_files_that_only_their_owner_can_write() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    let url = format!("sqlite://{}/elsewhere.db", folder.path().display());
    let status = |mode| {
        write(&file, &url, mode);
        let mut command = program(&folder);
        command.args(["migrate", "up"]).env("WIDGET_DATABASE_URL_FILE", &file);
        command
    };

    assert!(said(&exits(&mut status(0o620), 64)).contains("WIDGET_DATABASE_URL_FILE"));
    exits(&mut status(0o600), 0);
    assert!(folder.path().join("elsewhere.db").exists());
}

#[test]
fn a_taken_port_and_an_open_database_file_are_said_with_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();

    let text = said(&exits(server(&folder).env("WIDGET_LISTEN", &addr), 1));
    assert!(text.contains(&addr) && text.contains("WIDGET_LISTEN"), "{text}");

    let file = folder.path().join("data/widget.db");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let text = said(&exits(&mut server(&folder), 1));
    assert!(text.contains("widget.db"), "{text}");
}

#[test]
fn migrations_go_up_and_down_by_command() {
    let folder = tempfile::tempdir().unwrap();
    let migrate = |args: &[&str]| lines(&exits(program(&folder).arg("migrate").args(args), 0));

    assert_eq!(migrate(&["status"]), ["0001_widgets pending"]);
    assert_eq!(migrate(&["up"]), ["applied: 1"]);
    assert_eq!(migrate(&["up"]), ["nothing to do"]);
    assert_eq!(migrate(&["status"]), ["0001_widgets applied"]);
    assert_eq!(migrate(&["down"]), ["taken back: 1"]);
    migrate(&["up"]);
    assert_eq!(migrate(&["down", "--to", "0"]), ["taken back: 1"]);
}

#[test]
fn check_refuses_an_older_schema_and_names_the_command() {
    let folder = tempfile::tempdir().unwrap();

    let text = said(&exits(server(&folder).env("WIDGET_MIGRATE", "check"), 1));

    assert!(text.contains("widget-service migrate up"), "{text}");
}

#[test]
fn settings_are_accepted_before_and_after_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/flag.db", folder.path().display());

    exits(
        program(&folder).args(["--widget-database-url", &url, "migrate", "up"]),
        0,
    );
    exits(
        program(&folder).args(["migrate", "down", "--widget-database-url", &url]),
        0,
    );
}

#[test]
fn reflection_is_served_but_in_production_unless_told_otherwise() {
    for (reflection, production, served) in [
        (None, false, true),
        (None, true, false),
        (Some(true), true, true),
        (Some(false), false, false),
    ] {
        let settings = WidgetArgs {
            reflection,
            production,
            ..WidgetArgs::default()
        };
        assert_eq!(settings.serves_reflection(), served);
    }
}
