use std::sync::Arc;

/// From when on an entry may be forgotten: seconds since the epoch, rounded up; the highest value is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Due(u32);

impl Due {
    pub(super) const NEVER: Self = Self(u32::MAX);

    pub(super) fn of(time: Option<&prost_types::Timestamp>) -> Self {
        let Some(time) = time else {
            return Self::NEVER;
        };
        let up = i64::from(time.nanos > 0);
        let seconds = time.seconds.saturating_add(up).max(0);
        Self(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    pub(super) fn is_over(self, now: i64) -> bool {
        self != Self::NEVER && i64::from(self.0) <= now
    }
}

pub(super) type Id = [u8; 16];
pub(super) type Entry<V> = (Id, Due, V);

/// A map from ids to values that only rise, made of shared leaves.
///
/// A successor shares all leaves that it does not change, so publishing a view copies kilobytes and not a million
/// entries, and a reader takes no lock. Two levels of 64 make 4,096 leaves: at a million entries a leaf holds some 250
/// of them, sorted, without gaps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Revoked<V>(Option<Arc<Root<V>>>);

// The last bytes of a UUID are random in versions 4 and 7 alike.
type Root<V> = Node<Branch<V>, 15>;
type Branch<V> = Node<Leaf<V>, 14>;

impl<V> Default for Revoked<V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<V: Copy + Ord> Revoked<V> {
    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |root| root.len())
    }

    pub(super) fn get(&self, id: &Id) -> Option<V> {
        self.0.as_ref()?.get(id)
    }

    /// Adds entries, in any order. Of two for one id, the higher value and the later time hold.
    pub(super) fn add(&mut self, mut entries: Vec<Entry<V>>) {
        if entries.is_empty() {
            return;
        }
        entries.sort_unstable_by_key(|(id, ..)| (slot::<15>(id), slot::<14>(id), *id));
        let root = match &self.0 {
            Some(root) => root.with(&entries),
            None => Root::default().with(&entries),
        };
        self.0 = Some(Arc::new(root));
    }

    /// Whether anything may be forgotten.
    pub(super) fn is_due(&self, now: i64) -> bool {
        self.0.as_ref().is_some_and(|root| root.earliest().is_over(now))
    }

    /// Forgets what has expired, looking only where something has.
    pub(super) fn prune(&mut self, now: i64) {
        if self.is_due(now) {
            self.0 = self.0.as_ref().and_then(|root| root.without(now)).map(Arc::new);
        }
    }
}

fn slot<const BYTE: usize>(id: &Id) -> usize {
    usize::from(id[BYTE] >> 2)
}

/// A part of the map. Entries come sorted as [`Revoked::add`] sorts them.
trait Part<V>: Default {
    fn len(&self) -> usize;
    fn earliest(&self) -> Due;
    fn get(&self, id: &Id) -> Option<V>;
    fn with(&self, entries: &[Entry<V>]) -> Self;
    /// The part without what has expired; none if nothing is left.
    fn without(&self, now: i64) -> Option<Self>;
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node<P, const BYTE: usize> {
    parts: Vec<Option<Arc<P>>>,
    earliest: Due,
    len: usize,
}

impl<P, const BYTE: usize> Default for Node<P, BYTE> {
    fn default() -> Self {
        Self {
            parts: (0..64).map(|_| None).collect(),
            earliest: Due::NEVER,
            len: 0,
        }
    }
}

impl<P, const BYTE: usize> Node<P, BYTE> {
    fn of<V>(parts: Vec<Option<Arc<P>>>) -> Self
    where
        P: Part<V>,
    {
        let held = || parts.iter().flatten();
        let earliest = held().map(|part| part.earliest()).min().unwrap_or(Due::NEVER);
        let len = held().map(|part| part.len()).sum();
        Self { parts, earliest, len }
    }
}

impl<V, P: Part<V>, const BYTE: usize> Part<V> for Node<P, BYTE> {
    fn len(&self) -> usize {
        self.len
    }

    fn earliest(&self) -> Due {
        self.earliest
    }

    fn get(&self, id: &Id) -> Option<V> {
        self.parts[slot::<BYTE>(id)].as_ref()?.get(id)
    }

