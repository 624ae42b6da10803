//! Who may call what.

mod authenticator;
mod caller;
mod credentials;
mod layer;
mod policy;
mod refusal;

pub use authenticator::Authenticator;
pub use caller::Caller;
pub use credentials::ServiceTokens;
pub use layer::{AccessLayer, AccessService};
pub use policy::AccessError;
pub use refusal::Refusal;
