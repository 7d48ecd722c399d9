//! The world's doing.

use super::{Incompatible, Malformed, Misbehaved, Parting, PeerError};
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
    /// Wherever we connected, we were refused for what we show (ERROR 400): the server does not admit
    /// this user or key.
    Denied,
    /// Where we connected somebody answered, but of another name than the server that is called.
    WrongName,
    /// The peer ended the link, or its socket broke.
    PeerGone,
    /// Nothing was heard from the peer for too long: it is gone, or the network between is.
    HeartbeatTimeout,
    /// The link was closed, or did not come about, for what the peer did: the error says what.
    PeerFault(PeerError),
    /// The peer refused the call: we are not authenticated there, or may not call in that user's
    /// name.
    Unauthorized,
    /// The peer had no room for the call; or, when it came, our queue to it had none.
    Overloaded,
    /// The peer is shutting down and takes no new calls; or this session was ended, to be begun again later or
    /// elsewhere.
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
    /// An answer came, but it is over [`Limits::body_bytes_max`](crate::Limits) or what a frame or a
    /// message may have.
    TooLarge,
    /// The call is larger than its peer takes.
    CallTooLarge,
    /// The peer cannot understand what would have to be sent.
    Unsupported,
    /// A newer link took over this peer's identity; or, where a server of this library has said so, another
    /// one took over ours: does a second process use the same name?
    Replaced,
    /// Another session of that user is there already, and its server keeps the
    /// [oldest](crate::UserSessions::Oldest): told by ours, or by a peer that said so (GOAWAY).
    Occupied,
    /// The session was ended since its user is no longer welcome: by us, or by a peer that said so (GOAWAY).
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
            Self::Denied => "denied: the server does not admit this user or key",
            Self::WrongName => "connected, but not to a server of that name",
            Self::PeerGone => "the peer is gone",
            Self::HeartbeatTimeout => {
                "heartbeat time-out: nothing was heard from the peer for too long"
            }
            Self::PeerFault(error) => return write_fault(f, error),
            Self::Unauthorized => "unauthorized: the peer does not let this user make the call",
            Self::Overloaded => "the peer is too busy: try again later",
            Self::Draining => {
                "the peer is shutting down, or ended this session: try again, or another one"
            }
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
            Self::Occupied => "another session of this user is there already",
            Self::Revoked => "no longer welcome",
            Self::Disconnected => "this side closed the link",
            Self::SlowPeer => "the peer does not read",
            Self::LateReply => "a reply would have come too late",
            Self::Shutdown => "shut down",
        };
        f.write_str(text)
    }
}

/// Only who broke a rule is said to have broken one: a link that is cut or slow, a limit of ours and a
/// peer of another kind are called what they are.
fn write_fault(f: &mut fmt::Formatter<'_>, error: &PeerError) -> fmt::Result {
    match error {
        PeerError::Malformed(cause) if error.is_of_the_moment() => write!(f, "link ended: {cause}"),
        PeerError::Misbehaved(cause) if error.is_of_the_moment() => {
            write!(f, "link ended: {cause}")
        }
        PeerError::Malformed(Malformed::NotZmtp) => write!(f, "link ended: {error}"),
        PeerError::Malformed(_) | PeerError::Misbehaved(_) => {
            write!(f, "the peer broke the protocol: {error}")
        }
        PeerError::Incompatible(_)
        | PeerError::Insecure(_)
        | PeerError::Denied(_)
        | PeerError::HeartbeatTimeout
        | PeerError::SentAway(_)
        | PeerError::TooLarge { .. } => write!(f, "link ended: {error}"),
    }
}

