//! Who may depend on whom: docs/architecture.md states it, this keeps it.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

const PARTS: [&str; 4] = ["access-token", "database", "proto", "service-kit"];

/// Our crates that each of our crates may depend on.
const LAW: [(&str, &[&str]); 10] = [
    ("proto", &[]),
    ("service-kit", &[]),
    ("database", &[]),
    ("access-token", &["proto"]),
    ("gateway", &["proto", "service-kit"]),
    ("auth-service", &PARTS),
    ("widget-service", &PARTS),
    (
        "gatehouse",
        &["auth-service", "gateway", "service-kit", "widget-service"],
    ),
    ("test-kit", &PARTS),
    (
        "bench",
        &[
            "access-token",
            "auth-service",
            "database",
            "gatehouse",
            "gateway",
            "proto",
            "service-kit",
            "test-kit",
            "widget-service",
        ],
    ),
];

fn members() -> Vec<Value> {
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .output()
        .unwrap();
    assert!(
        metadata.status.success(),
        "{}",
        String::from_utf8_lossy(&metadata.stderr)
    );
    let mut metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    serde_json::from_value(metadata["packages"].take()).unwrap()
}

fn dependencies(member: &Value, dev: bool) -> impl Iterator<Item = &str> {
    let all = member["dependencies"].as_array().unwrap().iter();
    all.filter(move |dependency| (dependency["kind"] == "dev") == dev)
        .map(|dependency| dependency["name"].as_str().unwrap())
}

#[test]
fn our_crates_depend_on_each_other_only_as_the_law_allows() {
    let law = BTreeMap::from(LAW);
    let members = members();
    assert_eq!(members.len(), law.len(), "a crate is missing in the law");
    for member in &members {
        let name = member["name"].as_str().unwrap();
        let allowed = law.get(name).unwrap_or_else(|| panic!("{name} is missing in the law"));
        for dependency in dependencies(member, false).filter(|dependency| law.contains_key(dependency)) {
            assert!(allowed.contains(&dependency), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn the_gateway_knows_no_database_and_no_service_even_in_its_tests() {
    for member in members().iter().filter(|member| member["name"] == "gateway") {
        for forbidden in ["sqlx", "database", "auth-service", "widget-service", "access-token"] {
            assert!(
                dependencies(member, false)
                    .chain(dependencies(member, true))
                    .all(|name| name != forbidden),
                "the gateway must not depend on {forbidden}"
            );
        }
    }
}

#[test]
fn only_the_database_crate_knows_the_engines() {
    for member in members() {
        let name = member["name"].as_str().unwrap().to_owned();
        let knows = dependencies(&member, false).any(|dependency| dependency.starts_with("sqlx"));
        assert_eq!(knows, name == "database", "{name} and sqlx");
    }
}

#[test]
fn unsafe_code_is_forbidden_in_every_crate() {
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let workspace = std::fs::read_to_string(workspace).unwrap();
    assert!(workspace.contains("[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"));
    for member in members() {
        let manifest = member["manifest_path"].as_str().unwrap();
        let text = std::fs::read_to_string(manifest).unwrap();
        assert!(text.contains("\n[lints]\nworkspace = true\n"), "{manifest}");
    }
}
