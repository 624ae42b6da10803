//! Secrets stay where they belong: whatever is called, neither the log nor the metrics nor a refused start shows one.
//!
//! Every secret here is planted: it begins with a word that nothing else contains.

mod calls;
pub mod house;
mod scan;
mod starts;
