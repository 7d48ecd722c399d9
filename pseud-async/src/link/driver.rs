//! One link's task: the whole loop.

use super::host::Host;
use super::{CarrierConfig, Flushed, Ingest, Link, Origin, farewell};
use crate::engine::sockets::OpenSocket;
use crate::runtime::{Reader, Runtime, Stream, Timer, Writer};
use bytes::BytesMut;
use pseud_proto::{Misbehaved, PeerError, Reason};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

/// Turns of the loop in one poll, before other tasks get theirs.
const TURNS_MAX: usize = 16;

/// How much of a large frame is read at once. Its place is cleared before, which is lost where less
/// comes; a socket's buffer seldom holds more.
const LARGE_READ: usize = 512 << 10;

thread_local! {
    /// What is read and parsed at once. Shared by all links of a thread, so an idle link holds no
    /// buffer; whatever is kept is copied out of it before anything else runs. No larger, since the
    /// rest of a large frame is read to its own place: what is copied here first is its front alone.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; 16 << 10].into());
}

/// The reading half of a runtime's streams.
type ReaderOf<R> = <<R as Runtime>::Stream as Stream>::Reader;

/// A link over a runtime's streams.
pub(crate) type LinkOf<R> = Link<<<R as Runtime>::Stream as Stream>::Writer>;

pub(crate) struct Driver<R: Runtime> {
    live: Live<R>,
    reader: ReaderOf<R>,
    timer: Option<R::Timer>,
    armed: Option<Instant>,
    blocked: bool,
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
        let link = Link::new(host, config, origin, writer, address)?;
        let live = Live { open: host.hub().open_socket(), link };
        let runtime = runtime.clone();
        Ok(Self { live, reader, timer: None, armed: None, blocked: false, runtime })
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
            // Why its handshake failed may still lie there.
            let unsaid = (!ready).then(|| live.link.clone());
            let closing = farewell::Closing::new(reader, unsaid, reason);
            runtime.spawn(farewell::close(closing, live.open.another(), runtime.clone()));
        }
        ready
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Reason> {
        self.live.link.register(cx.waker());
        for _ in 0..TURNS_MAX {
            if let Some(reason) = self.live.link.closing() {
                return Poll::Ready(reason);
            }
            if self.flush(cx).is_err() {
                return Poll::Ready(Reason::PeerGone);
            }
            let fed = match self.poll_read(cx) {
                Poll::Ready(Ok(fed)) => fed,
                Poll::Ready(Err(_)) => return Poll::Ready(Reason::PeerGone),
                Poll::Pending => ready!(self.poll_deadline(cx)),
            };
            if let Err(error) = self.live.link.settle(fed) {
                return Poll::Ready(error.into());
            }
        }
        self.runtime.yield_now(cx);
        Poll::Pending
    }

    /// Writes what is queued, unless the socket is full.
    fn flush(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
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
            self.blocked = self.live.link.flush()? == Flushed::Blocked;
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Ingest>> {
        let reader = &mut self.reader;
        let large = self.live.link.read_large(|connection| {
            let mut frame = connection.large()?;
            let limit = frame.limit().min(LARGE_READ);
            Some(read_onto(frame.get_mut(), limit, |buffer| reader.poll_read(cx, buffer)))
        });
        let Some(read) = large else {
            return SCRATCH.with_borrow_mut(|scratch| self.poll_read_into(cx, scratch));
        };
        Poll::Ready(Ok(match ready!(read)? {
            0 => self.live.link.handle_eof(),
            _ => self.live.link.handle_filled(),
        }))
    }

    fn poll_read_into(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
    ) -> Poll<io::Result<Ingest>> {
        let count = ready!(self.reader.poll_read(cx, scratch))?;
        Poll::Ready(match &mut scratch[..count] {
            [] => Ok(self.live.link.handle_eof()),
            input => Ok(self.live.link.handle_input(input)),
        })
    }

    /// Sleeps for the link's one deadline. It is armed anew only when it has fired or must fire
    /// earlier, not whenever something is heard.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Ingest> {
        let Some(at) = self.live.link.poll_timeout() else { return Poll::Pending };
        if self.armed.is_none_or(|armed| at < armed) {
            self.arm(at);
        }
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        ready!(timer.poll(cx));
        self.armed = None;
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
