//! Requests of many sessions, kept, charged, answered and left in any order: a model beside them.

use super::{Node, Told, arrived, ok, pulled};
use pseud_proto::pseud::Dropped;
use pseud_proto::session::{Arrived, Session};
use pseud_proto::{Reason, RequestId, Ticket};
use std::collections::BTreeMap;
use std::time::Instant;

/// A request that its driver has, and how it has it.
enum Held {
    Arrived(Arrived),
    Kept(Ticket),
}

/// A session, and what is known of its requests.
struct Peer {
    session: Session,
    next: u32,
    /// Those that are open, by their ids on the wire: which request each is, and the bytes that it takes.
    open: BTreeMap<u32, (Held, RequestId, usize)>,
    /// Ids of those that came, the newest last.
    came: Vec<u32>,
    answered: Vec<u32>,
}

/// Whatever becomes of requests, and in whatever order: what is counted is what is open, no id that is open or
/// remembered comes twice, each is answered once, and each that is open at its session's end is told of it once.
#[test]
fn requests_of_many_sessions_are_counted_exactly_and_answered_once() {
    for seed in 0..120_u64 {
        let mut luck = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut dice = move |sides: usize| {
            luck ^= luck << 13;
            luck ^= luck >> 7;
            luck ^= luck << 17;
            (luck >> 11) as usize % sides
        };
        let (all, each, remembered) = (dice(10), dice(100), [0, 1, 2, 9, 40][dice(5)]);
        let all = if seed % 3 == 0 { 300 } else { all };
        let node = Node::new(seed as u8, |config| {
            config.limits.requests_open_max = all;
            config.limits.requests_open_per_peer_max = each;
            config.limits.requests_remembered_max = remembered;
            config.limits.flood.burst = 1_000_000;
        });
        let peer = |name| Peer {
            session: node.session(name),
            next: 0,
            open: BTreeMap::new(),
            came: Vec::new(),
            answered: Vec::new(),
        };
        let mut peers = vec![peer("a"), peer("b")];
        let mut told = Told::default();
        let mut ended: Vec<Peer> = Vec::new();
        for step in 0..600 {
            let at = dice(peers.len());
            let others: usize = peers.iter().chain(&ended).map(|peer| peer.open.len()).sum();
            let peer = &mut peers[at];
            match dice(12) {
                0..=4 => {
                    let again = dice(4) == 0 && !peer.came.is_empty();
                    let id = match again {
                        true => peer.came[dice(peer.came.len())],
                        false => peer.next,
                    };
                    let is_known = peer.open.contains_key(&id)
                        || peer.came.iter().rev().take(remembered).any(|known| *known == id);
                    let before = node.budget.taken().request_bytes;
                    let got = arrived(&mut peer.session, id, &node.budget, &mut told);
                    if is_known {
                        assert!(got.is_none(), "{seed} {step}: {id} came twice");
                        continue;
                    }
                    peer.next += u32::from(!again);
                    peer.came.push(id);
                    let room = peer.open.len() < each && others < all;
                    if !room {
                        assert!(got.is_none(), "{seed} {step}: over the limit");
                        peer.answered.push(id);
                        continue;
                    }
                    match got {
                        Some(got) => {
                            let bytes = node.budget.taken().request_bytes - before;
                            let request = got.request();
                            peer.open.insert(id, (Held::Arrived(got), request, bytes));
                        }
                        // The last quarter is for who has few.
                        None => {
                            assert!(others >= all - all / 4, "{seed} {step}: {others} of {all}");
                            peer.answered.push(id);
                        }
                    }
                }
                5..=6 => {
                    let Some(id) = peer.open.keys().nth(dice(peer.open.len().max(1))).copied()
                    else {
                        continue;
                    };
                    let (held, request, bytes) = peer.open.remove(&id).unwrap();
                    let held = match held {
                        Held::Arrived(arrived) => Held::Kept(peer.session.keep(arrived)),
                        kept => kept,
                    };
                    assert!(peer.session.is_awaited(request));
                    peer.open.insert(id, (held, request, bytes));
                }
                7 => {
                    let Some(id) = peer.open.keys().nth(dice(peer.open.len().max(1))).copied()
                    else {
                        continue;
                    };
                    let (held, request, taken) = peer.open.get_mut(&id).unwrap();
                    let more = dice(5_000);
                    match held {
                        Held::Arrived(arrived) => {
                            peer.session.charge_arrived(arrived, more).unwrap();
                        }
                        Held::Kept(_) => peer.session.charge(*request, more).unwrap(),
                    }
                    *taken += more;
                }
                8..=10 => {
                    let ids: Vec<u32> =
                        peer.open.keys().copied().filter(|_| dice(3) == 0).collect();
                    let mut together = Vec::new();
                    for id in ids {
                        let (held, request, _) = peer.open.remove(&id).unwrap();
                        assert!(peer.session.is_awaited(request));
                        match held {
                            Held::Arrived(arrived) => together.push((arrived, ok(id))),
                            Held::Kept(ticket) => {
                                peer.session.reply(ticket, ok(id), Instant::now(), &mut told);
                            }
                        }
                        peer.answered.push(id);
                    }
                    peer.session.answer_all(together, Instant::now(), &mut told);
                }
                _ if dice(12) == 0 && ended.len() < 4 => {
                    told.cancelled.clear();
                    match dice(2) {
                        0 => peer.session.close(Reason::Replaced, &mut told),
                        _ => peer.session.handle_gone(Reason::PeerGone, &mut told),
                    }
                    let mut open: Vec<_> = peer.open.values().map(|(_, id, _)| *id).collect();
                    open.sort();
                    assert_eq!(told.cancelled, open, "{seed} {step}");
                    assert!(open.iter().all(|request| !peer.session.is_awaited(*request)));
                    let fresh = Peer {
                        session: node.session("c"),
                        next: 0,
                        open: BTreeMap::new(),
                        came: Vec::new(),
                        answered: Vec::new(),
                    };
                    ended.push(std::mem::replace(peer, fresh));
                }
                _ if dice(3) == 0 && !ended.is_empty() => {
                    // Its last requests are answered to nobody, or never.
                    let mut gone = ended.swap_remove(dice(ended.len()));
                    let before = told.stats.dropped(Dropped::CallerGone);
                    let mut count = 0;
                    for (held, ..) in std::mem::take(&mut gone.open).into_values() {
                        match (dice(2), held) {
                            (0, _) => continue,
                            (_, Held::Arrived(arrived)) => {
                                gone.session.answer(arrived, ok(0), Instant::now(), &mut told);
                            }
                            (_, Held::Kept(ticket)) => {
                                gone.session.reply(ticket, ok(0), Instant::now(), &mut told);
                            }
                        }
                        count += 1;
                    }
                    assert_eq!(told.stats.dropped(Dropped::CallerGone), before + count);
                }
                _ => {
                    let mut sent: Vec<u32> = pulled(&mut peer.session, &mut told)
                        .iter()
                        .map(|(parts, token)| {
                            peer.session.handle_written(*token);
                            u32::from_be_bytes(parts.get(2).unwrap().try_into().unwrap())
                        })
                        .collect();
                    let mut answered = std::mem::take(&mut peer.answered);
                    sent.sort_unstable();
                    answered.sort_unstable();
                    assert_eq!(sent, answered, "{seed} {step}: each once");
                }
            }
            let open = peers.iter().chain(&ended).map(|peer| peer.open.len()).sum::<usize>();
            let bytes: usize = peers
                .iter()
                .chain(&ended)
                .flat_map(|peer| peer.open.values())
                .map(|(_, _, bytes)| bytes)
                .sum();
            let taken = node.budget.taken();
            assert_eq!((taken.requests, taken.request_bytes), (open, bytes), "{seed} {step}");
            for peer in peers.iter().chain(&ended) {
                assert_eq!(peer.session.requests_open(), peer.open.len());
            }
        }
        drop((peers, ended));
        let taken = node.budget.taken();
        let rest = (taken.requests, taken.request_bytes, taken.output_bytes, taken.sessions);
        assert_eq!(rest, (0, 0, 0, 0));
    }
}
