use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The three parts of a JWS in compact form (RFC 7515 section 7.1), decoded.
pub(super) struct Compact<'a> {
    pub(super) header: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// The text of the signature, as it came.
    pub(super) signature_text: &'a str,
    /// What the signature is over: the first two parts as they came, with the dot between.
    pub(super) signed: &'a [u8],
}

impl<'a> Compact<'a> {
    /// Splits a token of exactly three parts of strict base64url: no padding, no white space, no loose bits at the end.
    pub(super) fn read(token: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(token).ok()?;
        let (signed, signature_text) = text.rsplit_once('.')?;
        // A further dot is left in the payload, and no base64url.
        let (header, payload) = signed.split_once('.')?;
        Some(Self {
            header: URL_SAFE_NO_PAD.decode(header).ok()?,
            payload: URL_SAFE_NO_PAD.decode(payload).ok()?,
            signature: URL_SAFE_NO_PAD.decode(signature_text).ok()?,
            signature_text,
            signed: signed.as_bytes(),
        })
    }
}
