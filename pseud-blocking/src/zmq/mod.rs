//! The same over libzmq: [`Server`] and [`Client`] with a ROUTER socket of the crate `zmq`, for programs
//! that have libzmq already, that want `inproc://`, or its transports.
//!
//! ```no_run
//! use pseud_blocking::Wait;
//! use pseud_blocking::zmq::{Client, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::new("service")?;
//! server.register("one", |_| Ok::<_, pseud_proto::Fault>(1))?;
//! let endpoint = server.bind("tcp://127.0.0.1:*")?;
//!
//! let client = Client::new("service")?;
//! client.connect(&endpoint)?;
//! let one: i64 = client.call("one", ()).wait()?;
//! assert_eq!(one, 1);
//! # Ok(()) }
//! ```
//!
//! What libzmq cannot do, and what that means here:
//!
//! | libzmq does not | so |
//! |---|---|
//! | tell a bound socket that a peer has left | its calls end at their time-outs, or when the next message to it is unroutable for 400 ms; presence of bound peers is known late |
//! | close one connection | who is disconnected ([`Node::disconnect_user`](crate::Node::disconnect_user)), or breaks the protocol, has its session ended; what a disconnected user still sends is dropped until it connects again. Who has [logged in](crate::Options::requires_login) is nobody then: its calls are answered UNAUTHORIZED until it connects again |
//! | let us declare capabilities | towards us everybody speaks pseud 1.0: answers of ours are never late (the late guard), and a refused call of ours is a fault |
//! | encrypt, where it is built without libsodium or its like | CURVE is an error of `new`; the vendored build has none ([`has_curve`]) |
//! | have several key pairs, know several keys of a server's, take names and passwords with zero bytes | an error of `new` |
//! | let us set modes of sockets' files, metadata, `strict`, the time of a greeting or of one message; be a REQ that pseud calls through | an error of `new` |
//! | ask two ZAP handlers in one context | a server of PLAIN or CURVE in a context that has one is an error of `new` |
//! | survive `fork` | a child that goes on without `exec` has none of the threads: nothing of a node is of use there, and only the parent may go on with it. Children that `exec` inherit nothing |
//!
//! The errors are [`Unsupported`](std::io::ErrorKind::Unsupported), and of the handler
//! [`AddrInUse`](std::io::ErrorKind::AddrInUse).

mod admitted;
mod authentication;
mod client;
mod commands;
mod connecting;
mod dialed;
mod endpoints;
mod faces;
mod incoming;
mod monitor;
mod outgoing;
mod peering;
mod peers;
mod server;
mod sockets;
mod worker;
mod zap;

pub use client::Client;
pub use server::Server;
pub use sockets::has_curve;
pub use zmq::Context;
