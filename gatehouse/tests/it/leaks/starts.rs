//! Starts that are refused: the exit code tells what kind of fault it is, and the text repeats no secret.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use service_kit::config::Secret;

use super::{
    house::{KEY_SECRET, SERVICE_TOKEN, command, run},
    scan::assert_clean,
};

/// Settings, the exit code and what is said.
type Row<'a> = (&'a [(&'a str, &'a str)], i32, &'a str);

/// Starts with these settings, and checks that it ends so and says this.
#[track_caller]
fn refused(folder: &Path, settings: &[(&str, &str)], code: i32, says: &str) {
    let mut command = command(folder, &[]);
    command.envs(settings.iter().copied());

    let ran = run(&mut command, "");

    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert_eq!(ran.status.code(), Some(code), "{settings:?}: {said}");
    assert!(said.contains(says), "{settings:?}: {said}");
    assert_clean(&format!("{settings:?}"), &said, []);
}

#[test]
fn a_refused_start_repeats_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("pem");
    fs::write(
        &pem,
        "-----BEGIN PRIVATE KEY-----\ncGxhbnRlZC1rZXk=\nplanted-key\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    fs::set_permissions(&pem, Permissions::from_mode(0o600)).unwrap();
    let pem = pem.to_str().unwrap();
    let rows: [Row<'_>; 10] = [
        (
            &[("AUTH_DATABASE_URL", "postgres://auth:planted-password@127.0.0.1:1/auth")],
            1,
            "error: ",
        ),
        (
            &[(
                "AUTH_DATABASE_URL",
                "postgres://auth:planted-password@127.0.0.1:port/auth",
            )],
            64,
            "AUTH_DATABASE_URL",
        ),
        (
            &[("AUTH_DATABASE_URL", "mysql://root:planted-password@127.0.0.1/auth")],
            64,
            "AUTH_DATABASE_URL",
        ),
        (
            &[("WIDGET_DATABASE_URL", "planted-password")],
            64,
            "WIDGET_DATABASE_URL",
        ),
        (&[("SERVICE_TOKEN", "planted-short")], 64, "SERVICE_TOKEN"),
        (&[("AUTH_KEY_SECRET", "planted-short")], 64, "AUTH_KEY_SECRET"),
        (
            &[
                ("AUTH_ADMIN_EMAIL", "root@example.com"),
                ("AUTH_ADMIN_PASSWORD", "planted-"),
            ],
            64,
            "AUTH_ADMIN_PASSWORD",
        ),
        (&[("AUTH_TLS_CERT", pem), ("AUTH_TLS_KEY", pem)], 64, "AUTH_TLS_"),
        (
            &[("GATEWAY_TLS_CERT", pem), ("GATEWAY_TLS_KEY", pem)],
            64,
            "GATEWAY_TLS_",
        ),
        (&[("SERVICE_TOKEN_FILE", pem)], 64, "SERVICE_TOKEN"),
    ];
    for (settings, code, says) in rows {
        refused(folder.path(), settings, code, says);
    }
}

#[test]
fn a_secret_file_that_others_can_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, "planted-secret-in-a-file-of-thirty-two-bytes-and-more").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o622)).unwrap();
    let path = file.to_str().unwrap();
    for variable in [
        "AUTH_KEY_SECRET_FILE",
        "SERVICE_TOKEN_FILE",
        "AUTH_DATABASE_URL_FILE",
        "AUTH_ADMIN_PASSWORD_FILE",
    ] {
        let plain = variable.trim_end_matches("_FILE");
        let mut command = command(folder.path(), &[]);
        command
            .env_remove(plain)
            .env(variable, path)
            .env("AUTH_ADMIN_EMAIL", "root@example.com");

        let ran = run(&mut command, "");

        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(64), "{variable}: {said}");
        assert!(
            said.contains(variable) && said.contains("chmod go-w"),
            "{variable}: {said}"
        );
        assert_clean(variable, &said, []);
    }
}

#[test]
fn a_database_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exposed.db");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let url = format!("sqlite://{}", file.display());

    for variable in ["AUTH_DATABASE_URL", "WIDGET_DATABASE_URL"] {
        refused(folder.path(), &[(variable, &url)], 1, "chmod 600");
    }
}

#[test]
fn debug_of_the_settings_shows_no_secret() {
    let planted = |text: &str| Some(Secret::new(text));
    let mut settings = crate::house::settings(Path::new("."));
    settings.auth.database_url = planted("postgres://auth:planted-password@db/auth");
    settings.auth.admin_password = planted("planted-password");
    settings.auth.key_secret = planted(KEY_SECRET);
    settings.widget.database_url = planted("postgres://widget:planted-password@db/widget");
    settings.trust.service_token = planted(SERVICE_TOKEN);

    let shown = format!("{settings:?} {settings:#?}");

    assert_clean("Debug", &shown, []);
    assert!(shown.contains("[redacted]"));
}
