//! The other clients, who must not notice.

use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::house::{Rest, TestHouse};

/// Clients of the gateway and of the auth service.
pub struct Others {
    rest: Rest,
    bearer: String,
    health: HealthClient<Channel>,
}

impl Others {
    pub async fn of(house: &TestHouse) -> Self {
        Self {
            rest: Rest::of(house.rest),
            bearer: house.admin().await.bearer,
            health: HealthClient::new(house.channel(house.auth).await),
        }
    }
}

/// Twenty requests through all of the house, and as many to a service.
pub async fn served(others: &Others) {
    let mut health = others.health.clone();
    for _ in 0..20 {
        let headers = [("authorization", &*others.bearer)];
        let listed = others.rest.send("GET", "/api/v1/widgets", &headers, "").await;
        assert_eq!(listed.status, 200, "{listed:?}");
        health.check(HealthCheckRequest::default()).await.unwrap();
    }
}
