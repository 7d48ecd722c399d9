//! The thread that owns the sockets: the whole loop.

use super::admitted::{AdmittedUsers, UnknownTickets};
use super::commands::{Desk, Inbox, OpenSockets};
use super::dialed::DialedSocket;
use super::peers::SocketPeers;
use super::sockets::{asks, io_error};
use super::zap;
use pseud_async::adapter::{Asking, Host, OpenSocket};
use pseud_async::{Address, EndpointError, Options};
use slab::Slab;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};
use zmq::POLLIN;

/// A ROUTER: the one that is bound, or one for each endpoint that is connected to, so that what libzmq
/// tells of a connection is about one peer.
pub(super) struct Router {
    /// `None` between two attempts to connect.
    pub(super) socket: Option<zmq::Socket>,
    pub(super) dialed: Option<DialedSocket>,
    /// Of the one that is bound: what hears that an endpoint is free.
    pub(super) closing: Option<zmq::Socket>,
}

/// What may be readable.
enum Readable {
    Bell,
    Zap,
    Router(usize),
    Monitor(usize),
}

pub(super) struct Worker {
    pub(super) host: Arc<Host>,
    pub(super) options: Arc<Options>,
    pub(super) desk: Arc<Desk>,
    pub(super) routers: Slab<Router>,
    /// Endpoints that are bound, as libzmq has them.
    pub(super) bound: BTreeSet<Address>,
    pub(super) peers: SocketPeers,
    pub(super) zap: Option<zmq::Socket>,
    pub(super) asked: BTreeMap<u64, (zap::ZapRequest, Arc<Asking>)>,
    pub(super) questions: u64,
    pub(super) admitted: AdmittedUsers,
    pub(super) strangers: UnknownTickets,
    ear: zmq::Socket,
    /// Whoever waits for this thread to end.
    pub(super) stopped: Vec<SyncSender<()>>,
    /// The node's: found by its hub for as long as this thread runs.
    open: Arc<OpenSockets>,
    socket: OpenSocket,
    /// The last to go: it waits for what its sockets have not sent.
    pub(super) context: zmq::Context,
}

impl Worker {
    /// Everything that can fail before there is a thread.
    pub(super) fn new(
        host: &Arc<Host>,
        options: Arc<Options>,
        context: zmq::Context,
    ) -> io::Result<Self> {
        let (bell, ear) = zap::pair(&context)?;
        let asks = asks(&options.connection.mechanism);
        let zap = if asks { Some(zap::handler(&context)?) } else { None };
        let desk = Arc::new(Desk::new(bell));
        let open = Arc::new(OpenSockets(desk.clone()));
        host.listen(&open);
        let (host, socket) = (host.clone(), host.open_socket());
        Ok(Self {
            host,
            options,
            desk,
            routers: Slab::new(),
            bound: BTreeSet::new(),
            peers: SocketPeers::default(),
            zap,
            asked: BTreeMap::new(),
            questions: 0,
            admitted: AdmittedUsers::default(),
            strangers: UnknownTickets::default(),
            ear,
            stopped: Vec::new(),
            open,
            socket,
            context,
        })
    }

    pub(super) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    /// Runs until the node ends, or the context does.
    pub(super) fn run(mut self) {
        self.desk.run_here();
        while self.stopped.is_empty() {
            match self.turn() {
                Ok(()) | Err(zmq::Error::EINTR) => {}
                Err(error) => {
                    tracing::warn!(%error, "libzmq's sockets cannot be used any more: the node ends");
                    break;
                }
            }
        }
        self.host.shutdown();
        self.unbind_all();
        let Self { desk, open, socket, context, routers, zap, ear, stopped, .. } = self;
        drop((routers, zap, ear));
        desk.over();
        for stopped in stopped {
            // Whoever waited may have left.
            let _ = stopped.send(());
        }
        drop((open, context));
        drop(socket);
    }

    fn turn(&mut self) -> zmq::Result<()> {
        let Inbox { commands, looks, answered } = self.desk.take();
        commands.into_iter().for_each(|command| self.obey(command));
        looks.into_iter().for_each(|key| self.flush(key));
        for answered in answered {
            self.answer(answered)?;
        }
        if !self.stopped.is_empty() {
            return Ok(());
        }
        for readable in self.wait()? {
            match readable {
                Readable::Bell => while self.ear.recv_bytes(zmq::DONTWAIT).is_ok() {},
                Readable::Zap => self.ask()?,
                Readable::Router(key) => self.receive(key)?,
                Readable::Monitor(key) => self.hear(key)?,
            }
        }
        let now = Instant::now();
        self.try_again(now);
        self.dial_again(now);
        Ok(())
    }

    fn wait(&mut self) -> zmq::Result<Vec<Readable>> {
        let (mut what, mut items) = (vec![Readable::Bell], vec![self.ear.as_poll_item(POLLIN)]);
        if let Some(zap) = &self.zap {
            what.push(Readable::Zap);
            items.push(zap.as_poll_item(POLLIN));
        }
        for (key, router) in &self.routers {
            if let Some(socket) = &router.socket {
                what.push(Readable::Router(key));
                items.push(socket.as_poll_item(POLLIN));
            }
            if let Some(monitor) = router.dialed.as_ref().and_then(DialedSocket::monitor) {
                what.push(Readable::Monitor(key));
                items.push(monitor.as_poll_item(POLLIN));
            }
        }
        let timeout = if self.desk.may_sleep() { self.timeout() } else { 0 };
        let polled = zmq::poll(&mut items, timeout);
        self.desk.woken();
        polled?;
        let ready = what.into_iter().zip(items).filter(|(_, item)| item.is_readable());
        Ok(ready.map(|(what, _)| what).collect())
    }

    /// Until the next thing that is due, in milliseconds; -1: there is nothing.
    fn timeout(&self) -> i64 {
        let dialed = self.routers.iter().filter_map(|(_, router)| router.dialed.as_ref()?.again());
        let Some(next) = dialed.chain(self.peers.next_due()).min() else { return -1 };
        let wait = next.saturating_duration_since(Instant::now()) + Duration::from_micros(999);
        i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
    }

    pub(super) fn named(
        verb: &'static str,
        endpoint: &Address,
        error: zmq::Error,
    ) -> EndpointError {
        EndpointError::Io { verb, endpoint: endpoint.to_string(), cause: io_error(error) }
    }
}
