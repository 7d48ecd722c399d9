//! One link: a connection, its socket's writing half, and what other tasks may ask of it.

mod any;
mod carrier;
pub(crate) mod driver;
mod farewell;
pub(crate) mod host;
mod input;
mod messages;
#[cfg(test)]
mod tests;
mod turn;
mod writing;

pub use carrier::CarrierConfig;
pub use host::Host;
pub use messages::{MessageLink, MessageSocket};
pub use writing::Flushed;

use self::carrier::Carrier;
use crate::auth::admission;
use crate::engine::activity::Activity;
use crate::engine::any_link::AnyLink;
use crate::engine::dial::Dial;
use crate::engine::effects::Effects;
use crate::engine::hub::Hub;
use crate::engine::hub::Inner;
use crate::engine::joining::Newcomer;
use crate::engine::noted::Noted;
use crate::engine::pending_link::PendingLink;
use crate::engine::refusals::line::Failed;
use crate::engine::seat::Seat;
use crate::runtime::Writer;
use crate::serve::busy::CalledMethods;
use atomic_waker::AtomicWaker;
use pseud_proto::peer::PeerInfo;
use pseud_proto::session::{Portion, Session};
use pseud_proto::zmtp::{Connection, Event, Question, Ready, Side, Verdict};
use pseud_proto::{Incompatible, LateGuard, Misbehaved, PeerError, Reason, Siblings};
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::Instant;

/// Requests that are handed to handlers together.
const PORTION_MAX: usize = 8;
/// Links that may have such portions at the same time: each has its thread.
const LINKS_AT_ONCE: usize = 64;

/// What came of telling a link something; see [`StreamLink::settle`]. Apart, so that the buffer that was
/// read into is free again before a handler runs.
#[derive(Debug)]
#[must_use = "callers and handlers wait in it"]
pub struct Ingest {
    effects: Effects,
    /// A session has begun: the rest of its coming.
    newcomer: Option<Newcomer>,
    /// Somebody must be asked about the peer.
    question: Option<Question>,
    /// The connection itself has something to say (a handshake's next step, a PONG).
    answered: bool,
    /// Messages wait at the connection until these requests had their turn.
    waits: bool,
    /// Callers were woken, whom the link's task lets have their say before it writes.
    gathers: bool,
    /// When it was told.
    at: Instant,
    result: Result<(), PeerError>,
}

/// What came of a portion that was settled.
#[derive(Debug, Default)]
struct Settled {
    /// Messages wait at the connection.
    waits: bool,
    /// The link's task is to let callers have their say before it writes.
    gathers: bool,
    /// Requests that were served, or whose handlers were begun.
    requests: usize,
    /// What they call.
    names: CalledMethods,
}

