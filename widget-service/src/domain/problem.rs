/// Why the value of a field is not accepted. The text is shown to callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the text of each says it")]
pub enum Problem {
    #[error("is required")]
    Missing,
    #[error("must be 1 to 100 characters of a-z, 0-9, - and _")]
    NotAName,
    #[error("must have at most {0} characters")]
    TooLong(usize),
    #[error("must not contain the character U+0000")]
    Nul,
    #[error("must be an absolute http or https URL with a host, without white space")]
    NotAUrl,
    #[error("must be a time in the years 1 to 9999 with 0 to 999,999,999 nanoseconds")]
    NotATime,
    #[error("must be today or later, by its date in UTC")]
    Past,
    #[error("must be name, created_at, updated_at or deadline, each also with \" desc\"")]
    NotAnOrder,
}
