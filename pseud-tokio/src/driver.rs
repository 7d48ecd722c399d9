//! One link's task: the whole loop.

use crate::farewell;
use crate::socket::{ReadHalf, Stream, WriteHalf};
use bytes::BytesMut;
use pseud_async::{Fed, Flushed, Hub, Link, OpenSocket, Origin};
use pseud_proto::zmtp::ConnectionConfig;
use pseud_proto::{Misbehaved, PeerError, Reason};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;
use tokio::task::spawn;
use tokio::time::{Sleep, sleep_until};

/// Turns of the loop in one poll, before other tasks get theirs.
const TURNS_MAX: usize = 16;

/// How much of a large frame is read at once. Its place is cleared before, which is lost where less
/// comes; a socket's buffer seldom holds more.
const LARGE_READ: usize = 512 << 10;

thread_local! {
    /// What is read and parsed at once. Shared by all links of a thread, so an idle link holds no
    /// buffer; whatever is kept is copied out of it before anything else runs.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; 64 << 10].into());
}

pub(crate) struct Driver {
    open: OpenSocket,
    link: Arc<Link<WriteHalf>>,
    reader: ReadHalf,
    sleep: Option<Pin<Box<Sleep>>>,
    armed: Option<Instant>,
    blocked: bool,
}

/// Ends the link's session even where its task is dropped.
impl Drop for Driver {
    fn drop(&mut self) {
        self.link.gone(self.open.hub(), Reason::PeerGone);
    }
}

impl Driver {
    /// A link over a fresh stream, not driven yet.
    pub(crate) fn new(
        hub: &Arc<Hub>,
        config: Arc<ConnectionConfig>,
        origin: Origin<'_>,
        stream: Stream,
    ) -> io::Result<Self> {
        let address = stream.address()?;
        let (reader, writer) = stream.split()?;
        let link = Link::new(hub, config, origin, writer, address)?;
        let open = hub.open_socket();
        Ok(Self { open, link, reader, sleep: None, armed: None, blocked: false })
    }

    pub(crate) fn link(&self) -> &Arc<Link<WriteHalf>> {
        &self.link
    }

    /// Drives the link until it is over. Returns why, and whether its handshake was completed. Where the
    /// peer may still read, its socket is closed by a task of its own.
    ///
    /// The future holds this once, and nothing that an idle link does not need.
    #[allow(clippy::manual_async_fn, reason = "an async fn holds its arguments twice")]
    pub(crate) fn run(mut self) -> impl Future<Output = (Reason, bool)> + Send + use<> {
        async move {
            let reason = poll_fn(|cx| self.poll(cx)).await;
            let ready = self.end(reason);
            tracing::debug!(%reason, "link closed");
            (reason, ready)
        }
    }

    fn end(&self, reason: Reason) -> bool {
        let hub = self.open.hub();
        self.link.gone(hub, reason);
        let ready = self.link.is_ready();
        if may_read(reason) {
            // Why its handshake failed may still lie there.
            let unsaid = (!ready).then(|| (hub.clone(), self.link.clone()));
            let bytes_max = farewell::bytes_max(reason);
            spawn(farewell::close(self.reader.clone(), unsaid, bytes_max, hub.open_socket()));
        }
        ready
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Reason> {
        self.link.register(cx.waker());
        for _ in 0..TURNS_MAX {
            if let Some(reason) = self.link.closing() {
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
            if let Err(error) = self.link.settle(self.open.hub(), fed) {
                return Poll::Ready(error.into());
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes what is queued, unless the socket is full.
    fn flush(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        loop {
            if self.blocked {
                if self.link.writer().poll_writable(cx)?.is_pending() {
                    return Ok(());
                }
                self.link.flush_again();
            }
            if !self.link.take_flush() {
                return Ok(());
            }
            self.blocked = self.link.flush(self.open.hub())? == Flushed::Blocked;
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Fed>> {
        let reader = &mut self.reader;
        let large = self.link.read_large(|connection| {
            let mut frame = connection.large()?;
            let limit = frame.limit().min(LARGE_READ);
            Some(read_onto(frame.get_mut(), limit, |buffer| reader.poll_read(cx, buffer)))
        });
        let Some(read) = large else {
            return SCRATCH.with_borrow_mut(|scratch| self.poll_read_into(cx, scratch));
        };
        Poll::Ready(Ok(match ready!(read)? {
            0 => self.link.handle_eof(self.open.hub()),
            _ => self.link.handle_filled(self.open.hub()),
        }))
    }

    fn poll_read_into(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
    ) -> Poll<io::Result<Fed>> {
        let count = ready!(self.reader.poll_read(cx, scratch))?;
        Poll::Ready(match &mut scratch[..count] {
            [] => Ok(self.link.handle_eof(self.open.hub())),
            input => Ok(self.link.handle_input(self.open.hub(), input)),
        })
    }

    /// Sleeps for the link's one deadline. It is armed anew only when it has fired or must fire
    /// earlier, not whenever something is heard.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Fed> {
        let Some(at) = self.link.poll_timeout() else { return Poll::Pending };
        if self.armed.is_none_or(|armed| at < armed) {
            self.arm(at);
        }
        let Some(sleep) = &mut self.sleep else { return Poll::Pending };
        ready!(sleep.as_mut().poll(cx));
        self.armed = None;
        Poll::Ready(self.link.handle_timeout(self.open.hub()))
    }

    fn arm(&mut self, at: Instant) {
        self.armed = Some(at);
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(at.into()),
            None => self.sleep = Some(Box::pin(sleep_until(at.into()))),
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
