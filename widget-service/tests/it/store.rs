//! What the store promises, on every engine.

use futures_util::future::join_all;
use test_kit::TestDatabase;
use widget_service::{
    Error,
    domain::{Listing, NamePrefix, Page, Revision, Widget},
    migrations,
    store::WidgetStore,
};

use crate::samples::widget;

/// A store on an empty database.
async fn store(database: &TestDatabase) -> WidgetStore {
    migrations().up(database.database()).await.unwrap();
    WidgetStore::new(database.database().clone())
}

fn listing(size: i32, token: &str, order: &str, prefix: &str) -> Listing {
    Listing::parse(size, token, order, prefix).unwrap()
}

async fn page(store: &WidgetStore, size: i32, token: &str, order: &str, prefix: &str) -> Page {
    let listing = listing(size, token, order, prefix);
    listing.page(store.list(&listing).await.unwrap())
}

fn names(page: &Page) -> Vec<&str> {
    page.widgets.iter().map(|widget| widget.name.as_str()).collect()
}

/// All names of a list, page by page from the first.
async fn all_names(store: &WidgetStore, size: i32, order: &str, prefix: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let page = page(store, size, &token, order, prefix).await;
        all.extend(names(&page).into_iter().map(str::to_owned));
        if page.next.is_empty() {
            return all;
        }
        token = page.next;
    }
}

