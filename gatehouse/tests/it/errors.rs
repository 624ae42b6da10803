//! docs/errors.md lists exactly the reasons that the code gives.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Words in capitals that the sources hold and that are no reasons.
const OTHER: [&str; 36] = [
    // canonical codes
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "DATA_LOSS",
    "UNAUTHENTICATED",
    // SQL
    "ANALYZE",
    "BEGIN",
    "COMMIT",
    "DESC",
    "EXPLAIN",
    "ROLLBACK",
    "TRUE",
    // a denied call's line in the log
    "DENIED_CALL",
    "FAILURE",
    // roles, HTTP, values of flags
    "AUTH",
    "GATEWAY",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "POST",
    "ADDRESS",
    "FILE",
    "VERSION",
    "WIDGET",
    "SERVICE_TOKEN",
    "OUT_DIR",
];

/// Settings and what cargo sets.
const VARIABLES: [&str; 8] = [
    "AUTH_",
    "CARGO_",
    "GATEWAY_",
    "OTEL_",
    "TEST_",
    "TLS_",
    "UPSTREAM_TLS_",
    "WIDGET_AUTH_URL",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn documented() -> BTreeSet<String> {
    let page = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(reason, _)| reason.to_owned()).collect()
}

/// Every literal in capitals of the code that serves; settings, and tests at the ends of files, are left out.
fn in_code() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in [
        "auth-service",
        "widget-service",
        "gateway",
        "crates/service-kit",
        "crates/access-token",
    ] {
        walk(&root().join(folder).join("src"), &mut found);
    }
    found
}

fn walk(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "config" {
            continue;
        } else if path.is_dir() {
            walk(&path, found);
        } else if name.ends_with(".rs") && !["config.rs", "telemetry.rs", "tests.rs"].contains(&name) {
            let text = fs::read_to_string(&path).unwrap();
            let served = text.split("#[cfg(test)]").next().unwrap();
            let literals = served.split('"').skip(1).step_by(2);
            found.extend(literals.filter(|literal| is_capitals(literal)).map(str::to_owned));
        }
    }
}

fn is_capitals(literal: &str) -> bool {
    literal.len() >= 4 && literal.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

#[test]
fn every_reason_is_documented_and_every_documented_reason_is_given() {
    let mut given = in_code();
    given.retain(|word| !OTHER.contains(&word.as_str()) && !VARIABLES.iter().any(|prefix| word.starts_with(prefix)));
    let documented = documented();

    let missing: Vec<_> = given.difference(&documented).collect();
    let stale: Vec<_> = documented.difference(&given).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "not documented: {missing:?}, not given: {stale:?}"
    );
    assert!(documented.len() > 30);
}
