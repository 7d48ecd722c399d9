//! Python pseud's dialect: sessions of peers, calls both ways, over messages of five frames.

mod calling;
mod calls;
mod channel;
mod endpoint;
mod fault;
mod inbound;
mod link;
mod links;
mod names;
mod parked;
mod profile;
mod replying;
mod requests;
mod seen;
mod session;
mod stats;
mod transmit;
mod users;
mod wire;

pub use crate::peer::{PeerInfo, Profile};
pub use channel::Channel;
pub use endpoint::Endpoint;
pub use link::{BACKLOG_BYTES_LOW, Link};

pub use stats::{Deadlines, Dropped, Stats};
pub use wire::{Kind, Transmit, WireId};
