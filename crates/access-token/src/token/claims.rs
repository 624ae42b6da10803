use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::json::Members;

/// What a token says (RFC 7519, RFC 9068). It holds no e-mail and nothing private.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// Who issued the token.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The user's id.
    #[serde(rename = "sub", serialize_with = "hyphenated")]
    pub user_id: Uuid,
    /// Whom the token is for: one name, never a list.
    #[serde(rename = "aud")]
    pub audience: String,
    /// When it was issued, in seconds since the epoch.
    #[serde(rename = "iat")]
    pub issued_at: i64,
    /// When it stops being good, in seconds since the epoch.
    #[serde(rename = "exp")]
    pub expires_at: i64,
    /// From when on it is good, in seconds since the epoch. Our own tokens leave it out.
    #[serde(rename = "nbf", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<i64>,
    /// The token's own id.
    #[serde(rename = "jti", serialize_with = "hyphenated")]
    pub token_id: Uuid,
    /// Whether the user is an administrator.
    pub admin: bool,
    /// The user's token generation at login, 0 or more.
    #[serde(rename = "gen")]
    pub generation: i64,
}

fn hyphenated<S: serde::Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&id.hyphenated())
}

impl Claims {
    /// Reads claims that are all there and well typed. Others are let be.
    pub(super) fn read(members: &Members) -> Option<Self> {
        let not_before = match members.get("nbf") {
            None => None,
            Some(value) => Some(whole(Some(value))?),
        };
        Some(Self {
            issuer: members.text("iss")?.to_owned(),
            user_id: id(members.text("sub")?)?,
            audience: members.text("aud")?.to_owned(),
            issued_at: whole(members.get("iat"))?,
            expires_at: whole(members.get("exp"))?,
            not_before,
            token_id: id(members.text("jti")?)?,
            admin: members.get("admin")?.as_bool()?,
            generation: whole(members.get("gen"))?,
        })
    }
}

fn whole(value: Option<&Value>) -> Option<i64> {
    value?.as_i64().filter(|number| *number >= 0)
}

/// A UUID in the one spelling that we mint, so that an id has one text.
fn id(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    let mut buffer = Uuid::encode_buffer();
    (id.hyphenated().encode_lower(&mut buffer) == text).then_some(id)
}
