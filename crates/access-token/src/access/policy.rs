use std::collections::HashMap;

use prost_reflect::{DescriptorPool, ExtensionDescriptor, MethodDescriptor, Value};
use proto::options::v1::Access;

/// The method option that says who may call.
const OPTION: &str = "gatehouse.options.v1.access";

/// Services that any service may offer beside its own and that need no access option.
const OPEN: [&str; 3] = [
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The bytes are no descriptor set.
    #[error("the descriptor set cannot be read")]
    Descriptors(#[source] Box<prost_reflect::DescriptorError>),
    /// The descriptor set lacks the definition of the option.
    #[error("the descriptor set does not define {OPTION}")]
    NoOption,
    /// A method does not say who may call it.
    #[error("{0} does not say who may call it: add `option ({OPTION}) = PUBLIC | USER | ADMIN | SERVICE;`")]
    Unstated(String),
}

/// Who may call which method, by path.
#[derive(Debug)]
pub(super) struct Policy(HashMap<String, Access>);

impl Policy {
    /// Reads the access of every method of a descriptor set.
    pub(super) fn read(descriptors: &[u8]) -> Result<Self, AccessError> {
        let pool = DescriptorPool::decode(descriptors).map_err(|error| AccessError::Descriptors(Box::new(error)))?;
        let option = pool.get_extension_by_name(OPTION).ok_or(AccessError::NoOption)?;
        let mut methods = HashMap::new();
        for service in pool.services() {
            for method in service.methods() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                if OPEN.iter().any(|open| path.starts_with(open)) {
                    continue;
                }
                methods.insert(path, access(&method, &option)?);
            }
        }
        Ok(Self(methods))
    }

    /// Who may call the method at a path; none for a path that is not there.
    pub(super) fn of(&self, path: &str) -> Option<Access> {
        if let Some(access) = self.0.get(path) {
            return Some(*access);
        }
        OPEN.iter().any(|open| path.starts_with(open)).then_some(Access::Public)
    }
}

fn access(method: &MethodDescriptor, option: &ExtensionDescriptor) -> Result<Access, AccessError> {
    let options = method.options();
    match options.get_extension(option).as_ref() {
        Value::EnumNumber(number) => Access::try_from(*number).ok(),
        _ => None,
    }
    .filter(|access| *access != Access::Unspecified)
    .ok_or_else(|| AccessError::Unstated(method.full_name().to_owned()))
}
