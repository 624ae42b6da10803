//! Group commit: what many calls write at the same moment becomes one transaction.

use database::Error;
use tokio::sync::{mpsc, oneshot};

use crate::store::{Entry, Store};

/// Entries that go into one transaction.
const BATCH: usize = 1_000;

/// Calls that may wait for a place in a transaction before further ones wait for a place among them.
const WAITING: usize = 1_024;

/// How often a transaction that lost against another replica's is tried again.
const TRIES: usize = 3;

/// Writes [`Entry`] values. Clones share one writing task, which ends when the last clone is gone.
#[derive(Clone, Debug)]
pub(crate) struct Journal(mpsc::Sender<Job>);

#[derive(Debug)]
struct Job {
    entries: Vec<Entry>,
    done: oneshot::Sender<Result<(), Error>>,
}

impl Journal {
    /// Starts the writing task.
    pub(crate) fn start(store: Store) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING);
        tokio::spawn(work(store, waiting));
        Self(jobs)
    }

    /// Writes entries, all or none, and comes back when they are committed. Once begun it goes on without its caller.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn write(&self, entries: Vec<Entry>) -> Result<(), Error> {
        let (done, written) = oneshot::channel();
        self.0.send(Job { entries, done }).await.map_err(|_| gone())?;
        written.await.map_err(|_| gone())?
    }
}

async fn work(store: Store, mut waiting: mpsc::Receiver<Job>) {
    while let Some(first) = waiting.recv().await {
        let mut entries = first.entries;
        let mut callers = vec![first.done];
        while entries.len() < BATCH
            && let Ok(job) = waiting.try_recv()
        {
            entries.extend(job.entries);
            callers.push(job.done);
        }
        let outcome = write(&store, &entries).await;
        for caller in callers {
            // Whoever has gone does not need the answer.
            let _ = caller.send(outcome.as_ref().map_or_else(|error| Err(shared(error)), |()| Ok(())));
        }
    }
}

async fn write(store: &Store, entries: &[Entry]) -> Result<(), Error> {
    for _ in 1..TRIES {
        match store.write(entries).await {
            Err(error) if error.is_serialization() => {}
            outcome => return outcome,
        }
    }
    store.write(entries).await
}

/// One failure, for each of those whom it concerns.
fn shared(error: &Error) -> Error {
    let cause = error.to_string().into();
    match error.is_unavailable() {
        true => Error::Unavailable { cause },
        false => Error::Other { cause },
    }
}

fn gone() -> Error {
    Error::Unavailable {
        cause: "the writing task has ended".into(),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{future::join_all, poll};
    use test_kit::TestDatabase;
    use uuid::Uuid;

    use super::*;
    use crate::store::migrations;

    #[tokio::test]
    async fn what_waits_is_written_in_one_transaction() {
        let Some(database) = TestDatabase::postgres().await else {
            return;
        };
        migrations().up(database.database()).await.unwrap();
        let journal = Journal::start(Store::new(database.database().clone()));
        let write = |_| {
            let entry = Entry::RevokeToken {
                token: Uuid::new_v4(),
                expires_at: 1,
            };
            Box::pin(journal.write(vec![entry]))
        };

        // All of them wait before the writing task gets its turn on this thread.
        let mut writes = join_all((0..50).map(write));
        assert!(poll!(&mut writes).is_pending());
        assert!(writes.await.into_iter().all(|outcome| outcome.is_ok()));

        let sql = "SELECT count(*) AS n, count(DISTINCT CAST(xmin AS TEXT)) AS transactions FROM revocations";
        let row = database.database().fetch_one(sql, vec![]).await.unwrap();
        let counts: (i64, i64) = (row.get("n").unwrap(), row.get("transactions").unwrap());
        assert_eq!(counts, (50, 1));
    }
}
