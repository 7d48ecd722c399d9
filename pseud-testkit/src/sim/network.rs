//! Who listens where in a world, and which connections there are.

use super::conditions::Loss;
use super::pipe::Air;
use super::stream::{Connection, Stream};
use pseud_async::adapter::{self, SocketAddress};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

/// The first port that is given to those who ask for any.
const FIRST_PORT: u16 = 20_000;

/// All addresses of a world.
#[derive(Debug)]
pub(super) struct Network {
    air: Air,
    state: Mutex<NetworkState>,
}

#[derive(Debug)]
struct NetworkState {
    listening: Vec<(SocketAddress, Arc<Backlog>)>,
    connections: Vec<Weak<Connection>>,
    next_port: u16,
}

/// Connections that were not accepted yet.
#[derive(Debug, Default)]
struct Backlog(Mutex<(VecDeque<Stream>, Option<Waker>)>);

impl Backlog {
    fn lock(&self) -> MutexGuard<'_, (VecDeque<Stream>, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Network {
    pub(super) fn new(air: Air) -> Arc<Self> {
        let state = NetworkState { listening: vec![], connections: vec![], next_port: FIRST_PORT };
        Arc::new(Self { air, state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, NetworkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn bind(self: &Arc<Self>, at: &SocketAddress) -> io::Result<Listener> {
        let mut state = self.lock();
        let mut at = at.clone();
        if let SocketAddress::Tcp(address) = &mut at
            && address.port() == 0
        {
            address.set_port(state.port());
        }
        if state.listening.iter().any(|(taken, _)| leads_to(taken, &at) || leads_to(&at, taken)) {
            return Err(ErrorKind::AddrInUse.into());
        }
        let backlog = Arc::<Backlog>::default();
        state.listening.push((at.clone(), backlog.clone()));
        Ok(Listener { network: self.clone(), at, backlog })
    }

    /// A connection to whoever listens there now.
    pub(super) fn connect(&self, to: &SocketAddress) -> io::Result<Stream> {
        let mut state = self.lock();
        let found = state.listening.iter().find(|(at, _)| leads_to(to, at));
        let backlog = found.map(|(_, backlog)| backlog.clone());
        let backlog = backlog.ok_or_else(|| io::Error::from(refusal(to)))?;
        let addresses = match to {
            SocketAddress::Tcp(address) => {
                [SocketAddr::new(address.ip(), state.port()).to_string(), address.to_string()]
            }
            _ => ["ipc".to_owned(), "ipc".to_owned()],
        };
        let (connection, [here, there]) = Connection::open(&self.air, addresses);
        state.connections.retain(|known| known.strong_count() > 0);
        state.connections.push(Arc::downgrade(&connection));
        drop(state);
        let mut waiting = backlog.lock();
        waiting.0.push_back(there);
        let acceptor = waiting.1.take();
        drop(waiting);
        acceptor.into_iter().for_each(Waker::wake);
        Ok(here)
    }

    /// All connections are lost at once; how many there were.
    pub(super) fn lose_all(&self, loss: Loss) -> usize {
        let open: Vec<_> = self.lock().connections.drain(..).collect();
        let open: Vec<_> = open.iter().filter_map(Weak::upgrade).collect();
        open.iter().for_each(|connection| connection.lose(loss));
        open.len()
    }
}

impl NetworkState {
    fn port(&mut self) -> u16 {
        let port = self.next_port;
        self.next_port = port.checked_add(1).unwrap_or(FIRST_PORT);
        port
    }
}

/// As the system says it.
fn refusal(to: &SocketAddress) -> ErrorKind {
    match to {
        SocketAddress::UnixPath(_) => ErrorKind::NotFound,
        _ => ErrorKind::ConnectionRefused,
    }
}

/// Whether who connects to `to` arrives at who listens at `at`.
fn leads_to(to: &SocketAddress, at: &SocketAddress) -> bool {
    match (to, at) {
        (SocketAddress::Tcp(to), SocketAddress::Tcp(at)) => {
            let is_any = at.ip().is_unspecified() && at.is_ipv4() == to.is_ipv4();
            to.port() == at.port() && (to.ip() == at.ip() || is_any)
        }
        (to, at) => to == at,
    }
}

/// What listens in a world.
#[derive(Debug)]
pub struct Listener {
    network: Arc<Network>,
    at: SocketAddress,
    backlog: Arc<Backlog>,
}

impl adapter::Listener for Listener {
    type Stream = Stream;

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        let mut waiting = self.backlog.lock();
        if let Some(stream) = waiting.0.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        waiting.1 = Some(cx.waker().clone());
        Poll::Pending
    }

    fn tcp_address(&self) -> io::Result<Option<SocketAddr>> {
        Ok(match self.at {
            SocketAddress::Tcp(address) => Some(address),
            _ => None,
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let is_this = |backlog: &Arc<Backlog>| Arc::ptr_eq(backlog, &self.backlog);
        self.network.lock().listening.retain(|(_, backlog)| !is_this(backlog));
        // Those who were never accepted see the end.
        let waiting = std::mem::take(&mut *self.backlog.lock());
        drop(waiting);
    }
}
