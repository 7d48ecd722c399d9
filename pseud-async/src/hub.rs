//! The hub: one endpoint under one short lock, and who waits for it.

use crate::crowd::{Crowd, Place};
use crate::dial::Dials;
use crate::effects::Effects;
use crate::events::Watchers;
use crate::gate::{Doors, Gate};
use crate::link::AnyLink;
use crate::orphans::Orphans;
use crate::pending::Waiters;
use crate::refusals::Refusals;
use crate::registry::{Registry, Served};
use crate::running::Running;
use crate::runtime::Executor;
use crate::sockets::Sockets;
use crate::stranger::Stranger;
use atomic_waker::AtomicWaker;
use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::Endpoint;
use pseud_proto::{Config, Packed, PeerId, Reason, RequestId};
use slab::Slab;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// One endpoint with its callers and handlers: what all links and handles of a node share.
///
/// Under its lock no waker is woken, no handler runs and nothing of a user's is dropped: what an
/// operation gives rise to is collected and done after the lock is released.
/// Locks are taken link first, then hub; a caller who holds neither only *tries* a link's.
#[derive(Debug)]
pub struct Hub {
    inner: Mutex<Inner>,
    pub(crate) served: Served,
    pub(crate) runtime: Box<dyn Executor>,
    pub(crate) timer: AtomicWaker,
    /// Handlers that did not end at once, those of callers that are gone among them.
    pub(crate) running: Running,
    pub(crate) orphans: Orphans,
    /// How often sessions were revoked or shut down. Changed under the lock, read without.
    pub(crate) closings: AtomicUsize,
    pub(crate) config: Arc<Config>,
    pub(crate) doors: Doors,
    /// Taken alone, under no other lock.
    pub(crate) refusals: Refusals,
    pub(crate) sockets: Sockets,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) endpoint: Endpoint,
    pub(crate) waiters: Waiters,
    pub(crate) links: Vec<Option<(PeerId, Arc<dyn AnyLink>)>>,
    pub(crate) joining: Crowd,
    pub(crate) ending: Crowd,
    /// Who waits for the node to be idle.
    pub(crate) idling: Crowd,
    /// Who waits to hear that a request's caller is gone.
    pub(crate) cancelling: BTreeMap<RequestId, Crowd>,
    pub(crate) watchers: Watchers,
    /// Who is behind every session, to say at its end who it was.
    pub(crate) present: BTreeMap<PeerId, Arc<PeerInfo>>,
    /// Links whose handshake is not over.
    pub(crate) strangers: Slab<Stranger>,
    /// Endpoints that we connect to.
    pub(crate) dials: Dials,
    /// The moment for which the timer is armed: it is woken only for an earlier one.
    pub(crate) armed: Option<Instant>,
    pub(crate) shut_down: bool,
}

impl Hub {
    /// A hub without links.
    ///
    /// # Errors
    /// The operating system gives no entropy: there is no fallback.
    pub fn new(config: Arc<Config>, runtime: impl Executor + 'static) -> std::io::Result<Self> {
        let endpoint = Endpoint::new(config.clone(), Self::seed()?);
        Ok(Self {
            inner: Mutex::new(Inner {
                endpoint,
                waiters: Waiters::default(),
                links: Vec::new(),
                joining: Crowd::default(),
                ending: Crowd::default(),
                idling: Crowd::default(),
                cancelling: BTreeMap::new(),
                watchers: Watchers::default(),
                present: BTreeMap::new(),
                strangers: Slab::new(),
                dials: Dials::default(),
                armed: None,
                shut_down: false,
            }),
            served: Served::own(),
            runtime: Box::new(runtime),
            timer: AtomicWaker::new(),
            running: Running::default(),
            orphans: Orphans::default(),
            closings: AtomicUsize::new(0),
            config,
            doors: Doors::default(),
            refusals: Refusals::default(),
            sockets: Sockets::default(),
        })
    }

    /// The same with somebody who is asked about strangers.
    #[must_use]
    pub(crate) fn with_gate(mut self, gate: Gate) -> Self {
        self.doors = Doors::new(gate);
        self
    }

    /// The same with a registry that others may hold as well: it outlives this node.
    #[must_use]
    pub(crate) fn with_registry(mut self, registry: Registry) -> Self {
        self.served = Served::shared(registry);
        self
    }

