//! Calls over datagrams, as Python's `rpcudp` makes them; Kademlia's networks are built of those.
//!
//! An [`Endpoint`] is one UDP socket's machine, without the socket: datagrams and `now` in, datagrams and
//! actions out. There are no connections and no sessions: either end calls the other, and any number of
//! others. What the bytes are is told beside the code that reads and writes them,
//! `src/dialect/rpcudp/mod.rs`.
//!
//! ```
//! use pseud_proto::rpcudp::{Action, CallOptions, Config, Endpoint, arguments, result};
//! use std::time::Instant;
//!
//! let now = Instant::now();
//! let [alice, bob] = ["192.0.2.1:4000", "192.0.2.2:4000"].map(|address| address.parse().unwrap());
//! // The seeds are the system's entropy in earnest.
//! let mut caller = Endpoint::new(Config::default(), [1; 32]);
//! let mut callee = Endpoint::new(Config::default(), [2; 32]);
//!
//! caller.call(bob, "sayhi", &arguments(&("Snake",))?, &CallOptions::default(), now)?;
//! let request = caller.poll_transmit().unwrap();
//! callee.handle_datagram(alice, &request.payload, now)?;
//! let Some(Action::Serve(request)) = callee.poll_action() else { panic!() };
//! let (name,): (String,) = request.arguments().args()?;
//! let greeting = result(&format!("Hello {name} you live at {}", request.from()))?;
//! callee.reply(request.into_ticket(), &greeting, now)?;
//!
//! let response = callee.poll_transmit().unwrap();
//! caller.handle_datagram(bob, &response.payload, now)?;
//! let Some(Action::Finish { outcome, .. }) = caller.poll_action() else { panic!() };
//! assert_eq!(outcome.into_pair(), (true, "Hello Snake you live at 192.0.2.1:4000".into()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Differences to Python's `rpcudp`
//! By default an answer is believed only from the address that was called, a request that comes again is not
//! run again, a handler waits for a minute at most, and whoever has not shown that its address is its own is sent no more than three times
//! what came from there: see [`Config`]. Requests over 8 213 bytes, addresses that nobody sends from, and
//! bodies with more than 64 containers inside each other are dropped. What is silent there is silent here,
//! too, and told with its reason: [`Dropped`], [`Silence`], [`Counts`].

mod calls;
mod config;
mod endpoint;
mod inbound;
mod open_requests;
mod outcome;
mod output;
mod recent;
mod request;
mod silence;
mod source;
mod trust;

pub use crate::dialect::rpcudp::datagram::{DATAGRAM_BYTES_MAX, REQUEST_BODY_BYTES_MAX};
pub use config::{CallOptions, Config};
pub use endpoint::{Action, Endpoint, Stats};
pub use outcome::Outcome;
pub use output::Transmit;
pub use request::{Request, Ticket, TicketId};
pub use silence::{Counts, Dropped, Silence};

use crate::value::{EncodeError, Packed};
use serde::Serialize;

/// The arguments of a call: a tuple, an array or a `Vec`; `()` is none. Exts may have any code here.
///
/// # Errors
/// A value that msgpack cannot have, or none of those.
pub fn arguments<A: Serialize + ?Sized>(args: &A) -> Result<Packed, EncodeError> {
    Packed::positional(args)
}

/// A result. Exts may have any code here.
///
/// # Errors
/// A value that msgpack cannot have.
pub fn result<T: Serialize + ?Sized>(value: &T) -> Result<Packed, EncodeError> {
    Packed::result_with_negative_exts(value)
}
