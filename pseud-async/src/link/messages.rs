//! A peer behind a transport of whole messages, such as libzmq: neither bytes nor a handshake of ours.

use super::any::LOGIN_TIMEOUT;
use super::host::Host;
use crate::auth::admission;
use crate::auth::asking::Asking;
use crate::engine::activity::Activity;
use crate::engine::any_link::AnyLink;
use crate::engine::seat::Seat;
use atomic_waker::AtomicWaker;
use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::Transmit;
use pseud_proto::session::Portion;
use pseud_proto::zmtp::{Parts, Question, Token, Verdict};
use pseud_proto::{Capabilities, PeerError, Profile, Reason};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Instant;

/// What carries messages: a loop of its own, which is told where to look. From any thread, under no lock
/// of the node's.
pub trait MessageSocket: fmt::Debug + Send + Sync + 'static {
    /// There is something to [`pull`](MessageLink::pull) for the peer of that key, or it is to be let
    /// [go](MessageLink::closing).
    fn look_at(&self, key: usize);
}

/// A session over whole messages. Its carrier's loop hands in what came, and pulls what is to go.
#[derive(Debug)]
pub struct MessageLink {
    host: Arc<Host>,
    seat: OnceLock<Arc<Seat>>,
    key: usize,
    carrier: Arc<dyn MessageSocket>,
    closing: OnceLock<Reason>,
    /// The carrier was told, and has not looked yet.
    told: AtomicBool,
    activity: Activity,
    /// The peer is told why we end its session.
    reads_goaway: bool,
    /// Where the peer is, as its carrier says.
    address: String,
    /// Nobody waits for what is said of its login any more.
    ended: AtomicBool,
    asking: AtomicWaker,
}

impl MessageLink {
    /// A peer is there, whom its carrier calls `key`. `None`: this side shut down, or the user of `admitted`
    /// was disconnected since it was, or it or its key revoked.
    pub fn join(
        host: &Arc<Host>,
        carrier: Arc<dyn MessageSocket>,
        key: usize,
        mut info: PeerInfo,
        admitted: Option<&Asking>,
    ) -> Option<Arc<Self>> {
        let (seat, closing, told) = (OnceLock::new(), OnceLock::new(), AtomicBool::new(false));
        let (host, activity) = (host.clone(), Activity::default());
        let (address, reads_goaway) = (info.address.to_string(), info.reads_goaway());
        let (ended, asking) = (AtomicBool::new(false), AtomicWaker::new());
        let link = Arc::new(Self {
            host,
            seat,
            key,
            carrier,
            closing,
            told,
            activity,
            reads_goaway,
            address,
            ended,
            asking,
        });
        let hub = link.host.hub();
        let mut inner = hub.lock();
        let revoked = &link.host.admissions.revoked;
        #[cfg(feature = "_curve")]
        let is_revoked = revoked.has(&info.user, info.client_key.as_deref());
        #[cfg(not(feature = "_curve"))]
        let is_revoked = revoked.has(&info.user);
        let is_welcome = admitted
            .is_none_or(|admitted| !is_revoked && admitted.arrive(&mut inner, &mut info.user));
        if inner.shut_down || !is_welcome {
            return None;
        }
        let now = hub.now();
        link.activity.join(hub.born(), now);
        let newcomer = inner.join(hub, info, Some(link.clone()));
        drop(inner);
        let _ = link.seat.set(newcomer.seat.clone());
        newcomer.complete();
        Some(link)
    }

    /// A message came.
    ///
    /// # Errors
    /// Its peer is to be let go: tell [`gone`](Self::gone).
    pub fn handle_message(self: &Arc<Self>, message: Parts) -> Result<(), PeerError> {
        let Some(seat) = self.seat.get() else { return Ok(()) };
        let (now, bytes) = (self.host.hub().now(), message.lent().bytes().len());
        let mut portion = Portion::exact(&self.host.hub().budget);
        let (handled, mut effects) = seat.visit(|session, noted| {
            // Under the session's lock: one writes at a time.
            self.activity.receive(bytes, true, self.host.hub().born(), now);
            noted.take(session, message, &mut portion, now)
        });
        let mut arrived = effects.take_arrived();
        let login = arrived.login.take();
        let flush_here = seat.perform(&mut effects, true);
        let served = self.host.dispatcher.serve_all(arrived, seat);
        let answered = served.at.is_some_and(|at| {
            served.names.warn(at.saturating_duration_since(now));
            served.answers.deliver(seat, at)
        });
        if flush_here | answered {
            self.notify();
        }
        if let Some(login) = login {
            self.host.hub().asks_about(seat);
            self.ask(*login);
        }
        handled
    }

