//! Peers whose calls wait for what the node allows in all, and take turns.

use pseud_proto::PeerId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Those peers, in two lines. One that has [few](pseud_proto::Limits::CALLS_FEW) calls pending waits only
/// where nothing at all is free; it is in the line of those.
#[derive(Debug, Default)]
pub(crate) struct NodeRoom {
    lines: Mutex<Lines>,
    /// How many wait in each line.
    few: AtomicUsize,
    many: AtomicUsize,
    /// Somebody hands out what there is.
    pub(super) is_giving: AtomicBool,
}

#[derive(Debug, Default)]
struct Lines {
    /// In which line a peer waits: whether in that of those with few.
    known: BTreeMap<PeerId, bool>,
    few: VecDeque<PeerId>,
    many: VecDeque<PeerId>,
}

impl Lines {
    fn of(&mut self, has_few: bool) -> &mut VecDeque<PeerId> {
        if has_few { &mut self.few } else { &mut self.many }
    }

    fn leave(&mut self, peer: PeerId) {
        if let Some(has_few) = self.known.remove(&peer) {
            self.of(has_few).retain(|known| *known != peer);
        }
    }
}

impl NodeRoom {
    /// Changes who waits, and tells how many do.
    fn change<R>(&self, change: impl FnOnce(&mut Lines) -> R) -> R {
        let mut lines: MutexGuard<'_, Lines> =
            self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut lines);
        self.few.store(lines.few.len(), Ordering::SeqCst);
        self.many.store(lines.many.len(), Ordering::SeqCst);
        changed
    }

    /// Whether somebody waits before whom one with few calls pending, or with many, is not to come.
    pub(crate) fn is_wanted(&self, has_few: bool) -> bool {
        self.few.load(Ordering::SeqCst) > 0 || !has_few && self.many.load(Ordering::SeqCst) > 0
    }

    /// That peer waits for its turn, where it does not yet. Look whether there is room after this: who gave a
    /// place back before did not see it.
    pub(super) fn join(&self, peer: PeerId, has_few: bool) {
        self.change(|lines| {
            if lines.known.get(&peer).is_none_or(|known| has_few && !known) {
                lines.leave(peer);
                lines.known.insert(peer, has_few);
                lines.of(has_few).push_back(peer);
            }
        });
    }

    /// It waits no more.
    pub(super) fn leave(&self, peer: PeerId) {
        if self.is_wanted(false) {
            self.change(|lines| lines.leave(peer));
        }
    }

    /// Whose turn it is, where there is room for those with few calls pending, and for others.
    pub(super) fn next(&self, room_for: impl Fn(bool) -> bool) -> Option<PeerId> {
        self.change(|lines| {
            let few = lines.few.front().filter(|_| room_for(true));
            let peer = *few.or_else(|| lines.many.front().filter(|_| room_for(false)))?;
            lines.leave(peer);
            Some(peer)
        })
    }
}
