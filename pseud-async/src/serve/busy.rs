//! Handlers that keep their link's task busy: nothing else of that link goes on meanwhile, PINGs neither.

use crate::engine::spare::{Spare, SpareKey};
use smol_str::SmolStr;
use std::time::Duration;

/// Longer than that nobody is to be kept waiting: a peer may take the link to be dead.
const TOO_LONG: Duration = Duration::from_secs(1);

thread_local! {
    static NAMES: Spare<SmolStr> = const { Spare::new() };
}

/// What requests that arrived together call: kept until their handlers have begun.
#[derive(Debug, Default)]
pub(crate) struct CalledMethods(Vec<SmolStr>);

impl CalledMethods {
    /// That one, too.
    #[inline]
    pub(crate) fn add(&mut self, name: &SmolStr) {
        if self.0.capacity() == 0 {
            self.0 = NAMES.take();
        }
        self.0.push(name.clone());
    }

    /// Those, too.
    pub(crate) fn extend(&mut self, mut more: Self) {
        if self.is_empty() {
            std::mem::swap(self, &mut more);
        } else {
            self.0.append(&mut more.0);
        }
    }

    /// Whether nothing was called.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Handlers of theirs, begun where their requests arrived, have had the link's task for so long before
    /// each answered, or waited for something.
    pub(crate) fn warn(&self, took: Duration) {
        if took < TOO_LONG || self.is_empty() {
            return;
        }
        let methods: Vec<_> = self.0.iter().map(|name| name.escape_debug().to_string()).collect();
        let (method, seconds) = (methods.join(", "), took.as_secs_f64());
        tracing::warn!(
            %method, seconds,
            "a handler kept its link busy: have what blocks or computes run by register_blocking"
        );
    }
}

impl Drop for CalledMethods {
    fn drop(&mut self) {
        if self.0.capacity() > 0 {
            NAMES.keep(std::mem::take(&mut self.0));
        }
    }
}
