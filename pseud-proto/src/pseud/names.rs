//! Routing id → session: who holds a name now, and the calls that wait for somebody to hold it.

use super::calls::Calls;
use super::session::{Queue, Queued};
use crate::call::PeerId;
use crate::config::Limits;
use bytes::Bytes;
use std::collections::BTreeMap;

/// The identity table. Sessions, not names, own calls: a name only says which session is meant now.
#[derive(Debug, Default)]
pub(super) struct Names {
    holders: BTreeMap<Bytes, PeerId>,
    parked: BTreeMap<Bytes, Queue>,
    /// Entries of all parked queues, and how many of them are over at most.
    entries: usize,
    over: usize,
}

impl Names {
    pub(super) fn holder(&self, name: &[u8]) -> Option<PeerId> {
        self.holders.get(name).copied()
    }

    /// The newest link takes the name. Returns who held it, and what waited for it.
    pub(super) fn take(&mut self, name: Bytes, peer: PeerId) -> (Option<PeerId>, Queue) {
        let parked = self.parked.remove(&name).unwrap_or_default();
        self.entries -= parked.len();
        (self.holders.insert(name, peer), parked)
    }

    /// That session holds the name no more. A newer holder stays.
    pub(super) fn release(&mut self, name: &Bytes, peer: PeerId) {
        if self.holder(name) == Some(peer) {
            self.holders.remove(name);
        }
    }

    /// Lets a call wait for that name.
    pub(super) fn park(&mut self, name: Bytes, entry: Queued) {
        self.parked.entry(name).or_default().push(entry);
        self.entries += 1;
    }

    /// Entries and bytes that wait for that name.
    pub(super) fn parked(&mut self, name: &[u8], calls: &Calls, limits: &Limits) -> (usize, usize) {
        let Some(queue) = self.parked.get_mut(name) else { return (0, 0) };
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
        self.parked.retain(|_, queue| {
            queue.sweep(calls);
            !queue.is_empty()
        });
        self.entries = self.parked.values().map(Queue::len).sum();
        self.over = 0;
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::pseud::Endpoint;
    use crate::{CallOptions, Packed, To};
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
            assert!(endpoint.names.parked.len() <= 22, "{}", endpoint.names.parked.len());
        }
        endpoint.handle_timeout(now + Config::default().unroutable_timeout);
        assert_eq!((endpoint.names.parked.len(), endpoint.names.entries), (0, 0));
        assert_eq!(endpoint.poll_timeout(), None);
    }
}
