//! Peers in memory, with a clock that is moved by hand: conversations without sockets or waiting.
//!
//! | module | what it is |
//! |---|---|
//! | `clock` | the one time that all of a test shares |
//! | `pipe` | bytes on their way: latency, pieces, a full socket, a cut, somebody who edits frames |
//! | `wire` | two ends and the pipes between them: settle, look, then advance the clock |
//! | `talker` | a [`Channel`](pseud_proto::pseud::Channel) that calls and answers |
//! | `node` | an [`Endpoint`](pseud_proto::pseud::Endpoint) and its [`Link`](pseud_proto::pseud::Link)s |
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

mod clock;
mod end;
mod log;
mod node;
mod pipe;
mod setup;
mod stranger;
mod talker;
mod wire;

pub use clock::Clock;
pub use end::End;
pub use log::{Ended, Log, Said, Work};
pub use node::{Node, Port, shows};
pub use pipe::Pipe;
pub use setup::{CHUNKS, Pair, Setup, quiet, v1};
pub use stranger::Stranger;
pub use talker::Talker;
pub use talker::gather;
pub use wire::{Wire, advance, settle};

use std::time::Duration;

/// So many milliseconds.
pub const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}
