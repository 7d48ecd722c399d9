//! A heartbeat plug-in, step by step.

use crate::node::options::Options;
use crate::presence::beats::{OnSilence, Sign};
use crate::presence::status::PeerStatus;
use std::time::Duration;

/// A heartbeat plug-in of one's own: Python's `IHeartbeatBackend` (`pseud/interfaces.py`), step by step.
/// One object may serve several nodes. Its node asks it in a task of its own, beside all links and
/// handlers, at each beat: a slow step delays beats, and nothing else. One that panics has said nothing at
/// that beat.
///
/// | Python | here |
/// |---|---|
/// | `configure` | [`configure`](Self::configure): also the wire's own PINGs ([`Options::heartbeat`]) |
/// | its ticking task | [`interval`](Self::interval), [`sends`](Self::sends) |
/// | `handle_heartbeat` | [`handle_heartbeat`](Self::handle_heartbeat): at a beat, of who gave a sign since the last one |
/// | `handle_timeout` | [`timeout`](Self::timeout), [`handle_timeout`](Self::handle_timeout) |
/// | `stop` | [`stop`](Self::stop) |
///
/// ```
/// use pseud_async::HeartbeatBackend;
/// use std::time::Duration;
///
/// /// Out after three missed beats.
/// struct Strict;
///
/// impl HeartbeatBackend for Strict {
///     fn interval(&self) -> Option<Duration> {
///         Some(Duration::from_secs(1))
///     }
///
///     fn timeout(&self) -> Option<Duration> {
///         Some(Duration::from_secs(3))
///     }
/// }
/// ```
#[doc(alias = "IHeartbeatBackend")]
pub trait HeartbeatBackend: Send + Sync + 'static {
    /// Settings of a node that uses it. Default: as they are, with the wire's PINGs on.
    fn configure(&self, options: Options) -> Options {
        options
    }

    /// How often it beats, 10 ms at least. Default `None`: never. Asked once for each node.
    fn interval(&self) -> Option<Duration> {
        None
    }

    /// Whether at each beat each peer is sent a HEARTBEAT, which a Python peer's plug-in may want. Peers that
    /// have not logged in, that we have not logged in at, and that only ask (REQ) are sent none; nor are
    /// those for whom something waits to be sent. Default: false.
    fn sends(&self) -> bool {
        false
    }

    /// What counts as a sign of life. Default: any byte.
    fn counts(&self) -> Sign {
        Sign::Byte
    }

    /// After how much silence [`handle_timeout`](Self::handle_timeout) is asked: at the first beat that comes
    /// later. Default `None`: never.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// That peer gave a sign of life since the last beat.
    fn handle_heartbeat(&self, peer: &PeerStatus) {
        let _ = peer;
    }

    /// That peer has been silent for longer than the [time-out](Self::timeout). Default: its session ends.
    fn handle_timeout(&self, peer: &PeerStatus) -> OnSilence {
        let _ = peer;
        OnSilence::Ends
    }

    /// The node has ended. Once for each node.
    fn stop(&self) {}
}
