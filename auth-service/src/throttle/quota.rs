//! So many of something for each network in ten minutes.

use std::collections::HashMap;

use super::Network;

/// In microseconds: ten minutes.
const SPAN: i64 = 600 * 1_000_000;

/// Networks that are remembered.
const NETWORKS: usize = 10_000;

/// Counts from the first one on, and begins again ten minutes later. Times are microseconds since the epoch.
#[derive(Debug)]
pub(super) struct Quota {
    limit: u32,
    bound: usize,
    counts: HashMap<Network, Count>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    began: i64,
    taken: u32,
}

impl Quota {
    /// 0 is no limit.
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit,
            bound: NETWORKS,
            counts: HashMap::new(),
        }
    }

    /// Takes one, or says how long to wait. Past the bound on networks, the oldest count is forgotten.
    pub(super) fn take(&mut self, network: Network, now: i64) -> Option<i64> {
        if self.limit == 0 {
            return None;
        }
        if self.counts.len() >= self.bound && !self.counts.contains_key(&network) {
            self.make_room(now);
        }
        let fresh = Count { began: now, taken: 0 };
        let count = self.counts.entry(network).or_insert(fresh);
        if count.began <= now - SPAN {
            *count = fresh;
        }
        if count.taken >= self.limit {
            return Some(count.began + SPAN - now);
        }
        count.taken += 1;
        None
    }

    fn make_room(&mut self, now: i64) {
        self.counts.retain(|_, count| count.began > now - SPAN);
        if self.counts.len() >= self.bound {
            let oldest = self
                .counts
                .iter()
                .min_by_key(|(_, count)| count.began)
                .map(|(network, _)| *network);
            oldest.map(|network| self.counts.remove(&network));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_for_each_network_and_comes_back() {
        let mut quota = Quota::new(2);
        let (here, there) = (Network::V4([1, 2, 3]), Network::V4([1, 2, 4]));

        assert_eq!([quota.take(here, 0), quota.take(here, 1)], [None, None]);
        assert_eq!(quota.take(here, 2), Some(SPAN - 2));
        assert_eq!(quota.take(there, 2), None);
        assert_eq!(quota.take(here, SPAN), None);
    }

    #[test]
    fn zero_is_no_limit_and_many_networks_take_bounded_memory() {
        assert!((0..1_000).all(|now| Quota::new(0).take(Network::V4([1, 2, 3]), now).is_none()));

        let mut quota = Quota {
            bound: 10,
            ..Quota::new(1)
        };
        for n in 0..1_000_i64 {
            quota.take(Network::V6(n.to_be_bytes()), n);
        }
        assert_eq!(quota.counts.len(), 10);
    }
}
