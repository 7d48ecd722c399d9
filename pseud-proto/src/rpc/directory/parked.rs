//! Calls that wait for whom they are for.

use crate::base::deadline::Next;
use crate::base::slab::{Key, MachineId, Slab};
use crate::error::Reason;
use crate::rpc::session::entry::NewCall;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Instant;

/// Whom a call waits for. Ids of different kinds never meet, though their bytes be the same.
///
/// Closed: a driver must see to each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Awaited {
    /// Whoever holds that identity.
    Identity(Bytes),
    /// A session of that user.
    User(Bytes),
    /// Whoever is known as that: see [`To::Known`](crate::To).
    Known(Bytes),
}

impl Awaited {
    /// Nobody has an empty id of any kind.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Identity(id) | Self::User(id) | Self::Known(id) => id.is_empty(),
        }
    }
}

#[derive(Debug)]
struct Waiting {
    call: NewCall,
    whom: Awaited,
    /// Its place in that line.
    place: u64,
    /// When it gives up waiting.
    until: Instant,
    /// Whether it is for the configured server.
    to_server: bool,
    cost: usize,
}

/// Those who wait for one, in order of coming.
#[derive(Debug, Default)]
struct Line {
    calls: BTreeMap<u64, Key>,
    bytes: usize,
}

/// The waiting calls.
#[derive(Debug)]
pub(crate) struct Parked {
    slab: Slab<Waiting>,
    lines: BTreeMap<Awaited, Line>,
    /// Places given so far.
    places: u64,
    pub(crate) next: Next,
}

impl Parked {
    pub(crate) fn new(machine: MachineId) -> Self {
        Self { slab: Slab::new(machine), lines: BTreeMap::new(), places: 0, next: Next::default() }
    }

    /// Lets a call wait until then.
    pub(crate) fn park(
        &mut self,
        whom: Awaited,
        call: NewCall,
        until: Instant,
        to_server: bool,
    ) -> Key {
        self.places += 1;
        let (place, cost) = (self.places, call.outbound.cost());
        self.next.note(until);
        let key =
            self.slab.insert(Waiting { call, whom: whom.clone(), place, until, to_server, cost });
        let line = self.lines.entry(whom).or_default();
        line.calls.insert(place, key);
        line.bytes += cost;
        key
    }

    /// Entries and bytes that wait for that.
    pub(crate) fn size(&self, whom: &Awaited) -> (usize, usize) {
        self.lines.get(whom).map_or((0, 0), |line| (line.calls.len(), line.bytes))
    }

    /// That call waits no more. A line goes with its last.
    pub(crate) fn remove(&mut self, key: Key) -> Option<NewCall> {
        let Waiting { call, whom, place, cost, .. } = self.slab.remove(key)?;
        if let Some(line) = self.lines.get_mut(&whom) {
            line.calls.remove(&place);
            line.bytes -= cost;
            if line.calls.is_empty() {
                self.lines.remove(&whom);
            }
        }
        if self.slab.is_empty() {
            self.next.clear();
        }
        Some(call)
    }

    /// Somebody came: what waited for that, in order.
    pub(crate) fn take(&mut self, whom: &Awaited) -> Vec<NewCall> {
        let keys: Vec<_> = self
            .lines
            .get(whom)
            .map(|line| line.calls.values().copied().collect())
            .unwrap_or_default();
        keys.into_iter().filter_map(|key| self.remove(key)).collect()
    }

    /// All, or only what waits for the configured server.
    pub(crate) fn take_all(&mut self, only_to_server: bool) -> Vec<NewCall> {
        let waits = |waiting: &Waiting| waiting.to_server || !only_to_server;
        let keys: Vec<_> =
            self.slab.iter().filter(|(_, waiting)| waits(waiting)).map(|(key, _)| key).collect();
        keys.into_iter().filter_map(|key| self.remove(key)).collect()
    }

    /// Those whose time is up, and why they end, where `no_link` is why the server is not there. The
    /// earliest moment of the others becomes the next one.
    pub(crate) fn overdue(&mut self, now: Instant, no_link: Reason) -> Vec<(NewCall, Reason)> {
        self.next.clear();
        let mut overdue = Vec::new();
        for (key, waiting) in self.slab.iter() {
            match waiting.until {
                at if at <= now && waiting.to_server => overdue.push((key, no_link)),
                at if at <= now => overdue.push((key, Reason::NotConnected)),
                at => self.next.note(at),
            }
        }
        let ended = overdue.into_iter();
        ended.filter_map(|(key, why)| Some((self.remove(key)?, why))).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.slab.len()
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
            let to = To::Identity(format!("{n}").into());
            let call = endpoint.call(to, "x", body.clone(), CallOptions::default(), now).unwrap();
            if n >= 10 {
                endpoint.cancel(call, now);
            }
            assert_eq!(endpoint.directory.parked.lines.len(), (n + 1).min(10));
        }
        endpoint.handle_timeout(now + Config::default().unroutable_timeout);
        assert_eq!(endpoint.directory.parked.lines.len(), 0);
        assert_eq!(endpoint.poll_timeout(), None);
    }
}
