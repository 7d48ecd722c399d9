//! Python pseud's dialect: sessions of peers, calls both ways, over messages of five frames.

mod calling;
mod calls;
mod channel;
mod classes;
mod details;
mod endpoint;
mod fault;
mod grammar;
mod inbound;
mod link;
mod links;
mod names;
mod parked;
mod provenance;
mod replying;
mod requests;
mod session;
mod stats;
mod transmit;
mod wire;

pub use crate::peer::PeerInfo;
pub use channel::Channel;
pub use endpoint::Endpoint;
pub use grammar::Transmit;
pub use link::{BACKLOG_BYTES_LOW, Link};
pub use provenance::{Opened, Provenance};
pub use stats::{Deadlines, Dropped, Stats};
pub use wire::{Kind, WireId};
