use super::*;
use crate::engine::joining::Newcomer;
use crate::engine::seat::Seat;
use crate::presence::feed::PresenceFeed;
use crate::runtime::tests::ByHand;
use bytes::Bytes;
use pseud_proto::User;
use std::task::Waker;
use std::time::Duration;

fn hub() -> Arc<Hub> {
    Arc::new(Hub::new(Arc::default(), ByHand::default()).unwrap())
}

fn join(hub: &Arc<Hub>, name: usize) -> Arc<Seat> {
    Newcomer::without_link(hub, PeerInfo::new(format!("peer {name}").into()))
}

fn leave(seat: &Seat) {
    seat.end(Reason::PeerGone);
}

/// A login that is told of, or one whose event is yet to come.
fn log_in(seat: &Seat, user: &'static str, is_told: bool) -> KeptEvent {
    let mut inner = seat.hub.lock();
    let info = inner.directory.login(seat.peer, User::new(user)).unwrap().info;
    drop(inner);
    let event = KeptEvent::logged_in(seat.peer, info);
    if is_told {
        tell(&seat.hub, &event);
    }
    event
}

fn tell(hub: &Hub, event: &KeptEvent) {
    let wakers = hub.lock().watchers.notify(event);
    wakers.into_iter().for_each(Waker::wake);
}

/// Who is there as a stream's events say it, which are judged as they come.
#[derive(Default)]
struct Told {
    there: BTreeMap<PeerId, Bytes>,
    joined: usize,
    lagged: u64,
}

impl Told {
    fn take(&mut self, event: &PresenceEvent) {
        match event {
            PresenceEvent::Joined { session, info, .. } => {
                let user = info.user.id().clone();
                assert!(self.there.insert(*session, user).is_none(), "{session} joined twice");
                self.joined += 1;
            }
            PresenceEvent::Left { session, info, .. } => {
                let joined = self.there.remove(session);
                assert_eq!(joined.as_ref(), Some(info.user.id()), "{session} left as another");
            }
            PresenceEvent::Lagged(missed) => self.lagged += missed,
        }
    }

    fn sessions(&self) -> Vec<PeerId> {
        self.there.keys().copied().collect()
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
    let mut there: Vec<_> = peers.iter().map(|seat| seat.peer).collect();
    there.retain(|peer| presence.known.contains_key(peer));
    assert_eq!(there.len(), 998);
    there.push(new.peer);
    there.sort_unstable();
    assert_eq!((told.sessions(), told.lagged), (there, 0));
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
    let mut there: Vec<_> = there.iter().map(|seat| seat.peer).collect();
    there.sort_unstable();
    assert_eq!(told.sessions(), there);
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

/// What waits for a reader when it begins is older than what it finds.
#[test]
fn a_login_before_the_first_look_is_told_once() {
    for is_told_later in [false, true] {
        let hub = hub();
        let (mut presence, mut told) = (Presence::new(hub.clone()), Told::default());
        let mut feed = PresenceFeed::new(&hub, Duration::ZERO);
        let alice = join(&hub, 1);
        let login = log_in(&alice, "alice", !is_told_later);
        assert!(told.read(&mut presence, usize::MAX));
        assert_eq!(told.there.get(&alice.peer).map(|user| &user[..]), Some(&b"alice"[..]));
        if is_told_later {
            tell(&hub, &login);
        }
        assert!(told.read(&mut presence, usize::MAX));
        assert_eq!(told.joined, 1);
        leave(&alice);
        assert!(told.read(&mut presence, usize::MAX));
        assert!(told.there.is_empty() && presence.known.is_empty());
        let mut cx = Context::from_waker(Waker::noop());
        let mut last = None;
        while let Poll::Ready(change) = feed.poll_next(&mut cx) {
            last = change;
        }
        assert!(last.is_none_or(|change| !change.is_connected));
    }
}

#[test]
fn a_login_among_what_was_missed_is_told() {
    let hub = hub();
    let (mut presence, mut told) = (Presence::new(hub.clone()), Told::default());
    let mut feed = PresenceFeed::new(&hub, Duration::ZERO);
    let mut cx = Context::from_waker(Waker::noop());
    let alice = join(&hub, 1);
    assert!(told.read(&mut presence, usize::MAX));
    let mut changes = Vec::new();
    let mut read = |changes: &mut Vec<_>| {
        while let Poll::Ready(Some(change)) = feed.poll_next(&mut cx) {
            changes.push((format!("{:?}", change.who), change.is_connected));
        }
    };
    read(&mut changes);
    log_in(&alice, "alice", true);
    (0..500).for_each(|name| leave(&join(&hub, 2 + name)));
    assert!(told.read(&mut presence, usize::MAX));
    read(&mut changes);
    assert!(told.lagged > 0);
    assert_eq!(told.there.get(&alice.peer).map(|user| &user[..]), Some(&b"alice"[..]));
    leave(&alice);
    assert!(told.read(&mut presence, usize::MAX));
    read(&mut changes);
    assert!(told.there.is_empty());
    let of_alice =
        |(who, is_connected): &(String, bool)| who.contains("User").then_some(*is_connected);
    assert_eq!(changes.iter().filter_map(of_alice).collect::<Vec<_>>(), [true, false]);
    let there = changes.iter().map(|(_, is_connected)| if *is_connected { 1 } else { -1 });
    assert_eq!(there.sum::<i32>(), 0, "a stranger is there for ever: {changes:?}");
}

/// An event waits always: who has left unseen is swept all the same.
#[test]
fn k_05_what_a_slow_reader_holds_is_bounded_beside_churn_that_does_not_end() {
    let hub = hub();
    let (mut presence, mut told) = (Presence::new(hub.clone()), Told::default());
    let mut there = VecDeque::new();
    for step in 0..30_000 {
        there.push_back(join(&hub, step));
        if there.len() > 8 {
            leave(&there.pop_front().unwrap());
        }
        assert!(step % 2 == 0 || step < 1_000 || !told.read(&mut presence, 1));
        let known = presence.known.len();
        assert!(known <= 8 + 2 * 256 + PAGE_MAX, "{known} after {step} joins");
    }
    assert!(told.lagged > 1_000, "{}", told.lagged);
    assert!(told.read(&mut presence, usize::MAX));
    assert_eq!(told.sessions(), presence.known.keys().copied().collect::<Vec<_>>());
    assert_eq!(told.there.len(), there.len());
}
