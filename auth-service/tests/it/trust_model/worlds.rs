//! The worlds that are searched.

use super::setup::{Change, LASTING, Place, Setup, Token};

const DAY: i64 = 24 * 60 * 60;

/// Where requests arrive, unless a world is about replicas that decide.
const DOOR: Place = Place::Verifier;

/// Two requests with one token, which is logged out. Nobody has a view yet.
pub fn cold() -> Setup {
    Setup {
        cold: true,
        syncs: (3, 4),
        ..plain()
    }
}

/// The same, with views that are current, and Syncs that nobody waits for.
pub fn idle() -> Setup {
    Setup { idle: true, ..plain() }
}

/// The same, without those.
pub fn plain() -> Setup {
    Setup {
        replicas: 1,
        tokens: vec![LASTING],
        requests: vec![(DOOR, 0), (DOOR, 0)],
        changes: vec![Change::Logout(0)],
        syncs: (3, 3),
        pages: (10, 10),
        ..Setup::default()
    }
}

/// Calls, replies and statements get lost.
pub fn lossy() -> Setup {
    Setup { losses: 2, ..plain() }
}

/// Any process may be killed at any time, and any transaction broken off.
pub fn mortal() -> Setup {
    Setup { crashes: 1, ..plain() }
}

/// A verifier has two replicas to ask, and one of them fails.
pub fn two_replicas() -> Setup {
    Setup {
        replicas: 2,
        syncs: (3, 2),
        losses: 1,
        ..plain()
    }
}

/// A replica decides requests itself.
pub fn deciding_replica() -> Setup {
    Setup {
        requests: vec![(Place::Replica(0), 0); 2],
        syncs: (0, 4),
        losses: 2,
        crashes: 1,
        ..plain()
    }
}

/// A user logs out everywhere while a token of the next generation is logged out. Another of that generation lives.
pub fn two_changes() -> Setup {
    let next = Token {
        generation: 2,
        ..LASTING
    };
    Setup {
        tokens: vec![LASTING, next, next],
        requests: vec![(DOOR, 0), (DOOR, 2)],
        changes: vec![Change::LogoutEverywhere(0), Change::Logout(1)],
        ..plain()
    }
}

/// The same, where a statement reads one revocation at a time and a reply holds one.
pub fn small_pages() -> Setup {
    Setup {
        requests: vec![(DOOR, 0), (DOOR, 1)],
        syncs: (3, 4),
        pages: (1, 1),
        ..two_changes()
    }
}

/// A second key is published and the first is retired.
pub fn two_keys() -> Setup {
    Setup {
        tokens: vec![LASTING, made_by(1, 0)],
        requests: vec![(DOOR, 0), (DOOR, 1), (DOOR, 0)],
        changes: vec![Change::Publish(1), Change::Retire(0)],
        in_order: true,
        ..plain()
    }
}

/// A key is published, then a backup that does not know it is restored. Recovery brings the next epoch and its key.
pub fn two_epochs() -> Setup {
    Setup {
        tokens: vec![made_by(1, 0), made_by(2, 1)],
        requests: vec![(DOOR, 0), (DOOR, 0), (DOOR, 1)],
        changes: vec![Change::Publish(1), Change::RestoreAndRecover(2)],
        in_order: true,
        ..plain()
    }
}

/// After two logouts, a backup that knows of neither is restored and recovered. A token of the new epoch is logged out
/// with a number that the old one has used. Nobody has a view yet.
pub fn reused_numbers() -> Setup {
    Setup {
        tokens: vec![LASTING, LASTING, made_by(2, 2)],
        requests: vec![(DOOR, 2), (DOOR, 2)],
        changes: vec![
            Change::Logout(0),
            Change::Logout(1),
            Change::RestoreAndRecover(2),
            Change::Logout(2),
        ],
        in_order: true,
        made_before: 2,
        ..cold()
    }
}

/// Everybody knows of a logout. Then the database forgets it, serves, and is recovered.
pub fn forgetful_database() -> Setup {
    Setup {
        tokens: vec![LASTING, made_by(2, 2)],
        requests: vec![(DOOR, 0), (DOOR, 1)],
        changes: vec![Change::Logout(0), Change::Restore, Change::Recover(2)],
        in_order: true,
        made_before: 1,
        ..plain()
    }
}

/// The user logs out everywhere, and a day goes by. The clocks of the replica that issued the token and that deletes
/// are `seconds` ahead, those of the one that made the change and of the verifier as much behind.
pub fn clocks_apart(seconds: i64) -> Setup {
    Setup {
        replicas: 2,
        tokens: vec![Token {
            expires_at: seconds + DAY,
            ..LASTING
        }],
        changes: vec![Change::LogoutEverywhere(1)],
        syncs: (2, 2),
        moments: vec![0, DAY + 2 * seconds - 1, DAY + 2 * seconds],
        skews: vec![-seconds, seconds, -seconds],
        ..plain()
    }
}

/// A token that is signed with a key once a change is made.
fn made_by(key: usize, change: usize) -> Token {
    Token {
        key,
        after: Some(change),
        ..LASTING
    }
}
