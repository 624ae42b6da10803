use access_token::Claims;
use proto::auth::v1::{self as pb, revocation::Subject};

use super::{Attack, EXPIRED, REVOKED};
use crate::TokenMint;

/// Attacks with tokens that were good once, and what the auth service has to answer for them to be refused.
#[derive(Clone, Debug)]
pub struct Staged {
    /// A complete reply to a Sync from the beginning.
    pub response: pb::SyncResponse,
    /// The attacks.
    pub attacks: Vec<Attack>,
}

/// Attacks with revoked tokens.
pub fn staged_attacks(mint: &TokenMint, now: i64) -> Staged {
    let retired = TokenMint::of_seed(204);
    let out = mint.claims(now);
    let demoted = mint.claims(now);
    let deleted = mint.claims(now);
    let expired = mint.claims(now - 4000);
    let floor = |claims: &Claims, generation| {
        Subject::User(pb::GenerationFloor {
            user_id: claims.user_id.as_bytes().to_vec(),
            generation,
        })
    };
    let jti = |claims: &Claims| Subject::Token(claims.token_id.as_bytes().to_vec());
    let subjects = vec![
        jti(&out),
        jti(&expired),
        floor(&demoted, demoted.generation + 1),
        floor(&deleted, i64::MAX),
        Subject::Key(retired.key.kid().to_owned()),
    ];
    let attacks = vec![
        Attack::token("logged out", mint.sign(&out), REVOKED),
        Attack::token("of an older generation", mint.sign(&demoted), REVOKED),
        Attack::token("of a deleted user", mint.sign(&deleted), REVOKED),
        Attack::token("signed by a retired key", retired.user(now), REVOKED),
        Attack::token("logged out and expired since", mint.sign(&expired), EXPIRED),
    ];
    let mut response = mint.sync_response();
    response.keys.push(retired.verifying_key());
    response.next_cursor = 5;
    response.revocations = revocations(subjects);
    Staged { response, attacks }
}

fn revocations(subjects: Vec<Subject>) -> Vec<pb::Revocation> {
    let number = |(number, subject)| pb::Revocation {
        number,
        subject: Some(subject),
        expires_at: None,
    };
    (1..).zip(subjects).map(number).collect()
}