    /// The same with another fate of handlers whose callers have left.
    #[must_use]
    pub(crate) fn with_orphans(mut self, orphans: Orphans) -> Self {
        self.orphans = orphans;
        self
    }

    /// 32 bytes from the operating system: for an endpoint, or for a connection.
    ///
    /// # Errors
    /// There are none to be had.
    pub(crate) fn seed() -> std::io::Result<[u8; 32]> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(std::io::Error::other)?;
        Ok(seed)
    }

    /// The runtime's clock.
    pub(crate) fn now(&self) -> Instant {
        self.runtime.now()
    }

    /// Whether [`Node::shutdown`](crate::Node::shutdown) was called, or the last handle dropped.
    pub(crate) fn is_shut_down(&self) -> bool {
        self.lock().shut_down
    }

    /// Waits for that: for loops that accept or dial.
    pub(crate) fn shut_down(self: &Arc<Self>) -> ShutDown {
        ShutDown { hub: self.clone(), place: Place::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the endpoint under the lock; what follows from it is done after.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Inner, Instant) -> R) -> (R, Effects) {
        let now = self.now();
        let mut effects = Effects::default();
        let mut inner = self.lock();
        let result = act(&mut inner, now);
        inner.settle(&mut effects, &self.running);
        effects.count_closings(&self.closings);
        drop(inner);
        (result, effects)
    }

    /// A body of that peer's was checked: what not everybody could be sent may go back there.
    pub(crate) fn learn(&self, peer: PeerId, body: &Packed) {
        if !body.is_v1_safe() {
            self.lock().endpoint.learn(peer, body);
        }
    }

    /// Ends everything: calls end as `Closed`, links close, handlers of its own are forgotten. What
    /// listened does so no more when this returns.
    pub(crate) fn shutdown(self: &Arc<Self>) {
        self.report_last();
        let ((waiting, strangers), effects) = self.with(|inner, now| {
            inner.shut_down = true;
            inner.endpoint.shutdown(now);
            let crowds = [&mut inner.joining, &mut inner.ending, &mut inner.idling];
            let waiting: Vec<_> = crowds.into_iter().flat_map(Crowd::leave).collect();
            ((waiting, inner.watchers.wake_all()), std::mem::take(&mut inner.strangers))
        });
        self.sockets.close_listening();
        effects.run(self, None);
        let (waiting, watching) = waiting;
        waiting.iter().for_each(|waker| waker.wake());
        watching.into_iter().for_each(Waker::wake);
        strangers.into_iter().for_each(|(_, stranger)| stranger.link.close(Reason::Shutdown));
        self.timer.wake();
        self.served.end();
    }
}

/// See [`Hub::shut_down`]. Cancel-safe.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct ShutDown {
    hub: Arc<Hub>,
    place: Place,
}

impl Future for ShutDown {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.place.register(cx.waker());
        let mut inner = self.hub.lock();
        if inner.shut_down {
            return Poll::Ready(());
        }
        inner.ending.join(&self.place);
        Poll::Pending
    }
}

impl Inner {
    /// Turns the endpoint's actions into effects, and says whether the timer must be told.
    pub(crate) fn settle(&mut self, effects: &mut Effects, running: &Running) {
        effects.collect(self, running);
        let next = self.endpoint.poll_timeout();
        if let Some(next) = next
            && self.armed.is_none_or(|armed| next < armed)
        {
            self.armed = Some(next);
            effects.rearm = true;
        }
    }

    /// Whether nothing is open and no handler runs, of callers that have left neither.
    pub(crate) fn is_idle(&self, running: &Running) -> bool {
        self.endpoint.is_idle() && running.is_empty()
    }

    pub(crate) fn link(&self, peer: PeerId) -> Option<&Arc<dyn AnyLink>> {
        let (owner, link) = self.links.get(peer.slot())?.as_ref()?;
        (*owner == peer).then_some(link)
    }

    pub(crate) fn attach(&mut self, peer: PeerId, link: Arc<dyn AnyLink>) {
        if self.links.len() <= peer.slot() {
            self.links.resize_with(peer.slot() + 1, || None);
        }
        self.links[peer.slot()] = Some((peer, link));
    }

    pub(crate) fn detach(&mut self, peer: PeerId) -> Option<Arc<dyn AnyLink>> {
        let entry = self.links.get_mut(peer.slot())?;
        match entry {
            Some((owner, _)) if *owner == peer => entry.take().map(|(_, link)| link),
            _ => None,
        }
    }
}
