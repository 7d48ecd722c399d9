//! Where it is kept who is there, so that others than this node can see it.

use super::stream::{Presence, PresenceEvent};
use crate::engine::hub::Hub;
use bytes::Bytes;
use pseud_proto::peer::PeerInfo;
use pseud_proto::{PeerId, User};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One session, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PresenceEntry {
    /// The node that holds the session: the name under which it publishes.
    pub node: SmolStr,
    /// The session's name, unique in its node.
    pub session: SmolStr,
    /// Who authentication says it is.
    pub user: User,
    /// The identity that it announced, or was given.
    pub identity: Bytes,
    /// Where it is, as text.
    pub address: SmolStr,
}

impl PresenceEntry {
    fn new(node: &SmolStr, session: PeerId, info: &PeerInfo) -> Self {
        Self {
            node: node.clone(),
            session: name_of(session),
            user: info.user.clone(),
            identity: info.identity.clone(),
            address: info.address.clone(),
        }
    }
}

fn name_of(session: PeerId) -> SmolStr {
    SmolStr::new(session.to_string())
}

/// What a store is asked to do, under way.
pub type Storing<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Where it is kept who is there. [`Node::publish_presence`](crate::Node::publish_presence) tells one of
/// every session of a node, in order: first that the node [began](Self::began), then for each `joined` and
/// `left`. What fails is tried again, so all may be told twice, and must then do nothing.
///
/// A node that crashes tells nothing: what it had told stays until one of its name begins. Where that may be
/// never, keep a lease for each node that its process renews, and take entries without one for nobody's.
///
/// Async, so that a database can stand behind it. [`MemoryPresence`] is one in memory.
///
/// ```no_run
/// use pseud::{MemoryPresence, Node, PresenceStore};
///
/// # async fn run(node: Node) -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryPresence::new();
/// let publishes = node.publish_presence("here", store.clone()); // to be spawned, as at all other nodes
/// # drop(publishes);
/// let is_connected = store.is_connected("charly".into()).await?; // at any of them
/// # Ok(()) }
/// ```
pub trait PresenceStore: Send + Sync + 'static {
    /// A node of that name begins to publish: what one of its name has left there is of nobody any more, and
    /// its sessions' names come again, for others. Default: nothing is done, for stores that forget by themselves.
    ///
    /// # Errors
    /// As for [`joined`](Self::joined).
    fn began(&self, node: SmolStr) -> Storing<'_, ()> {
        let _ = node;
        Box::pin(ready(Ok(())))
    }

    /// A session is there.
    ///
    /// # Errors
    /// The store's: it is told again a second later.
    fn joined(&self, entry: PresenceEntry) -> Storing<'_, ()>;

    /// It is there no more.
    ///
    /// # Errors
    /// As for [`joined`](Self::joined).
    fn left(&self, node: SmolStr, session: SmolStr) -> Storing<'_, ()>;

    /// Whether that user has a session anywhere.
    ///
    /// # Errors
    /// The store's.
    fn is_connected(&self, user: Bytes) -> Storing<'_, bool>;

    /// At most so many of the sessions behind that one, ordered by node and session; from the first one
    /// on where it is `None`.
    ///
    /// # Errors
    /// The store's.
    fn page(
        &self,
        after: Option<(SmolStr, SmolStr)>,
        max: usize,
    ) -> Storing<'_, Vec<PresenceEntry>>;
}

/// A [`PresenceStore`] in memory: what several nodes of one process can share. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct MemoryPresence(Arc<Mutex<PresenceTable>>);

#[derive(Debug, Default)]
struct PresenceTable {
    entries: BTreeMap<(SmolStr, SmolStr), PresenceEntry>,
    /// How many sessions each user has.
    users: BTreeMap<Bytes, usize>,
}

impl PresenceTable {
    fn insert(&mut self, entry: PresenceEntry) {
        let (key, user) = ((entry.node.clone(), entry.session.clone()), entry.user.id().clone());
        self.remove(&key);
        if !user.is_empty() {
            *self.users.entry(user).or_default() += 1;
        }
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &(SmolStr, SmolStr)) {
        let Some(entry) = self.entries.remove(key) else { return };
        let user = entry.user.id();
        if let Some(sessions) = self.users.get_mut(user) {
            *sessions -= 1;
            if *sessions == 0 {
                self.users.remove(user);
            }
        }
    }
}

impl MemoryPresence {
    /// Nobody is there.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, PresenceTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PresenceStore for MemoryPresence {
    fn began(&self, node: SmolStr) -> Storing<'_, ()> {
        let mut kept = self.lock();
        let old = kept.entries.range((node.clone(), SmolStr::default())..);
        let old = old.map(|(key, _)| key.clone()).take_while(|(of, _)| *of == node);
        let old: Vec<_> = old.collect();
        old.iter().for_each(|key| kept.remove(key));
        Box::pin(ready(Ok(())))
    }

    fn joined(&self, entry: PresenceEntry) -> Storing<'_, ()> {
        self.lock().insert(entry);
        Box::pin(ready(Ok(())))
    }

    fn left(&self, node: SmolStr, session: SmolStr) -> Storing<'_, ()> {
        self.lock().remove(&(node, session));
        Box::pin(ready(Ok(())))
    }

    fn is_connected(&self, user: Bytes) -> Storing<'_, bool> {
        Box::pin(ready(Ok(self.lock().users.contains_key(&user))))
    }

    fn page(
        &self,
        after: Option<(SmolStr, SmolStr)>,
        max: usize,
    ) -> Storing<'_, Vec<PresenceEntry>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let start = after.map_or(Unbounded, Excluded);
        let kept = self.lock();
        let page = kept.entries.range((start, Unbounded)).take(max);
        Box::pin(ready(Ok(page.map(|(_, entry)| entry.clone()).collect())))
    }
}

/// How long after a store has failed it is told again.
const RETRY: Duration = Duration::from_secs(1);

/// Tells a store of every session, until the node has ended and all have left.
pub(crate) async fn publish(hub: Arc<Hub>, node: SmolStr, store: impl PresenceStore) {
    let mut presence = Presence::new(hub.clone());
    until_told(&hub, || store.began(node.clone())).await;
    while let Some(event) = presence.next().await {
        until_told(&hub, || match &event {
            PresenceEvent::Joined { session, info, .. } => {
                store.joined(PresenceEntry::new(&node, *session, info))
            }
            PresenceEvent::Left { session, .. } => store.left(node.clone(), name_of(*session)),
            PresenceEvent::Lagged(_) => Box::pin(ready(Ok(()))),
        })
        .await;
    }
}

/// Tells it again for as long as the store fails.
async fn until_told<'a>(hub: &Hub, tell: impl Fn() -> Storing<'a, ()>) {
    while let Err(error) = tell().await {
        tracing::warn!(%error, "a presence store failed; it is told again in a second");
        let at = crate::runtime::time::after(hub.now(), RETRY);
        hub.runtime.sleep(at).await;
    }
}