    fn with(&self, entries: &[Entry<V>]) -> Self {
        let mut parts = self.parts.clone();
        for chunk in entries.chunk_by(|(one, ..), (other, ..)| slot::<BYTE>(one) == slot::<BYTE>(other)) {
            let part = &mut parts[slot::<BYTE>(&chunk[0].0)];
            *part = Some(Arc::new(match part {
                Some(part) => part.with(chunk),
                None => P::default().with(chunk),
            }));
        }
        Self::of(parts)
    }

    fn without(&self, now: i64) -> Option<Self> {
        let prune = |part: &Arc<P>| {
            if part.earliest().is_over(now) {
                part.without(now).map(Arc::new)
            } else {
                Some(part.clone())
            }
        };
        let parts: Vec<_> = self.parts.iter().map(|part| part.as_ref().and_then(prune)).collect();
        parts.iter().any(Option::is_some).then(|| Self::of(parts))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Leaf<V> {
    entries: Box<[Entry<V>]>,
    earliest: Due,
}

impl<V> Default for Leaf<V> {
    fn default() -> Self {
        Self {
            entries: Box::default(),
            earliest: Due::NEVER,
        }
    }
}

impl<V> Leaf<V> {
    fn of(entries: Vec<Entry<V>>) -> Self {
        let earliest = entries.iter().map(|(_, due, _)| *due).min().unwrap_or(Due::NEVER);
        Self {
            entries: entries.into_boxed_slice(),
            earliest,
        }
    }
}

impl<V: Copy + Ord> Part<V> for Leaf<V> {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn earliest(&self) -> Due {
        self.earliest
    }

    fn get(&self, id: &Id) -> Option<V> {
        let place = self.entries.binary_search_by_key(id, |(id, ..)| *id).ok()?;
        self.entries.get(place).map(|(_, _, value)| *value)
    }

    fn with(&self, entries: &[Entry<V>]) -> Self {
        let mut all = Vec::with_capacity(self.entries.len() + entries.len());
        all.extend_from_slice(&self.entries);
        all.extend_from_slice(entries);
        // A stable sort recognises the two sorted runs and merges them.
        all.sort_by_key(|(id, ..)| *id);
        all.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.max(next.1);
                kept.2 = kept.2.max(next.2);
            }
            same
        });
        Self::of(all)
    }

    fn without(&self, now: i64) -> Option<Self> {
        let left: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, due, _)| !due.is_over(now))
            .copied()
            .collect();
        (!left.is_empty()).then(|| Self::of(left))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Due, Id, Revoked, Root};

    fn of(count: u32) -> Revoked<()> {
        let id = |number: u32| {
            let mut id = Id::default();
            id[..4].copy_from_slice(&number.to_be_bytes());
            id[15] = number as u8;
            id[14] = (number >> 8) as u8;
            id
        };
        let mut revoked = Revoked::default();
        revoked.add((0..count).map(|number| (id(number), Due::of(None), ())).collect());
        revoked
    }

    fn root(revoked: &Revoked<()>) -> &Arc<Root<()>> {
        revoked.0.as_ref().unwrap()
    }

    #[test]
    fn adding_nothing_and_forgetting_nothing_copy_nothing() {
        let before = of(20_000);
        let mut after = before.clone();
        after.add(Vec::new());
        after.prune(i64::MAX);
        assert!(Arc::ptr_eq(root(&before), root(&after)));
    }

    #[test]
    fn adding_one_entry_shares_all_leaves_but_one() {
        let before = of(20_000);
        let mut after = before.clone();
        after.add(vec![([0xff; 16], Due::of(None), ())]);

        assert_eq!(after.len(), before.len() + 1);
        let pairs = root(&before).parts.iter().zip(&root(&after).parts);
        let branches: Vec<_> = pairs.filter(|(one, other)| !same(one, other)).collect();
        assert_eq!(branches.len(), 1);
        let (Some(old), Some(new)) = branches[0] else {
            panic!("a branch is missing")
        };
        let leaves = old
            .parts
            .iter()
            .zip(&new.parts)
            .filter(|(one, other)| !same(one, other));
        assert_eq!(leaves.count(), 1);
    }

    fn same<T>(one: &Option<Arc<T>>, other: &Option<Arc<T>>) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }
}
