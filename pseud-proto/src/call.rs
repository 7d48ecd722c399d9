//! What a call is: its names, its request, its outcome, and the actions a machine asks for.

pub(crate) mod dropped;
pub(crate) mod late_guard;
pub(crate) mod open_request;
pub mod peer;
pub(crate) mod profile;
pub(crate) mod siblings;
pub(crate) mod wire_id;

use crate::auth::question::Question;
use crate::base::slab::Key;
use crate::call::peer::PeerInfo;
use crate::error::{Executed, Fault, Reason};
use crate::value::{Stored, Unchecked};
use bytes::Bytes;
use smol_str::SmolStr;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) Key);

        impl $name {
            /// Its slot: small, dense, and used again after it. For side tables kept by an adapter,
            /// which must compare the whole id before they believe a slot.
            pub fn slot(self) -> usize {
                self.0.index as usize
            }
        }
    };
}

key! {
    /// One session of one peer. It never means anybody else later: a new connection is a new id.
    ///
    /// Like every id and ticket it is of one endpoint. Given to another it names nobody there: nothing
    /// happens, and debug builds panic.
    PeerId
}
key! {
    /// One call that we made.
    CallId
}
/// One request that a peer made; it names the request, it does not answer it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    pub(crate) peer: PeerId,
    /// In that session: the next one has the next, and none comes again.
    pub(crate) number: u64,
}

impl RequestId {
    /// The session that it came from.
    pub fn peer(self) -> PeerId {
        self.peer
    }
}

/// Its name: unique for as long as its node lives. See
/// [`Endpoint::session_named`](crate::pseud::Endpoint::session_named).
impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.index, self.0.generation)
    }
}

impl Unchecked {
    /// The session that sent it, where it came as an answer: to be told what it
    /// [sent](crate::pseud::Endpoint::learn).
    pub fn peer(&self) -> Option<PeerId> {
        self.sender().map(PeerId)
    }

    pub(crate) fn of(self, peer: PeerId) -> Self {
        self.with_sender(peer.0)
    }
}

/// The right to answer one request, once: it moves into `reply` or `abandon`.
///
/// Given to another endpoint than its own it answers nobody (and debug builds panic). Dropping it does
/// nothing; the request then stays open until its session ends. An adapter wraps
/// it in something whose drop abandons it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a request whose ticket is dropped is never answered"]
pub struct Ticket(pub(crate) RequestId);

impl Ticket {
    /// The request that it answers.
    pub fn request(&self) -> RequestId {
        self.0
    }
}

/// Whom a call is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum To {
    /// The configured server ([`Config::server`](crate::Config)). The call waits for its link,
    /// until its own deadline.
    Server,
    /// That session and no other.
    Peer(PeerId),
    /// Whoever holds that identity. Where nobody does, the call waits
    /// [`Config::unroutable_timeout`](crate::Config) for it.
    Identity(Bytes),
    /// Whoever authentication says is that user ([`User::id`](crate::User)); no identity ever
    /// counts here. Where nobody is, the call waits like one to an `Identity`.
    User {
        /// The user's id.
        id: Bytes,
        /// What that means where the user has several sessions.
        several: Several,
    },
    /// Whoever is known as that: an authenticated session by its user's id and by nothing else, any
    /// other by its identity. Python's `send_to`. Where both are there the user is meant. Where
    /// nobody is, the call waits like one to an `Identity`.
    ///
    /// Where only some peers are authenticated, an absent user's id may be announced by one who is
    /// not: `User` does not believe that.
    Known {
        /// The user's id, or the identity.
        id: Bytes,
        /// What that means where a user has several sessions.
        several: Several,
    },
}

/// Which session of a user is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Several {
    /// That which joined last.
    #[default]
    Newest,
    /// The only one: while there are several, a call is refused
    /// ([`CallRefused::SeveralSessions`](crate::CallRefused)).
    Refuse,
}

/// What one call may ask for besides its arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallOptions {
    /// How long to wait for the answer; `None` is [`Config::call_timeout`](crate::Config).
    pub timeout: Option<Duration>,
    /// How many calls led to this one: one more than those of the request that it is made for, else 0.
    /// Told to peers that read it; over [`Limits::hops_max`](crate::Limits) it is refused.
    pub hops: u32,
    /// The id of the user in whose name it is made, where that is not ourselves. The peer believes it
    /// if we may [forward](crate::User::FORWARD) there. A peer that does not read it is not sent the
    /// call ([`Reason::Unsupported`]): it would run it with our own rights.
    pub origin: Option<Bytes>,
    /// What becomes of it where there is no room for it; `None` is
    /// [`Config::when_full`](crate::Config).
    pub when_full: Option<WhenFull>,
}

/// What becomes of a call for which there is no room: as many are pending, at its peer
/// ([`Limits::calls_pending_per_peer_max`](crate::Limits)) or in all
/// ([`Limits::calls_pending_max`](crate::Limits)), or as many bytes are queued for its peer
/// ([`Limits::queue_bytes_soft_max`](crate::Limits)), as may be.
///
/// An [`Endpoint`](crate::pseud::Endpoint) has no callers whom it could let wait: it refuses at once,
/// whatever is said here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// It waits until there is room, as a part of its time-out: over that it ends as `NotExecuted`
    /// ([`Reason::TimedOut`]). Calls to one peer are sent in the order in which they were made, and peers
    /// take turns. A call that waits holds its encoded arguments and nothing else: how many wait is up to
    /// the caller.
    #[default]
    Wait,
    /// It is refused at once: [`CallRefused::TooManyPending`](crate::CallRefused) or
    /// [`QueueFull`](crate::CallRefused::QueueFull). So is a call behind others that wait.
    Refuse,
}

