//! The table behind registries: handlers and predicates under one short lock.

use crate::serve::handler::Handler;
use crate::serve::predicate::Predicate;
use pseud_proto::registry::{DEFAULT_DOMAIN, Handlers, NameRefused, candidates, check_name};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What one or more nodes serve. Nothing of a user's runs or is dropped under its lock.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Not changed while somebody has a [`Snapshot`] of it: there is another one then.
    content: RwLock<Arc<Content>>,
    /// Whether anything was ever put in: if not, a lookup can spare the lock.
    used: AtomicBool,
    /// How often it was changed: changed and read under the lock, and looked at without it.
    changes: AtomicU64,
}

#[derive(Debug, Clone, Default)]
struct Content {
    handlers: Handlers<Handler>,
    predicates: BTreeMap<Box<str>, Predicate>,
}

/// What a table held at a moment, and a more distant one behind it: for requests that are looked up
/// together, which take no lock then.
///
/// It may be the last that holds a handler: it is to be dropped where a panic is caught.
#[derive(Debug)]
pub(crate) struct Snapshot {
    near: Arc<Content>,
    distant: Option<Arc<Content>>,
    /// How often each was changed by then.
    changes: (u64, u64),
}

/// A handler, and who decides whether a caller may reach it.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) predicate: Predicate,
    pub(crate) handler: Handler,
}

/// In the order in which they are to be tried.
pub(crate) type Candidates = SmallVec<[Candidate; 2]>;

impl Table {
    /// Puts all of these in that domain, or none of them.
    pub(crate) fn put(
        &self,
        domain: &str,
        handlers: Vec<(String, Handler)>,
    ) -> Result<(), NameRefused> {
        handlers.iter().try_for_each(|(name, _)| check_name(name))?;
        let mut content = self.write();
        let registry = &mut Arc::make_mut(&mut content).handlers;
        let replaced: Vec<_> = handlers
            .into_iter()
            .map(|(name, handler)| registry.register_in(domain, &name, handler))
            .collect();
        drop(content);
        drop(replaced);
        Ok(())
    }

    /// The library's own, whose names nobody else may take.
    pub(crate) fn put_reserved<const N: usize>(
        &self,
        domain: &str,
        handlers: [(&str, Handler); N],
    ) {
        let mut content = self.write();
        let registry = &mut Arc::make_mut(&mut content).handlers;
        let put = |(name, handler)| registry.register_reserved(domain, name, handler);
        let replaced = handlers.map(put);
        drop(content);
        drop(replaced);
    }

    pub(crate) fn remove(&self, domain: &str, name: &str) -> bool {
        let removed = Arc::make_mut(&mut self.write()).handlers.unregister_in(domain, name);
        removed.is_some()
    }

    pub(crate) fn predicate(&self, domain: &str, predicate: Predicate) {
        let mut content = self.write();
        let replaced = Arc::make_mut(&mut content).predicates.insert(domain.into(), predicate);
        drop(content);
        drop(replaced);
    }

    pub(crate) fn clear(&self) {
        let content = std::mem::take(&mut *self.write());
        drop(content);
    }

    /// What it holds now, and what a more distant one does.
    pub(crate) fn snapshot(&self, distant: Option<&Self>) -> Snapshot {
        // One lock after the other, and the same not twice: whoever waits to write between would block both
        // for ever.
        let (near, changed) = self.content();
        let distant = distant.filter(|distant| !std::ptr::eq(*distant, self));
        let is_used = |distant: &&Self| distant.used.load(Ordering::Acquire);
        let distant = distant.filter(is_used).map(Self::content);
        let changes = (changed, distant.as_ref().map_or(0, |(_, changed)| *changed));
        Snapshot { near, distant: distant.map(|(content, _)| content), changes }
    }

    /// Whether nothing was changed here, or in the more distant one, since that was taken.
    pub(crate) fn is_current(&self, snapshot: &Snapshot, distant: Option<&Self>) -> bool {
        let changes = |table: &Self| table.changes.load(Ordering::Acquire);
        let distant = distant.filter(|distant| !std::ptr::eq(*distant, self));
        snapshot.changes == (changes(self), distant.map_or(0, changes))
    }

    fn content(&self) -> (Arc<Content>, u64) {
        let content = self.read();
        (content.clone(), self.changes.load(Ordering::Relaxed))
    }

    fn read(&self) -> RwLockReadGuard<'_, Arc<Content>> {
        self.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Arc<Content>> {
        self.used.store(true, Ordering::Release);
        let content = self.content.write().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::Release);
        content
    }
}

impl Snapshot {
    /// Who may serve that name.
    pub(crate) fn candidates(&self, name: &str) -> Candidates {
        match &self.distant {
            None => collect([&*self.near], name),
            Some(distant) => collect([&*self.near, distant], name),
        }
    }

    /// The handler of that name that is tried first, where that one is open to everyone.
    pub(crate) fn open(&self, name: &str) -> Option<&Handler> {
        match &self.distant {
            None => first_open([&*self.near], name),
            Some(distant) => first_open([&*self.near, distant], name),
        }
    }
}

fn first_open<'a, const N: usize>(contents: [&'a Content; N], name: &str) -> Option<&'a Handler> {
    let handlers = contents.map(|content| &content.handlers);
    let (domain, handler) = candidates(handlers, name).next()?;
    let is_open = match known_predicate(contents, domain) {
        Some(predicate) => matches!(predicate, Predicate::Open),
        None => domain == DEFAULT_DOMAIN,
    };
    is_open.then_some(handler)
}

/// Behind a domain that is open to everyone nobody else is ever tried.
fn collect<const N: usize>(contents: [&Content; N], name: &str) -> Candidates {
    let mut found = Candidates::new();
    for (domain, handler) in candidates(contents.map(|content| &content.handlers), name) {
        let predicate = known_predicate(contents, domain).cloned();
        let predicate = predicate.unwrap_or_else(|| Predicate::ready_made(domain));
        let open = matches!(predicate, Predicate::Open);
        found.push(Candidate { predicate, handler: handler.clone() });
        if open {
            break;
        }
    }
    found
}

fn known_predicate<'a, const N: usize>(
    contents: [&'a Content; N],
    domain: &str,
) -> Option<&'a Predicate> {
    contents.into_iter().find_map(|content| content.predicates.get(domain))
}

/// The right of whoever holds a registry: when the last one goes, its handlers go. Requests are served
/// from the table without it, so handlers that hold their node keep nothing alive.
#[derive(Debug, Default)]
pub(crate) struct RegistryHandle(Arc<Table>);

impl RegistryHandle {
    pub(crate) fn table(&self) -> &Arc<Table> {
        &self.0
    }
}

impl Drop for RegistryHandle {
    fn drop(&mut self) {
        self.0.clear();
    }
}
