//! What the trust check costs: the same two services in one process, with the check and with a view that is always
//! fresh. Nothing else differs.

mod calls;
mod services;
mod side;

use std::time::Duration;

use bench::{
    Outcome,
    load::{Load, Measured, median},
};

pub(crate) use self::services::{View, serve};
use self::side::{Counts, Side};

/// What is asked of the widget service.
#[derive(Debug, Clone, Copy)]
enum Rpc {
    Get,
    List,
}

pub(crate) async fn run(connections: usize, time: Duration, rounds: usize) -> Outcome<()> {
    let sides = [Side::start(View::Checked).await?, Side::start(View::AlwaysFresh).await?];
    for (name, rpc) in [("one widget", Rpc::Get), ("page of 50", Rpc::List)] {
        println!("gRPC straight to the widget service, {name}, {connections} connections, medians of {rounds}");
        let [checked, fresh] = in_turn(&sides, rounds, |side| calls::load_of(side, rpc, connections, time)).await?;
        for (side, measured) in sides.iter().zip([&checked, &fresh]) {
            println!("  {:<14} {measured}", side.view.name());
        }
        println!(
            "  the check leaves {:.3} of the rate; {:.0} Syncs/s, each for {:.1} requests and {:.0} µs of CPU",
            checked.load.rate / fresh.load.rate,
            checked.counts.syncs_per_second(),
            checked.counts.requests_per_sync(),
            (checked.counts.cpu_per_request() - fresh.counts.cpu_per_request()) * checked.counts.requests_per_sync(),
        );
    }
    Ok(())
}

/// A side's median load, and what all of its loads together took.
struct Taken {
    load: Measured,
    counts: Counts,
}

impl std::fmt::Display for Taken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}   CPU {:>6.1} µs", self.load, self.counts.cpu_per_request())
    }
}

/// Loads the two sides in turn: what disturbs the machine disturbs both.
async fn in_turn(sides: &[Side; 2], rounds: usize, load_of: impl Fn(&Side) -> Load) -> Outcome<[Taken; 2]> {
    let mut loads = sides.each_ref().map(load_of);
    let mut runs = [Vec::new(), Vec::new()];
    let mut counts = [Counts::default(), Counts::default()];
    for _ in 0..rounds {
        for place in 0..2 {
            let before = sides[place].counts().await?;
            runs[place].push(loads[place]().await?);
            counts[place].add(before, sides[place].counts().await?);
        }
    }
    let [checked, fresh] = runs.map(|runs| median(runs).ok_or("no rounds"));
    let [of_checked, of_fresh] = counts;
    Ok([
        Taken {
            load: checked?,
            counts: of_checked,
        },
        Taken {
            load: fresh?,
            counts: of_fresh,
        },
    ])
}
