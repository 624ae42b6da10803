//! How much is done.

/// Numbers of a run.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Sessions that end by logout.
    pub logouts: usize,
    /// Sessions that end by each of the other ways.
    pub other_endings: usize,
    /// Calls with each token after its end.
    pub calls: usize,
    /// How often everything is killed.
    pub kills: usize,
}

impl Scale {
    const SMALL: Self = Self {
        logouts: 16,
        other_endings: 4,
        calls: 150,
        kills: 3,
    };

    const FULL: Self = Self {
        logouts: 200,
        other_endings: 50,
        calls: 500,
        kills: 20,
    };

    /// What `CLUSTER_SCALE` asks for.
    pub fn get() -> Self {
        match std::env::var("CLUSTER_SCALE").as_deref() {
            Ok("full") => Self::FULL,
            _ => Self::SMALL,
        }
    }
}
