//! Accounts, passwords, tokens, revocation, signing keys.
