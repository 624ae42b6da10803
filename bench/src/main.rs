//! Load and micro benchmarks that print ratios.
fn main() {}
