//! What the gRPC library refuses by itself says why in the same form as what the services refuse.

use std::net::SocketAddr;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::house::TestHouse;

/// A path, headers and a body, and the code and the reason that they lead to.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], Bytes, Code, &'a str);

/// A call made by hand: its status from the headers or the trailers.
async fn call(service: SocketAddr, path: &str, headers: &[(&str, &str)], body: Bytes) -> Status {
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .http2_only(true)
        .build_http();
    let mut request = Request::post(format!("http://{service}{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = client.request(request.body(Full::new(body)).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let (parts, body) = response.into_parts();
    let trailers: Option<HeaderMap> = body.collect().await.unwrap().trailers().cloned();
    Status::from_header_map(&parts.headers)
        .or_else(|| Status::from_header_map(&trailers?))
        .unwrap()
}

/// A message's frame that claims a length.
fn frame(flag: u8, length: u32, message: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(flag);
    frame.put_u32(length);
    frame.put_slice(message);
    frame.freeze()
}

fn said(status: &Status) -> (Code, String) {
    let details = status.get_error_details();
    let info = details
        .error_info()
        .unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "gatehouse");
    (status.code(), info.reason.clone())
}

#[tokio::test]
async fn what_no_service_looked_at_is_refused_with_a_reason_too() {
    let house = TestHouse::start().await;
    let user = house.user("ada@example.com").await;
    let methods = [
        (house.auth, "/auth.v1.AuthService/Login"),
        (house.widget, "/widget.v1.WidgetService/ListWidgets"),
    ];
    let none = frame(0, 0, b"");
    for (service, method) in methods {
        let of = |path: &str| format!("{}{path}", method.rsplit_once('/').unwrap().0);
        let rows: [Row<'_>; 10] = [
            (
                "/nothing.v1.Nothing/Do",
                &[],
                none.clone(),
                Code::Unimplemented,
                "METHOD_UNKNOWN",
            ),
            ("/", &[], none.clone(), Code::Unimplemented, "METHOD_UNKNOWN"),
            (
                &of("/Nothing"),
                &[],
                none.clone(),
                Code::Unimplemented,
                "METHOD_UNKNOWN",
            ),
            (
                method,
                &[],
                frame(0, 1_048_577, b"x"),
                Code::OutOfRange,
                "MESSAGE_TOO_LARGE",
            ),
            (
                method,
                &[],
                frame(0, 2, b"\xff\xff"),
                Code::Internal,
                "MALFORMED_MESSAGE",
            ),
            (method, &[], frame(0, 9, b"cut"), Code::Internal, "MALFORMED_MESSAGE"),
            (method, &[], frame(1, 1, b"x"), Code::Internal, "MALFORMED_MESSAGE"),
            (
                method,
                &[("grpc-encoding", "gzip")],
                none.clone(),
                Code::Unimplemented,
                "ENCODING_UNSUPPORTED",
            ),
            (
                method,
                &[("grpc-timeout", "soon")],
                none.clone(),
                Code::InvalidArgument,
                "INVALID_FIELDS",
            ),
            (
                method,
                &[("grpc-timeout", "1n")],
                none.clone(),
                Code::DeadlineExceeded,
                "DEADLINE_EXCEEDED",
            ),
        ];
        for (path, headers, body, code, reason) in rows {
            let headers = [headers, &[("authorization", user.bearer.as_str())]].concat();

            let status = call(service, path, &headers, body).await;

            assert_eq!(
                said(&status),
                (code, reason.to_owned()),
                "{path} {headers:?}: {status:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_service_that_gives_no_reason_gets_the_name_of_its_code() {
    let house = TestHouse::start().await;
    let unknown = frame(0, 9, b"\x0a\x07nothing");

    for service in [house.auth, house.widget] {
        let status = call(service, "/grpc.health.v1.Health/Check", &[], unknown.clone()).await;

        assert_eq!(said(&status), (Code::NotFound, "NOT_FOUND".to_owned()));
    }
}
