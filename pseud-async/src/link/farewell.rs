//! How a socket is closed whose peer may still read.
//!
//! A socket that is closed with unread input is reset (RFC 2525 §2.17), and what the peer had not read
//! yet of ours is lost: an answer, or the ERROR that says why it is not let in. So first only our
//! direction is closed, and the other one is read to its end: peers close theirs when they read ours.

use super::{Flushed, StreamLink};
use crate::engine::sockets::OpenSocket;
use crate::runtime::time::by;
use crate::runtime::{Reader, Runtime, Writer};
use pseud_proto::Reason;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// How much is read and thrown away: of a peer that kept to the protocol what a busy one sends while it
/// reads the largest answer, of one that did not what may have been on its way. Behind that TCP itself
/// holds it back.
const BYTES_MAX: usize = 64 << 20;
const FAULTY_BYTES_MAX: usize = 64 << 10;

/// What is thrown away at once, and how often in one turn.
const PORTION: usize = 16 << 10;
const TURNS_MAX: usize = 32;

/// A link that is over, with something to say still.
type Unsaid<W> = Arc<StreamLink<W>>;

/// Closes a socket, in the time that [`OpenSocket::farewell`] gives.
pub(crate) async fn close<R: Runtime>(
    mut closing: Closing<impl Reader, impl Writer>,
    open: OpenSocket,
    runtime: R,
) {
    let ready = closing.unsaid.is_none();
    let closed = by(&runtime, open.farewell(runtime.now()), async {
        poll_fn(|cx| closing.poll_say(cx)).await?;
        closing.unsaid = None;
        closing.reader.shut_down_writing()?;
        poll_fn(|cx| closing.poll_discard(cx, &runtime)).await
    });
    // An error: the peer has left by itself.
    if closed.await.is_none() && ready {
        open.cut_short();
    }
}

/// A socket that is being closed.
pub(crate) struct Closing<I, W> {
    reader: I,
    unsaid: Option<Unsaid<W>>,
    bytes_left: usize,
}

impl<I: Reader, W: Writer> Closing<I, W> {
    /// That of a link that has ended for that reason.
    pub(crate) fn new(reader: I, unsaid: Option<Unsaid<W>>, reason: Reason) -> Self {
        let bytes_left = match reason {
            Reason::PeerFault(_) => FAULTY_BYTES_MAX,
            _ => BYTES_MAX,
        };
        Self { reader, unsaid, bytes_left }
    }

    /// Writes what is left.
    fn poll_say(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(link) = &self.unsaid else { return Poll::Ready(Ok(())) };
        loop {
            match link.flush()? {
                Flushed::All => return Poll::Ready(Ok(())),
                Flushed::Blocked | Flushed::Part => ready!(link.writer().poll_write_ready(cx))?,
            }
        }
    }

    /// Reads to the end.
    fn poll_discard(
        &mut self,
        cx: &mut Context<'_>,
        runtime: &impl Runtime,
    ) -> Poll<io::Result<()>> {
        let mut buffer = [0; PORTION];
        for _ in 0..TURNS_MAX {
            if self.bytes_left == 0 {
                return Poll::Pending;
            }
            match ready!(self.reader.poll_read(cx, &mut buffer))? {
                0 => return Poll::Ready(Ok(())),
                count => self.bytes_left = self.bytes_left.saturating_sub(count),
            }
        }
        runtime.yield_now(cx);
        Poll::Pending
    }
}