/// What an exchange finds.
#[derive(Debug, Default)]
struct ExchangeFindings {
    question: Option<Question>,
    newcomer: Option<Newcomer>,
    /// A message came.
    spoke: bool,
    waits: bool,
    /// It is not to stop after some requests.
    all: bool,
}

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
        /// How many were opened to that endpoint before: see [`Connection::for_attempt`].
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
    address: String,
    side: Side,
    /// From the end of its handshake on.
    seat: OnceLock<Arc<Seat>>,
    /// Its session has begun, and nobody can find it yet: what its peer says waits for that.
    is_joining: AtomicBool,
    /// Where the hub knows it until its handshake is over.
    stranger: AtomicUsize,
    wants_flush: AtomicBool,
    /// Its calls were told whether they had left: no byte of them is written any more.
    over: AtomicBool,
    ended: AtomicBool,
    /// Its peer reads why its session is ended.
    reads_goaway: AtomicBool,
    /// Who asks about the peer, to hear that the answer is for nobody any more.
    asking: AtomicWaker,
    closing: OnceLock<Reason>,
    /// Who was not let in.
    denied: OnceLock<Box<str>>,
    waker: AtomicWaker,
    activity: Activity,
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
            address,
            side,
            seat: OnceLock::new(),
            is_joining: AtomicBool::new(false),
            wants_flush: AtomicBool::new(true),
            over: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            reads_goaway: AtomicBool::new(false),
            asking: AtomicWaker::new(),
            closing: OnceLock::new(),
            denied: OnceLock::new(),
            waker: AtomicWaker::new(),
            activity: Activity::new(hub.now()),
            stranger: AtomicUsize::new(usize::MAX),
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

    /// Takes the link off the list of those whose handshake is not over.
    fn take_pending(&self, inner: &mut Inner) -> Option<PendingLink> {
        inner.strangers.try_remove(self.stranger.swap(usize::MAX, Ordering::Relaxed))
    }

    /// Whether that user was disconnected, or it or its key revoked, while this link's handshake went on.
    fn is_barred(&self, inner: &Inner, ready: &Ready) -> bool {
        let stranger = inner.strangers.get(self.stranger.load(Ordering::Relaxed));
        let revoked = &self.host.admissions.revoked;
        #[cfg(feature = "_curve")]
        let is_revoked = revoked.has(&ready.user, ready.client_key.as_ref());
        #[cfg(not(feature = "_curve"))]
        let is_revoked = revoked.has(&ready.user);
        let is_served = self.side == Side::Accepting;
        is_served && is_revoked || stranger.is_some_and(|stranger| stranger.is_barred(&ready.user))
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
        self.closing.get().copied()
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

    /// Bytes were read. All of them are taken.
    pub fn handle_input(self: &Arc<Self>, input: &mut [u8]) -> Ingest {
        let bytes = input.len();
        self.feed(|connection, now| {
            self.activity.receive(bytes);
            self.activity.hear(now);
            connection.handle_input(input, now)
        })
    }

    /// Bytes were read. Some of them are taken, at least one: how many is told.
    fn handle_some(self: &Arc<Self>, input: &mut [u8]) -> (Ingest, usize) {
        let mut taken = input.len();
        let fed = self.feed(|connection, now| {
            taken = connection.handle_some(input, now)?;
            self.activity.receive(taken);
            self.activity.hear(now);
            Ok(())
        });
        (fed, taken)
    }

    /// The requests that were read before had their turn: those that wait have theirs.
    fn handle_waiting(self: &Arc<Self>) -> Ingest {
        self.feed(|connection, now| connection.handle_waiting(now))
    }

    /// The stream ended: the link closes. An error inside the handshake, or inside a message.
    pub fn handle_eof(self: &Arc<Self>) -> Ingest {
        let fed = self.feed(|connection, _| connection.handle_eof());
        if fed.result.is_ok() {
            // A peer that says no more takes no more either: ZMTP knows no half-closed link.
            let _ = self.closing.set(Reason::PeerGone);
        }
        fed
    }

    /// While a large frame is partial: lets `read` read straight into it.
    pub fn read_large<R>(&self, read: impl FnOnce(&mut Connection) -> Option<R>) -> Option<R> {
        read(self.lock().zmtp()?)
    }

    /// So many bytes were read straight into a large frame.
    pub fn handle_filled(self: &Arc<Self>, bytes: usize) -> Ingest {
        self.feed(|connection, now| {
            self.activity.receive(bytes);
            self.activity.hear(now);
            connection.handle_filled(now)
        })
    }

    /// The link's deadline has passed: an error if the peer was too slow, or silent for too long.
    pub fn handle_timeout(self: &Arc<Self>) -> Ingest {
        self.feed(|connection, now| connection.handle_timeout(now))
    }

    /// Does what came of it: wakes callers, runs handlers and asks about a stranger; each is polled
    /// once.
    ///
    /// # Errors
    /// The peer broke the protocol: write what is left, then close.
    pub fn settle(self: &Arc<Self>, mut fed: Ingest) -> Result<(), PeerError> {
        while self.settle_portion(fed)?.waits {
            fed = self.handle_waiting();
        }
        Ok(())
    }

    /// The same; messages may wait, to be [looked at](Self::handle_waiting) after this.
    fn settle_portion(self: &Arc<Self>, fed: Ingest) -> Result<Settled, PeerError> {
        let (mut settled, mut fed) = (Settled::default(), Some(fed));
        while let Some(Ingest {
            mut effects,
            newcomer,
            question,
            answered,
            waits,
            gathers,
            at: _,
            result,
        }) = fed.take()
        {
            settled.waits |= waits;
            settled.gathers |= gathers;
            settled.requests += effects.requests();
            let mut arrived = effects.take_arrived();
            let login = arrived.login.take();
            settled.names.add(&arrived.requests);
            if let Some(newcomer) = newcomer {
                newcomer.complete();
                // What its peer has said meanwhile; what waits for it was not written before.
                let mut rest = self.feed(|connection, now| {
                    self.is_joining.store(false, Ordering::Release);
                    connection.handle_waiting(now)
                });
                rest.result = result.and(rest.result);
                rest.answered = true;
                fed = Some(rest);
                continue;
            }
            let mut flush_here = answered;
            if let Some(seat) = self.seat.get() {
                flush_here |= seat.perform(effects, true);
                flush_here |= self.host.dispatcher.serve_all(arrived, seat);
                if login.is_some() {
                    self.hub().asks_about(seat);
                }
            }
            if flush_here {
                self.wants_flush.store(true, Ordering::Release);
            }
            result?;
            fed = question.or(login).and_then(|question| self.ask(question));
        }
        Ok(settled)
    }

    /// What an answer that came at once has led to.
    fn ask(self: &Arc<Self>, question: Question) -> Option<Ingest> {
        let link: Arc<dyn AnyLink> = self.clone();
        let verdict =
            admission::ask(self.host.hub(), &self.host.admissions, &link, question, &self.address)?;
        Some(self.answered(verdict))
    }

    /// Somebody has said whether the peer may come in, or is who it says.
    fn answered(self: &Arc<Self>, verdict: Verdict) -> Ingest {
        let Some(seat) = self.seat.get() else {
            return self.feed(|connection, now| connection.answer(verdict, now));
        };
        self.hub().answer_login(seat, verdict);
        Ingest::of(self.hub().now(), Ok(()))
    }

    /// The link's own deadline: handshake or PING.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.lock().poll_timeout()
    }

    fn lock(&self) -> MutexGuard<'_, Carrier> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the connection something and hands what comes of it to the session.
    fn feed(
        self: &Arc<Self>,
        tell: impl FnOnce(&mut Carrier, Instant) -> Result<(), PeerError>,
    ) -> Ingest {
        let mut connection = self.lock();
        let hub = self.hub();
        let at = hub.now();
        let told = tell(&mut connection, at);
        // What came before an error has its turn now or never.
        let mut heard = ExchangeFindings { all: told.is_err(), ..ExchangeFindings::default() };
        let mut fed = Ingest::of(at, Ok(()));
        let handled = match self.seat.get() {
            None => self.greet(&mut connection, &mut heard, at),
            Some(_) if self.is_joining.load(Ordering::Acquire) => Ok(()),
            Some(seat) => {
                let mut portion = Portion::exact(&hub.budget);
                let (handled, effects) = seat.visit(|session, noted| {
                    let handled = self.exchange(
                        &mut connection,
                        session,
                        noted,
                        &mut portion,
                        &mut heard,
                        at,
                    );
                    fed.gathers = noted.effects.callers() > 1;
                    if fed.gathers {
                        // Under the lock: whoever calls next finds that the link's task will flush.
                        self.wants_flush.store(true, Ordering::Release);
                    }
                    handled
                });
                fed.effects = effects;
                handled
            }
        };
        if heard.newcomer.is_some()
            && let Some(bounds) = connection.without_pings()
        {
            self.writer.keep_alive(bounds);
        }
        if heard.spoke {
            self.activity.speak(at);
        }
        fed.answered = connection.backlog() > 0;
        (fed.newcomer, fed.question, fed.waits) = (heard.newcomer, heard.question, heard.waits);
        fed.result = handled.and(told);
        fed
    }

    /// What a handshake gives rise to, until it is over.
    fn greet(
        self: &Arc<Self>,
        connection: &mut Carrier,
        heard: &mut ExchangeFindings,
        now: Instant,
    ) -> Result<(), PeerError> {
        while let Some(event) = connection.poll_event() {
            match event {
                Event::Ask(question) => {
                    let mut inner = self.hub().lock();
                    let stranger = inner.strangers.get_mut(self.stranger.load(Ordering::Relaxed));
                    stranger.into_iter().for_each(|stranger| stranger.asked = true);
                    heard.question = Some(question);
                }
                Event::Ready(ready) => {
                    self.join(ready, heard, now)?;
                    if heard.newcomer.is_some() {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The handshake is over: a session begins, and takes nothing until it is complete.
    fn join(
        self: &Arc<Self>,
        ready: Box<Ready>,
        heard: &mut ExchangeFindings,
        now: Instant,
    ) -> Result<(), PeerError> {
        let mut inner = self.hub().lock();
        if self.is_barred(&inner, &ready) {
            return Err(PeerError::Denied(400));
        }
        // An answer may come when the link is over, or everything is.
        let Some(mut stranger) = self.take_pending(&mut inner) else { return Ok(()) };
        let must_log_in = self.hub().config.requires_login;
        let is_known = !must_log_in || !ready.user.is_anonymous();
        let info =
            PeerInfo::behind(ready, self.side, &*self.address).with_late_guard(stranger.late_guard);
        if let Some(link) = stranger.dialed {
            inner.dials.arrived(link, &info.identity);
        }
        let reads_goaway = !info.has_late_guard() && info.profile.reads_goaway();
        self.reads_goaway.store(reads_goaway, Ordering::Relaxed);
        let newcomer = inner.join(self.host.hub(), info, Some(self.clone()));
        self.activity.join(now);
        self.is_joining.store(true, Ordering::Release);
        let _ = self.seat.set(newcomer.seat.clone());
        drop(inner);
        stranger.completed(is_known, now);
        heard.newcomer = Some(newcomer);
        Ok(())
    }

    /// Moves the connection's events into the session. Messages behind one that ends the link are
    /// not looked at, whoever asks next.
    ///
    /// It stops after a few requests, until these were answered or have handlers that wait: so what is
    /// refused for want of a place is told by what runs, not by what was read.
    fn exchange(
        &self,
        connection: &mut Carrier,
        session: &mut Session,
        noted: &mut Noted<'_>,
        portion: &mut Portion<'_>,
        heard: &mut ExchangeFindings,
        now: Instant,
    ) -> Result<(), PeerError> {
        let (mut result, mut room) = (Ok(()), None);
        while let Some(event) = connection.poll_event() {
            match event {
                Event::Message(parts) if result.is_ok() => {
                    heard.spoke = true;
                    result = noted.take(session, parts, portion, now);
                    let requests = noted.effects.requests();
                    if requests == 0 || heard.all {
                        continue;
                    }
                    let max = *room.get_or_insert_with(|| requests + self.room(session));
                    if requests >= max && connection.has_events() {
                        heard.waits = true;
                        break;
                    }
                }
                Event::TooLarge(large) if result.is_ok() => {
                    result = session.handle_too_large(&large, now, noted);
                }
                Event::Written(token) => session.handle_written(token),
                _ => {}
            }
        }
        heard.waits |= result.is_ok() && connection.has_waiting();
        result
    }

    /// How many requests may come to those that are open: as many as there are certainly places for, a few
    /// at most. Who reads more than that reads them later.
    fn room(&self, session: &Session) -> usize {
        let hub = self.hub();
        let limits = &hub.config.limits;
        let own = limits.requests_open_per_peer_max.saturating_sub(session.requests_open());
        let max = limits.requests_open_max;
        let all = (max - max / 4).saturating_sub(hub.budget.taken().requests) / LINKS_AT_ONCE;
        own.min(all).min(PORTION_MAX - 1)
    }

    /// Its handshake has failed for that.
    fn refused(&self, reason: Reason) {
        let error = match reason {
            Reason::PeerFault(error) => error,
            Reason::Denied => Incompatible::Refused(400).into(),
            Reason::PeerGone => Misbehaved::HandshakeIncomplete.into(),
            _ => return,
        };
        let (offered, expected) = self.lock().mechanisms();
        let (address, who) = (self.address.clone(), self.denied.get().cloned());
        let is_dialed = self.side == Side::Connecting;
        self.hub().refused(Failed { address, error, who, offered, expected, is_dialed });
    }

    /// This side wants no more of the link: when this returns its session is over, or never begins. Its
    /// task then closes the socket.
    pub fn end(self: &Arc<Self>, reason: Reason) {
        let mut inner = self.hub().lock();
        let stranger = self.take_pending(&mut inner);
        drop(inner);
        drop(stranger);
        if let Some(seat) = self.seat.get() {
            seat.end(reason);
        }
        self.close(reason);
    }

    /// The link is over: its session ends, and its calls with it. Nothing is written after this but
    /// the last word of a handshake that failed: the calls were told whether they had left.
    pub fn gone(self: &Arc<Self>, reason: Reason) {
        let hub = self.hub();
        if self.ended.swap(true, Ordering::AcqRel) {
            return;
        }
        self.asking.wake();
        let stranger = self.take_pending(&mut hub.lock());
        if let Some(stranger) = stranger {
            self.refused(reason);
            stranger.failed(reason, hub.now());
        }
        // Set under the hub's lock, by whoever took the link off that list.
        let Some(seat) = self.seat.get() else { return };
        // Under the connection's lock: whoever writes here now has first to say what was written.
        let mut connection = self.lock();
        let now = hub.now();
        let is_joining = self.is_joining.load(Ordering::Acquire);
        let ((), mut effects) = seat.visit(|session, noted| {
            if !is_joining {
                // Answers that wait have come; requests that wait have not begun, and are not served.
                let mut heard = ExchangeFindings { all: true, ..ExchangeFindings::default() };
                let mut portion = Portion::exact(&hub.budget);
                // A few at a time: packets unfold. What is behind one that ends the link is not looked at.
                loop {
                    let read = connection.handle_waiting(now);
                    let connection = &mut *connection;
                    let told =
                        self.exchange(connection, session, noted, &mut portion, &mut heard, now);
                    if read.and(told).is_err() || !connection.has_waiting() {
                        break;
                    }
                }
            }
            self.over.store(true, Ordering::Relaxed);
            session.handle_gone(reason, noted);
        });
        drop(connection);
        drop(effects.forget_link());
        self.host.dispatcher.give_back(effects.take_arrived(), seat);
        seat.perform(effects, true);
        // It may have ended before, and whoever ended it be about to say so.
        hub.left(seat);
    }
}

impl Ingest {
    /// Of a moment at which nothing came.
    fn of(at: Instant, result: Result<(), PeerError>) -> Self {
        let (newcomer, question) = (None, None);
        let (answered, waits, gathers) = (false, false, false);
        let effects = Effects::default();
        Self { effects, newcomer, question, answered, waits, gathers, at, result }
    }
}