    /// Somebody is asked whether the peer is who its HELLO says, and answers now or later.
    fn ask(self: &Arc<Self>, login: Question) {
        let link: Arc<dyn AnyLink> = self.clone();
        let (hub, admissions) = (self.host.hub(), &self.host.admissions);
        if let Some(verdict) = admission::ask(hub, admissions, &link, login, &self.address) {
            self.answer_login(verdict);
        }
    }

    fn answer_login(&self, verdict: Verdict) {
        if let Some(seat) = self.seat.get() {
            self.host.hub().answer_login(seat, verdict);
        }
    }

    /// The next message for the peer, and what to say once it was [sent](Self::written).
    pub fn pull(&self) -> Option<(Vec<Vec<u8>>, Token)> {
        let seat = self.seat.get()?;
        self.told.store(false, Ordering::Release);
        let now = self.host.hub().now();
        seat.act(|session, noted| {
            let transmit = session.poll_transmit(now, noted)?;
            let (frames, token) = frames_of(transmit);
            self.activity.send(frames.iter().map(Vec::len).sum());
            Some((frames, token))
        })
    }

    /// What tells the peer why this side has [ended](Self::closing) its session (GOAWAY), behind all that was
    /// pulled; `None` for a peer that does not read it, and where it is none of its business.
    pub fn parting(&self) -> Option<Vec<Vec<u8>>> {
        let reason = self.closing().filter(|_| self.reads_goaway)?;
        let profile = Profile::declared(Capabilities::ALL, usize::MAX);
        Some(frames_of(Transmit::goaway(profile, reason)?).0)
    }

    /// That message was handed to the transport.
    pub fn written(&self, token: Token) {
        if let Some(seat) = self.seat.get() {
            seat.act(|session, _| session.handle_written(token));
        }
    }

    /// The peer is gone, or let go: its session ends, and its calls with it.
    pub fn gone(&self, reason: Reason) {
        self.ended.store(true, Ordering::Release);
        self.asking.wake();
        let Some(seat) = self.seat.get() else { return };
        let ((), mut effects) = seat.visit(|session, noted| session.handle_gone(reason, noted));
        drop(effects.forget_link());
        seat.perform(&mut effects, true);
        self.host.hub().left(seat);
    }

    /// This side wants no more of the peer, for that reason: its session has ended.
    pub fn closing(&self) -> Option<Reason> {
        self.closing.get().copied()
    }

    /// This side wants no more of it: when this returns its session is over.
    pub fn end(&self, reason: Reason) {
        if let Some(seat) = self.seat.get() {
            seat.end(reason);
        }
    }

    fn notify(&self) {
        if !self.told.swap(true, Ordering::AcqRel) {
            self.carrier.look_at(self.key);
        }
    }
}

/// A message as a transport of whole messages takes it.
fn frames_of(message: Transmit) -> (Vec<Vec<u8>>, Token) {
    message.with(|message, token| {
        let frames = message.frames.iter().map(|frame| frame.to_vec());
        let last = [message.head, &message.body[..], message.tail].concat();
        (frames.chain([last]).collect(), token)
    })
}

impl AnyLink for MessageLink {
    fn flush_now(&self) {
        self.notify();
    }

    fn wake_to_flush(&self) {
        self.notify();
    }

    fn close(&self, reason: Reason) {
        let _ = self.closing.set(reason);
        self.carrier.look_at(self.key);
    }

    /// Who is there may log in: nothing else is asked.
    fn answer(self: Arc<Self>, verdict: Verdict) {
        self.answer_login(verdict);
    }

    fn activity(&self) -> Option<&Activity> {
        Some(&self.activity)
    }

    fn answer_by(&self) -> Option<Instant> {
        self.host.hub().now().checked_add(LOGIN_TIMEOUT)
    }

    fn denies(&self, _: String) {}

    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.asking.register(cx.waker());
        match self.ended.load(Ordering::Acquire) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}
