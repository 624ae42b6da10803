use auth_service::{
    audit::{AuditEvent, Origin},
    store::{AuditFilter, Entry},
};
use proto::auth::v1::audit_event::Kind;
use test_kit::TestDatabase;

use super::{store, time};

fn event(at: i64, actor: &str, kind: Kind) -> AuditEvent {
    let origin = Origin {
        actor: actor.to_owned(),
        request_id: "job-7".to_owned(),
        client: "203.0.113.9".to_owned(),
    };
    origin.failure(kind, "target", time(at))
}

test_kit::on_every_engine! {
    async fn events_come_newest_first_and_in_pages(database: TestDatabase) {
        let store = store(&database).await;
        let mut events: Vec<AuditEvent> = (0..10).map(|n| event(n / 3, "ada", Kind::Login)).collect();
        store.write(&events.iter().cloned().map(Entry::Audit).collect::<Vec<_>>()).await.unwrap();
        events.sort_by(|a, b| (b.at, b.id.as_bytes()).cmp(&(a.at, a.id.as_bytes())));

        let (mut before, mut seen) = (None, Vec::new());
        loop {
            let page = store.audit_events(&AuditFilter::default(), before, 4).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some((last.at.timestamp_micros(), last.id));
            seen.extend(page);
        }

        assert_eq!(seen, events);
    }

    async fn each_filter_lets_through_what_it_says(database: TestDatabase) {
        let store = store(&database).await;
        let events = [event(1, "ada", Kind::Login), event(2, "bob", Kind::Login), event(3, "ada", Kind::Logout)];
        store.write(&events.clone().map(Entry::Audit)).await.unwrap();
        let times = async |filter: AuditFilter| -> Vec<i64> {
            let found = store.audit_events(&filter, None, 10).await.unwrap();
            found.iter().map(|event| event.at.timestamp_micros()).collect()
        };

        let ada = Some("ada".to_owned());
        assert_eq!(times(AuditFilter { actor: ada.clone(), ..Default::default() }).await, [3, 1]);
        assert_eq!(times(AuditFilter { kind: Some(Kind::Login), ..Default::default() }).await, [2, 1]);
        assert_eq!(times(AuditFilter { actor: ada, kind: Some(Kind::Login), ..Default::default() }).await, [1]);
        assert_eq!(times(AuditFilter { since: Some(time(2)), ..Default::default() }).await, [3, 2]);
        assert_eq!(times(AuditFilter { until: Some(time(2)), ..Default::default() }).await, [1]);
        assert_eq!(times(AuditFilter { target: Some("target".to_owned()), ..Default::default() }).await, [3, 2, 1]);
        assert_eq!(times(AuditFilter { target: Some("other".to_owned()), ..Default::default() }).await, [0_i64; 0]);
    }
}
