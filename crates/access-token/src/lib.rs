//! What a service needs to accept tokens: claims, verifier, trust view, interceptor, caller.
