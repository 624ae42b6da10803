use std::time::Duration;

/// How a [`Database`](crate::Database) waits and how many connections it keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// How long a call waits for a free connection, and how long a writer waits behind another's lock, before
    /// [`Error::Unavailable`](crate::Error::Unavailable). 5 s.
    pub wait: Duration,
    /// How long one statement may take before it is given up as [`Error::Unavailable`](crate::Error::Unavailable): what
    /// a frozen server or a broken network costs a caller. Longer than `wait`. 8 s.
    pub statement_limit: Duration,
    /// Connections to PostgreSQL, and readers on SQLite (whose writer is one more). Twice the cores.
    pub connections: usize,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            wait: Duration::from_secs(5),
            statement_limit: Duration::from_secs(8),
            connections: 2 * cores,
        }
    }
}
