//! tokio with a clock that does not know how slow valgrind is.
//!
//! A link's turn is bounded by time as well. By the real clock each handler would seem to take fifty times as long
//! as it does, and what is counted would be the turns of a link whose handlers are slow.

use pseud_async::adapter::{Runtime, SocketAddress, Timer};
use pseud_tokio::Tokio;
use pseud_tokio::adapter::{Listener, Stream, Timer as TokioTimer};
use std::future::Future;
use std::hint::black_box;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// What each look at the clock adds: about what passes between two of them without valgrind.
const TICK: Duration = Duration::from_micros(4);

#[derive(Debug, Clone)]
pub(crate) struct Steady {
    tokio: Tokio,
    began: Instant,
    looks: Arc<AtomicU32>,
}

impl Steady {
    /// A moment of the real clock that is as far away.
    fn real(&self, at: Instant) -> Instant {
        self.tokio.now() + at.saturating_duration_since(Runtime::now(self))
    }
}

impl Runtime for Steady {
    type Stream = Stream;
    type Listener = Listener;
    type Timer = SteadyTimer;

    fn current() -> io::Result<Self> {
        let tokio = Tokio::current()?;
        let began = tokio.now();
        Ok(Self { tokio, began, looks: Arc::default() })
    }

    fn now(&self) -> Instant {
        // Its cost counts.
        black_box(self.tokio.now());
        self.began + TICK * self.looks.fetch_add(1, Ordering::Relaxed)
    }

    fn spawn(&self, future: impl Future<Output: Send> + Send + 'static) {
        self.tokio.spawn(future);
    }

    fn spawn_blocking(&self, run: impl FnOnce() + Send + 'static) {
        self.tokio.spawn_blocking(run);
    }

    fn timer(&self, at: Instant) -> SteadyTimer {
        SteadyTimer { timer: self.tokio.timer(self.real(at)), clock: self.clone() }
    }

    fn yield_now(&self, cx: &mut Context<'_>) {
        self.tokio.yield_now(cx);
    }

    fn enter<T>(&self, run: impl FnOnce() -> T) -> T {
        self.tokio.enter(run)
    }

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.tokio.resolve(host, port).await
    }

    async fn connect(&self, to: &SocketAddress) -> io::Result<Stream> {
        self.tokio.connect(to).await
    }

    async fn bind(&self, at: &SocketAddress, mode: Option<u32>) -> io::Result<Listener> {
        self.tokio.bind(at, mode).await
    }
}

pub(crate) struct SteadyTimer {
    timer: TokioTimer,
    clock: Steady,
}

impl Timer for SteadyTimer {
    fn reset(&mut self, at: Instant) {
        self.timer.reset(self.clock.real(at));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.timer.poll(cx)
    }
}
