use super::*;
use crate::engine::joining::Newcomer;
use crate::engine::seat::Seat;
use crate::runtime::tests::ByHand;
use std::collections::BTreeSet;
use std::task::Waker;

fn hub() -> Arc<Hub> {
    Arc::new(Hub::new(Arc::default(), ByHand::default()).unwrap())
}

fn join(hub: &Arc<Hub>, name: usize) -> Arc<Seat> {
    Newcomer::without_link(hub, PeerInfo::new(format!("peer {name}").into()))
}

fn leave(seat: &Seat) {
    seat.end(Reason::PeerGone);
}

/// Who is there as a stream's events say it, which are judged as they come.
#[derive(Default)]
struct Told {
    there: BTreeSet<PeerId>,
    joined: usize,
    lagged: u64,
}

impl Told {
    fn take(&mut self, event: &PresenceEvent) {
        match event {
            PresenceEvent::Joined { session, .. } => {
                assert!(self.there.insert(*session), "{session} joined twice");
                self.joined += 1;
            }
            PresenceEvent::Left { session, .. } => {
                assert!(self.there.remove(session), "{session} left and was not there");
            }
            PresenceEvent::Lagged(missed) => self.lagged += missed,
        }
    }

    /// Takes so many events at most; says whether there is nothing more to tell.
    fn read(&mut self, presence: &mut Presence, max: usize) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..max {
            match presence.poll_next(&mut cx) {
                Poll::Ready(Some(event)) => self.take(&event),
                Poll::Ready(None) | Poll::Pending => return true,
            }
        }
        false
    }
}

#[test]
fn first_who_is_there_then_what_changes() {
    let hub = hub();
    let peers: Vec<_> = (0..1_000).map(|name| join(&hub, name)).collect();
    let (mut presence, mut told) = (Presence::new(hub.clone()), Told::default());
    // Changes between pages: of one that was looked at, of one that was not, and of nobody known.
    assert!(!told.read(&mut presence, 10));
    leave(&peers[5]);
    leave(&peers[900]);
    let new = join(&hub, 1_001);
    let short = join(&hub, 1_002);
    leave(&short);
    assert!(told.read(&mut presence, usize::MAX));
    let mut there: BTreeSet<_> = peers.iter().map(|seat| seat.peer).collect();
    there.retain(|peer| presence.known.contains_key(peer));
    assert_eq!(there.len(), 998);
    there.insert(new.peer);
    assert_eq!((told.there, told.lagged), (there, 0));
}

#[test]
fn k_05_joins_and_leaves_alternate_and_a_slow_reader_ends_with_the_truth() {
    let (hub, mut luck) = (hub(), 1_u64);
    let (mut presence, mut told) = (Presence::new(hub.clone()), Told::default());
    let mut there = Vec::new();
    for step in 0..20_000 {
        luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let chance = (luck >> 33) as usize;
        match there.len() {
            0..300 => there.push(join(&hub, step)),
            count if chance.is_multiple_of(2) => leave(&there.swap_remove(chance % count)),
            _ => there.push(join(&hub, step)),
        }
        if chance.is_multiple_of(97) {
            told.read(&mut presence, chance % 50);
        }
    }
    assert!(told.read(&mut presence, usize::MAX));
    assert!(told.lagged > 1_000, "{}", told.lagged);
    assert_eq!(told.there, there.iter().map(|seat| seat.peer).collect());
    assert_eq!(presence.known.len(), told.there.len(), "it remembers no others");
}

#[test]
fn all_leave_with_the_node() {
    let hub = hub();
    let (mut presence, mut told) = (Presence::new(hub.clone()), Told::default());
    let there: Vec<_> = (0..600).map(|name| join(&hub, name)).collect();
    assert!(told.read(&mut presence, usize::MAX));
    hub.shutdown();
    assert!(told.read(&mut presence, usize::MAX));
    assert_eq!((told.joined, told.there.len()), (there.len(), 0));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(presence.poll_next(&mut cx), Poll::Ready(None)));
}
