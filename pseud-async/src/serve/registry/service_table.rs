//! What one node serves.

use super::table::{Candidates, Snapshot, Table};
use super::{Registry, global};
use crate::serve::handler::Handler;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The registry of one node.
#[derive(Debug)]
pub(crate) struct Served {
    table: Arc<Table>,
    /// Until the node ends.
    held: Mutex<Option<Registry>>,
    /// Nobody gave it: its handlers go with the node.
    own: bool,
    ended: AtomicBool,
    /// Domains without a predicate, each logged once.
    missing: Mutex<BTreeSet<Arc<str>>>,
}

impl Served {
    /// A registry of the node's own.
    pub(crate) fn own() -> Self {
        Self::new(Registry::new(), true)
    }

    /// One that others may hold as well.
    pub(crate) fn shared(registry: Registry) -> Self {
        Self::new(registry, false)
    }

    fn new(registry: Registry, own: bool) -> Self {
        let table = registry.table().clone();
        let (held, ended) = (Mutex::new(Some(registry)), AtomicBool::new(false));
        Self { table, held, own, ended, missing: Mutex::default() }
    }

    /// A handle. Once the node has ended, of a registry that nobody serves.
    pub(crate) fn registry(&self) -> Registry {
        self.held().clone().unwrap_or_default()
    }

    /// What it serves now: for requests that are looked up together.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.table.snapshot(Some(global()))
    }

    /// The same once more, where that has changed meanwhile: what it was is dropped there.
    #[inline]
    pub(crate) fn refresh(&self, snapshot: &mut Snapshot, dropped: impl FnOnce(Snapshot)) {
        if !self.table.is_current(snapshot, Some(global())) {
            dropped(std::mem::replace(snapshot, self.snapshot()));
        }
    }

    /// Who may serve that name, in the order in which they are to be tried. Nobody once the node has
    /// ended: its predicates are gone then, and global handlers must not be reached without them.
    pub(crate) fn candidates(&self, snapshot: &Snapshot, name: &str) -> Candidates {
        // `ended` is read after the table: whoever found the table without its predicates, which `end` takes
        // away after it has set this, finds it set.
        match self.ended.load(Ordering::Acquire) {
            true => Candidates::new(),
            false => snapshot.candidates(name),
        }
    }

    /// The first of those, where it is open to everyone.
    #[inline]
    pub(crate) fn open<'a>(&self, snapshot: &'a Snapshot, name: &str) -> Option<&'a Handler> {
        match self.ended.load(Ordering::Acquire) {
            true => None,
            false => snapshot.open(name),
        }
    }

    /// The node ends.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        let held = self.held().take();
        if self.own {
            self.table.clear();
        }
        drop(held);
    }

    /// Somebody called a handler that nobody may reach, since its domain has no predicate.
    pub(crate) fn log_missing(&self, domain: &Arc<str>) {
        let news =
            self.missing.lock().unwrap_or_else(PoisonError::into_inner).insert(domain.clone());
        if news {
            let domain = &**domain;
            tracing::error!(domain, "a domain has no predicate: its handlers serve nobody");
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Registry>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::predicate::Predicate;
    use crate::serve::registry::table::Candidate;
    use crate::serve::request::Request;
    use pseud_proto::Fault;
    use std::sync::atomic::AtomicUsize;
    use tracing::span::{Attributes, Id, Record};
    use tracing::subscriber::NoSubscriber;
    use tracing::{Event, Level, Metadata, Subscriber};

    /// Counts errors.
    struct Errors(Arc<AtomicUsize>);

    impl Subscriber for Errors {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() == Level::ERROR
        }

        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn l_10_a_domain_without_a_predicate_is_logged_once() {
        // Beside another one, tracing asks this subscriber, and not the thread of whichever test comes first.
        let _ = tracing::subscriber::set_global_default(NoSubscriber::new());
        let errors = Arc::new(AtomicUsize::new(0));
        tracing::subscriber::with_default(Errors(errors.clone()), || {
            let served = Served::own();
            for domain in ["a", "b", "a", "b", "a"] {
                served.log_missing(&domain.into());
            }
        });
        assert_eq!(errors.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_node_that_ends_opens_nothing_that_it_guarded() {
        let (name, served) = ("served::guarded by the node alone", Served::own());
        let handler = |_: Request| Ok::<_, Fault>(());
        Registry::global().register_sync(name, handler).unwrap();
        served.registry().predicate("default", |_| false);
        let before = served.snapshot();
        assert!(matches!(
            served.candidates(&before, name)[..],
            [Candidate { predicate: Predicate::Sync(_), .. }]
        ));
        // The node ends while requests that came in one read are still being looked at.
        served.end();
        for snapshot in [before, served.snapshot()] {
            assert!(served.candidates(&snapshot, name).is_empty());
            assert!(served.open(&snapshot, name).is_none());
        }
        assert!(Registry::global().unregister(name));
    }
}
