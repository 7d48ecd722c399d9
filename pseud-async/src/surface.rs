//! What every adapter re-exports: what an application meets besides its server and its client. Not for
//! applications.

pub use crate::{
    Address, Admission, AuthBackend, AuthBackends, Authenticate, Authenticator, BadAddress,
    BindOptions, Call, CallAll, CallError, Caller, Cancelled, Change, ConnectionEvent, Drain,
    Drained, EndpointError, Events, HandlerError, HeartbeatBackend, HeartbeatBackends, InClear,
    IntoAddress, Judging, MemoryPresence, NameRefused, Node, Object, OnDisconnect, OnSilence,
    Options, Peer, PeerStatus, Peers, Permit, Presence, PresenceEntry, PresenceEvent, PresenceFeed,
    PresenceStore, Registry, Request, Role, Security, Service, SetupError, Sign, SmolStr, Source,
    Storing, Ticking, UntilReady, UserStore, Who, Wire, files, register,
};
#[cfg(feature = "_curve")]
pub use crate::{CurveLogins, TrustedKeys};
