//! A connection of any runtime, as tokio's traits have one: for peers of bare bytes.

use pseud_async::adapter::{Reader, Runtime, SocketAddress, Stream, Writer};
use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Both halves of a connection.
pub struct AnyStream<R: Runtime> {
    reader: <R::Stream as Stream>::Reader,
    writer: <R::Stream as Stream>::Writer,
}

impl<R: Runtime> AnyStream<R> {
    /// Connects to an endpoint of TCP, by its address, on the runtime that this is called in.
    pub async fn dial(endpoint: &str) -> Self {
        let address = endpoint.trim_start_matches("tcp://").parse().unwrap();
        let runtime = R::current().unwrap();
        let stream = runtime.connect(&SocketAddress::Tcp(address)).await.unwrap();
        let (reader, writer) = stream.split().unwrap();
        Self { reader, writer }
    }
}

impl<R: Runtime> fmt::Debug for AnyStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyStream").finish_non_exhaustive()
    }
}

/// Its halves are polled by reference.
impl<R: Runtime> Unpin for AnyStream<R> {}

impl<R: Runtime> AsyncRead for AnyStream<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(self.reader.poll_read(cx, buffer.initialize_unfilled()))?;
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl<R: Runtime> AsyncWrite for AnyStream<R> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.writer.try_write(&[IoSlice::new(bytes)]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ready!(self.writer.poll_write_ready(cx))?;
                }
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.reader.shut_down_writing())
    }
}
