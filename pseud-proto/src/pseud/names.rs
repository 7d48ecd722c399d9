//! Routing id → session: who holds a name now, and the calls that wait for somebody to hold it.

use super::session::{Queue, Queued};
use crate::call::PeerId;
use bytes::Bytes;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Name {
    pub(super) holder: Option<PeerId>,
    pub(super) parked: Queue,
}

/// The identity table. Sessions, not names, own calls: a name only says which session is meant now.
#[derive(Debug, Default)]
pub(super) struct Names {
    table: BTreeMap<Bytes, Name>,
}

impl Names {
    pub(super) fn holder(&self, name: &[u8]) -> Option<PeerId> {
        self.table.get(name)?.holder
    }

    /// The newest link takes the name. Returns who held it, and what waited for it.
    pub(super) fn take(&mut self, name: Bytes, peer: PeerId) -> (Option<PeerId>, Queue) {
        let entry = self.table.entry(name).or_default();
        (entry.holder.replace(peer), std::mem::take(&mut entry.parked))
    }

    /// Lets a call wait for that name.
    pub(super) fn park(&mut self, name: Bytes, entry: Queued) {
        self.table.entry(name).or_default().parked.push(entry);
    }

    /// The queue of those who wait for that name, if anybody does.
    pub(super) fn parked(&mut self, name: &[u8]) -> Option<&mut Queue> {
        Some(&mut self.table.get_mut(name)?.parked)
    }

    /// That session holds the name no more. A newer holder stays.
    pub(super) fn release(&mut self, name: &Bytes, peer: PeerId) {
        if let Some(entry) = self.table.get_mut(name) {
            entry.holder = entry.holder.filter(|&holder| holder != peer);
        }
        self.forget_if_unused(name);
    }

    /// Sweeps what waits under all names.
    pub(super) fn sweep(&mut self, mut sweep: impl FnMut(&mut Queue)) {
        self.table.retain(|_, entry| {
            if !entry.parked.is_empty() {
                sweep(&mut entry.parked);
            }
            entry.holder.is_some() || !entry.parked.is_empty()
        });
    }

    fn forget_if_unused(&mut self, name: &Bytes) {
        let unused = |entry: &Name| entry.holder.is_none() && entry.parked.is_empty();
        if self.table.get(name).is_some_and(unused) {
            self.table.remove(name);
        }
    }
}
