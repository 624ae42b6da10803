//! What a flood of logins does to everything else.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bench::{Outcome, house::House, load::summarise, open_loop::Reads, rest::Rest};
use bytes::Bytes;
use http::Method;
use serde_json::json;
use tokio::task::JoinSet;

const LOGINS: usize = 500;
const RATE: u32 = 200;
const READERS: usize = 64;
const PASSWORD: &str = "a password for measuring only";
const MIB: f64 = 1024.0 * 1024.0;

/// One hash's memory.
const HASH: f64 = 19.0;

pub(crate) async fn run(time: Duration, rounds: usize) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let house = House::start(folder.path(), &[]).await?;
    house.fill(&house.admin().await?, 50).await?;
    let token = house.register("bench@example.com", PASSWORD).await?;
    let mut reads = Reads::open(&house.rest, "/api/v1/widgets/widget-7", &token, READERS).await?;
    let mut clients = Vec::new();
    for _ in 0..LOGINS {
        clients.push(Rest::connect(&house.rest).await?);
    }

    let mut measured = Measured::default();
    for _ in 0..rounds {
        let (idle, ()) = reads.at_rate(RATE, tokio::time::sleep(time)).await?;
        measured.idle.extend(idle);
        measured.memory_idle = measured.memory_idle.max(house.memory()?);
        let (flooded, answers) = reads.at_rate(RATE, flood(clients)).await?;
        measured.flooded.extend(flooded);
        let answers = answers?;
        measured.answers.extend(answers.iter().map(|(_, answer)| *answer));
        clients = answers.into_iter().map(|(client, _)| client).collect();
    }
    measured.memory_peak = house.peak_memory()?;
    house.stop().await?;
    measured.print(rounds)
}

/// A status, and how long it took.
type Answer = (u16, Duration);

/// Logs in over all connections at once.
async fn flood(clients: Vec<Rest>) -> Outcome<Vec<(Rest, Answer)>> {
    let body = Bytes::from(json!({"email": "bench@example.com", "password": PASSWORD}).to_string());
    let mut logins = JoinSet::new();
    for mut client in clients {
        let body = body.clone();
        logins.spawn(async move {
            let began = Instant::now();
            let (status, _) = client.send(&Method::POST, "/api/v1/auth/login", None, body).await?;
            Ok((client, (status.as_u16(), began.elapsed())))
        });
    }
    logins.join_all().await.into_iter().collect()
}

#[derive(Default)]
struct Measured {
    idle: Vec<Duration>,
    flooded: Vec<Duration>,
    answers: Vec<Answer>,
    memory_idle: u64,
    memory_peak: u64,
}

impl Measured {
    #[allow(clippy::cast_precision_loss)]
    fn print(self, rounds: usize) -> Outcome<()> {
        let permits = std::thread::available_parallelism()?.get().saturating_sub(1).max(1);
        println!(
            "{RATE} reads a second of one widget over REST, {LOGINS} logins at once, {rounds} times, {permits} permit(s)"
        );
        let [idle, flooded] = [self.idle, self.flooded].map(|took| {
            let count = took.len();
            (summarise(took, Duration::from_secs(1)), count)
        });
        for (name, (measured, count)) in [("idle", idle), ("flooded", flooded)] {
            let [p50, p99] = [measured.p50, measured.p99].map(|time| time.as_secs_f64() * 1e3);
            println!("  reads, {name:<8} p50 {p50:>7.3} ms   p99 {p99:>7.3} ms   of {count}");
        }
        let allowed = (3 * idle.0.p99).max(Duration::from_millis(20)).as_secs_f64();
        println!(
            "  p99 under the flood is {:.3} of what it may be (three times idle, or 20 ms)",
            flooded.0.p99.as_secs_f64() / allowed
        );

        let mut by_status: BTreeMap<u16, Vec<Duration>> = BTreeMap::new();
        for (status, took) in self.answers {
            by_status.entry(status).or_default().push(took);
        }
        for (status, took) in by_status {
            let count = took.len();
            let took = summarise(took, Duration::from_secs(1));
            println!(
                "  logins answered {status}: {count:>5}, in p50 {:>7.1} ms, p99 {:>7.1} ms",
                took.p50.as_secs_f64() * 1e3,
                took.p99.as_secs_f64() * 1e3
            );
        }
        let [idle, peak] = [self.memory_idle, self.memory_peak].map(|bytes| bytes as f64 / MIB);
        let allowed = idle + permits as f64 * HASH;
        println!(
            "  memory with all connections open: idle {idle:.1} MiB, at most {peak:.1} MiB, which is {:.3} of idle + permits * {HASH} MiB",
            peak / allowed
        );
        Ok(())
    }
}
