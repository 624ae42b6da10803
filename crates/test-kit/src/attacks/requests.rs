use super::{AMBIGUOUS, Attack, Bench, EMPTY, MISSING};

/// Requests that show a token in the wrong way, or none.
pub(super) fn attacks(bench: &Bench<'_>) -> Vec<Attack> {
    let token = bench.good();
    let value = |text: String| text.into_bytes();
    let bearer = || value(format!("Bearer {token}"));
    let basic = || value("Basic YWRhOnNlY3JldA==".to_owned());
    [
        ("no Authorization header", vec![], MISSING),
        ("an empty Authorization header", vec![vec![]], MISSING),
        ("the scheme Basic", vec![basic()], MISSING),
        ("the scheme Token", vec![value(format!("Token {token}"))], MISSING),
        ("the scheme DPoP", vec![value(format!("DPoP {token}"))], MISSING),
        (
            "a scheme that begins with Bearer",
            vec![value(format!("BearerX {token}"))],
            MISSING,
        ),
        ("a token without a scheme", vec![value(token.clone())], MISSING),
        (
            "a tab after the scheme",
            vec![value(format!("Bearer\t{token}"))],
            MISSING,
        ),
        (
            "a colon after the scheme",
            vec![value(format!("Bearer: {token}"))],
            MISSING,
        ),
        ("Bearer and nothing else", vec![value("Bearer".to_owned())], EMPTY),
        ("Bearer and a space", vec![value("Bearer ".to_owned())], EMPTY),
        ("Bearer and many spaces", vec![value("bearer    ".to_owned())], EMPTY),
        ("the same token twice", vec![bearer(), bearer()], AMBIGUOUS),
        ("a good token and another scheme", vec![bearer(), basic()], AMBIGUOUS),
        ("another scheme and a good token", vec![basic(), bearer()], AMBIGUOUS),
        ("a good token and an empty header", vec![bearer(), vec![]], AMBIGUOUS),
    ]
    .into_iter()
    .map(|(name, authorization, answer)| Attack::raw(name, authorization, answer))
    .collect()
}