impl CallOptions {
    /// Wait that long at most.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// So many calls led to it.
    #[must_use]
    pub fn hops(mut self, hops: u32) -> Self {
        self.hops = hops;
        self
    }

    /// Where there is no room for it, it waits or is refused.
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = Some(when_full);
        self
    }

    /// It is made in the name of that user.
    #[must_use]
    pub fn origin(mut self, user: impl Into<Bytes>) -> Self {
        self.origin = Some(user.into());
        self
    }
}

/// A peer's WORK, handed out to be served. Its body is checked as it is [opened](Self::open).
#[derive(Debug)]
pub struct Request {
    pub(crate) ticket: Ticket,
    pub(crate) work: IncomingWork,
}

impl Request {
    /// Its id, to recognise [`Action::Cancelled`].
    pub fn id(&self) -> RequestId {
        self.ticket.0
    }

    /// The session that it came from.
    pub fn peer(&self) -> PeerId {
        self.ticket.0.peer
    }

    /// Who is behind that session: it stays known when the session has ended.
    pub fn caller(&self) -> &Arc<PeerInfo> {
        &self.work.caller
    }

    /// Bytes of the message that it came in: what it holds until it is dropped.
    pub fn size(&self) -> usize {
        self.work.size
    }

    /// The dotted name, as the peer wrote it.
    pub fn name(&self) -> &str {
        &self.work.name
    }
}

/// What a request asks for: its body is checked as it is [opened](Self::open).
pub struct IncomingWork {
    pub(crate) caller: Arc<PeerInfo>,
    pub(crate) name: SmolStr,
    /// The arguments, and all that is behind them.
    pub(crate) body: Stored,
    /// Bytes of the message that it came in.
    pub(crate) size: usize,
    /// Whether something lies behind the arguments that says where it comes from.
    pub(crate) has_claim: bool,
    pub(crate) hops_max: u32,
}

impl IncomingWork {
    /// Who asks.
    pub fn caller(&self) -> &Arc<PeerInfo> {
        &self.caller
    }

    /// Bytes of the message that it came in: what it holds until it is dropped.
    pub fn size(&self) -> usize {
        self.size
    }
}

impl fmt::Debug for IncomingWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingWork")
            .field("name_bytes", &self.name.len())
            .field("rest_bytes", &self.body.as_slice().len())
            .finish_non_exhaustive()
    }
}

/// How a call ended. Every call ends exactly once, with one of these.
///
/// | outcome | did the far handler run? | is a retry safe? |
/// |---|---|---|
/// | `Value` | yes | – |
/// | `Fault` | yes, or it started | the application decides |
/// | `Executed` | yes | no |
/// | `NotExecuted` | no | yes |
/// | `Unknown` | maybe | only if running twice does no harm |
/// | `Closed` | as it says | as it says |
///
/// Closed: by whether the far handler ran, there is no other end.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// OK: the result, which nobody has looked at yet. Where one that does not follow the grammar is
    /// checked, that call was executed: [`Reason::BadReply`].
    Value(Unchecked),
    /// ERROR: what the far handler raised.
    Fault(Fault),
    /// It never reached the far handler, or the far side says that it ran none. That is as good as the
    /// peer's word: one that lies may have run it.
    NotExecuted(Reason),
    /// OK came, so the far handler has run, but its result cannot be had: [`Reason::TooLarge`].
    Executed(Reason),
    /// It left, and no answer came, or one that does not say what has happened.
    Unknown(Reason),
    /// This side shut down.
    Closed {
        /// Whether the call had left.
        executed: Executed,
    },
}

/// How far our login at a peer has come.
///
/// Closed: these are the wire's two words about it (UNAUTHORIZED, AUTHENTICATED; Python `pseud/common.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShowingStep {
    /// It wants to know who we are before it runs a call, which is kept to be sent again.
    Challenged,
    /// It believes us: what was challenged is sent again.
    Authenticated,
}

/// What a machine asks of its driver.
#[derive(Debug)]
#[non_exhaustive]
pub enum Action {
    /// Serve this request and answer its ticket once.
    Serve(Request),
    /// The caller of this request is gone: its answer would reach nobody.
    Cancelled(RequestId),
    /// An answer of ours is not sent: its caller may no longer wait for it, and would die of it. To be
    /// told to whoever runs the handlers.
    Withheld {
        /// Who asked. It came later than [`PeerInfo::late_guard`] lets pass.
        caller: Arc<PeerInfo>,
        /// The dotted name that was called; empty where the request was refused unread.
        name: String,
    },
    /// This call is over. Said once for each call.
    Finish {
        /// The call.
        call: CallId,
        /// How it ended.
        outcome: Outcome,
    },
    /// This peer's queue has something to pull. Said again only after
    /// [`poll_transmit`](crate::pseud::Endpoint::poll_transmit) has returned `None`.
    Flush(PeerId),
    /// A session began.
    Joined(PeerId, Arc<PeerInfo>),
    /// A session that must [log in](crate::Config::requires_login) shows who it is: to be answered by
    /// [`Endpoint::answer_login`](crate::pseud::Endpoint::answer_login), now or later. Not asked again
    /// until then.
    Login(PeerId, Question),
    /// A session has logged in: it is that user from now on.
    LoggedIn(PeerId, Arc<PeerInfo>),
    /// Our own login at that peer has come so far.
    Showing(PeerId, ShowingStep),
    /// A session ended. Its calls have ended before this; its id means nobody from now on.
    Left(PeerId, Reason),
    /// Close that link: its session has ended already.
    Close(PeerId, Reason),
}
