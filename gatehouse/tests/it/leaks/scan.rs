//! Looks for secrets in a text.

/// What every planted secret begins with: in itself, as bytes that `Debug` prints, in hexadecimal, and in base64 at
/// each of its three alignments.
const PLANTED: [&str; 6] = [
    "planted-",
    "112, 108, 97, 110, 116, 101, 100, 45",
    "706c616e7465642d",
    "cGxhbnRlZC",
    "YW50ZWQt",
    "bGFudGVk",
];

/// What secrets that nobody planted begin with: hashes of passwords, tokens, private keys.
const BORN: [&str; 3] = ["$argon2", "eyJ", "PRIVATE KEY"];

/// Checks that a text holds no planted secret and none of the others, such as parts of tokens.
#[track_caller]
pub fn assert_clean<'a>(what: &str, text: &str, others: impl IntoIterator<Item = &'a str>) {
    for secret in PLANTED.into_iter().chain(BORN).chain(others) {
        if let Some(at) = text.find(secret) {
            let from = text[..at].rfind('\n').map_or(0, |end| end + 1);
            let line = text[from..].lines().next().unwrap_or_default();
            panic!("{what} holds {secret:?}: {line}");
        }
    }
}

#[test]
fn the_scan_finds_a_secret_in_any_spelling() {
    let secret = "planted-password";
    for shown in [
        secret.to_owned(),
        format!("{:?}", secret.as_bytes()),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
        "cGxhbnRlZC1wYXNzd29yZA".to_owned(),
        "eHBsYW50ZWQtcGFzc3dvcmQ".to_owned(),
        "eHhwbGFudGVkLXBhc3N3b3Jk".to_owned(),
    ] {
        let found = std::panic::catch_unwind(|| assert_clean("the text", &format!("a\nb {shown}\nc"), []));
        assert!(found.is_err(), "{shown}");
    }
    assert_clean("the text", "nothing here", ["a token"]);
}
