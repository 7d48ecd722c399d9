//! A world as a node's runtime.

use super::clock::{Alarm, SimClock};
use super::conditions::{Climate, Conditions, Fate, Loss};
use super::network::{Listener, Network};
use super::pipe::Air;
use super::stream::Stream;
use super::tasks::Tasks;
use super::trace::Trace;
use crate::luck::Luck;
use pseud_async::adapter::{self, Runtime, SocketAddress};
use std::cell::RefCell;
use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

thread_local! {
    /// The world that runs on this thread.
    static CURRENT: RefCell<Option<SimRuntime>> = const { RefCell::new(None) };
}

/// Everything in one world: no socket, no thread, no clock but its own.
#[derive(Debug)]
pub(super) struct World {
    pub(super) air: Air,
    pub(super) tasks: Arc<Tasks>,
    network: Arc<Network>,
    #[cfg(feature = "rpcudp")]
    pub(super) mail: Arc<super::datagrams::Mail>,
    entropy: Mutex<Luck>,
}

/// A runtime in memory: see [the module](super). There is one while [`Sim::run`](super::Sim::run) does.
#[derive(Clone)]
pub struct SimRuntime(pub(super) Arc<World>);

impl fmt::Debug for SimRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimRuntime")
    }
}

impl SimRuntime {
    pub(super) fn new(conditions: Conditions, luck: &mut Luck) -> Self {
        let climate = Climate::new(conditions, luck.fork());
        let air = Air { clock: SimClock::new(), climate, trace: Arc::new(Trace::default()) };
        let network = Network::new(air.clone());
        #[cfg(feature = "rpcudp")]
        let mail = super::datagrams::Mail::new(air.clone());
        let (tasks, entropy) = (Arc::default(), Mutex::new(luck.fork()));
        Self(Arc::new(World {
            air,
            tasks,
            network,
            #[cfg(feature = "rpcudp")]
            mail,
            entropy,
        }))
    }

    /// That of this thread, if a world runs on it.
    pub(crate) fn here() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Takes the place of the one that was there, which is returned.
    pub(super) fn stand(here: Option<Self>) -> Option<Self> {
        CURRENT.replace(here)
    }

    /// All connections are lost now, and both sides see it; how many there were.
    pub fn cut(&self) -> usize {
        self.0.network.lose_all(Loss::Reset)
    }

    /// All connections swallow what is written from now on, and no side is told; how many there were.
    pub fn silence(&self) -> usize {
        self.0.network.lose_all(Loss::Silent)
    }

    /// From now on those are the conditions: of links that are opened, and of bytes that are written.
    pub fn change(&self, conditions: Conditions) {
        self.0.air.climate.change(conditions);
    }

    /// How long the world has lasted, by its clock.
    pub fn passed(&self) -> Duration {
        self.0.air.clock.passed()
    }

    /// How many tasks are not over.
    pub fn tasks(&self) -> usize {
        self.0.tasks.alive()
    }

    async fn sleep(&self, wait: Duration) {
        let mut timer = self.timer(self.now() + wait);
        poll_fn(|cx| adapter::Timer::poll(&mut timer, cx)).await;
    }
}

impl Runtime for SimRuntime {
    type Stream = Stream;
    type Listener = Listener;
    type Timer = Timer;

    fn current() -> io::Result<Self> {
        Self::here().ok_or_else(|| io::Error::other("no simulated world runs on this thread"))
    }

    fn now(&self) -> Instant {
        self.0.air.clock.now()
    }

    fn seed(&self) -> io::Result<[u8; 32]> {
        Ok(self.0.entropy.lock().unwrap_or_else(PoisonError::into_inner).seed())
    }

    fn spawn(&self, future: impl Future<Output: Send> + Send + 'static) {
        self.0.tasks.spawn(Box::pin(async move { drop(future.await) }));
    }

    /// As a task of its own: it runs in one turn, and must not wait for anybody else's.
    fn spawn_blocking(&self, run: impl FnOnce() + Send + 'static) {
        self.spawn(async move { run() });
    }

    fn timer(&self, at: Instant) -> Timer {
        let clock = self.0.air.clock.clone();
        Timer { at, alarm: Alarm::new(&clock), clock }
    }

    /// There are no names in a world but `localhost`, about which nobody is asked.
    async fn resolve(&self, host: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        Err(io::Error::new(ErrorKind::NotFound, format!("no host of the name {host}")))
    }

    async fn connect(&self, to: &SocketAddress) -> io::Result<Stream> {
        let World { air, network, .. } = &*self.0;
        let fate = air.climate.connect();
        self.sleep(air.climate.latency()).await;
        match fate {
            Fate::Answered => network.connect(to),
            Fate::Refused => Err(ErrorKind::ConnectionRefused.into()),
            Fate::Swallowed => pending().await,
        }
    }

    async fn bind(&self, at: &SocketAddress, _: Option<u32>) -> io::Result<Listener> {
        self.0.network.bind(at)
    }
}

/// One sleep by a world's clock.
#[derive(Debug)]
pub struct Timer {
    at: Instant,
    clock: Arc<SimClock>,
    alarm: Alarm,
}

impl adapter::Timer for Timer {
    fn reset(&mut self, at: Instant) {
        self.at = at;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.at {
            return Poll::Ready(());
        }
        self.alarm.set(self.at, cx.waker());
        Poll::Pending
    }
}
