//! A spy on handlers: what was promised of calls over real sockets, while a relay cuts their links.
//!
//! | module | what it is |
//! |---|---|
//! | `luck` | everything that is random, from one seed |
//! | `relay` | carries bytes between two sockets, and cuts them off |
//! | `judge` | the calls, how often each was run, how each ended, and whether all that fits together |
//!
//! Handlers tell the spy which call they run, outside of the wire. `PSEUD_SEED` gives a run the luck
//! of the one that printed it; threads and sockets are not of the seed.
#![allow(dead_code, unused_imports, reason = "each test binary uses its own share")]

mod judge;
mod luck;
mod relay;

pub(crate) use judge::{End, Number, Spy, Tally, answer_to, assert_lies_are_caught};
pub(crate) use luck::Luck;
pub(crate) use relay::Relay;
