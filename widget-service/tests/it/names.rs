//! An auth service that is found by its name: what that leads to changes.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use proto::widget::v1::ListWidgetsRequest;
use service_kit::resolver::Resolver;
use tokio::net::TcpListener;
use tonic::Code;

use crate::{
    actor::Actor,
    app::{App, start_auth},
    auth::ScriptedAuth,
};

/// Within which a name that has moved is followed.
const SECONDS: Duration = Duration::from_secs(10);

/// The one name that there is.
#[derive(Debug, Default)]
struct Name(Mutex<Vec<SocketAddr>>);

impl Name {
    fn of(addresses: &[SocketAddr]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(addresses.to_vec())))
    }

    fn moves_to(&self, addr: SocketAddr) {
        *self.0.lock().unwrap() = vec![addr];
    }
}

impl Resolver for Name {
    fn addresses<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        assert_eq!((host, port), ("auth.internal", 50_051));
        let addresses = self.0.lock().unwrap().clone();
        Box::pin(async move { Ok(addresses) })
    }
}

async fn app(auth: &ScriptedAuth, name: &Arc<Name>) -> App {
    let (auth, resolver) = (auth.clone(), name.clone());
    App::start_with(auth, |config| {
        config.widget.auth_url = Some("http://auth.internal:50051".parse().unwrap());
        config.resolver = resolver;
    })
    .await
}

async fn list(user: &Actor) -> Code {
    let outcome = user.list(ListWidgetsRequest::default()).await;
    outcome.map_or_else(|refusal| refusal.code, |_| Code::Ok)
}

/// Lists until it is answered so. That must not take long.
async fn until(user: &Actor, wanted: Code) {
    let began = Instant::now();
    loop {
        let code = list(user).await;
        if code == wanted {
            return;
        }
        assert!(began.elapsed() < SECONDS, "{code:?} for {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_name_that_moves_is_followed_though_what_it_led_to_still_answers() {
    let (first, second) = (start_auth().await, start_auth().await);
    let name = Name::of(&[first.addr]);
    let app = app(&first, &name).await;
    let user = app.user();
    until(&user, Code::Ok).await;

    second.log_out(user.token_id);
    name.moves_to(second.addr);

    until(&user, Code::Unauthenticated).await;
}

#[tokio::test]
async fn an_address_that_takes_connections_and_never_answers_is_passed_over() {
    let hung = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let auth = start_auth().await;
    let name = Name::of(&[hung.local_addr().unwrap(), auth.addr]);
    let app = app(&auth, &name).await;
    let user = app.user();

    until(&user, Code::Ok).await;

    for _ in 0..20 {
        assert_eq!(list(&user).await, Code::Ok);
    }
}

#[tokio::test]
async fn a_name_that_moves_because_its_service_failed_is_followed_at_once() {
    let (first, second) = (start_auth().await, start_auth().await);
    let name = Name::of(&[first.addr]);
    let app = app(&first, &name).await;
    let user = app.user();
    until(&user, Code::Ok).await;

    name.moves_to(second.addr);
    first.go_away();
    let moved = Instant::now();

    until(&user, Code::Ok).await;
    assert!(moved.elapsed() < Duration::from_secs(4), "{:?}", moved.elapsed());
}
