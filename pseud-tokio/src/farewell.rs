//! How a socket is closed whose peer may still read.
//!
//! A socket that is closed with unread input is reset (RFC 2525 §2.17), and what the peer had not read
//! yet of ours is lost: an answer, or the ERROR that says why it is not let in. So first only our
//! direction is closed, and the other one is read to its end: peers close theirs when they read ours.

use crate::socket::{ReadHalf, WriteHalf};
use pseud_async::{Flushed, Hub, Link, OpenSocket};
use pseud_proto::Reason;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::time::timeout_at;

/// How much is read and thrown away: of a peer that kept to the protocol what a busy one sends while it
/// reads the largest answer, of one that did not what may have been on its way. Behind that TCP itself
/// holds it back.
const BYTES_MAX: usize = 64 << 20;
const FAULTY_BYTES_MAX: usize = 64 << 10;

/// What is thrown away at once, and how often in one turn.
const PORTION: usize = 16 << 10;
const TURNS_MAX: usize = 32;

/// A link that is over, with something to say still.
type Unsaid = (Arc<Hub>, Arc<Link<WriteHalf>>);

/// How much the peer of a link that has ended for that reason may still send.
pub(crate) fn bytes_max(reason: Reason) -> usize {
    match reason {
        Reason::PeerFault(_) => FAULTY_BYTES_MAX,
        _ => BYTES_MAX,
    }
}

/// Closes a socket, in the time that [`OpenSocket::farewell`] gives.
pub(crate) async fn close(
    reader: ReadHalf,
    unsaid: Option<Unsaid>,
    bytes_left: usize,
    open: OpenSocket,
) {
    let ready = unsaid.is_none();
    let mut closing = Closing { reader, unsaid, bytes_left };
    let closed = timeout_at(open.farewell().into(), async {
        poll_fn(|cx| closing.poll_say(cx)).await?;
        closing.unsaid = None;
        closing.reader.shut_down_writing()?;
        poll_fn(|cx| closing.poll_discard(cx)).await
    });
    // An error: the peer has left by itself.
    if closed.await.is_err() && ready {
        open.cut_short();
    }
}

struct Closing {
    reader: ReadHalf,
    unsaid: Option<Unsaid>,
    bytes_left: usize,
}

impl Closing {
    /// Writes what is left.
    fn poll_say(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some((hub, link)) = &self.unsaid else { return Poll::Ready(Ok(())) };
        loop {
            match link.flush(hub)? {
                Flushed::All => return Poll::Ready(Ok(())),
                Flushed::Blocked => ready!(link.writer().poll_writable(cx))?,
            }
        }
    }

    /// Reads to the end.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
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
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
