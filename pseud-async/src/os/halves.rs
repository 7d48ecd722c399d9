//! A connection over an operating system's socket, and its halves: the same for every adapter, which only
//! says how its runtime reads, writes and waits.

use crate::os::buffers::set as set_buffers;
use crate::os::keep_alive::set as keep_alive;
use crate::runtime::{Reader, Stream, Writer};
use pseud_proto::zmtp::Heartbeat;
use socket2::SockRef;
use std::fmt;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll};

/// How many bytes were read; 0: the stream has ended.
pub type PolledRead = Poll<io::Result<usize>>;

/// A stream socket that does not block, as a runtime has it.
pub trait RuntimeSocket: fmt::Debug + Send + Sync + 'static {
    /// What reading has to remember from one read to the next.
    type Reading: fmt::Debug + Default + Send + 'static;

    /// The system's socket.
    fn system(&self) -> SockRef<'_>;

    /// See [`Reader::poll_read`].
    ///
    /// # Errors
    /// The system's.
    fn poll_read(&self, _: &mut Self::Reading, cx: &mut Context<'_>, into: &mut [u8])
    -> PolledRead;

    /// See [`Writer::try_write`].
    ///
    /// # Errors
    /// The system's.
    fn try_write(self: &Arc<Self>, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// See [`Writer::poll_write_ready`].
    ///
    /// # Errors
    /// The system's.
    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// A fresh connection.
#[derive(Debug)]
pub struct SocketStream<S>(Arc<S>);

impl<S> SocketStream<S> {
    /// Over a connected socket.
    pub fn new(socket: impl Into<Arc<S>>) -> Self {
        Self(socket.into())
    }
}

/// The reading half of a link's socket.
#[derive(Debug)]
pub struct SocketReader<S: RuntimeSocket> {
    socket: Arc<S>,
    reading: S::Reading,
}

/// The writing half of a link's socket.
#[derive(Debug)]
pub struct SocketWriter<S> {
    socket: Arc<S>,
    is_tcp: bool,
}

impl<S: RuntimeSocket> Stream for SocketStream<S> {
    type Reader = SocketReader<S>;
    type Writer = SocketWriter<S>;

    fn peer_address(&self) -> io::Result<String> {
        peer_address(&self.0.system())
    }

    fn is_connected_to_itself(&self) -> io::Result<bool> {
        is_connected_to_itself(&self.0.system())
    }

    fn split(self) -> io::Result<(Self::Reader, Self::Writer)> {
        let is_tcp = set_no_delay(&self.0.system())?;
        let reader = SocketReader { socket: self.0.clone(), reading: S::Reading::default() };
        Ok((reader, SocketWriter { socket: self.0, is_tcp }))
    }
}

impl<S: RuntimeSocket> Reader for SocketReader<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_read(&mut self.reading, cx, buffer)
    }

    fn shut_down_writing(&self) -> io::Result<()> {
        self.socket.system().shutdown(Shutdown::Write)
    }
}

impl<S: RuntimeSocket> Writer for SocketWriter<S> {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.try_write(slices)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_write_ready(cx)
    }

    fn buffer_size(&self, bytes: usize) {
        set_buffers(&self.socket.system(), bytes);
    }

    fn keep_alive(&self, bounds: Heartbeat) {
        // The kernel knows when the process at the other end of a Unix socket is gone.
        if !self.is_tcp {
            return;
        }
        if let Err(error) = keep_alive(&self.socket.system(), bounds) {
            tracing::warn!(%error, "no TCP keep-alive: a peer that is gone may not be noticed");
        }
    }
}

/// Small messages are not held back: what belongs together is written together. Says whether it is TCP.
pub(super) fn set_no_delay(socket: &SockRef<'_>) -> io::Result<bool> {
    let is_tcp = is_tcp(socket)?;
    if is_tcp {
        socket.set_tcp_nodelay(true)?;
    }
    Ok(is_tcp)
}

fn is_tcp(socket: &SockRef<'_>) -> io::Result<bool> {
    Ok(socket.local_addr()?.as_socket().is_some())
}

/// Where the other side is, as text.
pub(super) fn peer_address(socket: &SockRef<'_>) -> io::Result<String> {
    let address = socket.peer_addr()?.as_socket();
    Ok(address.map_or_else(|| "ipc".to_owned(), |address| address.to_string()))
}

/// Whether both ends are this one socket.
pub(super) fn is_connected_to_itself(socket: &SockRef<'_>) -> io::Result<bool> {
    let here = socket.local_addr()?.as_socket();
    Ok(here.is_some() && here == socket.peer_addr()?.as_socket())
}
