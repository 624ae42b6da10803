//! What the contract promises about itself.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use prost_reflect::{DescriptorPool, EnumDescriptor, FileDescriptor, MessageDescriptor, MethodDescriptor};

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
