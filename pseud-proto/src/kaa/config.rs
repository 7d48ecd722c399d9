//! Settings of a link.

use crate::auth::user::User;
use crate::base::progress::ProgressLimit;
use crate::base::secret::Secret;
use crate::call::WhenFull;
use crate::rpc::config::Limits;
use crate::value::ValueLimits;
use std::time::Duration;

/// How a [`Channel`](super::Channel) behaves.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// What both sides know, of any length: the reference's `auth_secret`. Default empty, which is a
    /// secret that everybody knows. Text is sent as its UTF-8.
    pub secret: Secret,
    /// Who a peer is that has shown that it knows the secret, for handlers and predicates. Default:
    /// nobody.
    pub user: User,
    /// How long a call waits for its answer, the link's handshake included. Default 5 s, as for other
    /// links of this library (the reference waits for ever); at most 1 h.
    pub call_timeout: Duration,
    /// How long the handshake may take. Default 10 s.
    pub handshake_timeout: Duration,
    /// How long a packet that was begun may stand still. Default 30 s.
    pub packet_timeout: Duration,
    /// How slowly a packet that was begun may go on, and how slowly the peer may read what waits for it: one
    /// that is slower ends its link. Default: 512 bytes a second, over each 30 s.
    pub progress: ProgressLimit,
    /// Bytes of a packet of ours, its header included. Default 1 MiB, which is the reference's for
    /// its own packets; it takes any. A call that is larger is refused
    /// ([`CallRefused::BodyTooLarge`](crate::CallRefused)) or, of an endpoint whose link is not ready yet
    /// or whose body only its pickle makes too large, ends as
    /// [`NotExecuted`](crate::Outcome::NotExecuted) for [`Reason::CallTooLarge`](crate::Reason). A result
    /// is answered as a `TooLarge` exception.
    pub packet_bytes_max: usize,
    /// Whether tracebacks of our handlers leave this process. Default false: they carry file paths.
    pub expose_traceback: bool,
    /// What becomes of a call for which there is no room, unless it says so itself, where a driver can let
    /// callers wait. Default: it waits. A [`Channel`](super::Channel) refuses it at once.
    pub when_full: WhenFull,
    /// What the peer may cost. Of a packet that it sends the payload is bounded by `body_bytes_max`,
    /// which a longer one's header ends its link by; so is what it unfolds to. An ext may be as long as
    /// a body: sets and objects are such. `requests_remembered_max` has no meaning here: numbers of
    /// packets may repeat.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        let mut limits = Limits::default();
        let ext_bytes_max = limits.body_bytes_max;
        limits.values = ValueLimits { ext_bytes_max, ..ValueLimits::default() };
        Self {
            secret: Secret::default(),
            user: User::default(),
            call_timeout: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(10),
            packet_timeout: Duration::from_secs(30),
            progress: ProgressLimit::default(),
            when_full: WhenFull::default(),
            packet_bytes_max: 1 << 20,
            expose_traceback: false,
            limits,
        }
    }
}

impl Config {
    /// The defaults, with that secret.
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self { secret: Secret::new(secret), ..Self::default() }
    }
}
