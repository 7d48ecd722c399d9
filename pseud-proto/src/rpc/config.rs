//! Settings. Defaults are Python pseud's where it has the setting; each limit names its precedent.

use crate::auth::credentials::Credentials;
use crate::base::budget::FloodLimit;
use crate::call::WhenFull;
use crate::call::late_guard::LateGuard;
use crate::call::peer::PeerInfo;
use crate::call::profile::Capabilities;
use crate::value::ValueLimits;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How an [`Endpoint`](crate::pseud::Endpoint) behaves.
///
/// ```
/// use pseud_proto::Config;
/// use std::time::Duration;
///
/// let mut config = Config::default();
/// config.call_timeout = Duration::from_secs(30);
/// config.limits.calls_pending_max = 100;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The identity of the server that [`To::Server`](crate::To) means: Python's
    /// `peer_routing_id`. `None` on a server.
    pub server: Option<Bytes>,
    /// How long a call waits for its answer. Default 5 s, Python's; at most 1 h.
    pub call_timeout: Duration,
    /// How long a call waits for an identity that nobody holds. Default 400 ms: Python tries at 0,
    /// 100, 200, 300 and 400 ms (and then says nothing).
    pub unroutable_timeout: Duration,
    /// What we tell peers that we understand, in the handshake of each link, beside
    /// [`Limits::body_bytes_max`] (or what fits a frame or a message, if that is less). Default: all of it. With [`Capabilities::NONE`] nothing is told, and
    /// peers take us for a v1 peer.
    pub capabilities: Capabilities,
    /// How long after its receipt a v1 peer's request may still be answered, where its
    /// [link](crate::call::peer::PeerInfo) says nothing else. Default 4.5 s: see [`LateGuard`].
    pub late_guard: LateGuard,
    /// Keys of zones that every v1 peer has: datetimes in them are sent as `zoneinfo.ZoneInfo(key)`
    /// where their offset is not known. A Python process without that zone dies of one. Default: none.
    /// A peer is sent the keys that it sent itself without this.
    pub known_zones: Arc<BTreeSet<Box<str>>>,
    /// Whether peers that nobody has authenticated must log in before anything else: their WORKs are
    /// answered UNAUTHORIZED, and a HELLO is asked about ([`Action::Login`](crate::Action::Login)).
    /// Until then they are called by nobody, and have no name. Default false: who is nobody is served as
    /// nobody.
    pub requires_login: bool,
    /// How many nodes one user may have sessions from. Default: as many as it likes.
    pub user_sessions: UserSessions,
    /// What is shown to a peer that asks us to log in. Default: nothing; its answer to a call is then
    /// the end of that call, not executed.
    pub credentials: Option<Credentials>,
    /// Whether tracebacks of our handlers leave this process. Default false: they carry file paths.
    pub expose_traceback: bool,
    /// What becomes of a call for which there is no room, unless [it says](crate::CallOptions) so itself.
    /// Default: it waits.
    pub when_full: WhenFull,
    /// What one peer, and all of them, may cost.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: None,
            call_timeout: Duration::from_secs(5),
            unroutable_timeout: Duration::from_millis(400),
            capabilities: Capabilities::ALL,
            late_guard: LateGuard::default(),
            known_zones: Arc::default(),
            requires_login: false,
            user_sessions: UserSessions::default(),
            credentials: None,
            expose_traceback: false,
            when_full: WhenFull::default(),
            limits: Limits::default(),
        }
    }
}

/// What becomes of the sessions of a user that comes again. Further links of one node
/// ([`Siblings`](crate::Siblings)) count as one session; nobody is no user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserSessions {
    /// All of them stay.
    #[default]
    Several,
    /// The newest stays: the others end as [`Reason::Replaced`](crate::Reason).
    Newest,
    /// The oldest stays: who comes later ends as [`Reason::Occupied`](crate::Reason), and is told so if it reads
    /// that.
    Oldest,
}

impl Config {
    /// Whether that peer must log in before anything else.
    pub(crate) fn challenges(&self, info: &PeerInfo) -> bool {
        self.requires_login && info.user.is_anonymous()
    }
}

/// The longest time-out of a call: longer ones are cut to it.
pub const CALL_TIMEOUT_MAX: Duration = Duration::from_secs(3_600);

