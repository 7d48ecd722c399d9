//! The reserved handlers by which a node is looked after from afar: who is there, kick, call through it.

use super::Registry;
use super::call_through;
use super::call_through::id_of;
use super::table::Table;
use crate::call::error::CallError;
use crate::engine::hub::Hub;
use crate::engine::listing::{Listed, PAGE_MAX};
use crate::presence::stream::{Presence, PresenceEvent};
use crate::serve::caller::{Caller, Wire};
use crate::serve::handler::Handler;
use crate::serve::handler_panics::Whose;
use crate::serve::request::Request;
use bytes::Bytes;
use pseud_proto::peer::PeerInfo;
use pseud_proto::value::Value;
use pseud_proto::{Fault, Parting, PeerId, Reason, Several, To, User};
use serde::{Deserialize, Serialize};
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Instant;

/// The domain of those handlers. Its predicate is asked at each call, as any other's.
const DOMAIN: &str = "pseud.admin";

const WATCH: &str = "pseud.watch";

impl Registry {
    /// Serves the reserved handlers by which a node is looked after, to those whom `may` accepts besides
    /// the users with the permission [`User::ADMIN`]:
    ///
    /// | handler | what |
    /// |---|---|
    /// | `pseud.peers(after=None, max=256)` | who is there, a page: `{"peers": […], "next": after}` |
    /// | `pseud.watch(method)` | calls `method([event, …])` of its caller whenever somebody comes or goes |
    /// | `pseud.kick(user=None, session=None)` | ends those sessions; how many there were |
    /// | `pseud.call(to, method, args, kwargs, timeout, outcome=False)` | calls the peer that is known by that name |
    ///
    /// What the peer's handler raises `pseud.call` raises, and a `ServiceNotFoundError` where it serves nothing
    /// of that name. Where there is no answer it raises a `ConnectionError` or its like, or, with `outcome`,
    /// answers `{"no_answer": why}`, and else `{"value": answer}`.
    ///
    /// They are about the node that serves the request. A request in a datagram, and one that is made in
    /// another's name, is refused whatever `may` says: nobody has shown who asks. A `pseud.watch` asks it again
    /// before each of its calls, of the user as it is then; it ends when the node drains.
    pub fn serve_admin(&self, may: impl Fn(&Caller) -> bool + Send + Sync + 'static) {
        self.predicate(DOMAIN, move |caller| {
            let is_known = caller.wire() != Wire::Rpcudp && caller.forwarded_by().is_none();
            is_known && (caller.user().has_permission(User::ADMIN) || may(caller))
        });
        let table = Arc::downgrade(self.table());
        let watch = move |request| watch(request, table.clone());
        self.table().put_reserved(
            DOMAIN,
            [
                ("pseud.peers", Handler::from_async(peers)),
                (WATCH, Handler::from_async(watch)),
                ("pseud.kick", Handler::from_async(kick)),
                ("pseud.call", Handler::from_async(call_through::call)),
            ],
        );
    }
}

/// A session, as `pseud.peers` and `pseud.watch` tell of it.
#[derive(Serialize)]
struct Shown {
    session: String,
    user: Value,
    identity: Value,
    address: String,
    mechanism: &'static str,
    capabilities: u64,
    dialed: bool,
}

/// What `pseud.peers` tells besides.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    shown: Shown,
    connected_for: f64,
    heard_ago: f64,
    calls_pending: usize,
    requests_open: usize,
    bytes_received: u64,
    bytes_sent: u64,
}

#[derive(Serialize)]
struct Page {
    peers: Vec<Row>,
    next: Option<String>,
}

impl Shown {
    fn new(session: PeerId, info: &PeerInfo) -> Self {
        Self {
            session: session.to_string(),
            user: text_or_bytes(info.user.id()),
            identity: text_or_bytes(&info.identity),
            address: info.address.to_string(),
            mechanism: info.mechanism.as_str(),
            capabilities: info.profile.capabilities().bits(),
            dialed: info.dialed,
        }
    }
}

impl Row {
    fn new(listed: &Listed, now: Instant) -> Self {
        let ago = |at: Instant| now.saturating_duration_since(at).as_secs_f64();
        Self {
            shown: Shown::new(listed.seat.peer, &listed.info),
            connected_for: ago(listed.since),
            heard_ago: ago(listed.last_heard),
            calls_pending: listed.calls_pending,
            requests_open: listed.requests_open,
            bytes_received: listed.bytes_received,
            bytes_sent: listed.bytes_sent,
        }
    }
}

/// Ids are bytes; those of people are text. What was made up here is not.
fn text_or_bytes(id: &Bytes) -> Value {
    match std::str::from_utf8(id) {
        Ok(text) if !text.starts_with('\0') => text.into(),
        _ => Value::Bin(id.clone()),
    }
}

