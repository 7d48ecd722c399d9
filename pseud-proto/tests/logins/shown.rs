//! Whom a password is shown to, and what becomes of calls meanwhile.

use super::*;

#[test]
fn each_challenged_call_is_sent_once_more() {
    let (mut room, peer) = Room::client(true);
    room.call();
    room.call();
    let works = room.sent(peer);
    for (_, id, _) in &works {
        room.says_with(peer, id, UNAUTHORIZED, b"?").unwrap();
    }
    let hellos = room.sent(peer);
    assert_eq!(hellos, [(Kind::Hello, works[0].1.clone(), RIGHT.to_vec())], "one for both");
    // F-08: one that answers another message is none.
    room.says_with(peer, &works[1].1, AUTHENTICATED, b"").unwrap();
    assert_eq!(room.sent(peer), []);
    room.says_with(peer, &works[0].1, AUTHENTICATED, b"").unwrap();
    assert_eq!(room.sent(peer), works, "the same ids and bodies");
    room.says_with(peer, &works[0].1, AUTHENTICATED, b"").unwrap();
    assert_eq!(room.sent(peer), []);
    // Challenged again it is over, and nothing is shown again.
    room.says_with(peer, &works[0].1, UNAUTHORIZED, b"?").unwrap();
    room.says_with(peer, &works[1].1, OK, b"\x07").unwrap();
    let ended = room.outcomes();
    let [Outcome::NotExecuted(Reason::Unauthorized), Outcome::Value(_)] = &ended[..] else {
        panic!("{ended:?}")
    };
    assert_eq!(room.sent(peer), []);
    assert_eq!(room.node.stats().calls_pending, 0);
}

#[test]
fn g_05_a_password_is_shown_to_nobody_in_clear() {
    let (mut room, peer) = Room::client(false);
    room.call();
    let id = room.sent(peer)[0].1.clone();
    room.says_with(peer, &id, UNAUTHORIZED, b"?").unwrap();
    assert_eq!(room.sent(peer), []);
    assert!(matches!(room.outcomes()[..], [Outcome::NotExecuted(Reason::Unauthorized)]));
}

/// F-09, and no more often than is allowed.
#[test]
fn g_05_a_password_is_shown_for_a_call_of_ours_and_twice_at_most() {
    let (mut room, peer) = Room::client(true);
    room.says(peer, 1, UNAUTHORIZED, b"?").unwrap();
    assert_eq!(room.sent(peer), []);
    room.call();
    room.call();
    let works = room.sent(peer);
    let mut shown = 0;
    for _ in 0..10 {
        for (_, id, _) in &works {
            room.says_with(peer, id, UNAUTHORIZED, b"?").unwrap();
        }
        shown += room.sent(peer).len();
    }
    assert_eq!(shown, 2);
    let ended = room.outcomes();
    assert!(ended.iter().all(|end| matches!(end, Outcome::NotExecuted(Reason::Unauthorized))));
    assert_eq!(ended.len(), 2);
    assert!(room.node.peer_info(peer).is_none(), "another link may be believed, later");
    // As often in each session, not in all of a life.
    for _ in 0..2 {
        let again = room.join("service", "");
        room.call();
        let id = room.sent(again)[0].1.clone();
        let mut shown = 0;
        for _ in 0..10 {
            room.says_with(again, &id, UNAUTHORIZED, b"?").unwrap();
            shown += room.kinds(again).len();
        }
        assert_eq!(shown, 2);
        assert!(matches!(room.outcomes()[..], [Outcome::NotExecuted(Reason::Unauthorized)]));
    }
}

/// As often as is allowed, also where that is never: the call's end is that of one without credentials.
#[test]
fn g_05_a_password_is_shown_exactly_as_often_as_it_may_be() {
    for max in [0, 1, 2, 8, u8::MAX] {
        for profile in [Profile::V1, Profile::declared(Capabilities::ALL, 1 << 20)] {
            let mut room = Room::with(|config| {
                config.server = Some("service".into());
                let shown = Credentials::new("john", Secret::new("right"));
                config.credentials = Some(shown.allow_plaintext(true));
                config.limits.logins_shown_max = max;
            });
            let info = PeerInfo::new("service".into()).with_profile(profile);
            let peer = room.node.handle_connected(info, room.now);
            room.call();
            let mut shown = 0;
            for _ in 0..600 {
                for (kind, id, _) in room.sent(peer) {
                    shown += usize::from(kind == Kind::Hello);
                    room.says_with(peer, &id, UNAUTHORIZED, b"?").unwrap();
                }
            }
            assert_eq!(shown, usize::from(max));
            let ended = room.outcomes();
            let unauthorized = matches!(ended[..], [Outcome::NotExecuted(Reason::Unauthorized)]);
            assert!(unauthorized, "{ended:?}");
        }
    }
}

