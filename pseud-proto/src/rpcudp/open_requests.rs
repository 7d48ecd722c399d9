//! Requests that are not answered yet: whose they are, and since when.

use super::source::host;
use crate::base::deadline;
use crate::base::slab::{Key, MachineId, Slab};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

#[derive(Debug)]
struct OpenDatagram {
    host: IpAddr,
    is_proven: bool,
    is_overdue: bool,
}

/// So many in all. A quarter of the places is for addresses that have answered a call of ours: forged
/// senders are as many hosts as somebody likes, and have none of those. Of the places that it may have at
/// all one host has three quarters at most, so that one that asks for what takes long does not keep out
/// others.
#[derive(Debug)]
pub(super) struct OpenRequests {
    open: Slab<OpenDatagram>,
    hosts: BTreeMap<IpAddr, usize>,
    /// Those of addresses that have proved nothing.
    strangers: usize,
    max: usize,
    timeout: Option<Duration>,
    /// In the order in which they came, which is that of their time-outs; what was answered since leaves
    /// at the front, or once it outweighs what is open.
    due: VecDeque<(Instant, Key)>,
}

impl OpenRequests {
    pub(super) fn new(machine: MachineId, max: usize, timeout: Option<Duration>) -> Self {
        let (hosts, due) = (BTreeMap::new(), VecDeque::new());
        Self { open: Slab::new(machine), hosts, strangers: 0, max, timeout, due }
    }

    pub(super) fn count(&self) -> usize {
        self.open.len()
    }

    /// Whether one more of that sender's has a place.
    pub(super) fn has_room(&self, from: SocketAddr, is_proven: bool) -> bool {
        let own = self.hosts.get(&host(from)).copied().unwrap_or_default();
        let strangers_max = without_a_quarter(self.max);
        let (is_any, may_have) = match is_proven {
            true => (true, self.max),
            false => (self.strangers < strangers_max, strangers_max),
        };
        is_any && self.count() < self.max && own < without_a_quarter(may_have)
    }

    pub(super) fn open(&mut self, from: SocketAddr, is_proven: bool, now: Instant) -> Key {
        let host = host(from);
        *self.hosts.entry(host).or_default() += 1;
        self.strangers += usize::from(!is_proven);
        let key = self.open.insert(OpenDatagram { host, is_proven, is_overdue: false });
        if let Some(timeout) = self.timeout {
            self.due.push_back((deadline::after(now, timeout), key));
        }
        key
    }

    pub(super) fn close(&mut self, key: Key) {
        let Some(closed) = self.open.remove(key) else { return };
        self.strangers -= usize::from(!closed.is_proven);
        if let Some(own) = self.hosts.get_mut(&closed.host) {
            *own -= 1;
            if *own == 0 {
                self.hosts.remove(&closed.host);
            }
        }
        if self.due.len() > 2 * self.open.len() + 16 {
            let open = &self.open;
            self.due.retain(|(_, key)| open.get(*key).is_some());
            self.due.shrink_to(2 * self.due.len() + 16);
        }
        self.forget_answered();
    }

    pub(super) fn is_overdue(&self, key: Key) -> bool {
        self.open.get(key).is_none_or(|open| open.is_overdue)
    }

    /// When the next of them is overdue.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.front().map(|(at, _)| *at)
    }

    /// One that has waited for as long as it may. It keeps its place until it is closed.
    pub(super) fn pop_overdue(&mut self, now: Instant) -> Option<Key> {
        let &(_, key) = self.due.front().filter(|(at, _)| *at <= now)?;
        self.due.pop_front();
        if let Some(open) = self.open.get_mut(key) {
            open.is_overdue = true;
        }
        self.forget_answered();
        Some(key)
    }

    /// Nobody is to be told of time-outs any more.
    pub(super) fn forget_due(&mut self) {
        self.due = VecDeque::new();
        self.timeout = None;
    }

    /// So that the front is always one that is open.
    fn forget_answered(&mut self) {
        while let Some((_, key)) = self.due.front()
            && self.open.get(*key).is_none()
        {
            self.due.pop_front();
        }
    }
}

fn without_a_quarter(places: usize) -> usize {
    places - places / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "192.0.2.1:1";
    const OTHER: &str = "192.0.2.2:1";

    fn places(max: usize) -> OpenRequests {
        OpenRequests::new(MachineId(1), max, Some(Duration::from_secs(60)))
    }

    fn take(open: &mut OpenRequests, from: &str, is_proven: bool) -> Vec<Key> {
        let (from, mut taken) = (from.parse().unwrap(), Vec::new());
        while open.has_room(from, is_proven) {
            taken.push(open.open(from, is_proven, Instant::now()));
        }
        taken
    }

    #[test]
    fn one_host_leaves_a_quarter_to_others() {
        let mut open = places(16);
        let taken = [take(&mut open, ONE, true), take(&mut open, OTHER, true)];
        assert_eq!(taken.each_ref().map(Vec::len), [12, 4]);
        for (key, left) in taken.concat().into_iter().zip((0..16).rev()) {
            open.close(key);
            open.close(key);
            assert_eq!(open.count(), left, "a place is given back once");
        }
        assert_eq!((open.strangers, open.hosts.len(), open.due.len()), (0, 0, 0));
    }

    #[test]
    fn strangers_leave_a_quarter_to_those_who_have_answered() {
        let mut open = places(16);
        let forged: usize =
            (1..=255).map(|host| take(&mut open, &format!("192.0.2.{host}:1"), false).len()).sum();
        assert_eq!(forged, 12);
        assert_eq!(take(&mut open, "203.0.113.1:1", true).len(), 4);
        let mut open = places(16);
        // An IPv6 host has a whole /64.
        let one = take(&mut open, "[2001:db8::1]:1", false).len();
        assert_eq!([one, take(&mut open, "[2001:db8::2]:1", false).len()], [9, 0]);
        assert_eq!(take(&mut open, "[2001:db8:0:1::1]:1", false).len(), 3);
        assert_eq!(open.strangers, 12);
    }

    #[test]
    fn limits_of_a_few_are_all_to_be_had_by_one() {
        for max in 0..4 {
            assert_eq!(take(&mut places(max), ONE, false).len(), max);
        }
    }

    #[test]
    fn overdue_is_told_once_and_takes_no_place_away() {
        let (mut open, now) = (places(8), Instant::now());
        let from = ONE.parse().unwrap();
        let [first, second] = [0, 1].map(|at| open.open(from, true, now + Duration::from_secs(at)));
        assert_eq!(open.next_due(), Some(now + Duration::from_secs(60)));
        assert_eq!(open.pop_overdue(now + Duration::from_secs(59)), None);
        assert_eq!(open.pop_overdue(now + Duration::from_secs(60)), Some(first));
        assert!(open.is_overdue(first) && !open.is_overdue(second));
        assert_eq!(open.pop_overdue(now + Duration::from_secs(60)), None);
        open.close(second);
        assert_eq!((open.next_due(), open.count()), (None, 1));
        for _ in 0..1_000 {
            let key = open.open(from, true, now);
            open.close(key);
        }
        assert!(open.due.len() <= 20, "{}", open.due.len());
    }
}