#[derive(Deserialize)]
struct OfPeers {
    after: Option<String>,
    max: Option<usize>,
}

async fn peers(request: Request) -> Result<Page, Fault> {
    let OfPeers { after, max } = request.bind()?;
    let hub = &request.caller().seat.hub;
    let after = after.map(|name| {
        let unknown = || Fault::new("ValueError", "`after` is no session's name");
        hub.lock().directory.place_named(&name).ok_or_else(unknown)
    });
    let listed = hub.page(after.transpose()?, max.unwrap_or(PAGE_MAX).max(1));
    let now = hub.now();
    let next = listed.last().map(|last| last.seat.peer.to_string());
    Ok(Page { peers: listed.iter().map(|listed| Row::new(listed, now)).collect(), next })
}

#[derive(Deserialize)]
struct OfKick {
    user: Option<Value>,
    session: Option<String>,
}

async fn kick(request: Request) -> Result<usize, Fault> {
    let OfKick { user, session } = request.bind()?;
    let hub = &request.caller().seat.hub;
    match (user, session) {
        (Some(user), None) => Ok(kick_known(hub, &id_of(&user)?)),
        (None, Some(session)) => {
            let peer = hub.lock().directory.session_named(&session);
            Ok(usize::from(
                peer.is_some_and(|peer| hub.disconnect(&To::Peer(peer), Reason::Revoked)),
            ))
        }
        _ => Err(Fault::new("TypeError", "kick takes a user or a session")),
    }
}

/// All sessions of that user; of who is no user, the one that is known by that name.
fn kick_known(hub: &Hub, id: &Bytes) -> usize {
    match hub.disconnect_user(id, Parting::Revoked) {
        0 => {
            let known = To::Known { id: id.clone(), several: Several::Newest };
            usize::from(hub.disconnect(&known, Reason::Revoked))
        }
        count => count,
    }
}

#[derive(Deserialize)]
struct OfWatch {
    method: String,
}

/// What `pseud.watch` tells of one change.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Told {
    Joined(Shown),
    Left {
        #[serde(flatten)]
        shown: Shown,
        reason: Option<String>,
    },
}

impl Told {
    /// What was missed is made up for by what follows.
    fn of(event: PresenceEvent) -> Option<Self> {
        match event {
            PresenceEvent::Joined { session, info, .. } => {
                Some(Self::Joined(Shown::new(session, &info)))
            }
            PresenceEvent::Left { session, info, reason } => {
                let reason = reason.map(|reason| reason.to_string());
                Some(Self::Left { shown: Shown::new(session, &info), reason })
            }
            PresenceEvent::Lagged(_) => None,
        }
    }
}

/// Each call waits for its answer: a caller that is slow is told the last state of what it missed. It goes
/// on until the caller leaves, gives no answer or may not watch any more, or this node drains or ends.
async fn watch(request: Request, table: Weak<Table>) -> Result<(), Fault> {
    let OfWatch { method } = request.bind()?;
    let mut presence = Presence::new(request.caller().seat.hub.clone());
    let hub = &request.caller().seat.hub;
    while let Some(told) = next_told(&mut presence, hub).await {
        if !may_still_watch(&request, &table).await {
            return Err(Fault::new("ServiceNotFoundError", WATCH));
        }
        let call = request.caller().call::<Value, _>(&method, (told,));
        match call.await {
            Ok(_) => {}
            Err(CallError::Closed { .. }) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Its session's user may be another by now than the one that asked, or may do less.
async fn may_still_watch(request: &Request, table: &Weak<Table>) -> bool {
    let (mut caller, whose) = (request.caller().clone(), Whose::of(request));
    let info = caller.seat.hub.lock().directory.peer_info(caller.seat.peer).cloned();
    let (Some(info), Some(table)) = (info, table.upgrade()) else { return false };
    caller.provenance.user = info.user.clone();
    caller.info = info;
    let candidates = table.snapshot(None).candidates(WATCH);
    let predicates = candidates.into_iter().map(|candidate| candidate.predicate);
    for predicate in predicates {
        if predicate.still_accepts(&caller, &whose).await {
            return true;
        }
    }
    false
}

/// What there is to tell, a page at most; waits until there is something. `None`: the node drains, or has ended.
async fn next_told(presence: &mut Presence, hub: &Hub) -> Option<Vec<Told>> {
    let mut told = Vec::new();
    poll_fn(|cx| {
        while told.len() < PAGE_MAX {
            match presence.poll_next(cx) {
                Poll::Ready(Some(event)) => told.extend(Told::of(event)),
                Poll::Ready(None) if told.is_empty() => return Poll::Ready(false),
                // A drain wakes all who watch.
                Poll::Pending if told.is_empty() && hub.drains() => return Poll::Ready(false),
                Poll::Pending if told.is_empty() => return Poll::Pending,
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        Poll::Ready(true)
    })
    .await
    .then_some(told)
}
