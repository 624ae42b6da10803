//! Load and micro benchmarks that print ratios of one run. They assert nothing about times.
//!
//! Everything goes to 127.0.0.1 and is bounded in count and time.

pub mod grpc;
pub mod house;
pub mod load;
pub mod open_loop;
pub mod process;
pub mod rest;

/// What can go wrong in a benchmark: it ends with a text.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
