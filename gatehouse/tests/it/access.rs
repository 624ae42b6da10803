//! Every method of the contract, found by walking the descriptor.

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

use crate::house::TestHouse;

const PUBLIC: i32 = 1;
const ADMIN: i32 = 3;
const SERVICE: i32 = 4;

fn methods() -> Vec<(MethodDescriptor, i32)> {
    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
    let access = pool.get_extension_by_name("gatehouse.options.v1.access").unwrap();
    let methods: Vec<_> = pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|method| {
            let access = method.options().get_extension(&access).as_enum_number().unwrap();
            (method, access)
        })
        .collect();
    assert!(
        methods.len() >= 22,
        "the contract has shrunk to {} methods",
        methods.len()
    );
    methods
}

/// Calls a method with an empty message.
async fn call(house: &TestHouse, method: &MethodDescriptor, bearer: Option<&str>) -> Result<(), Status> {
    let service = if method.full_name().starts_with("widget.") {
        house.widget
    } else {
        house.auth
    };
    let mut client: Grpc<Channel> = Grpc::new(house.channel(service).await);
    client.ready().await.unwrap();
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let mut request = Request::new(Bytes::new());
    if let Some(bearer) = bearer {
        request.metadata_mut().insert("authorization", bearer.parse().unwrap());
    }
    client
        .unary(request, PathAndQuery::try_from(path).unwrap(), Raw)
        .await
        .map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_method_but_the_public_ones_answers_without_a_token() {
    let house = TestHouse::start().await;
    for (method, access) in methods() {
        let code = call(&house, &method, None)
            .await
            .err()
            .map_or(Code::Ok, |status| status.code());

        assert_eq!(
            code == Code::Unauthenticated && access != PUBLIC,
            access != PUBLIC,
            "{}: {code:?}",
            method.full_name()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_reach_no_method_of_administrators_or_services() {
    let house = TestHouse::start().await;
    let user = house.user("ada@example.com").await;
    for (method, _) in methods()
        .into_iter()
        .filter(|(_, access)| [ADMIN, SERVICE].contains(access))
    {
        let status = call(&house, &method, Some(&user.bearer)).await.unwrap_err();

        assert_eq!(status.code(), Code::PermissionDenied, "{}", method.full_name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_reach_no_method_of_services() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for (method, _) in methods().into_iter().filter(|(_, access)| *access == SERVICE) {
        let status = call(&house, &method, Some(&admin.bearer)).await.unwrap_err();

        assert_eq!(status.code(), Code::PermissionDenied, "{}", method.full_name());
    }
}

/// Messages as they are on the wire.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
