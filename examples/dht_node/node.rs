//! One node: what it knows, and what it serves: ping, stun, store, find_node, find_value, as
//! `kademlia/protocol.py` has them.

use super::id::{Contact, Id};
use super::table::{K, Table};
use pseud::rpcudp::{Endpoint, Peer};
use pseud::{Bytes, Exception, Fault, Request, Value};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Values that are kept; the oldest are forgotten first.
const VALUES_MAX: usize = 10_000;

/// A node of a Kademlia network. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Node {
    pub(super) endpoint: Endpoint,
    pub(super) known: Arc<Known>,
}

/// What a node knows: its handlers share it.
pub(crate) struct Known {
    pub(super) id: Id,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) table: Table,
    values: BTreeMap<Id, Value>,
    order: VecDeque<Id>,
}

impl Node {
    /// A node at that address, with an id of its own, in a network of its own.
    pub(crate) fn start(at: SocketAddr) -> io::Result<Self> {
        let id = Id::random()?;
        let (table, values, order) = (Table::new(id), BTreeMap::new(), VecDeque::new());
        let known = Arc::new(Known { id, state: Mutex::new(State { table, values, order }) });
        let node = Self { endpoint: Endpoint::bind(at)?, known };
        node.serve().map_err(io::Error::other)?;
        Ok(node)
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.endpoint.local_addr()
    }

    /// How many values it keeps for the network.
    pub(crate) fn values(&self) -> usize {
        self.known.lock().values.len()
    }

    fn serve(&self) -> Result<(), pseud::NameRefused> {
        let endpoint = &self.endpoint;
        endpoint.register_typed("stun", async |(): (), request: Request| {
            let from = sender(&request)?.address();
            Ok::<_, Fault>((from.ip().to_string(), from.port()))
        })?;
        let known = self.known.clone();
        endpoint.register_typed("ping", move |(id,): (Bytes,), request| {
            let known = known.clone();
            async move {
                // It is answered at once: whether its sender is who it says is found out beside it.
                let caller = Caller::new(&id, &request)?;
                tokio::spawn(caller.welcomed(known.clone()));
                Ok::<_, Fault>(known.id.to_bytes())
            }
        })?;
        let known = self.known.clone();
        endpoint.register_typed(
            "store",
            move |(id, key, value): (Bytes, Bytes, Value), request| {
                let known = known.clone();
                async move {
                    let caller = Caller::new(&id, &request)?;
                    known.store(read(&key)?, value);
                    tokio::spawn(caller.welcomed(known));
                    Ok::<_, Fault>(true)
                }
            },
        )?;
        let known = self.known.clone();
        endpoint.register_typed("find_node", move |(id, key): (Bytes, Bytes), request| {
            let known = known.clone();
            async move {
                let caller = Caller::new(&id, &request)?;
                let (but, key) = (caller.id, read(&key)?);
                // Twenty contacts are more than a stranger is sent.
                caller.welcomed(known.clone()).await;
                Ok::<_, Fault>(known.nearest(key, but))
            }
        })?;
        let known = self.known.clone();
        endpoint.register_typed("find_value", move |(id, key): (Bytes, Bytes), request| {
            let known = known.clone();
            async move {
                let caller = Caller::new(&id, &request)?;
                let (but, key) = (caller.id, read(&key)?);
                caller.welcomed(known.clone()).await;
                Ok::<_, Fault>(match known.value(key) {
                    Some(value) => [("value", value)].into_iter().collect(),
                    None => known.nearest(key, but),
                })
            }
        })
    }
}

/// Who asks: what it says of its id is not known to be so.
struct Caller {
    id: Id,
    peer: Peer,
}

impl Caller {
    fn new(id: &[u8], request: &Request) -> Result<Self, Fault> {
        Ok(Self { id: read(id)?, peer: sender(request)?.clone() })
    }

    /// Asks a newcomer who it is, and lets it in if it is who it said: a table that believed datagrams
    /// would be filled by whoever forges them.
    async fn welcomed(self, known: Arc<Known>) {
        let Self { id, peer } = self;
        let contact = Contact { id, address: peer.address() };
        if peer.is_proven() && !known.lock().table.is_new(&contact) {
            return;
        }
        let answer: Result<Bytes, _> = peer.call("ping", (known.id.to_bytes(),)).await;
        if answer.is_ok_and(|answer| Id::read(&answer) == Some(id)) {
            known.welcome(contact, &peer);
        }
    }
}

/// Whoever sent the request: all of them came in datagrams.
fn sender(request: &Request) -> Result<&Peer, Fault> {
    let sender = request.caller().rpcudp();
    sender.ok_or_else(|| Fault::new(Exception::TypeError, "not over this wire"))
}

fn read(id: &[u8]) -> Result<Id, Fault> {
    Id::read(id).ok_or_else(|| Fault::new(Exception::ValueError, "an id has 20 bytes"))
}

impl Known {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn store(&self, key: Id, value: Value) {
        let mut state = self.lock();
        if state.values.insert(key, value).is_none() {
            state.order.push_back(key);
        }
        if state.order.len() > VALUES_MAX
            && let Some(oldest) = state.order.pop_front()
        {
            state.values.remove(&oldest);
        }
    }

    pub(super) fn value(&self, key: Id) -> Option<Value> {
        self.lock().values.get(&key).cloned()
    }

    /// As they travel: `[(id, host, port), …]`.
    fn nearest(&self, key: Id, but: Id) -> Value {
        let near = self.lock().table.nearest(key, Some(but));
        let triple = |Contact { id, address }: Contact| -> Value {
            let (host, port) = (address.ip().to_string(), address.port());
            [Value::from(id.to_bytes()), host.into(), port.into()].into_iter().collect()
        };
        near.into_iter().map(triple).collect()
    }

    /// A node that has answered: it is stored the values that are nearer to it than to anybody known here,
    /// if nobody known is nearer than we are (section 2.5 of the paper).
    pub(super) fn welcome(self: &Arc<Self>, contact: Contact, peer: &Peer) {
        let mut state = self.lock();
        let mut moved = Vec::new();
        for (key, value) in &state.values {
            let near = state.table.nearest(*key, Some(contact.id));
            let distance = |id: Id| id.distance(*key);
            let is_near = near.len() < K
                || near.last().is_some_and(|last| distance(contact.id) < distance(last.id));
            let is_ours = near.first().is_none_or(|first| distance(self.id) < distance(first.id));
            if is_near && is_ours {
                moved.push((*key, value.clone()));
            }
        }
        state.table.add(contact);
        drop(state);
        for (key, value) in moved {
            let args = (self.id.to_bytes(), key.to_bytes(), value);
            let stored = peer.call::<bool, _>("store", args);
            tokio::spawn(stored);
        }
    }
}
