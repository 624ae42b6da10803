//! The protocol of trust, in every order of events that a small world allows.
//!
//! A world has a database, replicas of the auth service, a verifier and requests. The rules it goes by are the
//! production code's: `View::merge`, `check` and `pruned`, `Schedule`, `judge`, `History`, `Known`. What is around them
//! in production, tasks, sockets and SQL, is here a list of steps, any of which may come next.
//! `docs/decisions/0005-*.md` says what this proves and what it does not.
//!
//! | to see | open |
//! |---|---|
//! | what is claimed, and of which worlds | [`searches`], [`worlds`] |
//! | which mistakes the searches find, and where the promise ends | [`mistakes`] |
//! | what may happen | [`steps`], [`actions`] |
//! | what must not | [`world`] |
//! | how all of it is looked at | [`explorer`] |

mod actions;
mod database;
mod explorer;
mod fingerprint;
mod mistakes;
mod node;
mod searches;
mod setup;
mod steps;
mod world;
mod worlds;
