//! Files that are missing, broken or do not belong together stop the start and are named.

use std::{fs, path::Path};

use test_kit::Authority;

use crate::leaks::house::{command, refused};

/// Starts a role with these files, and checks that it names this variable.
#[track_caller]
fn names(role: &str, settings: &[(String, &Path)], variable: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path(), &[role]);
    command.envs(settings.iter().map(|(variable, path)| (variable, path)));

    let ran = refused(&mut command);

    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(64), "{role} {settings:?}: {said}");
    let begins = format!("error: {variable}: ");
    assert!(
        said.lines().any(|line| line.starts_with(&begins)),
        "{role} {settings:?}: {said}"
    );
    assert!(!said.contains("PRIVATE"), "{said}");
}

#[test]
fn bad_files_of_listeners_and_callers_are_named_by_their_variable() {
    let authority = Authority::new();
    let (good, other) = (authority.sign("good"), authority.sign("other"));
    let (ca, nowhere) = (authority.file(), authority.folder().join("nowhere.pem"));
    let junk = authority.folder().join("junk.pem");
    fs::write(
        &junk,
        "-----BEGIN CERTIFICATE-----\nanVuaw==\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let text = authority.folder().join("text.pem");
    fs::write(&text, "no PEM at all").unwrap();

    let listener: [(&[(&str, &Path)], &str); 11] = [
        (&[("CERT", &good.cert)], "KEY"),
        (&[("KEY", &good.key)], "CERT"),
        (&[("CLIENT_CA", &ca)], "CERT"),
        (&[("CERT", &nowhere), ("KEY", &good.key)], "CERT"),
        (&[("CERT", &good.cert), ("KEY", &nowhere)], "KEY"),
        (&[("CERT", &text), ("KEY", &good.key)], "CERT"),
        (&[("CERT", &good.cert), ("KEY", &text)], "KEY"),
        (&[("CERT", &good.cert), ("KEY", &good.cert)], "KEY"),
        (&[("CERT", &good.cert), ("KEY", &other.key)], "KEY"),
        (
            &[("CERT", &good.cert), ("KEY", &good.key), ("CLIENT_CA", &text)],
            "CLIENT_CA",
        ),
        (
            &[("CERT", &good.cert), ("KEY", &good.key), ("CLIENT_CA", &junk)],
            "CLIENT_CA",
        ),
    ];
    let caller: [(&[(&str, &Path)], &str); 7] = [
        (&[("CA", &nowhere)], "CA"),
        (&[("CA", &junk)], "CA"),
        (&[("CA", &ca), ("CERT", &good.cert)], "KEY"),
        (&[("CA", &ca), ("KEY", &good.key)], "CERT"),
        (&[("CERT", &good.cert), ("KEY", &good.key)], "CA"),
        (&[("CA", &ca), ("CERT", &text), ("KEY", &good.key)], "CERT"),
        (&[("CA", &ca), ("CERT", &good.cert), ("KEY", &other.key)], "KEY"),
    ];
    let try_all = |role: &str, prefix: &str, rows: &[(&[(&str, &Path)], &str)]| {
        for (files, named) in rows {
            let settings: Vec<_> = files
                .iter()
                .map(|(name, path)| (format!("{prefix}_TLS_{name}"), *path))
                .collect();
            names(role, &settings, &format!("{prefix}_TLS_{named}"));
        }
    };
    for (role, prefix) in [("auth", "AUTH"), ("widget", "WIDGET"), ("gateway", "GATEWAY")] {
        try_all(role, prefix, &listener);
    }
    for role in ["widget", "gateway"] {
        try_all(role, "UPSTREAM", &caller);
    }
}
