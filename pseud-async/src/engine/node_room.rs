//! Peers whose calls wait for what the node allows in all, and take turns.

use pseud_proto::PeerId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Room for so many is kept while nobody waits.
const KEPT_MAX: usize = 16;

/// Those peers, in two lines. One that has [few](pseud_proto::Limits::CALLS_FEW) calls pending waits only
/// where nothing at all is free; it is in the line of those.
#[derive(Debug, Default)]
pub(crate) struct NodeRoom {
    lines: Mutex<Lines>,
    /// How many wait in each line.
    few: AtomicUsize,
    many: AtomicUsize,
    /// Somebody hands out what there is.
    is_giving: AtomicBool,
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
            self.shrink();
        }
    }

    fn next(&mut self, has_few: bool) -> Option<PeerId> {
        let peer = self.of(has_few).pop_front()?;
        self.known.remove(&peer);
        self.shrink();
        Some(peer)
    }

    /// What a crowd needed is given back.
    fn shrink(&mut self) {
        for line in [&mut self.few, &mut self.many] {
            if line.is_empty() && line.capacity() > KEPT_MAX {
                *line = VecDeque::new();
            }
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
    #[inline]
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

    /// Has each peer take its turn as long as there is room for those with few calls pending, or for others.
    ///
    /// One at a time, who looks again when that is over: whoever gave a place back meanwhile has left it to
    /// that one.
    pub(crate) fn give_turns(&self, room_for: impl Fn(bool) -> bool, mut give: impl FnMut(PeerId)) {
        while self.has_turn(&room_for) && !self.is_giving.swap(true, Ordering::SeqCst) {
            let giving = Giving(&self.is_giving);
            if let Some(peer) = self.next(&room_for) {
                give(peer);
            }
            drop(giving);
        }
    }

    /// Whether it is anybody's turn.
    fn has_turn(&self, room_for: impl Fn(bool) -> bool) -> bool {
        let waits = |line: &AtomicUsize| line.load(Ordering::SeqCst) > 0;
        waits(&self.few) && room_for(true) || waits(&self.many) && room_for(false)
    }

    /// Whose turn it is.
    fn next(&self, room_for: impl Fn(bool) -> bool) -> Option<PeerId> {
        self.change(|lines| {
            let has_few = !lines.few.is_empty() && room_for(true);
            if !has_few && (lines.many.is_empty() || !room_for(false)) {
                return None;
            }
            lines.next(has_few)
        })
    }
}

/// Who hands out what there is, until that is done, or a waker of a user's has panicked.
struct Giving<'a>(&'a AtomicBool);

impl Drop for Giving<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::hub::Hub;
    use crate::engine::joining::Newcomer;
    use crate::runtime::tests::ByHand;
    use pseud_proto::Config;
    use pseud_proto::peer::PeerInfo;
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    fn peers<const N: usize>() -> [PeerId; N] {
        let hub = Arc::new(Hub::new(Arc::new(Config::default()), ByHand::default()).unwrap());
        [(); N].map(|()| Newcomer::without_link(&hub, PeerInfo::new("".into())).peer)
    }

    #[test]
    fn a_place_that_is_free_while_another_looks_is_given_by_that_one() {
        for has_few in [false, true] {
            let (room, [peer]) = (NodeRoom::default(), peers());
            room.join(peer, has_few);
            let (looks, is_free, given) = (Cell::new(0), Cell::new(false), Cell::new(None));
            room.give_turns(
                |few| {
                    if few != has_few {
                        return false;
                    }
                    looks.set(looks.get() + 1);
                    // Of two looks the first says that it is worth while, the second finds the place taken again.
                    if looks.get() == 2 {
                        is_free.set(true);
                        // Whoever gives one back at this moment finds that somebody is at it.
                        room.give_turns(|few| few == has_few, |_| panic!("one at a time"));
                        return false;
                    }
                    looks.get() == 1 || is_free.get()
                },
                |peer| given.set(Some(peer)),
            );
            assert_eq!(given.get(), Some(peer), "few: {has_few}");
        }
    }

    #[test]
    fn a_crowd_leaves_no_room_behind() {
        let (room, crowd) = (NodeRoom::default(), peers::<100>());
        for leaves in [false, true] {
            crowd.iter().for_each(|peer| room.join(*peer, true));
            match leaves {
                true => crowd.iter().for_each(|peer| room.leave(*peer)),
                false => room.give_turns(|_| true, |_| ()),
            }
            assert!(room.change(|lines| lines.few.capacity()) <= KEPT_MAX);
        }
    }

    #[test]
    fn who_has_few_calls_comes_first_and_others_do_not_stand_in_the_way() {
        let (room, [many, few]) = (NodeRoom::default(), peers());
        room.join(many, false);
        room.join(few, true);
        let mut given = Vec::new();
        room.give_turns(|has_few| has_few, |peer| given.push(peer));
        assert_eq!(given, [few], "there is room for those alone");
        room.give_turns(|_| true, |peer| given.push(peer));
        assert_eq!(given, [few, many]);
        assert!(!room.is_wanted(false));
    }

    #[test]
    fn a_panic_in_a_turn_stops_no_other() {
        let (room, [first, second]) = (NodeRoom::default(), peers());
        room.join(first, true);
        room.join(second, true);
        let turn = AssertUnwindSafe(|| room.give_turns(|_| true, |_| panic!("a waker's")));
        assert!(catch_unwind(turn).is_err());
        let mut given = Vec::new();
        room.give_turns(|_| true, |peer| given.push(peer));
        assert_eq!(given, [second]);
    }
}