/// The link is of no use then, but calls that are under way are answered first: they were not run.
#[test]
fn a_session_whose_login_was_refused_ends_behind_its_last_call() {
    for ends_by_time in [false, true] {
        let (mut room, peer) = Room::client(true);
        room.call();
        let first = room.sent(peer)[0].1.clone();
        room.says_with(peer, &first, UNAUTHORIZED, b"?").unwrap();
        room.call();
        let second = room.sent(peer)[1].1.clone();
        for _ in 0..2 {
            room.says_with(peer, &first, UNAUTHORIZED, b"?").unwrap();
        }
        assert_eq!(room.kinds(peer), [Kind::Hello]);
        // Another call is not even sent.
        room.call();
        assert_eq!(room.sent(peer), []);
        let unauthorized =
            |end: &Outcome| matches!(end, Outcome::NotExecuted(Reason::Unauthorized));
        let ended = room.outcomes();
        assert!(ended.len() == 2 && ended.iter().all(unauthorized), "{ended:?}");
        assert!(room.node.peer_info(peer).is_some());
        if ends_by_time {
            room.now += Duration::from_secs(6);
            room.node.handle_timeout(room.now);
            let ended = room.outcomes();
            assert!(matches!(ended[..], [Outcome::Unknown(Reason::TimedOut)]), "{ended:?}");
        } else {
            room.says_with(peer, &second, UNAUTHORIZED, b"?").unwrap();
            assert!(room.outcomes().iter().all(unauthorized));
        }
        assert!(room.node.peer_info(peer).is_none());
    }
}

/// A server that wants no logins does not answer a HELLO that was shown unasked, and runs calls.
#[test]
fn a_hello_without_an_answer_keeps_nothing_once_a_call_was_run() {
    let mut room = Room::with(|config| {
        config.server = Some("service".into());
        let shown = Credentials::new("john", Secret::new("right"));
        config.credentials = Some(shown.allow_plaintext(true));
    });
    let profile = Profile::declared(Capabilities::ALL, 8 << 20);
    let info = PeerInfo::new("service".into()).with_profile(profile);
    let peer = room.node.handle_connected(info, room.now);
    assert_eq!(room.kinds(peer), [Kind::Hello]);
    room.call();
    let id = room.sent(peer)[0].1.clone();
    room.says_with(peer, &id, OK, b"\x07").unwrap();
    for _ in 0..10 {
        let body = Packed::call(&(serde_bytes::Bytes::new(&vec![7; 1 << 20]),), &()).unwrap();
        room.node.call(To::Server, "echo", body, CallOptions::default(), room.now).unwrap();
        assert_eq!(room.kinds(peer), [Kind::Work]);
    }
}

/// G-11. It did not run, and its own time is the end of it.
#[test]
fn a_challenged_call_that_ends_meanwhile_was_not_run() {
    for gone in [false, true] {
        let (mut room, peer) = Room::client(true);
        room.call();
        let id = room.sent(peer)[0].1.clone();
        room.says_with(peer, &id, UNAUTHORIZED, b"?").unwrap();
        assert_eq!(room.kinds(peer), [Kind::Hello]);
        let why = if gone {
            room.node.handle_gone(peer, Reason::PeerGone, room.now);
            Reason::PeerGone
        } else {
            room.now += Duration::from_secs(6);
            room.node.handle_timeout(room.now);
            Reason::TimedOut
        };
        let ended = room.outcomes();
        let [Outcome::NotExecuted(reason)] = &ended[..] else { panic!("{ended:?}") };
        assert_eq!(*reason, why);
        if !gone {
            room.says_with(peer, &id, AUTHENTICATED, b"").unwrap();
            assert_eq!(room.sent(peer), [], "nothing is sent again");
            room.call();
            assert_eq!(room.kinds(peer), [Kind::Work]);
        }
    }
}

/// What is kept to be sent again is bounded, and goes with the first answer.
#[test]
fn no_more_is_kept_than_a_queue_may_hold() {
    let (mut room, peer) = Room::client(true);
    let mut works = Vec::new();
    let mut refused = 0;
    for _ in 0..6 {
        let body = Packed::call(&(serde_bytes::Bytes::new(&vec![7; 1 << 20]),), &()).unwrap();
        let called = room.node.call(To::Server, "echo", body, CallOptions::default(), room.now);
        refused += usize::from(matches!(called, Err(CallRefused::QueueFull { .. })));
        works.append(&mut room.sent(peer));
    }
    // 4 MiB: the fourth is the one that goes over, as in a queue. What was sent is kept, all of it.
    assert_eq!((works.len(), refused), (4, 2));
    for (_, id, _) in &works {
        room.says_with(peer, id, UNAUTHORIZED, b"?").unwrap();
    }
    assert_eq!(room.kinds(peer), [Kind::Hello]);
    room.says_with(peer, &works[0].1, AUTHENTICATED, b"").unwrap();
    assert_eq!(room.sent(peer), works);
    assert!(room.outcomes().is_empty());
    let (mut room, peer) = Room::client(true);
    room.call();
    let works = room.sent(peer);
    room.says_with(peer, &works[0].1, OK, b"\x07").unwrap();
    room.call();
    let works = room.sent(peer);
    room.says_with(peer, &works[0].1, UNAUTHORIZED, b"?").unwrap();
    assert_eq!(room.sent(peer), [], "it knew us a moment ago: that is no question");
}
