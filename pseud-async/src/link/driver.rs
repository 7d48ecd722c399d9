//! One link's task: the whole loop.

use super::host::Host;
use super::input::{KeptInput, TurnBuffer};
use super::turn::Turn;
use super::{CarrierConfig, Flushed, Ingest, Origin, StreamLink, farewell};
use crate::engine::any_link::AnyLink;
use crate::engine::sockets::OpenSocket;
use crate::runtime::{Reader, Runtime, Stream, Timer, Writer};
use bytes::BytesMut;
use pseud_proto::{Misbehaved, PeerError, Reason};
use std::future::{Future, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// What is noticed so late was not looked at: our process was stopped, or its threads were busy. What has
/// come meanwhile has as long to be read before anybody is judged by the clock.
const LATE: Duration = Duration::from_millis(100);

/// What one flush of a turn writes.
const FLUSH_BYTES: usize = 128 << 10;

/// How much of a large frame is read at once. Its place is cleared before, which is lost where less comes; and while this
/// is read, its peer can write more.
const LARGE_READ: usize = 128 << 10;

/// The reading half of a runtime's streams.
type ReaderOf<R> = <<R as Runtime>::Stream as Stream>::Reader;

/// A link over a runtime's streams.
pub(crate) type LinkOf<R> = StreamLink<<<R as Runtime>::Stream as Stream>::Writer>;

pub(crate) struct Driver<R: Runtime> {
    live: Live<R>,
    reader: ReaderOf<R>,
    timer: Option<R::Timer>,
    armed: Option<Instant>,
    /// A deadline that was noticed [`LATE`] counts from then on.
    excused: Option<Instant>,
    blocked: bool,
    /// Others had their turn since the last one of this task.
    has_yielded: bool,
    /// Messages wait at the connection.
    waits: bool,
    /// A frame is partial that may be read to its own place.
    may_be_large: bool,
    /// What was read, where a turn has ended before all of it was parsed.
    kept: Option<KeptInput>,
    runtime: R,
}

/// Ends the link's session even where its task is dropped.
struct Live<R: Runtime> {
    open: OpenSocket,
    link: Arc<LinkOf<R>>,
}

impl<R: Runtime> Drop for Live<R> {
    fn drop(&mut self) {
        self.link.gone(Reason::PeerGone);
    }
}

impl<R: Runtime> Driver<R> {
    /// A link over a fresh stream, not driven yet.
    pub(crate) fn new(
        host: &Arc<Host>,
        config: CarrierConfig,
        origin: Origin<'_>,
        stream: R::Stream,
        runtime: &R,
    ) -> io::Result<Self> {
        let address = stream.peer_address()?;
        let (reader, writer) = stream.split()?;
        if let Some(bytes) = config.buffer_size() {
            writer.buffer_size(bytes);
        }
        let link = StreamLink::new(host, config, origin, writer, address)?;
        let live = Live { open: host.hub().open_socket(), link };
        let runtime = runtime.clone();
        let (timer, armed, excused, kept) = (None, None, None, None);
        let (blocked, has_yielded, waits, may_be_large) = (false, false, false, false);
        Ok(Self {
            live,
            reader,
            timer,
            armed,
            excused,
            blocked,
            has_yielded,
            waits,
            may_be_large,
            kept,
            runtime,
        })
    }

    pub(crate) fn link(&self) -> &Arc<LinkOf<R>> {
        &self.live.link
    }

    /// Drives the link until it is over. Returns why, and whether its handshake was completed. Where the
    /// peer may still read, its socket is closed by a task of its own.
    ///
    /// The future holds this once, and nothing that an idle link does not need.
    #[allow(clippy::manual_async_fn, reason = "an async fn holds its arguments twice")]
    pub(crate) fn run(mut self) -> impl Future<Output = (Reason, bool)> + Send + use<R> {
        async move {
            let reason = poll_fn(|cx| self.poll(cx)).await;
            let ready = self.end(reason);
            tracing::debug!(%reason, "link closed");
            (reason, ready)
        }
    }

    fn end(self, reason: Reason) -> bool {
        let Self { live, reader, runtime, .. } = self;
        live.link.gone(reason);
        let ready = live.link.is_ready();
        if may_read(reason) {
            // Why its handshake failed, or its session is ended, may still lie there.
            let unsaid = (!ready || live.link.says_why(reason)).then(|| live.link.clone());
            let closing = farewell::Closing::new(reader, unsaid, reason);
            runtime.spawn(farewell::close(closing, live.open.another(), runtime.clone()));
        }
        ready
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Reason> {
        self.live.link.register(cx.waker());
        // A login's password may come in clear.
        let wipes = self.live.link.hub().config.requires_login;
        let mut input = TurnBuffer::begin(&mut self.kept, wipes);
        let polled = self.poll_turn(cx, &mut input);
        if polled == Poll::Ready(Reason::PeerGone) {
            self.finish(&mut input);
        }
        self.kept = input.end();
        polled
    }

    /// One turn: until there is nothing to do, or others are to have theirs.
    fn poll_turn(&mut self, cx: &mut Context<'_>, input: &mut TurnBuffer) -> Poll<Reason> {
        let (mut turn, mut fed) = (Turn::default(), Ingest::default());
        if self.is_early() {
            // Behind all that waits to be polled. Not as after a turn, behind the sockets as well: tokio looks at
            // those once in 61 tasks.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.flush(cx, &mut turn).is_err() {
            return Poll::Ready(Reason::PeerGone);
        }
        while !turn.is_over() {
            if let Some(reason) = self.live.link.closing() {
                return Poll::Ready(reason);
            }
            match self.poll_fed(cx, input, &mut turn, &mut fed) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Reason::PeerGone),
                Poll::Pending if turn.is_over() || turn.gathers => break,
                Poll::Pending => fed = ready!(self.poll_deadline(cx)),
            }
            // Behind the last of what was read, answers need not wait for others to go out with.
            let flushes = input.rest().is_empty() && !self.blocked && !turn.gathers;
            if let Err(reason) = self.settle(&mut fed, flushes, &mut turn) {
                return Poll::Ready(reason);
            }
        }
        // Callers who were woken have their say first.
        if !turn.gathers && !turn.is_cut && self.flush(cx, &mut turn).is_err() {
            return Poll::Ready(Reason::PeerGone);
        }
        self.has_yielded = true;
        self.runtime.yield_now(cx);
        Poll::Pending
    }

    /// Whether callers have asked for a flush, and others that may ask as well were not polled since: tokio's workers
    /// poll what was woken last before all that waits. One flush a caller makes two workers slower than one.
    fn is_early(&mut self) -> bool {
        let has_yielded = std::mem::take(&mut self.has_yielded);
        self.has_yielded = !has_yielded && !self.blocked && self.live.link.will_flush();
        self.has_yielded
    }

    /// What comes of the next messages: of those that wait, or of what is read. All that is to be
    /// written is, before it waits for more. `Pending` without a read where callers are to speak first,
    /// or where the turn is over.
    fn poll_fed(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut TurnBuffer,
        turn: &mut Turn,
        fed: &mut Ingest,
    ) -> Poll<io::Result<()>> {
        if self.next(input, fed) {
            return Poll::Ready(Ok(()));
        }
        if turn.gathers {
            return Poll::Pending;
        }
        self.flush(cx, turn)?;
        if turn.is_over() {
            return Poll::Pending;
        }
        match ready!(self.poll_read(cx, input, turn))? {
            Some(filled) => *fed = filled,
            None => self.read(input, fed),
        }
        Poll::Ready(Ok(()))
    }

    /// What comes of the next messages that were read before; `false` if there are none.
    fn next(&mut self, input: &mut TurnBuffer, fed: &mut Ingest) -> bool {
        if std::mem::take(&mut self.waits) {
            *fed = self.live.link.handle_waiting();
            return true;
        }
        if input.rest().is_empty() {
            return false;
        }
        self.read(input, fed);
        true
    }

    /// What comes of some of what was read.
    fn read(&mut self, input: &mut TurnBuffer, fed: &mut Ingest) {
        let taken = self.live.link.handle_some(input.rest(), fed);
        input.took(taken);
    }

    /// The socket takes no more, or gives no more: what it gave before, answers among it, has come.
    fn finish(&mut self, input: &mut TurnBuffer) {
        let mut fed = Ingest::default();
        while self.next(input, &mut fed) {
            if self.settle(&mut fed, false, &mut Turn::default()).is_err() {
                return;
            }
        }
    }

    /// `flushes`: answers are written at once.
    fn settle(&mut self, fed: &mut Ingest, flushes: bool, turn: &mut Turn) -> Result<(), Reason> {
        let at = fed.at;
        let settled = self.live.link.settle_portion(fed, flushes.then_some(FLUSH_BYTES))?;
        (self.waits, self.may_be_large) = (settled.waits, fed.may_be_large);
        turn.gathers |= settled.gathers;
        if let Some((at, now)) = at.zip(settled.at) {
            let took = now.saturating_duration_since(at);
            turn.served(settled.requests, took);
            self.live.link.together.served(settled.requests, took);
            settled.names.warn(took);
        }
        match settled.flushed {
            Some(Ok((flushed, bytes))) => self.flushed(flushed, bytes, turn),
            Some(Err(_)) => return Err(Reason::PeerGone),
            None => {}
        }
        Ok(())
    }

    /// Writes what is queued, unless the socket is full; so much at a time.
    fn flush(&mut self, cx: &mut Context<'_>, turn: &mut Turn) -> io::Result<()> {
        loop {
            if self.blocked {
                if self.live.link.writer().poll_write_ready(cx)?.is_pending() {
                    return Ok(());
                }
                self.live.link.flush_again();
            }
            if !self.live.link.take_flush() {
                return Ok(());
            }
            let (flushed, bytes) = self.live.link.flush_part(FLUSH_BYTES)?;
            self.flushed(flushed, bytes, turn);
            if turn.is_cut {
                return Ok(());
            }
        }
    }

    /// So far went a write of that many bytes.
    fn flushed(&mut self, flushed: Flushed, bytes: usize, turn: &mut Turn) {
        turn.moved(bytes);
        self.blocked = flushed == Flushed::Blocked;
        if flushed == Flushed::Part {
            self.live.link.flush_again();
            turn.is_cut = true;
        }
    }

    /// Reads: into a large frame's own place, which is told here, or into the input (`None`).
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut TurnBuffer,
        turn: &mut Turn,
    ) -> Poll<io::Result<Option<Ingest>>> {
        let reader = &mut self.reader;
        let mut read_large = || {
            self.live.link.read_large(|connection| {
                let mut frame = connection.large()?;
                let limit = frame.limit().min(LARGE_READ);
                Some(read_onto(frame.get_mut(), limit, |buffer| reader.poll_read(cx, buffer)))
            })
        };
        let large = if self.may_be_large { read_large() } else { None };
        let is_large = large.is_some();
        let read = large.unwrap_or_else(|| reader.poll_read(cx, input.room()));
        let count = ready!(read)?;
        turn.moved(count);
        Poll::Ready(Ok(match (count, is_large) {
            (0, _) => Some(self.live.link.handle_eof()),
            (count, true) => Some(self.live.link.handle_filled(count)),
            (count, false) => {
                input.filled(count);
                None
            }
        }))
    }

    /// Sleeps for the link's one deadline. It is armed anew only when it has fired or must fire
    /// earlier, not whenever something is heard.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Ingest> {
        let Some(at) = self.live.link.poll_timeout() else { return Poll::Pending };
        self.excused = self.excused.filter(|until| at < *until);
        let until = self.excused.unwrap_or(at);
        if self.armed.is_none_or(|armed| until < armed) {
            self.arm(until);
        }
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        ready!(timer.poll(cx));
        self.armed = None;
        let now = self.runtime.now();
        if self.excused.is_none() && now.saturating_duration_since(at) > LATE {
            self.excused = now.checked_add(LATE);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.excused = None;
        Poll::Ready(self.live.link.handle_timeout())
    }

    fn arm(&mut self, at: Instant) {
        self.armed = Some(at);
        match &mut self.timer {
            Some(timer) => timer.reset(at),
            None => self.timer = Some(self.runtime.timer(at)),
        }
    }
}

/// Whether the peer of a link that has ended for that reason may still read.
fn may_read(reason: Reason) -> bool {
    let too_slow = Reason::PeerFault(PeerError::Misbehaved(Misbehaved::HandshakeTimeout));
    reason != Reason::PeerGone && reason != too_slow
}

/// Reads so many bytes at most behind those that are there, into memory that is there already.
fn read_onto(
    bytes: &mut BytesMut,
    limit: usize,
    read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<usize>> {
    let start = bytes.len();
    let room = limit.min(bytes.capacity() - start);
    bytes.resize(start + room, 0);
    let read = read(&mut bytes[start..]);
    let count = match &read {
        Poll::Ready(Ok(count)) => *count,
        _ => 0,
    };
    bytes.truncate(start + count);
    read
}
