//! What a client can do to a listener, and how far it gets.

mod documented;
mod floods;
mod frames;
mod limits;
mod others;
mod slow;
