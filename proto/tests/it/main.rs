//! What the contract promises about itself.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use prost_reflect::{DescriptorPool, EnumDescriptor, FileDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use proto::auth::v1::{
    AccessToken, ChangePasswordRequest, DeleteCurrentUserRequest, IntrospectRequest, LoginRequest, RegisterRequest,
};

const OURS: [&str; 3] = ["auth.v1", "gatehouse.options.v1", "widget.v1"];

fn pool() -> DescriptorPool {
    DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).unwrap()
}

fn files(pool: &DescriptorPool) -> Vec<FileDescriptor> {
    let files: Vec<_> = pool
        .files()
        .filter(|file| OURS.contains(&file.package_name()))
        .collect();
    assert_eq!(files.len(), 4, "auth, trust, widget, options");
    files
}

fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let methods: Vec<_> = pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect();
    assert!(methods.len() >= 22, "the contract has shrunk");
    methods
}

/// The places of a file that have a comment before them.
fn commented(file: &FileDescriptor) -> HashSet<Vec<i32>> {
    let info = file
        .file_descriptor_proto()
        .source_code_info
        .as_ref()
        .expect("source info is kept");
    let places = info
        .location
        .iter()
        .filter(|place| !place.leading_comments().trim().is_empty());
    places.map(|place| place.path.clone()).collect()
}

fn messages(message: &MessageDescriptor, all: &mut Vec<MessageDescriptor>) {
    if !message.is_map_entry() {
        all.push(message.clone());
        message.child_messages().for_each(|child| messages(&child, all));
    }
}

#[test]
fn every_method_states_who_may_call_it() {
    let pool = pool();
    let access = pool.get_extension_by_name("gatehouse.options.v1.access").unwrap();
    for method in methods(&pool) {
        let stated = method.options().get_extension(&access).as_enum_number().unwrap();
        assert!(
            (1..=4).contains(&stated),
            "{} does not state its access",
            method.full_name()
        );
    }
}

#[test]
fn everything_that_users_see_is_explained() {
    let pool = pool();
    for file in files(&pool) {
        let commented = commented(&file);
        let explained = |name: &str, path: &[i32]| assert!(commented.contains(path), "{name} has no comment");
        let mut all = Vec::new();
        file.messages().for_each(|message| messages(&message, &mut all));
        let nested = all
            .iter()
            .flat_map(|message| message.child_enums().collect::<Vec<EnumDescriptor>>());

        for kind in file.enums().chain(nested) {
            explained(kind.full_name(), kind.path());
            kind.values()
                .for_each(|value| explained(value.full_name(), value.path()));
        }
        for service in file.services() {
            explained(service.full_name(), service.path());
            service
                .methods()
                .for_each(|method| explained(method.full_name(), method.path()));
        }
        for message in &all {
            explained(message.full_name(), message.path());
            message
                .fields()
                .for_each(|field| explained(field.full_name(), field.path()));
        }
    }
}

#[test]
fn every_method_with_rest_says_what_a_success_looks_like() {
    let pool = pool();
    let http = pool.get_extension_by_name("google.api.http").unwrap();
    let response = pool
        .get_extension_by_name("gatehouse.options.v1.http_response")
        .unwrap();
    for method in methods(&pool)
        .iter()
        .filter(|method| method.options().has_extension(&http))
    {
        let status = method
            .options()
            .get_extension(&response)
            .as_message()
            .unwrap()
            .get_field_by_name("status")
            .unwrap()
            .as_i32();
        let is_empty = method.output().full_name() == "google.protobuf.Empty";
        assert_eq!(
            status == Some(204),
            is_empty,
            "{}: an empty message is 204, and nothing else",
            method.full_name()
        );
    }
}

/// What fields that hold secrets are called.
const SECRETS: [&str; 6] = ["access_token", "current", "new", "password", "secret", "token"];

#[test]
fn every_field_that_holds_a_secret_is_kept_out_of_debug() {
    let pool = pool();
    let mut secrets = 0;
    for file in files(&pool) {
        let mut all = Vec::new();
        file.messages().for_each(|message| messages(&message, &mut all));
        for field in all.iter().flat_map(MessageDescriptor::fields) {
            if field.kind() == Kind::String && SECRETS.contains(&field.name()) {
                secrets += 1;
                let redact = field.options().get_field_by_name("debug_redact").unwrap().as_bool();
                assert_eq!(redact, Some(true), "{} needs [debug_redact = true]", field.full_name());
            }
        }
    }
    assert_eq!(secrets, 7, "passwords and tokens");
}

#[test]
fn debug_shows_no_password_and_no_token() {
    let planted = || "planted".to_owned();
    let email = || "ada@example.com".to_owned();
    let shown = [
        format!(
            "{:?}",
            RegisterRequest {
                email: email(),
                password: planted(),
                validate_only: true
            }
        ),
        format!(
            "{:?}",
            LoginRequest {
                email: email(),
                password: planted()
            }
        ),
        format!(
            "{:?}",
            ChangePasswordRequest {
                current: planted(),
                new: planted()
            }
        ),
        format!("{:?}", DeleteCurrentUserRequest { password: planted() }),
        format!("{:?}", IntrospectRequest { token: planted() }),
        format!(
            "{:?}",
            AccessToken {
                access_token: planted(),
                token_type: "Bearer".to_owned(),
                expires_in: 3600
            }
        ),
    ];

    for text in &shown {
        assert!(text.contains("[redacted]") && !text.contains("planted"), "{text}");
    }
    assert_eq!(
        shown[0],
        r#"RegisterRequest { email: "ada@example.com", password: [redacted], validate_only: true }"#
    );
}
