//! The machines: a [`Channel`] of one link, or one [`Endpoint`] of many peers and a [`Link`] each.
//!
//! What they say to each other on the wire is described beside the code that reads and writes it,
//! `src/dialect/pseud/mod.rs`.

pub use crate::call::dropped::Dropped;
pub use crate::call::wire_id::WireId;
pub use crate::channel::Channel;
pub use crate::dialect::pseud::envelope::Kind;
pub use crate::dialect::pseud::outbound::Transmit;
pub use crate::link::{BACKLOG_BYTES_LOW, Link};
pub use crate::rpc::endpoint::Endpoint;
pub use crate::rpc::stats::{Deadlines, Stats};
