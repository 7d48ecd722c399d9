//! Calls over datagrams, as Python's `rpcudp` makes them: an [`Endpoint`] is one UDP socket that serves and
//! calls.
//!
//! Handlers are those of pseud: one [`Registry`](crate::Registry) may be served by both. Which wire a
//! request came on, from which address, and that its caller is nobody, is told by its
//! [`Caller`](crate::Caller). What goes wrong is silence on this wire, and logged under the target
//! `rpcudp`: what strangers cause at `debug`, what handlers and results cause at `warn`, up to ten lines a
//! minute.
//!
//! The machine, its settings and its differences to the reference: [`pseud_proto::rpcudp`].

mod driver;
mod endpoint;
mod serve;

pub use crate::datagram::call::Call;
pub use crate::datagram::peer::Peer;
pub use crate::datagram::socket::{DatagramSocket, Datagrams};
pub use endpoint::{Endpoint, Options};
pub use pseud_proto::rpcudp::{
    Config, Counts, DATAGRAM_BYTES_MAX, Dropped, REQUEST_BODY_BYTES_MAX, Silence, Stats,
};
