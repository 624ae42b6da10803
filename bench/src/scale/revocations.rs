//! A million live revocations: the first complete view, the cost of a request, memory, and what is left afterwards.

use std::time::Duration;

use bench::{
    Outcome,
    grpc::with,
    load::{Call, Load, interleaved, load},
};
use chrono::Utc;
use proto::widget::v1::{GetWidgetRequest, widget_service_client::WidgetServiceClient};
use tokio::time::sleep;
use tonic::{metadata::AsciiMetadataValue, transport::Channel};

use super::{pair::Pair, rows::add_revocations};

const CONNECTIONS: usize = 16;
/// How long the revocations live: until everything is measured.
const LIFE: Duration = Duration::from_secs(90);
/// What has expired goes within a minute; a little more to see what is left then.
const SWEPT: Duration = Duration::from_secs(65);

pub(crate) async fn run(rows: u32, time: Duration, rounds: usize) -> Outcome<()> {
    let (mut none, mut many) = (Pair::start().await?, Pair::start().await?);
    let due = Utc::now() + LIFE;
    add_revocations(&many.auth_database().await?, rows, due.timestamp_micros()).await?;
    println!("{rows} live revocations on {}", many.engine());
    let (quick, slow) = (none.restart().await?, many.restart().await?);
    println!("  from exec to the first answer     without      with");
    for (role, quick, slow) in [("auth", quick.auth, slow.auth), ("widget", quick.widget, slow.widget)] {
        println!(
            "    {role:<28} {:>8.2} s {:>7.2} s",
            quick.as_secs_f64(),
            slow.as_secs_f64()
        );
    }

    println!("  one widget by gRPC, {CONNECTIONS} connections, medians of {rounds}");
    let loads = vec![("without", reading(&none, time)), ("with", reading(&many, time))];
    let measured = interleaved(rounds, loads).await?;
    if Utc::now() >= due {
        return Err("the revocations expired while they were measured: the machine is too busy".into());
    }
    for (name, measured) in &measured {
        println!("    {name:<10} {measured}");
    }
    println!(
        "    the rate with them is ×{:.3}",
        measured[1].1.rate / measured[0].1.rate
    );

    let (without, with) = (none.memory()?, many.memory()?);
    sleep((due - Utc::now()).to_std().unwrap_or_default() + SWEPT).await;
    let idle = many.memory()?;
    reading(&many, time)().await?;
    sleep(Duration::from_secs(2)).await;
    let busy = many.memory()?;
    println!("  resident memory in MB    without    with    expired, idle    after the next load");
    for (role, at) in [("auth", 0), ("widget", 1)] {
        println!(
            "    {role:<20} {:>9.1} {:>7.1} {:>16.1} {:>22.1}",
            without[at], with[at], idle[at], busy[at]
        );
    }
    Ok(())
}

struct Reading {
    client: WidgetServiceClient<Channel>,
    bearer: AsciiMetadataValue,
}

impl Call for Reading {
    async fn call(&mut self) -> Outcome<()> {
        let name = "widget-1000000".into();
        self.client
            .get_widget(with(&self.bearer, GetWidgetRequest { name }))
            .await?;
        Ok(())
    }
}

fn reading(pair: &Pair, time: Duration) -> Load {
    let (url, bearer) = (pair.widget_url().to_owned(), pair.bearer.clone());
    load(CONNECTIONS, time, move || {
        let (url, bearer) = (url.clone(), bearer.clone());
        async move {
            let channel = Channel::from_shared(url)?.tcp_nodelay(true).connect().await?;
            let client = WidgetServiceClient::new(channel);
            Ok(Reading { client, bearer })
        }
    })
}
