//! Peers in memory, with a clock that is moved by hand: conversations without sockets or waiting.
//!
//! | module | what it is |
//! |---|---|
//! | `clock` | the one time that all of a test shares |
//! | `pipe` | bytes on their way: latency, pieces, a full socket, a cut, somebody who edits frames |
//! | `wire` | two ends and the pipes between them: settle, look, then advance the clock |
//! | `talker` | a [`Channel`](pseud::proto::pseud::Channel) that calls and answers |
//! | `node` | an [`Endpoint`](pseud::proto::pseud::Endpoint) with many connections |
//! | `stranger` | a bare connection, to say what a well-behaved peer would not |
//! | `log` | what came out of a machine, checked as it comes |
//!
//! ```text
//! let mut pair = Setup::default().open();
//! let call = pair.client.call("add", (2, 4));
//! pair.settle();
//! let work = pair.server.work();
//! pair.server.answer(work, 6);
//! pair.settle();
//! assert_eq!(pair.client.ended(call), Ended::Value(6.into()));
//! ```
#![allow(dead_code, unused_imports, reason = "each test binary uses its own share")]

mod clock;
#[path = "../../pseud-proto/tests/edited/mod.rs"]
mod edited;
mod log;
mod node;
mod pipe;
mod setup;
mod stranger;
mod talker;
mod wire;

pub(crate) use clock::Clock;
pub(crate) use edited::{EDITS, Edit, Editor};
pub(crate) use log::{Ended, Log, Said, Work};
pub(crate) use node::{Id, Node, Port};
pub(crate) use pipe::Pipe;
pub(crate) use setup::{CHUNKS, Pair, Setup};
pub(crate) use stranger::Stranger;
pub(crate) use talker::Talker;
pub(crate) use wire::{End, Wire, advance, settle};

use std::time::Duration;

/// So many milliseconds.
pub(crate) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}
