//! Server streams.

use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::json;
use tokio::sync::mpsc;

use crate::kit::{Answer, House, message};

fn texts(texts: &[&str]) -> mpsc::Receiver<Bytes> {
    let (sender, receiver) = mpsc::channel(texts.len().max(1));
    for text in texts {
        sender
            .try_send(message("Everything", json!({"text": text})).into())
            .unwrap();
    }
    receiver
}

fn ok() -> Vec<(&'static str, String)> {
    vec![("grpc-status", "0".into())]
}

/// Answers the next call by a stream, whose messages the test sends.
fn stream_of(house: &House) -> mpsc::Sender<Bytes> {
    let (sender, receiver) = mpsc::channel(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    house
        .fake
        .answer(move |_| Answer::Stream(receiver.lock().unwrap().take().unwrap(), ok()));
    sender
}

#[tokio::test]
async fn messages_are_lines() {
    let house = House::start().await;
    house.fake.answer(|_| Answer::Stream(texts(&["a", "b"]), ok()));
    for accept in [
        "application/x-ndjson",
        "application/json",
        "*/*",
        "text/event-stream;q=0.1, application/json",
    ] {
        let response = house.client.send("GET", "/watch", &[("accept", accept)], "").await;
        assert_eq!(
            (response.status, response.header("content-type")),
            (200, Some("application/x-ndjson")),
            "{accept}"
        );
        let body = String::from_utf8(response.body.to_vec()).unwrap();
        let texts: Vec<_> = body
            .lines()
            .map(|line| crate::kit::json(line)["text"].clone())
            .collect();
        assert_eq!(texts, ["a", "b"]);
    }
    assert_eq!(
        house
            .client
            .send("GET", "/watch", &[("accept", "text/html")], "")
            .await
            .status,
        406
    );
}

#[tokio::test]
async fn messages_are_events_for_those_who_ask() {
    let house = House::start().await;
    house.fake.answer(|_| {
        Answer::Stream(
            texts(&["a"]),
            vec![("grpc-status", "5".into()), ("grpc-message", "gone".into())],
        )
    });
    let response = house
        .client
        .send("GET", "/watch", &[("accept", "text/event-stream")], "")
        .await;
    assert_eq!(
        (response.status, response.header("content-type")),
        (200, Some("text/event-stream"))
    );
    let body = String::from_utf8(response.body.to_vec()).unwrap();
    let events: Vec<&str> = body.split_terminator("\n\n").collect();
    assert_eq!(crate::kit::json(events[0].strip_prefix("data: ").unwrap())["text"], "a");
    let error = events[1].strip_prefix("event: error\ndata: ").unwrap();
    assert_eq!(crate::kit::json(error)["reason"], "NOT_FOUND");
}

#[tokio::test]
async fn an_error_before_the_first_message_is_the_response() {
    let house = House::start().await;
    house.fake.refuse(7, "no");
    let response = house.client.get("/watch").await;
    assert_eq!(
        (response.status, response.reason().as_str()),
        (403, "PERMISSION_DENIED")
    );
    house.fake.answer(|_| Answer::Stream(texts(&[]), ok()));
    let empty = house.client.get("/watch").await;
    assert_eq!((empty.status, empty.body.len()), (200, 0));
}

#[tokio::test]
async fn an_error_after_it_is_the_last_line() {
    let house = House::start().await;
    house
        .fake
        .answer(|_| Answer::Stream(texts(&["a"]), vec![("grpc-status", "14".into())]));
    let response = house.client.get("/watch").await;
    let body = String::from_utf8(response.body.to_vec()).unwrap();
    let last = crate::kit::json(body.lines().last().unwrap());
    assert_eq!((response.status, &last["error"]["code"]), (200, &json!("UNAVAILABLE")));

    house.fake.answer(|_| {
        let (sender, receiver) = mpsc::channel(2);
        sender.try_send(Bytes::new()).unwrap();
        sender.try_send(Bytes::from_static(&[0x72, 1, 0xff])).unwrap();
        Answer::Stream(receiver, ok())
    });
    let response = house.client.get("/watch").await;
    let body = String::from_utf8(response.body.to_vec()).unwrap();
    assert_eq!(
        crate::kit::json(body.lines().last().unwrap())["error"]["reason"],
        "UPSTREAM_INVALID"
    );
}

#[tokio::test]
async fn messages_arrive_one_by_one_and_a_client_that_leaves_ends_the_stream() {
    let house = House::start().await;
    let sender = stream_of(&house);
    sender
        .send(message("Everything", json!({"text": "1"})).into())
        .await
        .unwrap();

    let mut response = house.client.open("/watch").await;
    assert_eq!(response.status(), 200);
    for number in 2..5 {
        let line = response.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(
            crate::kit::json(std::str::from_utf8(&line).unwrap())["text"],
            (number - 1).to_string()
        );
        sender
            .send(message("Everything", json!({"text": number.to_string()})).into())
            .await
            .unwrap();
    }
    drop(response);
    sender.closed().await;
}

#[tokio::test]
async fn a_stream_ends_at_the_deadline_that_the_caller_sets_and_has_none_otherwise() {
    let house = House::start().await;
    let sender = stream_of(&house);
    sender.send(Bytes::new()).await.unwrap();
    let timeout = [("grpc-timeout", "400m")];
    let response = house.client.send("GET", "/watch", &timeout, "").await;
    let body = String::from_utf8(response.body.to_vec()).unwrap();
    let last = crate::kit::json(body.lines().last().unwrap());
    assert_eq!(
        (response.status, body.lines().count(), &last["error"]["code"]),
        (200, 2, &json!("DEADLINE_EXCEEDED"))
    );
    assert!(house.fake.call().headers.contains_key("grpc-timeout"));

    house.fake.answer(|_| Answer::Stream(texts(&["a"]), ok()));
    assert_eq!(house.client.get("/watch").await.status, 200);
    assert!(!house.fake.call().headers.contains_key("grpc-timeout"));
}

#[tokio::test]
async fn raw_chunks_pass_as_they_are() {
    let house = House::start().await;
    house.fake.answer(|_| {
        let (sender, receiver) = mpsc::channel(2);
        // content_type "text/csv", data "a," and then data "b".
        sender
            .try_send(Bytes::from_static(b"\x0a\x08text/csv\x12\x02a,"))
            .unwrap();
        sender.try_send(Bytes::from_static(b"\x12\x01b")).unwrap();
        Answer::Stream(receiver, ok())
    });
    let response = house.client.get("/download").await;
    assert_eq!(
        (response.header("content-type"), &response.body[..]),
        (Some("text/csv"), &b"a,b"[..])
    );
}
