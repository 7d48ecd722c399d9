//! One link: a connection, its socket's writing half, and what other tasks may ask of it.

mod any;
mod asked;
mod carrier;
pub(crate) mod driver;
mod end;
mod exchange;
mod farewell;
mod feed;
mod handshake;
pub(crate) mod host;
mod input;
mod messages;
mod settle;
#[cfg(test)]
mod tests;
mod turn;
mod writing;

pub use carrier::CarrierConfig;
pub use feed::Ingest;
pub use host::Host;
pub use messages::{MessageLink, MessageSocket};
pub use writing::Flushed;

use self::asked::AskedPeer;
use self::carrier::Carrier;
use self::turn::Together;
use crate::engine::activity::Activity;
use crate::engine::dial::Dial;
use crate::engine::hub::Hub;
use crate::engine::pending_link::{PendingLink, PendingLinks};
use crate::engine::seat::Seat;
use crate::runtime::Writer;
use atomic_waker::AtomicWaker;
use pseud_proto::zmtp::Side;
use pseud_proto::{LateGuard, Reason, Siblings};
use smol_str::SmolStr;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::Instant;

/// How a link came about.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// A peer opened it to us.
    Accepted {
        /// Until when its requests may be answered; `None` is [`Config::late_guard`](pseud_proto::Config).
        late_guard: Option<LateGuard>,
    },
    /// We opened it.
    Dialed {
        /// How many were opened to that endpoint before: see [`Connection::for_attempt`](pseud_proto::zmtp::Connection::for_attempt).
        attempt: u32,
        /// That endpoint.
        dial: &'a Dial,
    },
}

/// One link. Its task owns the reading half and calls `handle_*` and `flush`; any task may write
/// through it when nothing else is in flight.
pub struct StreamLink<W> {
    host: Arc<Host>,
    connection: Mutex<Carrier>,
    writer: W,
    /// In place: an address and a port seldom have more than 23 bytes.
    address: SmolStr,
    side: Side,
    /// From the end of its handshake on.
    seat: OnceLock<Arc<Seat>>,
    /// Its session has begun, and nobody can find it yet: what its peer says waits for that.
    is_joining: AtomicBool,
    /// Where the hub knows it until its handshake is over.
    stranger: AtomicU64,
    wants_flush: AtomicBool,
    /// Its calls were told whether they had left: no byte of them is written any more.
    over: AtomicBool,
    ended: AtomicBool,
    /// Its peer reads why its session is ended.
    reads_goaway: AtomicBool,
    asked: AskedPeer,
    /// Boxed, as is all that a link has at its end alone.
    closing: OnceLock<Box<Reason>>,
    waker: AtomicWaker,
    activity: Activity,
    together: Together,
}

impl<W> fmt::Debug for StreamLink<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamLink")
            .field("address", &self.address)
            .field("seat", &self.seat)
            .finish()
    }
}

impl<W: Writer> StreamLink<W> {
    /// A link over a fresh socket.
    ///
    /// # Errors
    /// The operating system gives no entropy; or there are too many strangers who connect to us.
    pub fn new(
        host: &Arc<Host>,
        config: CarrierConfig,
        origin: Origin<'_>,
        writer: W,
        address: String,
    ) -> io::Result<Arc<Self>> {
        let handshake = match origin {
            Origin::Accepted { .. } => Some(host.begin_handshake(&address)?),
            Origin::Dialed { .. } => None,
        };
        let (hub, seed) = (host.hub(), host.hub().runtime.seed()?);
        let (side, attempt, siblings, late_guard) = match origin {
            Origin::Accepted { late_guard } => {
                (Side::Accepting, 0, Siblings::default(), late_guard)
            }
            Origin::Dialed { attempt, dial } => (Side::Connecting, attempt, dial.siblings(), None),
        };
        let role = (side, attempt);
        let connection = Carrier::new(config, &hub.config, role, &siblings, seed, hub.now());
        let link = Arc::new(Self {
            host: host.clone(),
            connection: Mutex::new(connection),
            writer,
            address: address.into(),
            side,
            seat: OnceLock::new(),
            is_joining: AtomicBool::new(false),
            wants_flush: AtomicBool::new(true),
            over: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            reads_goaway: AtomicBool::new(false),
            asked: AskedPeer::default(),
            closing: OnceLock::new(),
            waker: AtomicWaker::new(),
            activity: Activity::default(),
            together: Together::new(),
            stranger: AtomicU64::new(PendingLinks::NONE),
        });
        let mut inner = hub.lock();
        if inner.shut_down {
            return Err(io::Error::other("this side shut down"));
        }
        let stranger = PendingLink::new(link.clone(), siblings.link(), late_guard, handshake);
        link.stranger.store(inner.strangers.insert(stranger), Ordering::Relaxed);
        drop(inner);
        Ok(link)
    }

    fn hub(&self) -> &Hub {
        self.host.hub()
    }

    /// Where the other side is, as text.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The socket's writing half.
    pub fn writer(&self) -> &W {
        &self.writer
    }

    /// Registers the link's task; do it before looking at what is asked of it.
    pub fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Why this link is to be closed, if it is.
    pub fn closing(&self) -> Option<Reason> {
        self.closing.get().map(|reason| **reason)
    }

    /// Whether somebody asked for a flush since the last time.
    pub fn take_flush(&self) -> bool {
        self.wants_flush.swap(false, Ordering::AcqRel)
    }

    /// The socket is writable again: what was left is to be flushed.
    pub fn flush_again(&self) {
        self.wants_flush.store(true, Ordering::Release);
    }

    /// Whether the handshake has been completed.
    pub fn is_ready(&self) -> bool {
        self.seat.get().is_some()
    }

    /// The link's own deadline: handshake or PING.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.lock().poll_timeout()
    }

    fn lock(&self) -> MutexGuard<'_, Carrier> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
