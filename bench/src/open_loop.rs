//! A load at a fixed rate: calls begin when they are due, whatever has become of those before them, and what they took
//! counts from then.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{Outcome, rest::Rest};

/// Connections that one GET is sent over.
#[derive(Debug)]
pub struct Reads {
    path: String,
    token: String,
    idle: mpsc::Receiver<Rest>,
    give_back: mpsc::Sender<Rest>,
}

impl Reads {
    /// Opens so many connections.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn open(host: &str, path: &str, token: &str, connections: usize) -> Outcome<Self> {
        let (give_back, idle) = mpsc::channel(connections);
        for _ in 0..connections {
            give_back.send(Rest::connect(host).await?).await?;
        }
        Ok(Self {
            path: path.to_owned(),
            token: token.to_owned(),
            idle,
            give_back,
        })
    }

    /// Reads so many times a second until `end` completes; what each read took, and what came of `end`.
    ///
    /// # Errors
    /// When a read fails.
    pub async fn at_rate<T>(&mut self, rate: u32, end: impl Future<Output = T>) -> Outcome<(Vec<Duration>, T)> {
        let mut due = interval(Duration::from_secs(1) / rate);
        due.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut reads = JoinSet::new();
        tokio::pin!(end);
        let ended = loop {
            let at = tokio::select! {
                biased;
                ended = &mut end => break ended,
                at = due.tick() => at,
            };
            let rest = self.idle.recv().await.ok_or("there is no connection")?;
            reads.spawn(read(
                rest,
                self.path.clone(),
                self.token.clone(),
                at,
                self.give_back.clone(),
            ));
        };
        let took = reads.join_all().await.into_iter().collect::<Outcome<_>>()?;
        Ok((took, ended))
    }
}

async fn read(
    mut rest: Rest,
    path: String,
    token: String,
    due: Instant,
    give_back: mpsc::Sender<Rest>,
) -> Outcome<Duration> {
    let (status, _) = rest.send(&Method::GET, &path, Some(&token), Bytes::new()).await?;
    let took = due.elapsed();
    give_back.send(rest).await?;
    if status.is_success() {
        Ok(took)
    } else {
        Err(format!("a read was answered with {status}").into())
    }
}
