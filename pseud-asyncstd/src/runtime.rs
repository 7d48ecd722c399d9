//! `async-io` as a node's runtime.

use crate::executor;
use crate::listener::Listener;
use crate::socket::{self as sockets, Stream};
use pseud_async::adapter::{self, Runtime, SocketAddress, socket};
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

/// The runtime of nodes on `async-io`. There is one in a process, and it is always there.
#[derive(Debug, Clone, Copy)]
pub struct AsyncIo(());

impl Runtime for AsyncIo {
    type Stream = Stream;
    type Listener = Listener;
    type Timer = Timer;

    fn current() -> io::Result<Self> {
        executor::start()?;
        Ok(Self(()))
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn spawn(&self, future: impl Future<Output: Send> + Send + 'static) {
        executor::spawn(future);
    }

    fn spawn_blocking(&self, run: impl FnOnce() + Send + 'static) {
        blocking::unblock(run).detach();
    }

    fn timer(&self, at: Instant) -> Timer {
        Timer(async_io::Timer::at(at))
    }

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let host = host.to_owned();
        let look_up = move || Ok((host.as_str(), port).to_socket_addrs()?.collect());
        blocking::unblock(look_up).await
    }

    async fn connect(&self, to: &SocketAddress) -> io::Result<Stream> {
        sockets::connect(socket::connecting(to)?).await
    }

    async fn bind(&self, at: &SocketAddress, mode: Option<u32>) -> io::Result<Listener> {
        Listener::bind(at, mode)
    }
}

/// One sleep.
#[derive(Debug)]
pub struct Timer(async_io::Timer);

impl adapter::Timer for Timer {
    fn reset(&mut self, at: Instant) {
        self.0.set_at(at);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(|_at| ())
    }
}
