//! What is looked at while a life goes on: who is there, how large tables are, and who is given up for
//! silence.

use super::book::Book;
use super::doors::{PINGS, SILENCE};
use pseud::{Limits, Node, PeerId, PresenceEvent, Reason};
use pseud_testkit::sim;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::time::{Duration, Instant};

/// How often the tables are looked at.
const LOOKS: Duration = Duration::from_millis(20);

/// A link looks at the silence of its peer as often as it sends PINGs, whose interval varies by a tenth;
/// what it tells is in milliseconds.
const TICK: Duration = Duration::from_millis(PINGS.as_millis() as u64 * 11 / 10);
const STEP: Duration = Duration::from_millis(1);

/// Watches a node till it ends. Holds it: it has to be ended.
pub(super) async fn watch(node: Node, limits: Limits, book: Book) {
    let mut presence = node.presence();
    // Who is there, and when it was last heard.
    let mut there = BTreeMap::<PeerId, Instant>::new();
    loop {
        let next = poll_fn(|cx| {
            let polled = presence.poll_next(cx);
            if polled.is_pending() {
                are_all_sessions(&node, &there);
            }
            polled
        });
        match sim::timeout(LOOKS, next).await {
            None => look(&node, &limits, &mut there),
            Some(None) => break,
            Some(Some(PresenceEvent::Joined { session, .. })) => {
                let before = there.insert(session, sim::now());
                assert!(before.is_none(), "{session:?} joined twice");
            }
            Some(Some(PresenceEvent::Left { session, reason, .. })) => {
                let heard = there.remove(&session).expect("who leaves has joined");
                match reason {
                    Some(Reason::HeartbeatTimeout) => {
                        is_in_time(sim::now() - heard);
                        book.count(|counts| counts.evictions += 1);
                    }
                    Some(Reason::Replaced) => book.count(|counts| counts.take_overs += 1),
                    _ => {}
                }
            }
            Some(Some(other)) => panic!("{other:?}: it is watched in time"),
        }
    }
    assert!(there.is_empty(), "sessions of a node that has ended: {there:?}");
}

/// Whoever keeps a set by what is told has the sessions that live, whenever nothing is to be told.
fn are_all_sessions(node: &Node, there: &BTreeMap<PeerId, Instant>) {
    let mut sessions: Vec<_> =
        node.all_sessions().iter().filter_map(|peer| peer.session()).collect();
    sessions.sort_unstable();
    assert!(sessions.iter().eq(there.keys()), "told of {there:?}, there are {sessions:?}");
}

fn look(node: &Node, limits: &Limits, there: &mut BTreeMap<PeerId, Instant>) {
    let stats = node.stats();
    let is_bounded = stats.calls_pending <= limits.calls_pending_max
        && stats.requests_open_bytes <= limits.requests_open_bytes_max
        && stats.queued_bytes <= limits.queue_bytes_total_max;
    assert!(is_bounded, "{stats:?}");
    let mut requests_open = 0;
    for peer in node.peers() {
        requests_open += peer.requests_open;
        let is_bounded = peer.calls_pending <= limits.calls_pending_per_peer_max
            && peer.requests_open <= limits.requests_open_per_peer_max;
        assert!(is_bounded, "{peer:?}");
        if let Some(heard) = there.get_mut(&peer.session) {
            *heard = (*heard).max(peer.last_heard);
        }
    }
    // Without those whose answers wait to be sent, whose bytes are bounded.
    assert!(requests_open <= limits.requests_open_max, "{requests_open} are open");
}

/// Nobody is given up for silence before its time, or much later.
fn is_in_time(silence: Duration) {
    let is_in_time = silence + STEP >= SILENCE && silence <= SILENCE + TICK;
    assert!(is_in_time, "given up after a silence of {silence:?}");
}
