//! What the tests of this repository share. Nothing here is published, and nothing here is a peer that
//! anybody should use.
//!
//! | module | what it is |
//! |---|---|
//! | `memory` | peers in memory, with a clock that is moved by hand: no sockets, no waiting |
//! | `weather`, `luck` | what is random in a run, from one seed: latency, pieces, full sockets, lost links |
//! | `sim` | whole nodes in memory, on a runtime whose every turn a seed picks |
//! | `conversation` | conversations of whole nodes over any runtime: in simulated worlds, and over sockets |
//! | `ledger`, `spy` | which calls were made, run and ended, and the one check of whether that fits together |
//! | `raw` | bytes of ZMTP as a peer writes them by hand, a peer of bare bytes, and boxes of CURVE |
//! | `attacks` | what hostile peers do, as data: run beside the core, and over sockets |
//! | `connection` | what one connection of the core makes of bytes |
//! | `path` | somebody on the path, who edits frames, or cuts links off |
#![allow(clippy::missing_panics_doc, reason = "what panics here is a test that fails")]

pub mod attacks;
pub mod connection;
pub mod conversation;
pub mod ledger;
pub mod luck;
pub mod memory;
pub mod path;
mod patience;
pub mod raw;
pub mod sim;
pub mod spy;
pub mod weather;
