//! A REST client that says what became of a request instead of failing.

use std::{error::Error, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::time::timeout;

/// Longer than the gateway's own deadline: whoever waits so long waits for ever.
const LONGEST: Duration = Duration::from_secs(15);

/// A client of one gateway.
#[derive(Clone)]
pub struct Rest {
    client: Client<HttpConnector, Full<Bytes>>,
    addr: SocketAddr,
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// The body as JSON; null when it is none.
    pub body: Value,
}

/// A request without an answer.
#[derive(Debug, Clone)]
pub struct Lost {
    /// Nobody listens there, or the other side has said that it did not take the request: it can be sent elsewhere.
    pub untaken: bool,
    pub why: String,
}

impl Rest {
    /// With connections that are kept, each for one request at a time.
    pub fn http1(addr: SocketAddr) -> Self {
        Self::new(addr, false)
    }

    /// With one connection for all requests.
    pub fn http2(addr: SocketAddr) -> Self {
        Self::new(addr, true)
    }

    fn new(addr: SocketAddr, http2: bool) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut builder = Client::builder(TokioExecutor::new());
        Self {
            client: builder.http2_only(http2).build(connector),
            addr,
        }
    }

    pub async fn get(&self, path: &str, token: &str) -> Result<Reply, Lost> {
        self.send("GET", path, token, &Value::Null).await
    }

    /// A page that is no JSON.
    pub async fn text(&self, path: &str) -> String {
        let uri = format!("http://{}{path}", self.addr).parse().unwrap();
        let body = self.client.get(uri).await.unwrap().into_body();
        String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    /// Sends a request; without a token when it is empty, without a body when it is null.
    pub async fn send(&self, method: &str, path: &str, token: &str, body: &Value) -> Result<Reply, Lost> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.addr));
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        let asking = self.ask(request.body(Full::new(body)).unwrap());
        timeout(LONGEST, asking)
            .await
            .unwrap_or_else(|_| Err(lost("no answer")))
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Result<Reply, Lost> {
        let response = self.client.request(request).await.map_err(|error| Lost {
            untaken: error.is_connect() || was_turned_away(&error),
            why: format!("{error:?}"),
        })?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| lost(&format!("{error:?}")))?;
        Ok(Reply {
            status: parts.status.as_u16(),
            body: serde_json::from_slice(&body.to_bytes()).unwrap_or(Value::Null),
        })
    }
}

/// A GOAWAY ends only those requests that the other side has not begun with (RFC 9113, section 6.8).
fn was_turned_away(error: &(dyn Error + 'static)) -> bool {
    let turns_away = |error: &h2::Error| error.is_go_away() && error.is_remote();
    let itself = error.downcast_ref::<h2::Error>().is_some_and(turns_away);
    itself || error.source().is_some_and(was_turned_away)
}

fn lost(why: &str) -> Lost {
    Lost {
        untaken: false,
        why: why.to_owned(),
    }
}

impl Reply {
    pub fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }
}
