//! Servers and clients of kaa.rpc, as kaa-base 0.99.2dev speaks it.
//!
//! They are [`Node`](crate::Node)s like others: handlers, registries, predicates, calls, events and
//! draining are the same, and one [`Registry`](crate::Registry) may serve both wires. What each name of
//! the reference is here, what the wire protects and what not: [`pseud_proto::kaa`].

mod address;
mod client;
#[cfg(unix)]
mod directory;
mod options;
mod server;

pub use address::Address;
pub use client::Client;
pub use options::Options;
pub use pseud_proto::kaa::{BigInt, Complex, Config, FrozenSet, PickledObject, Set, exts};
pub use server::Server;