test_kit::on_every_engine! {
    async fn what_was_stored_is_found_as_it_was(database: TestDatabase) {
        let store = store(&database).await;
        let stored = widget("sprocket-9");

        store.insert(&stored).await.unwrap();

        assert_eq!(store.find(&stored.name).await.unwrap(), Some(stored));
        assert_eq!(store.find(&widget("sprocket").name).await.unwrap(), None);
    }

    async fn of_200_that_create_one_name_at_once_one_succeeds(database: TestDatabase) {
        let store = store(&database).await;
        let rivals: Vec<Widget> = (0..200).map(|_| widget("contested")).collect();

        let outcomes = join_all(rivals.iter().map(|rival| store.insert(rival))).await;

        let (winners, losers): (Vec<_>, Vec<_>) = outcomes.iter().enumerate().partition(|(_, outcome)| outcome.is_ok());
        assert_eq!(winners.len(), 1);
        assert!(losers.iter().all(|(_, outcome)| matches!(outcome, Err(Error::Exists))));
        assert_eq!(store.find(&rivals[0].name).await.unwrap().as_ref(), Some(&rivals[winners[0].0]));
    }

    async fn an_update_is_stored_only_over_the_state_that_it_was_made_of(database: TestDatabase) {
        let store = store(&database).await;
        let first = widget("a");
        let second = Widget { revision: Revision::random(), ..widget("a") };
        let third = Widget { revision: Revision::random(), ..widget("a") };
        store.insert(&first).await.unwrap();

        assert!(store.update(first.revision, &second).await.unwrap());
        assert!(!store.update(first.revision, &third).await.unwrap());

        assert_eq!(store.find(&first.name).await.unwrap(), Some(second));
    }

    async fn of_many_updates_of_one_state_at_once_one_is_stored(database: TestDatabase) {
        let store = store(&database).await;
        let first = widget("a");
        store.insert(&first).await.unwrap();
        let rivals: Vec<Widget> = (0..50).map(|_| Widget { revision: Revision::random(), ..first.clone() }).collect();

        let outcomes = join_all(rivals.iter().map(|rival| store.update(first.revision, rival))).await;

        assert_eq!(outcomes.into_iter().filter(|outcome| *outcome.as_ref().unwrap()).count(), 1);
    }

    async fn a_deletion_can_demand_a_state(database: TestDatabase) {
        let store = store(&database).await;
        let stored = widget("a");
        store.insert(&stored).await.unwrap();

        assert!(!store.delete(&stored.name, Some(Revision::random())).await.unwrap());
        assert!(store.delete(&stored.name, Some(stored.revision)).await.unwrap());
        assert!(!store.delete(&stored.name, Some(stored.revision)).await.unwrap());
        assert!(!store.delete(&stored.name, None).await.unwrap());
        assert_eq!(store.find(&stored.name).await.unwrap(), None);
    }

    async fn names_sort_byte_by_byte(database: TestDatabase) {
        let store = store(&database).await;
        let sorted = ["-", "-a", "0", "10", "9", "_", "_b", "a", "a-", "a-b", "a0", "a_b", "aa", "ab", "b"];
        for name in sorted.iter().rev() {
            store.insert(&widget(name)).await.unwrap();
        }

        assert_eq!(all_names(&store, 4, "name", "").await, sorted);
        let mut reversed = sorted;
        reversed.reverse();
        assert_eq!(all_names(&store, 4, "name desc", "").await, reversed);
    }

    async fn equal_sort_keys_are_sorted_by_name(database: TestDatabase) {
        let store = store(&database).await;
        for name in ["c", "a", "d", "b"] {
            store.insert(&widget(name)).await.unwrap();
        }

        for order in ["created_at", "updated_at", "deadline"] {
            assert_eq!(all_names(&store, 3, order, "").await, ["a", "b", "c", "d"], "{order}");
            let descending = format!("{order} desc");
            assert_eq!(all_names(&store, 3, &descending, "").await, ["d", "c", "b", "a"], "{descending}");
        }
    }

    async fn a_prefix_lets_through_what_begins_so_and_counts_it(database: TestDatabase) {
        let store = store(&database).await;
        for name in ["a", "ab", "ab-", "ab-z", "abz", "ac", "b", "zz"] {
            store.insert(&widget(name)).await.unwrap();
        }

        for (prefix, through) in [
            ("ab", vec!["ab", "ab-", "ab-z", "abz"]),
            ("z", vec!["zz"]),
            ("x", vec![]),
            ("A", vec![]),
            ("a%", vec![]),
            ("\0", vec![]),
            ("ü", vec![]),
        ] {
            for order in ["name", "created_at"] {
                assert_eq!(all_names(&store, 2, order, prefix).await, through, "{prefix:?} by {order}");
            }
            let prefix = NamePrefix::new(prefix);
            assert_eq!(store.count(prefix.as_ref()).await.unwrap(), through.len() as i64);
        }
        assert_eq!(store.count(None).await.unwrap(), 8);
    }

    async fn a_page_that_has_become_empty_still_leads_back(database: TestDatabase) {
        let store = store(&database).await;
        for name in ["a", "b", "c", "d"] {
            store.insert(&widget(name)).await.unwrap();
        }
        let first = page(&store, 2, "", "name", "").await;
        for name in ["c", "d"] {
            store.delete(&widget(name).name, None).await.unwrap();
        }

        let second = page(&store, 2, &first.next, "name", "").await;
        let back = page(&store, 2, &second.prev, "name", "").await;

        assert!(second.widgets.is_empty() && second.next.is_empty());
        assert_eq!(names(&back), ["a", "b"]);
        assert!(back.prev.is_empty());
    }

    async fn a_list_under_concurrent_writes_gives_what_stays_exactly_once(database: TestDatabase) {
        let store = store(&database).await;
        let staying: Vec<String> = (0..60).map(|n| format!("stay-{n:02}")).collect();
        for name in &staying {
            store.insert(&widget(name)).await.unwrap();
        }
        let noise = async {
            for n in 0..120 {
                let passing = widget(&format!("stay-{:02}-{n}", n % 60));
                store.insert(&passing).await.unwrap();
                store.delete(&passing.name, None).await.unwrap();
            }
        };
        let lists = async {
            for order in ["name", "name desc", "created_at", "deadline desc"] {
                let mut seen = all_names(&store, 7, order, "stay-").await;
                seen.retain(|name| name.len() == "stay-00".len());
                seen.sort();
                assert_eq!(seen, staying, "{order}");
            }
        };

        tokio::join!(noise, lists);
    }
}
