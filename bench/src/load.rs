//! A closed loop of workers, each with one call under way, and what they measured.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::Outcome;

/// What a load measured.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Calls that succeeded, a second.
    pub rate: f64,
    /// Half of the calls took no longer than this.
    pub p50: Duration,
    /// 99 of 100 calls took no longer than this.
    pub p99: Duration,
}

impl fmt::Display for Measured {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{:>8.0}/s   p50 {:>7.3} ms   p99 {:>7.3} ms",
            self.rate,
            self.p50.as_secs_f64() * 1e3,
            self.p99.as_secs_f64() * 1e3
        )
    }
}

/// Something that can be done again and again.
pub trait Call: Send + 'static {
    /// Does it once.
    fn call(&mut self) -> impl Future<Output = Outcome<()>> + Send;
}

async fn repeat(mut call: impl Call, warm: Instant, end: Instant) -> Outcome<Vec<Duration>> {
    let mut took = Vec::new();
    loop {
        let began = Instant::now();
        if began >= end {
            return Ok(took);
        }
        call.call().await?;
        if began >= warm {
            took.push(began.elapsed());
        }
    }
}

/// Sorts out rate and percentiles.
pub fn summarise(mut took: Vec<Duration>, time: Duration) -> Measured {
    took.sort_unstable();
    let at = |share: f64| took.get(((took.len() as f64 * share) as usize).min(took.len().saturating_sub(1)));
    Measured {
        rate: took.len() as f64 / time.as_secs_f64(),
        p50: at(0.50).copied().unwrap_or_default(),
        p99: at(0.99).copied().unwrap_or_default(),
    }
}

/// The median.
pub fn middle(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap_or_default()
}

/// The middle one of several runs, by rate.
pub fn median(mut runs: Vec<Measured>) -> Option<Measured> {
    runs.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    runs.get(runs.len() / 2).copied()
}

/// Runs several loads in turn, `rounds` times, and gives each one's median: what disturbs the machine disturbs all.
///
/// # Errors
/// When a load fails.
pub async fn interleaved(rounds: usize, mut loads: Vec<(&str, Load)>) -> Outcome<Vec<(String, Measured)>> {
    let mut runs: Vec<Vec<Measured>> = vec![Vec::new(); loads.len()];
    for _ in 0..rounds {
        for ((_, load), runs) in loads.iter_mut().zip(&mut runs) {
            runs.push(load().await?);
        }
    }
    let medians = runs.into_iter().filter_map(median);
    Ok(loads.iter().map(|(name, _)| (*name).to_owned()).zip(medians).collect())
}

/// A load that can be run several times.
pub type Load = Box<dyn FnMut() -> std::pin::Pin<Box<dyn Future<Output = Outcome<Measured>> + Send>> + Send>;

/// Makes a load of `workers` loops that run for `time` after a tenth of it as warm-up. Each opens its own connection,
/// anew for each run. The first call that fails ends the load.
pub fn load<C, F, O>(workers: usize, time: Duration, open: O) -> Load
where
    C: Call,
    F: Future<Output = Outcome<C>> + Send,
    O: Fn() -> F + Send + Sync + 'static,
{
    let open = Arc::new(open);
    Box::new(move || {
        let open = open.clone();
        Box::pin(async move {
            let mut calls = Vec::with_capacity(workers);
            for _ in 0..workers {
                calls.push(open().await?);
            }
            let warm = Instant::now() + time / 10;
            let loops: Vec<_> = calls
                .into_iter()
                .map(|call| tokio::spawn(repeat(call, warm, warm + time)))
                .collect();
            let mut took = Vec::new();
            for one in loops {
                took.extend(one.await??);
            }
            Ok(summarise(took, time))
        })
    })
}
