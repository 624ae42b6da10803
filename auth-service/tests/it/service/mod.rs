//! Calls over gRPC, rule by rule.

mod sessions;
