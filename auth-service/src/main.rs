//! Accounts, passwords, tokens, revocation, signing keys.
fn main() {}
