//! The other clients, who must not notice.

use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::house::{Reply, Rest, TestHouse};

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

    /// All tests at once may leave this house too little of the machine to check a token in time: then it says when to
    /// ask again.
    async fn list(&self) -> Reply {
        let headers = [("authorization", &*self.bearer)];
        for _ in 0..3 {
            let listed = self.rest.send("GET", "/api/v1/widgets", &headers, "").await;
            if listed.status != 503 {
                return listed;
            }
            assert_eq!(listed.body["reason"], "TRUST_UNAVAILABLE", "{listed:?}");
        }
        self.rest.send("GET", "/api/v1/widgets", &headers, "").await
    }
}

/// Twenty requests through all of the house, and as many to a service.
pub async fn served(others: &Others) {
    let mut health = others.health.clone();
    for _ in 0..20 {
        let listed = others.list().await;
        assert_eq!(listed.status, 200, "{listed:?}");
        health.check(HealthCheckRequest::default()).await.unwrap();
    }
}
