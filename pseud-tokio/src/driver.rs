//! One link's task: the whole loop.

use crate::socket::{ReadHalf, Stream, WriteHalf};
use pseud_async::{Fed, Flushed, Hub, Link, Origin};
use pseud_proto::Reason;
use pseud_proto::zmtp::ConnectionConfig;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::time::{Sleep, sleep_until, timeout};

/// Turns of the loop in one poll, before other tasks get theirs.
const TURNS_MAX: usize = 16;

/// How long a link whose handshake failed may take to write what is left.
const FAREWELL: Duration = Duration::from_secs(1);

thread_local! {
    /// What is read and parsed at once. Shared by all links of a thread, so an idle link holds no
    /// buffer; whatever is kept is copied out of it before anything else runs.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; 64 << 10].into());
}

struct Driver {
    hub: Arc<Hub>,
    link: Arc<Link<WriteHalf>>,
    reader: ReadHalf,
    sleep: Option<Pin<Box<Sleep>>>,
    armed: Option<Instant>,
    blocked: bool,
}

/// Drives a fresh stream until it is over: the future says why, and whether its handshake was
/// completed. Only what an idle link needs is in that.
pub(crate) fn drive(
    hub: &Arc<Hub>,
    config: Arc<ConnectionConfig>,
    origin: Origin<'_>,
    stream: Stream,
) -> io::Result<impl Future<Output = (Reason, bool)> + Send + use<>> {
    let address = stream.address()?;
    let (reader, writer) = stream.split()?;
    let link = Link::new(hub, config, origin, writer, address)?;
    let (hub, guard) = (hub.clone(), Gone { hub: hub.clone(), link: link.clone() });
    let (sleep, armed, blocked) = (None, None, false);
    let mut driver = Driver { hub, link, reader, sleep, armed, blocked };
    Ok(async move {
        let reason = poll_fn(|cx| driver.poll(cx)).await;
        driver.link.gone(&driver.hub, reason);
        let ready = driver.link.is_ready();
        if !ready {
            // Why the handshake failed, if the peer takes it in time.
            let _ = timeout(FAREWELL, poll_fn(|cx| driver.poll_farewell(cx))).await;
        }
        drop(guard);
        tracing::debug!(%reason, "link closed");
        (reason, ready)
    })
}

/// Ends the link's session even where its task is dropped.
struct Gone {
    hub: Arc<Hub>,
    link: Arc<Link<WriteHalf>>,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.link.gone(&self.hub, Reason::PeerGone);
    }
}

impl Driver {
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
            if let Err(error) = self.link.settle(&self.hub, fed) {
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
            self.blocked = self.link.flush(&self.hub)? == Flushed::Blocked;
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Fed>> {
        let reader = &mut self.reader;
        let large = self.link.read_large(|connection| {
            let mut frame = connection.large()?;
            Some(pin!(reader.read_buf(&mut frame)).poll(cx))
        });
        let Some(read) = large else {
            return SCRATCH.with_borrow_mut(|scratch| self.poll_read_into(cx, scratch));
        };
        Poll::Ready(Ok(match ready!(read)? {
            0 => self.link.handle_eof(&self.hub),
            _ => self.link.handle_filled(&self.hub),
        }))
    }

    fn poll_read_into(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
    ) -> Poll<io::Result<Fed>> {
        let mut buffer = ReadBuf::new(scratch);
        ready!(Pin::new(&mut self.reader).poll_read(cx, &mut buffer))?;
        Poll::Ready(match buffer.filled_mut() {
            [] => Ok(self.link.handle_eof(&self.hub)),
            input => Ok(self.link.handle_input(&self.hub, input)),
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
        Poll::Ready(self.link.handle_timeout(&self.hub))
    }

    fn arm(&mut self, at: Instant) {
        self.armed = Some(at);
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(at.into()),
            None => self.sleep = Some(Box::pin(sleep_until(at.into()))),
        }
    }

    /// Writes what is left after the end.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.link.register(cx.waker());
        self.link.flush_again();
        match self.flush(cx) {
            Ok(()) if self.blocked => Poll::Pending,
            Ok(()) | Err(_) => Poll::Ready(()),
        }
    }
}
