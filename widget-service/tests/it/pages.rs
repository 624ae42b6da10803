//! Pages lead forward and back over the same widgets, whatever the order, the size and the prefix.

use chrono::TimeDelta;
use proptest::{collection::btree_set, prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner};
use test_kit::TestDatabase;
use widget_service::{
    domain::{Deadline, Listing, Order, Page, Widget},
    migrations,
    store::WidgetStore,
};

use crate::samples::{now, widget};

const ORDERS: &[&str] = &["name", "created_at", "updated_at", "deadline"];
const SUFFIXES: &[&str] = &["", " desc"];

/// One of a set of widgets, with few different times, so that many are equal.
fn any_widget() -> impl Strategy<Value = (String, [i64; 3])> {
    ("[ab\\-_1]{1,3}", prop::array::uniform3(0..4_i64))
}

fn draw<T>(runner: &mut TestRunner, strategy: impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).unwrap().current()
}

fn at(hours: i64) -> chrono::DateTime<chrono::Utc> {
    now() + TimeDelta::hours(hours)
}

fn sorted(mut widgets: Vec<Widget>, order: Order, prefix: &str) -> Vec<String> {
    widgets.retain(|widget| widget.name.as_str().starts_with(prefix));
    widgets.sort_by_key(|widget| (order.key.time_of(widget), widget.name.clone()));
    if order.descending {
        widgets.reverse();
    }
    widgets.into_iter().map(|widget| widget.name.to_string()).collect()
}

fn names(pages: &[Page]) -> Vec<String> {
    pages
        .iter()
        .flat_map(|page| &page.widgets)
        .map(|widget| widget.name.to_string())
        .collect()
}

test_kit::on_every_engine! {
    async fn going_back_gives_the_pages_of_going_forward(database: TestDatabase) {
        migrations().up(database.database()).await.unwrap();
        let store = WidgetStore::new(database.database().clone());
        let mut runner = TestRunner::deterministic();
        let mut widgets = Vec::new();
        for (name, times) in draw(&mut runner, btree_set(any_widget(), 60)) {
            let [created_at, updated_at, deadline] = times.map(at);
            let new = Widget { created_at, updated_at, deadline: Deadline::from(deadline), ..widget(&name) };
            if store.insert(&new).await.is_ok() {
                widgets.push(new);
            }
        }

        let queries = (select(ORDERS), select(SUFFIXES), 1..=9_i32, "[ab\\-_1]{0,2}");
        for _ in 0..150 {
            let (key, suffix, size, prefix) = draw(&mut runner, queries.clone());
            let order = format!("{key}{suffix}");
            let go = async |token: &str| {
                let listing = Listing::parse(size, token, &order, &prefix).unwrap();
                listing.page(store.list(&listing).await.unwrap())
            };
            let mut forward = vec![go("").await];
            while let Some(next) = forward.last().map(|page| page.next.clone()).filter(|next| !next.is_empty()) {
                forward.push(go(&next).await);
            }
            let mut back = vec![forward.last().unwrap().clone()];
            while let Some(prev) = back.last().map(|page| page.prev.clone()).filter(|prev| !prev.is_empty()) {
                back.push(go(&prev).await);
                assert!(back.len() <= forward.len(), "pages lead back without end");
            }
            back.reverse();

            let shown = format!("{order} by {size} with {prefix:?}");
            assert_eq!(names(&forward), sorted(widgets.clone(), order.parse().unwrap(), &prefix), "{shown}");
            let pages = |pages: &[Page]| pages.iter().map(|page| names(std::slice::from_ref(page))).collect::<Vec<_>>();
            assert_eq!(pages(&back), pages(&forward), "{shown}");
        }
    }
}
