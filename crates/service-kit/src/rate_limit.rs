//! Telling clients what is left of their quota: the fields `RateLimit-Policy` and `RateLimit`
//! (draft-ietf-httpapi-ratelimit-headers-10), sent as metadata that the gateway hands on.

use std::time::Duration;

use tonic::{Response, Status, metadata::MetadataMap};

const POLICY: &str = "ratelimit-policy";
const LIMIT: &str = "ratelimit";

/// A quota, and what is left of it for one client at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The policy's name, in letters and hyphens.
    pub policy: &'static str,
    /// How many there are …
    pub quota: u64,
    /// … in so long a time.
    pub window: Duration,
    /// How many are left.
    pub remaining: u64,
    /// When there will be more.
    pub reset: Duration,
}

impl RateLimit {
    /// Puts the fields on an answer, be it a reply or a refusal, that has none yet.
    ///
    /// # Errors
    /// The refusal that it was given.
    pub fn on<T>(self, mut answer: Result<Response<T>, Status>) -> Result<Response<T>, Status> {
        let metadata = match &mut answer {
            Ok(response) => response.metadata_mut(),
            Err(status) => status.metadata_mut(),
        };
        if !metadata.contains_key(LIMIT) {
            self.write(metadata);
        }
        answer
    }

    pub(crate) fn write(self, metadata: &mut MetadataMap) {
        let Self { policy, quota, .. } = self;
        let (window, reset) = (whole_seconds(self.window), whole_seconds(self.reset));
        let fields = [
            (POLICY, format!("\"{policy}\";q={quota};w={window}")),
            (LIMIT, format!("\"{policy}\";r={};t={reset}", self.remaining)),
        ];
        for (name, value) in fields {
            if let Ok(value) = value.parse() {
                metadata.insert(name, value);
            }
        }
    }
}

/// Rounded up: whoever waits for so long has waited long enough.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit {
        policy: "network",
        quota: 50,
        window: Duration::from_secs(600),
        remaining: 0,
        reset: Duration::from_millis(1_001),
    };

    fn fields(metadata: &MetadataMap) -> [&str; 2] {
        ["ratelimit-policy", "ratelimit"].map(|name| metadata.get(name).unwrap().to_str().unwrap())
    }

    #[test]
    fn replies_and_refusals_tell_the_quota_and_what_is_left_of_it_in_whole_seconds() {
        let expected = [r#""network";q=50;w=600"#, r#""network";r=0;t=2"#];

        let reply = LIMIT.on(Ok(Response::new(()))).unwrap();
        let refusal = LIMIT.on::<()>(Err(Status::not_found("no"))).unwrap_err();

        assert_eq!(fields(reply.metadata()), expected);
        assert_eq!(fields(refusal.metadata()), expected);
        assert_eq!((refusal.code(), refusal.message()), (tonic::Code::NotFound, "no"));
    }

    #[test]
    fn what_a_refusal_says_itself_stands() {
        let own = RateLimit {
            policy: "account",
            ..LIMIT
        };
        let refused = own.on::<()>(Err(Status::resource_exhausted("wait")));

        let refusal = LIMIT.on(refused).unwrap_err();

        assert_eq!(fields(refusal.metadata())[1], r#""account";r=0;t=2"#);
    }
}
