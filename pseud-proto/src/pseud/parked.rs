//! Calls that wait for whom they are for.

use super::calls::Calls;
use super::session::{Queue, Queued};
use crate::config::Limits;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Whom a call waits for. Ids of different kinds never meet, though their bytes be the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Awaited {
    /// Whoever holds that routing id.
    RoutingId(Bytes),
    /// A session of that user.
    User(Bytes),
    /// Whoever is known as that: see [`To::Known`](crate::To).
    Known(Bytes),
}

impl Awaited {
    /// Nobody has an empty id of any kind.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::RoutingId(id) | Self::User(id) | Self::Known(id) => id.is_empty(),
        }
    }
}

/// The waiting calls.
#[derive(Debug, Default)]
pub(super) struct Parked {
    queues: BTreeMap<Awaited, Queue>,
    /// Entries of all queues, and how many of them are over at most.
    entries: usize,
    over: usize,
}

impl Parked {
    /// Somebody came: what waited for that.
    pub(super) fn take(&mut self, whom: &Awaited) -> Queue {
        let queue = self.queues.remove(whom).unwrap_or_default();
        self.entries -= queue.len();
        queue
    }

    /// Lets a call wait.
    pub(super) fn park(&mut self, whom: Awaited, entry: Queued) {
        self.queues.entry(whom).or_default().push(entry);
        self.entries += 1;
    }

    /// Entries and bytes that wait for that.
    pub(super) fn size(
        &mut self,
        whom: &Awaited,
        calls: &Calls,
        limits: &Limits,
    ) -> (usize, usize) {
        let Some(queue) = self.queues.get_mut(whom) else { return (0, 0) };
        let before = queue.len();
        let size = queue.size(calls, limits);
        self.entries -= before - queue.len();
        size
    }

    /// A call that was parked is over. Its entry goes with a sweep, made when half of them are over:
    /// so an end costs a few steps at most, and nothing stays when all are.
    pub(super) fn call_over(&mut self, calls: &Calls) {
        self.over += 1;
        if self.over.saturating_mul(2) > self.entries {
            self.sweep(calls);
        }
    }

    fn sweep(&mut self, calls: &Calls) {
        self.queues.retain(|_, queue| {
            queue.sweep(calls);
            !queue.is_empty()
        });
        self.entries = self.queues.values().map(Queue::len).sum();
        self.over = 0;
    }
}

#[cfg(test)]
mod tests {
    use crate::call::{CallOptions, To};
    use crate::config::Config;
    use crate::pseud::Endpoint;
    use crate::value::Packed;
    use std::sync::Arc;
    use std::time::Instant;

    #[test]
    fn calls_given_up_under_ever_new_names_leave_nothing() {
        let (mut endpoint, now) =
            (Endpoint::new(Arc::new(Config::default()), [1; 32]), Instant::now());
        let body = Packed::call(&(), &()).unwrap();
        for n in 0..10_000 {
            let to = To::Name(format!("{n}").into());
            let call = endpoint.call(to, "x", body.clone(), CallOptions::default(), now).unwrap();
            if n >= 10 {
                endpoint.cancel(call, now);
            }
            assert!(endpoint.parked.queues.len() <= 22, "{}", endpoint.parked.queues.len());
        }
        endpoint.handle_timeout(now + Config::default().unroutable_timeout);
        assert_eq!((endpoint.parked.queues.len(), endpoint.parked.entries), (0, 0));
        assert_eq!(endpoint.poll_timeout(), None);
    }
}
