//! The table behind registries: handlers and predicates under one short lock.

use crate::serve::handler::Handler;
use crate::serve::predicate::Predicate;
use pseud_proto::Handlers;
use pseud_proto::registry::{NameRefused, candidates, check_name};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What one or more nodes serve. Nothing of a user's runs or is dropped under its lock.
#[derive(Debug, Default)]
pub(crate) struct Table {
    content: RwLock<Content>,
    /// Whether anything was ever put in: if not, a lookup can spare the lock.
    used: AtomicBool,
}

#[derive(Debug, Default)]
struct Content {
    handlers: Handlers<Handler>,
    predicates: BTreeMap<Box<str>, Predicate>,
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
        let registry = &mut content.handlers;
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
        let registry = &mut content.handlers;
        let put = |(name, handler)| registry.register_reserved(domain, name, handler);
        let replaced = handlers.map(put);
        drop(content);
        drop(replaced);
    }

    pub(crate) fn remove(&self, domain: &str, name: &str) -> bool {
        let removed = self.write().handlers.unregister_in(domain, name);
        removed.is_some()
    }

    pub(crate) fn predicate(&self, domain: &str, predicate: Predicate) {
        let replaced = self.write().predicates.insert(domain.into(), predicate);
        drop(replaced);
    }

    pub(crate) fn clear(&self) {
        let mut content = self.write();
        let handlers: Vec<Handler> = content.handlers.clear().collect();
        let predicates = std::mem::take(&mut content.predicates);
        drop(content);
        drop((handlers, predicates));
    }

    /// Who may serve that name, according to this table and then to a more distant one.
    pub(crate) fn candidates(&self, distant: Option<&Self>, name: &str) -> Candidates {
        let near = self.read();
        // The same lock is not taken twice: whoever waits to write between would block both for ever.
        let distant = distant.filter(|distant| !std::ptr::eq(*distant, self));
        match distant.and_then(Self::read_used) {
            None => collect([&near], name),
            Some(distant) => collect([&near, &distant], name),
        }
    }

    fn read_used(&self) -> Option<RwLockReadGuard<'_, Content>> {
        self.used.load(Ordering::Acquire).then(|| self.read())
    }

    fn read(&self) -> RwLockReadGuard<'_, Content> {
        self.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Content> {
        self.used.store(true, Ordering::Release);
        self.content.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Behind a domain that is open to everyone nobody else is ever tried.
fn collect<const N: usize>(contents: [&Content; N], name: &str) -> Candidates {
    let mut found = Candidates::new();
    for (domain, handler) in candidates(contents.map(|content| &content.handlers), name) {
        let predicate = predicate(contents, domain);
        let open = matches!(predicate, Predicate::Open);
        found.push(Candidate { predicate, handler: handler.clone() });
        if open {
            break;
        }
    }
    found
}

fn predicate<const N: usize>(contents: [&Content; N], domain: &str) -> Predicate {
    let known = contents.into_iter().find_map(|content| content.predicates.get(domain));
    known.cloned().unwrap_or_else(|| Predicate::ready_made(domain))
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
