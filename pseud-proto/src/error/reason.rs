//! The world's doing.

use super::PeerError;
use std::fmt;

/// Why a call has no answer, or why a session ended. One word for each thing, everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The deadline passed.
    TimedOut,
    /// There was no link to that peer.
    NotConnected,
    /// That peer cannot be called: its socket is a REQ, which only asks (Python's `SyncClient`).
    TakesNoCalls,
    /// The link ended.
    PeerGone,
    /// The peer broke the protocol and its link was closed.
    PeerFault(PeerError),
    /// The peer refused the call: we are not authenticated there, or may not call in that user's
    /// name.
    Unauthorized,
    /// The peer had no room for the call; or, when it came, our queue to it had none.
    TooBusy,
    /// The peer is shutting down and takes no new calls.
    Draining,
    /// The peer serves nothing of that name, or not to us. A v1 peer says so by a fault:
    /// [`Fault::is_service_not_found`](super::Fault::is_service_not_found).
    NoSuchService,
    /// The peer found the call's arguments malformed.
    BadCall,
    /// The call came too far: peers call each other in a circle.
    TooManyHops,
    /// The peer refused the call for a reason that this version does not know.
    Refused,
    /// The caller gave up.
    Cancelled,
    /// An answer came, but its body does not follow the grammar.
    BadReply,
    /// An answer came, but it is over a limit.
    TooLarge,
    /// The call is larger than its peer takes.
    CallTooLarge,
    /// The peer cannot understand what would have to be sent.
    Unsupported,
    /// A newer link took over this peer's identity.
    Replaced,
    /// We ended the session: its user is no longer welcome.
    Revoked,
    /// We closed the link to that endpoint.
    Disconnected,
    /// The peer did not read what was queued for it.
    SlowPeer,
    /// A reply was on its way but could not be written before a v1 caller gives up: finishing it
    /// would have killed that caller's reader.
    LateReply,
    /// This side shut down.
    Shutdown,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::TimedOut => "timed out",
            Self::NotConnected => "not connected",
            Self::TakesNoCalls => "the peer takes no calls: its socket is a REQ, which only asks",
            Self::PeerGone => "the peer is gone",
            Self::PeerFault(error) => return write!(f, "the peer broke the protocol: {error}"),
            Self::Unauthorized => "unauthorized: the peer does not let this user make the call",
            Self::TooBusy => "the peer is too busy: try again later",
            Self::Draining => "the peer is shutting down: try again later, or another one",
            Self::NoSuchService => "the peer serves nothing of that name, or not to this user",
            Self::BadCall => "the peer found the arguments malformed",
            Self::TooManyHops => "too many hops: peers call each other in a circle",
            Self::Refused => "the peer refused the call",
            Self::Cancelled => "cancelled",
            Self::BadReply => "the reply is not well-formed",
            Self::TooLarge => "the reply is too large",
            Self::CallTooLarge => "the call is larger than the peer takes",
            Self::Unsupported => "the peer does not support this",
            Self::Replaced => "another link took over this identity",
            Self::Revoked => "no longer welcome",
            Self::Disconnected => "this side closed the link",
            Self::SlowPeer => "the peer does not read",
            Self::LateReply => "a reply would have come too late",
            Self::Shutdown => "shut down",
        };
        f.write_str(text)
    }
}

/// Whether a call that was closed locally may have run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executed {
    /// It never left: a retry is safe.
    No,
    /// It had left: the far handler may have run.
    Maybe,
}
