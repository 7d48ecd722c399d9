#![cfg_attr(any(feature = "tokio", not(doctest)), doc = include_str!("../README.md"))]
//!
//! # In code
//!
//! This package is the front door; it re-exports what its features choose.
//!
//! | feature | what | module |
//! |---|---|---|
//! | `tokio` (default) | servers and clients on tokio | [`tokio`] |
//! | `smol` | servers and clients under smol, or any other executor | `asyncstd` |
//! | `async-std` | the same, with their tasks on async-std's executor | `asyncstd` |
//! | `blocking` | servers and clients on plain threads, without a runtime | `blocking` |
//! | `zmq` | the same over libzmq | `blocking` |
//! | `curve` (default), `curve-rustcrypto` | encrypted links, by either cipher | |
//! | `kaa` | servers and clients of kaa.rpc | [`proto`]`::kaa`, `kaa` of each adapter |
//! | `time`, `chrono`, `jiff` | conversions of dates to and from those crates | [`proto::value`] |
//! | `rpcudp` | calls over datagrams, as Python's `rpcudp` makes them | [`proto::rpcudp`](https://docs.rs/pseud-proto), `rpcudp` of each adapter; that of [`tokio`] is `pseud::rpcudp` |
//! | – | the sans-IO core, always there | [`proto`] |
//!
//! Import by name: `use pseud::*` would bring the module `tokio` along, which hides the crate of that
//! name from `#[tokio::main]`.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub use bytes::Bytes;
pub use pseud_proto as proto;
pub use pseud_proto::peer::PeerInfo;
pub use pseud_proto::session::LastWork;
pub use pseud_proto::value::{BadArguments, SharedBytes, Value, ValueLimits};
#[cfg(feature = "_curve")]
pub use pseud_proto::zmtp::{KeyPair, PublicKey};
pub use pseud_proto::zmtp::{Question, Secret, Verdict};
pub use pseud_proto::{
    CallRefused, Config, Credentials, Exception, Executed, Fault, LateGuard, Limits, Parting,
    PeerError, PeerId, Reason, StrangerLimits, StrangerStats, User, UserSessions, WhenFull,
};

#[cfg(feature = "smol")]
pub use pseud_asyncstd as asyncstd;
#[cfg(feature = "blocking")]
pub use pseud_blocking as blocking;
#[cfg(feature = "tokio")]
pub use pseud_tokio as tokio;
#[cfg(all(feature = "rpcudp", feature = "tokio"))]
pub use pseud_tokio::rpcudp;
#[cfg(feature = "tokio")]
pub use pseud_tokio::{
    Address, AuthBackend, AuthBackends, Authenticate, Authenticator, BadAddress, BindOptions, Call,
    CallAll, CallError, Caller, Cancelled, Change, Client, ConnectionEvent, Drain, Drained,
    EndpointError, Events, HandlerError, HeartbeatBackend, HeartbeatBackends, IntoAddress, Judging,
    MemoryPresence, NameRefused, Node, Object, OnDisconnect, OnSilence, Options, Peer, PeerStatus,
    Peers, Permit, Presence, PresenceEntry, PresenceEvent, PresenceFeed, PresenceStore, Registry,
    Request, Role, Security, Server, Service, SetupError, Sign, SmolStr, Source, Storing, Ticking,
    UntilReady, UserStore, Who, Wire, register,
};
#[cfg(all(feature = "_curve", feature = "tokio"))]
pub use pseud_tokio::{CurveLogins, TrustedKeys};
