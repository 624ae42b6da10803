//! So many of something for each network in ten minutes.

use std::collections::HashMap;

use super::{Left, Network};

/// In microseconds: ten minutes.
pub(super) const SPAN: i64 = 600 * 1_000_000;

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

    /// How many there are for each network. 0 is any number.
    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// How many a network has left, and when it has all of them again.
    pub(super) fn left(&self, network: Network, now: i64) -> Left {
        let count = self.counts.get(&network).filter(|count| count.began > now - SPAN);
        Left {
            remaining: u64::from(self.limit - count.map_or(0, |count| count.taken)),
            reset: count.map_or(SPAN, |count| count.began + SPAN - now),
        }
    }

    /// Takes one, or says how little is left. Past the bound on networks, the oldest count is forgotten.
    pub(super) fn take(&mut self, network: Network, now: i64) -> Result<(), Left> {
        if self.limit == 0 {
            return Ok(());
        }
        let left = self.left(network, now);
        if left.remaining == 0 {
            return Err(left);
        }
        if self.counts.len() >= self.bound && !self.counts.contains_key(&network) {
            self.make_room(now);
        }
        let fresh = Count { began: now, taken: 0 };
        let count = self.counts.entry(network).or_insert(fresh);
        if count.began <= now - SPAN {
            *count = fresh;
        }
        count.taken += 1;
        Ok(())
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

        let left = |remaining, reset| Left { remaining, reset };
        assert_eq!(quota.left(here, 0), left(2, SPAN));
        assert_eq!([quota.take(here, 0), quota.take(here, 1)], [Ok(()), Ok(())]);
        assert_eq!(quota.take(here, 2), Err(left(0, SPAN - 2)));
        assert_eq!(quota.take(there, 2), Ok(()));
        assert_eq!(quota.left(there, 3), left(1, SPAN - 1));
        assert_eq!(quota.take(here, SPAN - 1), Err(left(0, 1)));
        assert_eq!(quota.take(here, SPAN), Ok(()));
    }

    #[test]
    fn zero_is_no_limit_and_many_networks_take_bounded_memory() {
        let mut any = Quota::new(0);
        assert!((0..1_000).all(|now| any.take(Network::V4([1, 2, 3]), now).is_ok()));

        let mut quota = Quota {
            bound: 10,
            ..Quota::new(1)
        };
        for n in 0..1_000_i64 {
            quota.take(Network::V6(n.to_be_bytes()), n).unwrap();
        }
        assert_eq!(quota.counts.len(), 10);
    }
}
