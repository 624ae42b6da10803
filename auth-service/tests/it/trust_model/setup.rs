//! What a world is made of, and how far it is explored.

use std::sync::{Arc, LazyLock};

use access_token::{Caller, Verified, mint::SigningKey};
use uuid::Uuid;

/// A world before anything has happened in it. Numbers are bounds: what they allow is explored in every order.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    pub replicas: usize,
    /// Whether nobody has a view at the beginning.
    pub cold: bool,
    pub tokens: Vec<Token>,
    /// Where each request arrives, and with which token.
    pub requests: Vec<(Place, usize)>,
    /// What changes trust, in any order unless `in_order`.
    pub changes: Vec<Change>,
    pub in_order: bool,
    /// How many of the changes were made before the beginning.
    pub made_before: usize,
    /// How many Syncs the verifier begins, and each replica.
    pub syncs: (u8, u8),
    /// Whether the verifier begins Syncs that nobody waits for.
    pub idle: bool,
    /// How many calls of the verifier or statements of a replica get lost.
    pub losses: u8,
    /// How many processes are killed and started again, and transactions broken off.
    pub crashes: u8,
    /// How many revocations one statement of a replica reads, and one reply holds.
    pub pages: (usize, usize),
    /// The moments at which the world's clock stops, in seconds. The first is the beginning.
    pub moments: Vec<i64>,
    /// How far the clock of a machine is ahead of the world's, in seconds: the verifier's, then the replicas'.
    pub skews: Vec<i64>,
    pub fault: Option<Fault>,
}

impl Setup {
    /// The same world, built wrong.
    pub fn with(self, fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..self
        }
    }

    pub fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// What a machine takes the time for, in seconds.
    pub fn clock(&self, place: Place, moment: usize) -> i64 {
        let machine = match place {
            Place::Verifier => 0,
            Place::Replica(replica) => replica + 1,
        };
        self.moments.get(moment).unwrap_or(&0) + self.skews.get(machine).unwrap_or(&0)
    }

    /// A token as the verifier hands it to a view: its signature is good.
    pub fn verified(&self, token: usize) -> Verified {
        let Token {
            key: signer,
            generation,
            expires_at,
            ..
        } = self.tokens[token];
        Verified {
            kid: Arc::from(key(signer).kid()),
            caller: Caller {
                user_id: USER,
                admin: false,
                token_id: token_id(token),
                generation,
                issued_at: 0,
                expires_at,
            },
        }
    }
}

/// A machine. Replicas decide requests, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Verifier,
    Replica(usize),
}

/// A token of the one user.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub key: usize,
    pub generation: i64,
    /// Seconds.
    pub expires_at: i64,
    /// The change that makes it: it does not exist before.
    pub after: Option<usize>,
}

/// A token that outlives the world, of the first key and the first generation.
pub const LASTING: Token = Token {
    key: 0,
    generation: 1,
    expires_at: 1_000_000,
    after: None,
};

/// A transaction that changes trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// One token dies.
    Logout(usize),
    /// All tokens of the user's first generation die. A replica makes this, and its clock dates it.
    LogoutEverywhere(usize),
    /// A key is published.
    Publish(usize),
    /// All tokens of a key die.
    Retire(usize),
    /// The database is what it was before everything. Whoever does this has to recover before anybody is served.
    Restore,
    /// A new epoch and a new key begin: all tokens of others die.
    Recover(usize),
    /// Both, with nobody served in between.
    RestoreAndRecover(usize),
}

/// A mistake in the shell around the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A verifier reads its clock once the call is on its way.
    VerifierStampsAfterSending,
    /// A replica reads its clock once the statement is on its way.
    ReplicaStampsAfterSending,
    /// A number comes from a sequence: nobody waits for who drew the one before.
    NumbersFromASequence,
    /// A floor is kept for as long as a token lives, and no longer.
    FloorsPrunedEarly,
    /// A view is what the last reply said.
    ReplacedInsteadOfUnited,
    /// A reply of an epoch that is over is taken for one of today.
    OldEpochTaken,
    /// A page is taken for the end of the history.
    PageTakenForTheEnd,
    /// A replica answers from memory without asking the database.
    AnsweredWithoutAsking,
    /// A request is decided by whatever view there is.
    DecidedByAnyView,
}

pub const USER: Uuid = Uuid::from_u128(1);

pub fn token_id(token: usize) -> Uuid {
    Uuid::from_u128(100 + token as u128)
}

/// The keys of the world, by number.
pub fn key(number: usize) -> &'static SigningKey {
    static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
        let seeds = (1..=3).map(|number| [number; 32]);
        seeds.map(|seed| SigningKey::from_seed(&seed).unwrap()).collect()
    });
    &KEYS[number]
}
