//! What the kernel says of a process.

use std::{fs, time::Duration};

use crate::Outcome;

/// CPU time of all threads so far.
///
/// # Errors
/// When there is no such process.
pub fn cpu(pid: u32) -> Outcome<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat.rsplit_once(')').ok_or("no stat")?.1;
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u64>)
        .sum::<Result<_, _>>()?;
    // Linux counts in hundredths of a second.
    Ok(Duration::from_millis(ticks * 10))
}

/// Resident memory in bytes.
///
/// # Errors
/// When there is no such process.
pub fn memory(pid: u32) -> Outcome<u64> {
    bytes(pid, "VmRSS:")
}

/// The most memory that was ever resident, in bytes.
///
/// # Errors
/// When there is no such process.
pub fn peak_memory(pid: u32) -> Outcome<u64> {
    bytes(pid, "VmHWM:")
}

fn bytes(pid: u32, name: &str) -> Outcome<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .ok_or_else(|| format!("no {name}"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}
