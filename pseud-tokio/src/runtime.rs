//! Tokio as a node's runtime.

use crate::listener::Listener;
#[cfg(unix)]
use crate::socket::over_unix;
use crate::socket::{Stream, over_tcp};
use pseud_async::adapter::{Runtime, SocketAddress, unsupported};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::catch_unwind;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpStream, lookup_host};
use tokio::runtime::Handle;
use tokio::task::yield_now;
use tokio::time::{Sleep, sleep, sleep_until};

/// The runtime of nodes on tokio: [`Server`](crate::Server) and [`Client`](crate::Client) live on the one
/// in which they are made.
#[derive(Debug, Clone)]
pub struct Tokio(Handle);

impl Runtime for Tokio {
    type Stream = Stream;
    type Listener = Listener;
    type Timer = Timer;

    /// Tokio is asked for its drivers by using them, as it has no other way: where one is off, its panic
    /// is caught here, and the process's panic hook hears of it.
    fn current() -> io::Result<Self> {
        let handle = Handle::try_current().map_err(io::Error::other)?;
        if catch_unwind(|| drop(sleep(Duration::ZERO))).is_err() {
            return Err(off("time", "enable_time"));
        }
        if catch_unwind(use_io).is_err() {
            return Err(off("I/O", "enable_io"));
        }
        Ok(Self(handle))
    }

    /// Tokio's clock, which tests may stop: its sleeps and our deadlines are of one clock.
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn spawn(&self, future: impl Future<Output: Send> + Send + 'static) {
        drop(self.0.spawn(future));
    }

    fn spawn_blocking(&self, run: impl FnOnce() + Send + 'static) {
        drop(self.0.spawn_blocking(run));
    }

    fn timer(&self, at: Instant) -> Timer {
        self.enter(|| Timer(Box::pin(sleep_until(at.into()))))
    }

    /// Not by waking at once: a scheduler of one thread would go on without ever asking the system for
    /// events. The first poll of tokio's future puts the waker off until that was done.
    fn yield_now(&self, cx: &mut Context<'_>) {
        let _ = pin!(yield_now()).poll(cx);
    }

    fn enter<T>(&self, run: impl FnOnce() -> T) -> T {
        let _entered = self.0.enter();
        run()
    }

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(lookup_host((host, port)).await?.collect())
    }

    async fn connect(&self, to: &SocketAddress) -> io::Result<Stream> {
        match to {
            SocketAddress::Tcp(address) => over_tcp(TcpStream::connect(address).await?),
            #[cfg(unix)]
            SocketAddress::UnixPath(path) => over_unix(UnixStream::connect(path).await?),
            #[cfg(target_os = "linux")]
            SocketAddress::UnixAbstract(name) => {
                over_unix(UnixStream::connect(format!("\0{name}")).await?)
            }
            _ => Err(unsupported()),
        }
    }

    async fn bind(&self, at: &SocketAddress, mode: Option<u32>) -> io::Result<Listener> {
        Listener::bind(at, mode).await
    }
}

/// One sleep of tokio's.
#[derive(Debug)]
pub struct Timer(Pin<Box<Sleep>>);

impl pseud_async::adapter::Timer for Timer {
    fn reset(&mut self, at: Instant) {
        self.0.as_mut().reset(at.into());
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

fn off(driver: &str, on: &str) -> io::Error {
    let text = format!(
        "the {driver} driver of this tokio runtime is off: build it with `{on}` or `enable_all`"
    );
    io::Error::new(io::ErrorKind::Unsupported, text)
}

/// Registers a socket that nobody else sees. Where the system gives none, there still is a driver.
#[cfg(unix)]
fn use_io() {
    drop(UnixStream::pair());
}

#[cfg(not(unix))]
fn use_io() {
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0)).and_then(|socket| {
        socket.set_nonblocking(true)?;
        tokio::net::UdpSocket::from_std(socket)
    });
    drop(socket);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, Options, Server, SetupError};
    use tokio::runtime::Builder;

    #[test]
    fn s_16_a_runtime_without_a_driver_is_an_error_of_new() {
        for build in [Builder::new_current_thread, Builder::new_multi_thread] {
            let (nothing, time) =
                (build().build().unwrap(), build().enable_time().build().unwrap());
            let io = build().enable_io().build().unwrap();
            for (runtime, word) in
                [(&nothing, "enable_time"), (&time, "enable_io"), (&io, "enable_time")]
            {
                let _inside = runtime.enter();
                let errors = [
                    Server::new("service").unwrap_err(),
                    Client::new("service").unwrap_err(),
                    Server::with_options(Options::server("service")).unwrap_err(),
                ];
                for error in errors {
                    assert!(error.to_string().contains(word), "{error}");
                    let SetupError::Runtime(cause) = error else { panic!("{error:?}") };
                    assert_eq!(cause.kind(), io::ErrorKind::Unsupported);
                }
            }
            let whole = build().enable_all().build().unwrap();
            let _inside = whole.enter();
            Server::new("service").unwrap();
        }
        assert!(Server::new("service").is_err(), "there is no runtime");
    }
}
