use super::json::Members;

/// What a header says that we act on. `jku`, `x5u`, `jwk` and the like are never looked at.
pub(super) struct Header {
    /// Which key signed.
    pub(super) kid: String,
}

/// Why a header is not one of ours.
pub(super) enum HeaderError {
    /// It is no JSON object, or a name comes twice.
    Malformed,
    /// It says something that we do not accept.
    Refused,
}

impl Header {
    /// Takes a header of EdDSA (RFC 8037) with an access token's type (RFC 9068), a key id and nothing critical.
    pub(super) fn read(json: &[u8]) -> Result<Self, HeaderError> {
        let members = Members::read(json).ok_or(HeaderError::Malformed)?;
        let typed = matches!(members.text("typ"), Some("at+jwt" | "application/at+jwt"));
        let signed = members.text("alg") == Some("EdDSA");
        let plain = members.get("crit").is_none();
        match members.text("kid") {
            Some(kid) if typed && signed && plain => Ok(Self { kid: kid.to_owned() }),
            _ => Err(HeaderError::Refused),
        }
    }
}
