//! Calls that wait for whom they are for.

use crate::rpc::calls::Calls;
use crate::rpc::session::{Queue, Queued};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Whom a call waits for. Ids of different kinds never meet, though their bytes be the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Awaited {
    /// Whoever holds that routing id.
    RoutingId(Bytes),
    /// A session of that user.
    User(Bytes),
    /// Whoever is known as that: see [`To::Known`](crate::To).
    Known(Bytes),
}

impl Awaited {
    /// Nobody has an empty id of any kind.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::RoutingId(id) | Self::User(id) | Self::Known(id) => id.is_empty(),
        }
    }
}

/// The waiting calls.
#[derive(Debug, Default)]
pub(crate) struct Parked {
    queues: BTreeMap<Awaited, Queue>,
}

impl Parked {
    /// Somebody came: what waited for that.
    pub(crate) fn take(&mut self, whom: &Awaited) -> Queue {
        self.queues.remove(whom).unwrap_or_default()
    }

    /// Lets a call wait.
    pub(crate) fn park(&mut self, whom: Awaited, entry: Queued) {
        self.queues.entry(whom).or_default().push(entry);
    }

    /// Entries and bytes that wait for that.
    pub(crate) fn size(&self, whom: &Awaited) -> (usize, usize) {
        self.queues.get(whom).map_or((0, 0), |queue| (queue.len(), queue.bytes()))
    }

    /// A call that waited for that, and whose entry takes that much, is over. A queue goes with the
    /// last that lives.
    pub(crate) fn call_over(&mut self, whom: &Awaited, cost: usize, calls: &Calls) {
        let Some(queue) = self.queues.get_mut(whom) else { return };
        queue.call_over(cost, calls);
        if queue.is_empty() {
            self.queues.remove(whom);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::call::{CallOptions, To};
    use crate::pseud::Endpoint;
    use crate::rpc::config::Config;
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
            assert_eq!(endpoint.parked.queues.len(), (n + 1).min(10));
        }
        endpoint.handle_timeout(now + Config::default().unroutable_timeout);
        assert_eq!(endpoint.parked.queues.len(), 0);
        assert_eq!(endpoint.poll_timeout(), None);
    }
}
