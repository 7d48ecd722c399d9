//! A fresh connection, and its halves.

use super::raw::RawSocket;
use super::reader::note;
use crate::threads::reactor::Reactor;
use pseud_async::adapter::{self, keep_alive, set_buffers, socket};
use pseud_proto::zmtp::Heartbeat;
use socket2::{SockRef, Socket};
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A fresh connection.
#[derive(Debug)]
pub struct Stream {
    raw: Arc<RawSocket>,
}

/// The reading half of a link's socket.
#[derive(Debug)]
pub struct ReadHalf(Arc<RawSocket>);

/// The writing half of a link's socket.
#[derive(Debug)]
pub struct WriteHalf {
    raw: Arc<RawSocket>,
    tcp: bool,
}

impl Stream {
    /// A connected socket of that reactor.
    pub(crate) fn new(reactor: &Arc<Reactor>, socket: Socket) -> io::Result<Self> {
        Self::connected(RawSocket::new(reactor, socket)?)
    }

    pub(super) fn connected(raw: Arc<RawSocket>) -> io::Result<Self> {
        raw.set_blocking()?;
        Ok(Self { raw })
    }

    fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.raw.socket)
    }
}

impl adapter::Stream for Stream {
    type Reader = ReadHalf;
    type Writer = WriteHalf;

    fn peer_address(&self) -> io::Result<String> {
        socket::peer_address(&self.socket())
    }

    fn is_connected_to_itself(&self) -> io::Result<bool> {
        socket::is_connected_to_itself(&self.socket())
    }

    fn split(self) -> io::Result<(ReadHalf, WriteHalf)> {
        let tcp = socket::set_no_delay(&self.socket())?;
        Ok((ReadHalf(self.raw.clone()), WriteHalf { raw: self.raw, tcp }))
    }
}

impl adapter::Reader for ReadHalf {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_read(cx, buffer)
    }

    fn shut_down_writing(&self) -> io::Result<()> {
        self.0.socket.shutdown(Shutdown::Write)
    }
}

impl adapter::Writer for WriteHalf {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        note(&self.raw);
        self.raw.try_write(slices)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.raw.poll_write_ready(cx)
    }

    fn buffer_size(&self, bytes: usize) {
        set_buffers(&SockRef::from(&self.raw.socket), bytes);
    }

    fn keep_alive(&self, bounds: Heartbeat) {
        // The kernel knows when the process at the other end of a Unix socket is gone.
        if !self.tcp {
            return;
        }
        if let Err(error) = keep_alive(&SockRef::from(&self.raw.socket), bounds) {
            tracing::warn!(%error, "no TCP keep-alive: a peer that is gone may not be noticed");
        }
    }
}
