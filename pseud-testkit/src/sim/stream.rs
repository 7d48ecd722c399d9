//! Connections of a world.

use super::conditions::Loss;
use super::pipe::{Air, SimPipe, Wrote};
use pseud_async::adapter;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// A connection, which two streams share.
#[derive(Debug)]
pub(super) struct Connection {
    /// From each side to the other.
    pipes: [SimPipe; 2],
    /// How many more bytes it carries, and how it is lost then.
    loss: Mutex<Option<(usize, Loss)>>,
}

impl Connection {
    /// A fresh one, as either side sees it; each is told where the other is.
    pub(super) fn open(air: &Air, addresses: [String; 2]) -> (Arc<Self>, [Stream; 2]) {
        let pipes = [SimPipe::new(air), SimPipe::new(air)];
        let connection = Arc::new(Self { pipes, loss: Mutex::new(air.climate.loss()) });
        let [first, second] = addresses;
        let stream =
            |side, peer| Stream(Arc::new(Socket { connection: connection.clone(), side, peer }));
        let streams = [stream(0, second), stream(1, first)];
        (connection, streams)
    }

    pub(super) fn lose(&self, loss: Loss) {
        for pipe in &self.pipes {
            match loss {
                Loss::Reset => pipe.reset(),
                Loss::Silent => pipe.fall_silent(),
            }
        }
    }

    fn write(&self, side: usize, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let at_most = match *self.loss.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((0, loss)) => {
                self.lose(loss);
                usize::MAX
            }
            Some((left, _)) => left,
            None => usize::MAX,
        };
        let wrote = match self.pipes[side].try_write(slices, at_most)? {
            Wrote::Bytes(count) => count,
            // What the writer has not read of the other side is lost with it (RFC 2525 §2.17).
            Wrote::Closed(count) => {
                self.lose(Loss::Reset);
                count
            }
        };
        if let Some((left, _)) = &mut *self.loss.lock().unwrap_or_else(PoisonError::into_inner) {
            *left = left.saturating_sub(wrote);
        }
        Ok(wrote)
    }
}

/// One side of a connection: closed when both of its halves are dropped.
#[derive(Debug)]
struct Socket {
    connection: Arc<Connection>,
    side: usize,
    peer: String,
}

impl Socket {
    fn incoming(&self) -> &SimPipe {
        &self.connection.pipes[1 - self.side]
    }

    fn outgoing(&self) -> &SimPipe {
        &self.connection.pipes[self.side]
    }
}

impl Drop for Socket {
    /// As TCP does: a socket that is closed with unread input is reset.
    fn drop(&mut self) {
        match self.incoming().close() {
            true => self.outgoing().reset(),
            false => self.outgoing().finish(),
        }
    }
}

/// A fresh connection.
#[derive(Debug)]
pub struct Stream(Arc<Socket>);

/// Its reading half.
#[derive(Debug)]
pub struct ReadHalf(Arc<Socket>);

/// Its writing half.
#[derive(Debug)]
pub struct WriteHalf(Arc<Socket>);

impl adapter::Stream for Stream {
    type Reader = ReadHalf;
    type Writer = WriteHalf;

    fn peer_address(&self) -> io::Result<String> {
        Ok(self.0.peer.clone())
    }

    fn is_connected_to_itself(&self) -> io::Result<bool> {
        Ok(false)
    }

    fn split(self) -> io::Result<(ReadHalf, WriteHalf)> {
        Ok((ReadHalf(self.0.clone()), WriteHalf(self.0)))
    }
}

impl adapter::Reader for ReadHalf {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.incoming().poll_read(cx, buffer)
    }

    fn shut_down_writing(&self) -> io::Result<()> {
        self.0.outgoing().finish();
        Ok(())
    }
}

impl adapter::Writer for WriteHalf {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.connection.write(self.0.side, slices)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.outgoing().poll_write_ready(cx).map(Ok)
    }
}
