//! One HTTP/1.1 connection that repeats one request.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::{Outcome, load::Call};

/// A connection.
#[derive(Debug)]
pub struct Rest {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    client: Option<String>,
}

impl Rest {
    /// Connects to `127.0.0.1:8080` or the like.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn connect(host: &str) -> Outcome<Self> {
        let tcp = TcpStream::connect(host).await?;
        tcp.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(tcp)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            host: host.to_owned(),
            client: None,
        })
    }

    /// Says from now on that requests come from this address, as a proxy would.
    pub fn forward_for(&mut self, client: impl Into<String>) {
        self.client = Some(client.into());
    }

    /// Sends one request and reads the whole reply.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn send(
        &mut self,
        method: &Method,
        path: &str,
        token: Option<&str>,
        body: Bytes,
    ) -> Outcome<(StatusCode, Bytes)> {
        let mut request = Request::builder().method(method).uri(path).header("host", &self.host);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(client) = &self.client {
            request = request.header("x-forwarded-for", client);
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Full::new(body))?).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    /// Sends JSON and reads JSON; any status but 2xx is an error.
    ///
    /// # Errors
    /// With the reply's text.
    pub async fn json(&mut self, method: Method, path: &str, token: Option<&str>, body: &Value) -> Outcome<Value> {
        let body = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let (status, reply) = self.send(&method, path, token, body).await?;
        if !status.is_success() {
            return Err(format!("{method} {path}: {status} {}", String::from_utf8_lossy(&reply)).into());
        }
        if reply.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_slice(&reply)?)
    }
}

/// A request to repeat over one connection.
#[derive(Debug)]
pub struct Repeated {
    rest: Rest,
    method: Method,
    path: String,
    token: Option<String>,
    body: Bytes,
}

impl Repeated {
    /// Connects and remembers the request.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn open(host: &str, method: Method, path: &str, token: Option<&str>, body: &str) -> Outcome<Self> {
        Ok(Self {
            rest: Rest::connect(host).await?,
            method,
            path: path.to_owned(),
            token: token.map(str::to_owned),
            body: Bytes::copy_from_slice(body.as_bytes()),
        })
    }
}

impl Call for Repeated {
    async fn call(&mut self) -> Outcome<()> {
        let (status, reply) = self
            .rest
            .send(&self.method, &self.path, self.token.as_deref(), self.body.clone())
            .await?;
        if status.is_success() {
            return Ok(());
        }
        Err(format!(
            "{} {}: {status} {}",
            self.method,
            self.path,
            String::from_utf8_lossy(&reply)
        )
        .into())
    }
}
