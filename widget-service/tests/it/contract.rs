//! What the tests of this folder have to cover, read from the `.proto` itself.

use prost::Message;
use prost_types::{FileDescriptorSet, MethodDescriptorProto};

/// The methods of the widget service whose request has such a field, or all of them.
fn methods(with: Option<&str>) -> Vec<String> {
    let set = FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
    let file = set.file.into_iter().find(|file| file.package() == "widget.v1").unwrap();
    let has = |method: &MethodDescriptorProto, field: &str| {
        let input = method.input_type().rsplit('.').next().unwrap();
        let message = file
            .message_type
            .iter()
            .find(|message| message.name() == input)
            .unwrap();
        message.field.iter().any(|candidate| candidate.name() == field)
    };
    let methods = file.service[0].method.iter();
    let methods = methods.filter(|method| with.is_none_or(|field| has(method, field)));
    methods.map(|method| method.name().to_owned()).collect()
}

#[test]
fn each_method_that_can_be_checked_only_has_a_test_that_it_writes_nothing() {
    // create.rs, update.rs, replace.rs: `a_check_…`
    assert_eq!(
        methods(Some("validate_only")),
        ["CreateWidget", "UpdateWidget", "ReplaceWidget"]
    );
}

#[test]
fn each_method_is_called_without_a_token_and_by_a_user() {
    // access.rs: `call_everything`
    let all = [
        "ListWidgets",
        "GetWidget",
        "CreateWidget",
        "UpdateWidget",
        "ReplaceWidget",
        "DeleteWidget",
    ];

    assert_eq!(methods(None), all);
}