/// Why a link ended, or did not come about, that ended by this error.
impl From<PeerError> for Reason {
    fn from(error: PeerError) -> Self {
        match error {
            PeerError::HeartbeatTimeout => Self::HeartbeatTimeout,
            PeerError::Misbehaved(Misbehaved::Unread) => Self::SlowPeer,
            PeerError::SentAway(Parting::Revoked) => Self::Revoked,
            PeerError::SentAway(Parting::Draining) => Self::Draining,
            PeerError::SentAway(Parting::Replaced) => Self::Replaced,
            PeerError::SentAway(Parting::Occupied) => Self::Occupied,
            PeerError::Incompatible(Incompatible::Refused(400)) => Self::Denied,
            error => Self::PeerFault(error),
        }
    }
}

impl Reason {
    /// Whether a server that has ended a link, or kept it from coming about, for that reason lets us in no more
    /// for what we show: trying again soon would change nothing.
    pub fn is_denial(self) -> bool {
        matches!(self, Self::Denied | Self::Revoked | Self::Unauthorized)
    }

    /// Whether it may pass by itself, so that the same call made again a little later may end
    /// otherwise. Faults of the moment pass: who is gone, slow, busy or cut off may be back. Those of
    /// what the two sides are, show or say do not.
    ///
    /// It says nothing on whether a call has run.
    pub fn is_transient(self) -> bool {
        match self {
            Self::TimedOut
            | Self::NotConnected
            | Self::PeerGone
            | Self::HeartbeatTimeout
            | Self::Overloaded
            | Self::Draining
            | Self::Replaced
            | Self::Occupied
            | Self::SlowPeer
            | Self::LateReply => true,
            Self::PeerFault(error) => error.is_of_the_moment(),
            Self::Denied
            | Self::WrongName
            | Self::TakesNoCalls
            | Self::Unauthorized
            | Self::NoSuchService
            | Self::BadCall
            | Self::TooManyHops
            | Self::Refused
            | Self::Cancelled
            | Self::BadReply
            | Self::TooLarge
            | Self::CallTooLarge
            | Self::Unsupported
            | Self::Revoked
            | Self::Disconnected
            | Self::Shutdown => false,
        }
    }
}

/// Whether a call that was closed locally may have run.
///
/// Closed: a call has left or it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executed {
    /// It never left: a retry is safe.
    No,
    /// It had left: the far handler may have run.
    Maybe,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Insecure, Misbehaved};

    #[test]
    fn only_a_broken_rule_is_called_one() {
        let told = |error: PeerError| Reason::from(error).to_string();
        let broke = "the peer broke the protocol: ";
        assert_eq!(told(Misbehaved::Flood.into()), format!("{broke}misbehaved: flood"));
        assert_eq!(told(Malformed::BadCommand.into()), format!("{broke}malformed: bad command"));
        for error in [
            PeerError::HeartbeatTimeout,
            Malformed::Truncated.into(),
            Malformed::NotZmtp.into(),
            Misbehaved::HandshakeTimeout.into(),
            Misbehaved::HandshakeIncomplete.into(),
            Misbehaved::Stalled.into(),
            Incompatible::MechanismMismatch.into(),
            Incompatible::Refused(400).into(),
            Insecure::HelloRefused.into(),
            PeerError::Denied(400),
            PeerError::TooLarge { what: "frame bytes", size: 2, max: 1 },
        ] {
            let text = told(error);
            assert!(!text.contains("broke") && !text.contains("misbehaved"), "{text}");
        }
    }

    #[test]
    fn what_is_of_the_moment_passes_and_what_is_shown_does_not() {
        for (error, passes) in [
            (PeerError::HeartbeatTimeout, true),
            (Incompatible::Refused(500).into(), true),
            (Incompatible::Refused(400).into(), false),
            (PeerError::Denied(500), true),
            (PeerError::Denied(400), false),
            (Malformed::Truncated.into(), true),
            (Malformed::NotZmtp.into(), false),
            (Incompatible::MechanismMismatch.into(), false),
            (Insecure::HelloRefused.into(), false),
        ] {
            assert_eq!(Reason::from(error).is_transient(), passes, "{error}");
        }
    }
}
