//! Calls to users, to identities, and to whoever is known as something.

use pseud::proto::pseud::Dropped;
use pseud::proto::zmtp::Side;
use pseud::proto::{CallId, CallOptions, CallRefused, PeerId, Several, To};
use pseud::{Reason, User};
use pseud_testkit::memory::{
    CHUNKS, Clock, Ended, Node, Port, Said, Setup, Talker, Wire, advance, ms, settle,
};
use std::cell::RefCell;
use std::rc::Rc;

type Shared = Rc<RefCell<Node>>;

/// A server that knows those names as those users.
fn server(users: &[(&str, &'static str)], chunk: usize) -> (Setup, Shared) {
    let setup = Setup::default().known().chunk(chunk);
    let node = setup.node(&Clock::new());
    let known = users.iter().map(|(name, user)| (name.as_bytes().to_vec(), User::new(*user)));
    node.borrow_mut().users.extend(known);
    (setup, node)
}

fn join(setup: &Setup, node: &Shared, name: &'static str) -> Wire<Talker, Port> {
    setup.clone().join(&Node::open(node, Side::Accepting), name)
}

fn call(node: &Shared, to: To) -> Result<CallId, CallRefused> {
    node.borrow_mut().call(to, "who", (), CallOptions::default())
}

fn user(id: &'static str) -> To {
    To::User { id: id.into(), several: Several::Newest }
}

fn only(id: &'static str) -> To {
    To::User { id: id.into(), several: Several::Refuse }
}

fn known(id: &'static str) -> To {
    To::Known { id: id.into(), several: Several::Newest }
}

fn name(id: &'static str) -> To {
    To::Identity(id.into())
}

/// Calls that, and says which of these was asked: nobody else is.
fn asked(node: &Shared, wires: &mut [Wire<Talker, Port>], to: To) -> Option<usize> {
    let call = call(node, to).expect("room");
    settle(wires);
    let works = wires.iter_mut().enumerate().filter_map(|(at, wire)| {
        let work = wire.client.next_work()?;
        wire.client.answer(work, at as i64);
        Some(at)
    });
    let asked: Vec<usize> = works.collect();
    settle(wires);
    match asked[..] {
        [] => None,
        [at] => {
            assert_eq!(node.borrow().ended(call), Ended::Value((at as i64).into()));
            Some(at)
        }
        _ => panic!("{asked:?}"),
    }
}

fn session(wire: &Wire<Talker, Port>) -> PeerId {
    wire.server.peer().expect("a session")
}

#[test]
fn of_several_sessions_the_newest_is_meant_until_it_leaves() {
    for chunk in CHUNKS {
        let (setup, node) = server(&[("desk", "alice"), ("lamp", "alice"), ("sofa", "bob")], chunk);
        let mut wires = ["desk", "lamp", "sofa"].map(|name| join(&setup, &node, name));
        let both = [session(&wires[0]), session(&wires[1])];
        assert_eq!(node.borrow().endpoint.sessions_of(b"alice"), both);
        assert_eq!(asked(&node, &mut wires, user("alice")), Some(1));
        assert_eq!(asked(&node, &mut wires, known("alice")), Some(1));
        assert_eq!(asked(&node, &mut wires, user("bob")), Some(2));
        assert_eq!(asked(&node, &mut wires, only("bob")), Some(2));
        let refused = call(&node, only("alice"));
        assert_eq!(refused, Err(CallRefused::SeveralSessions { count: 2 }));
        wires[1].cut();
        settle(&mut wires);
        assert_eq!(asked(&node, &mut wires, user("alice")), Some(0));
        assert_eq!(asked(&node, &mut wires, only("alice")), Some(0));
        assert_eq!(node.borrow().endpoint.session_of(&known("alice")), Some(both[0]));
    }
}

#[test]
fn a_user_who_is_not_there_is_waited_for() {
    let (setup, node) = server(&[("desk", "alice")], 64);
    let calls = [user("alice"), only("alice"), known("alice")].map(|to| call(&node, to).unwrap());
    let other = call(&node, user("bob")).unwrap();
    let mut wires = [join(&setup, &node, "desk")];
    while let Some(work) = wires[0].client.next_work() {
        wires[0].client.answer(work, "here");
    }
    settle(&mut wires);
    for call in calls {
        assert_eq!(node.borrow().ended(call), Ended::Value("here".into()));
    }
    let clock = node.borrow().clock();
    advance(&mut wires, &clock, ms(399));
    assert_eq!(node.borrow().ended(other), Ended::Pending);
    advance(&mut wires, &clock, ms(1));
    assert_eq!(node.borrow().ended(other), Ended::NotExecuted(Reason::NotConnected));
}

#[test]
fn e_07_a_routing_id_is_never_taken_for_a_user() {
    for chunk in CHUNKS {
        let (setup, node) = server(&[], chunk);
        let parked = call(&node, user("alice")).unwrap();
        let mut wires = [join(&setup, &node, "alice")];
        assert_eq!(asked(&node, &mut wires, user("alice")), None);
        assert_eq!(asked(&node, &mut wires, only("alice")), None);
        assert_eq!(asked(&node, &mut wires, name("alice")), Some(0));
        assert_eq!(asked(&node, &mut wires, known("alice")), Some(0));
        let clock = node.borrow().clock();
        advance(&mut wires, &clock, ms(400));
        assert_eq!(node.borrow().ended(parked), Ended::NotExecuted(Reason::NotConnected));
        assert_eq!(wires[0].client.next_work().map(|work| work.name), None);
    }
}

#[test]
fn a_user_is_known_by_its_id_and_not_by_what_it_announces() {
    for chunk in CHUNKS {
        let (setup, node) = server(&[("alice", "bob")], chunk);
        let parked = call(&node, known("alice")).unwrap();
        let mut wires = [join(&setup, &node, "alice")];
        for to in [known("alice"), user("alice")] {
            assert_eq!(asked(&node, &mut wires, to), None);
        }
        for to in [known("bob"), user("bob"), name("alice")] {
            assert_eq!(asked(&node, &mut wires, to), Some(0));
        }
        assert_eq!(node.borrow().ended(parked), Ended::Pending);
    }
}

#[test]
fn where_a_user_and_a_routing_id_are_alike_the_user_is_meant() {
    let (setup, node) = server(&[("desk", "alice")], 7);
    let mut wires = ["desk", "alice"].map(|name| join(&setup, &node, name));
    assert_eq!(asked(&node, &mut wires, known("alice")), Some(0));
    assert_eq!(asked(&node, &mut wires, name("alice")), Some(1));
    wires[0].cut();
    settle(&mut wires);
    assert_eq!(asked(&node, &mut wires, user("alice")), None);
}

#[test]
fn what_waits_for_a_user_takes_no_room_from_a_routing_id() {
    let setup = Setup::default().with(|setup| setup.server.limits.calls_pending_per_peer_max = 2);
    let node = setup.node(&Clock::new());
    for to in [user("alice"), name("alice"), known("alice")] {
        for _ in 0..2 {
            call(&node, to.clone()).expect("room");
        }
        let refused = call(&node, to);
        assert_eq!(refused, Err(CallRefused::TooManyPending { max: 2 }));
    }
}

#[test]
fn no_user_is_nobody() {
    let (setup, node) = server(&[], 64);
    let _wire = join(&setup, &node, "");
    for to in [user(""), only(""), known(""), name("")] {
        assert_eq!(call(&node, to), Err(CallRefused::PeerNameEmpty));
    }
    assert_eq!(node.borrow_mut().disconnect_user(""), 0);
    assert_eq!(node.borrow().endpoint.stats().sessions, 1);
}

#[test]
fn d_20_a_user_who_is_disconnected_is_gone_with_all_its_calls() {
    for chunk in CHUNKS {
        let (setup, node) = server(&[("desk", "alice"), ("lamp", "alice"), ("sofa", "bob")], chunk);
        let mut wires = ["desk", "lamp", "sofa"].map(|name| join(&setup, &node, name));
        let theirs = wires[0].client.call("work", ());
        let sent = call(&node, user("alice")).unwrap();
        settle(&mut wires);
        let work = node.borrow_mut().work();
        assert_eq!(wires[1].client.work().name, "who");
        let queued = {
            wires[1].down.stop();
            let large = || vec![0; 200 << 10];
            let mut node = node.borrow_mut();
            [(); 2].map(|()| {
                let options = CallOptions::default();
                node.call(user("alice"), "store", (large(),), options).unwrap()
            })
        };
        assert_eq!(node.borrow_mut().disconnect_user("alice"), 2);
        for (call, ended) in [
            (sent, Ended::Unknown(Reason::Revoked)),
            // Its bytes were in the driver's hands, the next one's were not.
            (queued[0], Ended::Unknown(Reason::Revoked)),
            (queued[1], Ended::NotExecuted(Reason::Revoked)),
        ] {
            assert_eq!(node.borrow().ended(call), ended);
        }
        let both = [session_of(&node, 0), session_of(&node, 1)];
        for peer in both {
            for said in [Said::Left(peer, Reason::Revoked), Said::Closed(peer, Reason::Revoked)] {
                assert!(node.borrow().log.said.contains(&said), "{said:?}");
            }
        }
        assert!(node.borrow().log.said.contains(&Said::Cancelled(work.id)));
        node.borrow_mut().answer(work, "for nobody");
        settle(&mut wires);
        assert_eq!(node.borrow().endpoint.stats().dropped(Dropped::CallerGone), 1);
        assert_eq!(wires[0].client.ended(theirs), Ended::Unknown(Reason::PeerGone));
        assert_eq!(asked(&node, &mut wires, user("bob")), Some(2));
        assert_eq!(node.borrow_mut().disconnect_user("alice"), 0);
        assert_eq!(node.borrow().endpoint.stats().sessions, 1);
    }
}

/// The session that joined as that one.
fn session_of(node: &Shared, at: usize) -> PeerId {
    let node = node.borrow();
    let joined = node.log.said.iter().filter_map(|said| match said {
        Said::Joined(peer) => Some(*peer),
        _ => None,
    });
    joined.into_iter().nth(at).expect("a session")
}
