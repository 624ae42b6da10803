//! Services that are found by name: what a name resolves to changes.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use gateway::Resolver;

use crate::kit::{Fake, House, Setup};

const URL: &str = "http://echo.internal:50051";

/// The one name that there is, with the addresses that the test gives it; unknown without any.
#[derive(Debug)]
struct Name(Mutex<Vec<SocketAddr>>);

impl Name {
    fn of(fakes: &[&Fake]) -> Arc<Self> {
        let name = Self(Mutex::default());
        name.moves_to(fakes);
        Arc::new(name)
    }

    fn moves_to(&self, fakes: &[&Fake]) {
        *self.0.lock().unwrap() = fakes.iter().map(|fake| fake.addr).collect();
    }
}

impl Resolver for Name {
    fn addresses<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        assert_eq!((host, port), ("echo.internal", 50051));
        let addresses = self.0.lock().unwrap().clone();
        Box::pin(async move {
            match addresses.is_empty() {
                true => Err(io::ErrorKind::NotFound.into()),
                false => Ok(addresses),
            }
        })
    }
}

async fn house(name: &Arc<Name>) -> House {
    let setup = Setup {
        resolver: name.clone(),
        ..Setup::default()
    };
    setup.before(Fake::start().await, URL, &[]).await
}

/// Calls until something holds, for 20 s at most; gives the time that it took.
async fn call_until(house: &House, mut holds: impl FnMut(u16) -> bool) -> Duration {
    let began = Instant::now();
    while !holds(house.client.get("/query").await.status) {
        assert!(began.elapsed() < Duration::from_secs(20), "it never came to hold");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

#[tokio::test]
async fn an_address_that_a_name_gains_gets_calls_and_one_that_it_loses_gets_none() {
    let (old, new) = (Fake::start().await, Fake::start().await);
    let name = Name::of(&[&old]);
    let house = house(&name).await;
    call_until(&house, |status| {
        assert_eq!(status, 200);
        old.calls().len() == 1
    })
    .await;

    name.moves_to(&[&old, &new]);
    call_until(&house, |status| {
        assert_eq!(status, 200);
        !new.calls().is_empty()
    })
    .await;

    name.moves_to(&[&new]);
    let mut without = 0;
    call_until(&house, |status| {
        assert_eq!(status, 200);
        without = if old.calls().is_empty() { without + 1 } else { 0 };
        without == 10
    })
    .await;
    for _ in 0..20 {
        assert_eq!(house.client.get("/query").await.status, 200);
    }
    assert_eq!(old.calls().len(), 0, "the old address is not called again");
}

#[tokio::test]
async fn a_service_that_moves_is_looked_up_at_once() {
    let nowhere = Name::of(&[]);
    let house = house(&nowhere).await;
    assert_eq!(house.client.get("/query").await.status, 503, "the name is unknown");

    let mut here = Fake::start().await;
    nowhere.moves_to(&[&here]);
    for _ in 0..2 {
        // Without being asked for, a lookup comes after 5 s.
        let took = call_until(&house, |status| status == 200).await;
        assert!(took < Duration::from_secs(4), "{took:?}");

        let there = Fake::start().await;
        nowhere.moves_to(&[&there]);
        std::mem::replace(&mut here, there).kill().await;
    }
}
