//! Requests that are not answered yet, and whose they are.

use super::source::host;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// So many in all; one host has three quarters of the places at most, so that one that asks for what takes
/// long does not keep out all others. Forged senders are many hosts: nothing here helps against those.
#[derive(Debug, Default)]
pub(super) struct OpenRequests {
    count: usize,
    hosts: BTreeMap<IpAddr, usize>,
}

impl OpenRequests {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether one more of that sender's has a place, of `max`.
    pub(super) fn has_room(&self, from: SocketAddr, max: usize) -> bool {
        let own = self.hosts.get(&host(from)).copied().unwrap_or_default();
        self.count < max && own < max - max / 4
    }

    pub(super) fn take(&mut self, from: SocketAddr) {
        *self.hosts.entry(host(from)).or_default() += 1;
        self.count += 1;
    }

    pub(super) fn give_back(&mut self, from: SocketAddr) {
        let Some(own) = self.hosts.get_mut(&host(from)) else { return };
        *own -= 1;
        if *own == 0 {
            self.hosts.remove(&host(from));
        }
        self.count -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "192.0.2.1:1";
    const OTHER: &str = "192.0.2.2:1";

    fn take(open: &mut OpenRequests, from: &str, max: usize) -> usize {
        let from = from.parse().unwrap();
        let mut taken = 0;
        while open.has_room(from, max) {
            open.take(from);
            taken += 1;
        }
        taken
    }

    #[test]
    fn one_host_leaves_a_quarter_to_others() {
        let mut open = OpenRequests::default();
        assert_eq!([take(&mut open, ONE, 8), take(&mut open, OTHER, 8), open.count()], [6, 2, 8]);
        for _ in 0..6 {
            open.give_back(ONE.parse().unwrap());
        }
        assert_eq!((open.count(), open.hosts.len()), (2, 1));
        open.give_back(OTHER.parse().unwrap());
        open.give_back(OTHER.parse().unwrap());
        open.give_back(OTHER.parse().unwrap());
        assert_eq!((open.count(), open.hosts.len()), (0, 0));
    }

    #[test]
    fn limits_of_a_few_are_all_to_be_had_by_one() {
        for max in 0..4 {
            assert_eq!(take(&mut OpenRequests::default(), ONE, max), max);
        }
    }
}