/// Bounds of an [`Endpoint`](crate::pseud::Endpoint)'s tables and queues.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one body, either way. Default 8 MiB (gRPC: 4 MiB). A larger one of ours is refused
    /// before it is sent; a larger request is refused.
    pub body_bytes_max: usize,
    /// What is in one body, either way: values, depth, exts.
    pub values: ValueLimits,
    /// Calls of ours that may be pending in all. Default 65 536. One more waits for room, or is refused:
    /// see [`WhenFull`]. The last quarter is kept for peers that have fewer than
    /// [16](Limits::CALLS_FEW) pending: some that never answer do not keep calls from all others.
    pub calls_pending_max: usize,
    /// Calls of ours that may be pending at one peer. Default 1 024. One more waits, or is refused.
    pub calls_pending_per_peer_max: usize,
    /// Requests of all peers that may be open at once. Default 16 384; one more is refused
    /// as `Overloaded`. The last quarter of them is kept for those that have fewer than
    /// [16](Limits::REQUESTS_FEW) open: some that have many do not keep all others out. The sessions of
    /// one user, and without a user those from one address, have theirs together; not those from this
    /// machine itself.
    pub requests_open_max: usize,
    /// Requests of one peer that may be open at once. Default 1 024, the default of
    /// `calls_pending_per_peer_max`: only a peer that gives many calls up may have more of them on
    /// their way (HTTP/2 stacks: 100 to 250). Of all places it takes three quarters at most.
    pub requests_open_per_peer_max: usize,
    /// Bytes of the requests of all peers that may be open at once, as whole messages, and what
    /// decoding their arguments may take ([48 bytes](ValueLimits::NODE_BYTES) a value). Default
    /// 256 MiB; one more is refused as `Overloaded`, unread. One of any size passes when no other is
    /// open. Those of [4 KiB](Limits::REQUEST_BYTES_SMALL) or less count, but are bounded by their
    /// number alone: whoever takes all bytes keeps out large requests only.
    pub requests_open_bytes_max: usize,
    /// The same of the requests of one peer. Default 64 MiB: eight bodies of the largest size.
    pub requests_open_bytes_per_peer_max: usize,
    /// Handlers that block which run at once, each on a thread of the driver's runtime, for a driver that has
    /// threads: at most as many as that runtime has for it. Default 512, tokio's. Others wait their turn, by peer;
    /// shares of users and sources leave room for each other.
    pub blocking_max: usize,
    /// The newest requests of one session, served or refused, whose ids are remembered: one that
    /// repeats such an id is dropped, so that nothing runs twice. Besides, an id is remembered as long
    /// as its request is open: until it is answered. An older id may run
    /// again, and so may requests that have none. At 24 bytes each, taken as they come. Default 1 024:
    /// all that one peer may have open.
    pub requests_remembered_max: usize,
    /// Bytes queued for one peer at which further calls to it wait, or are refused. Default 4 MiB. It is
    /// checked before adding: one larger body passes when the queue is empty.
    pub queue_bytes_soft_max: usize,
    /// Bytes queued for one peer over which a result is answered with an `Overloaded` fault instead;
    /// where even those do not fit its link is closed, since it does not read. The oldest message in
    /// the queue does not count: one of any size passes. Default 16 MiB.
    pub queue_bytes_hard_max: usize,
    /// Bytes queued for all peers and of messages that have come from them in part, together, over which
    /// the link of whoever has most of them is closed (`SlowPeer`). Default 256 MiB. However many peers ask
    /// for large answers and read none, or begin large messages and never end them, they hold no more
    /// than that, and one message. Each link has a bound of time besides:
    /// [`ConnectionConfig::progress`](crate::zmtp::ConnectionConfig::progress).
    pub queue_bytes_total_max: usize,
    /// Messages of one peer that are dropped, probes and HEARTBEATs. Of answers that nobody waits for
    /// one is free for each call that was given up after it had left, and as many as
    /// `calls_pending_per_peer_max` besides: an earlier link of that peer may be owed them.
    pub flood: FloodLimit,
    /// Sessions that may be there whose peers have not logged in, where they
    /// [must](Config::requires_login). By one more the oldest of them ends; one may always be there.
    /// Default 4 096.
    pub sessions_unnamed_max: usize,
    /// How long such a peer may be there from the end of its handshake on, whether it says nothing or
    /// something; HEARTBEATs do not make it longer. Default 1 h: a client of Python's logs in when its first
    /// call is challenged.
    pub login_timeout: Duration,
    /// WORKs of one peer that are answered UNAUTHORIZED, since it has not logged in; one more closes its
    /// link. Default 2 048 at once and 100 a second: twice as many as a client has calls pending
    /// ([`calls_pending_per_peer_max`](Self::calls_pending_per_peer_max)), which may all leave before its login is
    /// answered.
    pub unauthorized: FloodLimit,
    /// HELLOs of one peer that may be wrong (OpenSSH's `MaxAuthTries` is 6); the next closes its link.
    /// Default 3.
    pub login_tries_max: u8,
    /// HELLOs of ours in one session: the first, and again after it was refused. Default 2, the
    /// reference's `max_retries`. With 0 nothing is shown, as without [credentials](Config::credentials).
    pub logins_shown_max: u8,
    /// Calls that may lead to one another, each made while the one before was served. Default 32: deep
    /// enough for any honest chain, and a circle of peers ends. One more is refused, on either side.
    pub hops_max: u32,
    /// Messages with a wrong number of frames after which a link closes. Default 3.
    pub bad_envelopes_max: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 8 << 20,
            values: ValueLimits::default(),
            calls_pending_max: 65_536,
            calls_pending_per_peer_max: 1_024,
            requests_open_max: 16_384,
            requests_open_per_peer_max: 1_024,
            requests_open_bytes_max: 256 << 20,
            requests_open_bytes_per_peer_max: 64 << 20,
            blocking_max: 512,
            requests_remembered_max: 1_024,
            queue_bytes_soft_max: 4 << 20,
            queue_bytes_hard_max: 16 << 20,
            queue_bytes_total_max: 256 << 20,
            flood: FloodLimit::default(),
            sessions_unnamed_max: 4_096,
            login_timeout: Duration::from_secs(3_600),
            unauthorized: FloodLimit { burst: 2_048, ..FloodLimit::default() },
            login_tries_max: 3,
            logins_shown_max: 2,
            hops_max: 32,
            bad_envelopes_max: 3,
        }
    }
}

impl Limits {
    /// Bytes of a request that is refused for no bound of bytes: all that may be open of these take
    /// 64 MiB.
    pub const REQUEST_BYTES_SMALL: usize = 4 << 10;

    /// Calls of ours that may be pending at a peer which is still one of those with few.
    pub const CALLS_FEW: usize = 16;

    /// Requests that a peer may have open and still be one of those with few.
    pub const REQUESTS_FEW: usize = 16;

    /// Whether a request of that size may be open beside others that take `open` bytes, where they
    /// may take `max`: for those bounds, and for drivers that count what outlives its session.
    pub fn has_room(open: usize, size: usize, max: usize) -> bool {
        open == 0 || size <= Self::REQUEST_BYTES_SMALL || open.saturating_add(size) <= max
    }
}
