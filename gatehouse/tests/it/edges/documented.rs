//! docs/running.md lists every limit with its default.

use std::{collections::BTreeMap, fs, path::Path};

use clap::{Args, Command};
use gatehouse::HouseArgs;

use crate::house::settings;

/// The cells of each row of the table, by the setting's name without its role.
fn table() -> BTreeMap<String, Vec<String>> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/running.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `_"));
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    rows.map(cells)
        .map(|cells| (cells[1].trim_matches('`').to_owned(), cells[2..4].to_vec()))
        .collect()
}

fn is_limit(name: &str) -> bool {
    name.starts_with("_MAX_") || name.ends_with("_TIMEOUT") || name == "_KEEPALIVE"
}

#[test]
fn every_limit_is_documented_with_its_default() {
    let table = table();
    let command = HouseArgs::augment_args(Command::new("house"));
    let mut seen = 0;
    for arg in command.get_arguments() {
        let variable = arg.get_env().unwrap().to_str().unwrap();
        for (role, column) in [("GATEWAY", 0), ("AUTH", 1), ("WIDGET", 1)] {
            let Some(name) = variable.strip_prefix(role).filter(|name| is_limit(name)) else {
                continue;
            };
            let row = table
                .get(name)
                .unwrap_or_else(|| panic!("{variable} is not in the table"));
            let default = arg.get_default_values().first().map(|value| value.to_str().unwrap());
            assert_eq!(Some(&*row[column]), default, "{variable}");
            seen += 1;
        }
    }
    let documented = table.values().flat_map(|cells| [&cells[0], &cells[1], &cells[1]]);
    assert_eq!(seen, documented.filter(|cell| !cell.is_empty()).count());
}

#[test]
fn the_defaults_of_the_command_line_are_those_of_the_code() {
    let house = settings(Path::new("."));
    assert_eq!(house.gateway.limits, Default::default());
    assert_eq!(house.auth.limits, Default::default());
    assert_eq!(house.widget.limits, Default::default());
}
