//! Failures of each network within the last ten minutes.

use std::collections::{HashMap, VecDeque};

use super::{Left, Network};

/// Failures that one network has free.
pub(super) const LIMIT: usize = 50;

/// In so many microseconds: ten minutes.
pub(super) const SPAN: i64 = 600 * 1_000_000;

/// Networks that are remembered: with 50 times each, some 5 MB.
const NETWORKS: usize = 10_000;

/// When each network failed, the last fifty times. Times are microseconds since the epoch.
#[derive(Debug)]
pub(super) struct FailureWindow {
    bound: usize,
    networks: HashMap<Network, VecDeque<i64>>,
}

impl Default for FailureWindow {
    fn default() -> Self {
        Self::bounded(NETWORKS)
    }
}

impl FailureWindow {
    fn bounded(bound: usize) -> Self {
        Self {
            bound,
            networks: HashMap::new(),
        }
    }

    /// How many failures a network has left, and when it has one more.
    pub(super) fn left(&self, network: Network, now: i64) -> Left {
        let times = self.networks.get(&network).into_iter().flatten();
        let mut recent = times.copied().filter(|time| *time > now - SPAN).peekable();
        let reset = recent.peek().map_or(SPAN, |oldest| oldest + SPAN - now);
        Left {
            remaining: LIMIT.saturating_sub(recent.count()) as u64,
            reset,
        }
    }

    /// Counts a failure. Past the bound on networks, the one that has been quiet for longest is forgotten.
    pub(super) fn record(&mut self, network: Network, now: i64) {
        if self.networks.len() >= self.bound && !self.networks.contains_key(&network) {
            self.make_room(now);
        }
        let times = self.networks.entry(network).or_default();
        if times.len() >= LIMIT {
            times.pop_front();
        }
        times.push_back(now);
    }

    fn make_room(&mut self, now: i64) {
        let last = |times: &VecDeque<i64>| times.back().copied().unwrap_or(i64::MIN);
        self.networks.retain(|_, times| last(times) > now - SPAN);
        if self.networks.len() >= self.bound {
            let quietest = self
                .networks
                .iter()
                .min_by_key(|(_, times)| last(times))
                .map(|(network, _)| *network);
            quietest.map(|network| self.networks.remove(&network));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Network = Network::V4([1, 2, 3]);
    const SECOND: i64 = 1_000_000;

    fn left(window: &FailureWindow, network: Network, second: i64) -> (u64, i64) {
        let left = window.left(network, second * SECOND);
        (left.remaining, left.reset / SECOND)
    }

    #[test]
    fn the_fifty_first_failure_in_ten_minutes_waits_for_the_first_to_pass() {
        let mut window = FailureWindow::default();
        for second in 0..50 {
            assert_eq!(left(&window, HERE, second).0, 50 - second as u64);
            window.record(HERE, second * SECOND);
        }

        assert_eq!(left(&window, HERE, 50), (0, 550));
        assert_eq!(left(&window, Network::V4([1, 2, 4]), 50), (50, 600));
        assert_eq!(left(&window, HERE, 600), (1, 1));
        window.record(HERE, 600 * SECOND);
        assert_eq!(left(&window, HERE, 600), (0, 1));
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_quietest_first() {
        let mut window = FailureWindow::bounded(10);
        let network = |n: i64| Network::V6(n.to_be_bytes());
        for _ in 0..LIMIT {
            window.record(network(0), 0);
        }
        for n in 1..1_000 {
            window.record(network(n), n);
            window.record(network(0), n);
        }

        assert_eq!(window.networks.len(), 10);
        assert_eq!(window.left(network(0), 1_000).remaining, 0);
        assert!(window.networks.values().all(|times| times.len() <= LIMIT));
    }
}
