//! What a peer that has not logged in reaches, tries and gets.

use super::*;

#[test]
fn g_02_a_stranger_reaches_nothing() {
    let mut room = Room::server();
    let peer = room.join("desk", "");
    for kind in [OK, ERROR, AUTHENTICATED, UNAUTHORIZED, HEARTBEAT] {
        room.says(peer, 1, kind, b"").unwrap();
    }
    assert_eq!(room.sent(peer), []);
    // Its arguments are not looked at, and its id is not remembered: it comes again.
    room.says(peer, 2, WORK, b"\xc1").unwrap();
    let challenge = (Kind::Unauthorized, vec![2; 16], b"Authentication Required".to_vec());
    assert_eq!(room.sent(peer), [challenge]);
    assert!(room.asked().is_empty());
    // It has no name that could be another's, and is called by nobody.
    assert_eq!(room.node.peer_named(b"desk"), None);
    let body = Packed::call(&(), &()).unwrap();
    room.node.call(To::Peer(peer), "echo", body, CallOptions::default(), room.now).unwrap();
    assert!(matches!(room.outcomes()[..], [Outcome::NotExecuted(Reason::TakesNoCalls)]));
    assert_eq!(room.sent(peer), []);
    assert_eq!(room.node.stats().requests_challenged, 1);
}

#[test]
fn a_login_and_the_work_again() {
    let mut room = Room::server();
    let peer = room.join("desk", "");
    room.says(peer, 2, WORK, ECHO).unwrap();
    room.says(peer, 2, HELLO, RIGHT).unwrap();
    let asked = room.asked();
    let [(who, Question::Login { login, password, .. })] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((*who, &login[..], password.expose()), (peer, &b"john"[..], &b"right"[..]));
    assert!(!format!("{asked:?}").contains("right"), "R-05");
    room.admit(peer);
    assert_eq!(room.kinds(peer), [Kind::Unauthorized, Kind::Authenticated]);
    room.says(peer, 2, WORK, ECHO).unwrap();
    assert_eq!(room.served(), 1);
    assert_eq!(room.node.sessions_of(b"john"), [peer]);
    assert_eq!(room.node.peer_named(b"desk"), Some(peer));
}

#[test]
fn g_03_a_flood_of_works_closes_the_link() {
    let mut room = Room::server();
    let peer = room.join("desk", "");
    for id in 0..2_048_u32 {
        room.says_with(peer, &id.to_be_bytes(), WORK, ECHO).unwrap();
    }
    let flood = room.says(peer, 1, WORK, ECHO);
    assert_eq!(flood, Err(Misbehaved::AuthFlood.into()));
    assert_eq!(room.sent(peer).len(), 2_048);
    room.now += Duration::from_secs(1);
    let peer = room.join("desk", "");
    room.says(peer, 1, WORK, ECHO).unwrap();
}

#[test]
fn g_06_a_hello_needs_no_work_before_it() {
    let mut room = Room::server();
    let peer = room.join("desk", "");
    room.says(peer, 9, HELLO, RIGHT).unwrap();
    assert_eq!(room.asked().len(), 1);
    room.admit(peer);
    assert_eq!(room.sent(peer)[0].1, [9; 16]);
}

/// A Python client says HELLO for each call that was challenged.
#[test]
fn hellos_of_several_calls_are_one_question() {
    let mut room = Room::server();
    let peer = room.join("desk", "");
    for id in 0..20 {
        room.says(peer, id, HELLO, RIGHT).unwrap();
    }
    assert_eq!(room.asked().len(), 1);
    assert_eq!(room.kinds(peer), [Kind::Unauthorized; 4], "so many wait, and no more");
    room.admit(peer);
    assert_eq!(room.kinds(peer), [Kind::Authenticated; 16]);
    // One that comes later is answered without a question.
    room.says(peer, 21, HELLO, RIGHT).unwrap();
    assert!(room.asked().is_empty());
    assert_eq!(room.kinds(peer), [Kind::Authenticated]);
}

#[test]
fn g_07_a_session_is_one_user_for_ever() {
    let mut room = Room::server();
    let peer = room.join("desk", "");
    room.says(peer, 1, HELLO, RIGHT).unwrap();
    // Of another login while one is asked about, too.
    room.says(peer, 2, HELLO, b"\x92\xa4jane\xa1x").unwrap();
    room.admit(peer);
    room.says(peer, 3, HELLO, b"\x92\xa4jane\xa1x").unwrap();
    let answers = [Kind::Unauthorized, Kind::Authenticated, Kind::Unauthorized];
    assert_eq!((room.asked().len(), room.kinds(peer)), (1, answers.to_vec()));
    room.node.answer_login(peer, Verdict::Admit("jane".into()), room.now);
    assert_eq!(room.node.peer_info(peer).unwrap().user, User::new("john"));
    // So is one that its handshake has made somebody.
    let other = room.join("lamp", "lamp");
    room.says(other, 1, HELLO, RIGHT).unwrap();
    assert_eq!((room.asked().len(), room.kinds(other)), (0, vec![Kind::Unauthorized]));
}

#[test]
fn g_08_g_10_so_many_are_wrong_and_then_the_link_is_over() {
    let mut room = Room::server();
    let peer = room.join("desk", "");
    room.says(peer, 1, HELLO, b"\x92\x01\x02").unwrap();
    for _ in 0..2 {
        room.says(peer, 1, HELLO, WRONG).unwrap();
        assert_eq!(room.asked().len(), 1);
        room.node.answer_login(peer, Verdict::Deny, room.now);
        room.now += Duration::from_secs(1);
    }
    assert_eq!(room.kinds(peer), [Kind::Unauthorized; 3]);
    assert_eq!(room.node.stats().logins_refused, 3);
    assert_eq!(room.says(peer, 1, HELLO, RIGHT), Err(Misbehaved::LoginTries.into()));
    assert!(room.asked().is_empty());
}

/// Clients show one again at once: that is the same error, and nobody is asked twice.
#[test]
fn g_10_a_hello_that_was_wrong_a_moment_ago_is_wrong_without_a_question() {
    let mut room = Room::server();
    let peer = room.join("desk", "");
    room.says(peer, 1, HELLO, WRONG).unwrap();
    assert_eq!(room.asked().len(), 1);
    room.node.answer_login(peer, Verdict::Deny, room.now);
    room.says(peer, 1, HELLO, WRONG).unwrap();
    assert_eq!((room.asked().len(), room.kinds(peer)), (0, vec![Kind::Unauthorized; 2]));
    assert_eq!(room.node.stats().logins_refused, 2, "it is a try of that session's");
    // Another is asked about, and it itself again once its time has passed.
    room.says(peer, 1, HELLO, RIGHT).unwrap();
    assert_eq!(room.asked().len(), 1);
    room.node.answer_login(peer, Verdict::Unavailable, room.now);
    room.now += Duration::from_secs(1);
    room.says(peer, 1, HELLO, WRONG).unwrap();
    assert_eq!(room.asked().len(), 1);
    room.admit(peer);
    assert_eq!(room.kinds(peer), [Kind::Unauthorized, Kind::Authenticated]);
}

/// A peer that has declared anything is told that it may come again, and does.
#[test]
fn g_12_who_nobody_could_tell_of_is_told_to_come_again() {
    let mut room = Room::server();
    let profile = Profile::declared(Capabilities::ALL, 1 << 20);
    let info = PeerInfo::new("desk".into()).with_profile(profile);
    let peer = room.node.handle_connected(info, room.now);
    room.says(peer, 1, HELLO, RIGHT).unwrap();
    room.node.answer_login(peer, Verdict::Unavailable, room.now);
    let sent = room.sent(peer);
    assert_eq!(sent, [(Kind::Unauthorized, vec![1; 16], b"Authentication Unavailable".to_vec())]);
    // The client shows it again in another session: nothing ran, and it may pass.
    let (mut room, peer) = Room::client(true);
    room.call();
    room.call();
    let works = room.sent(peer);
    room.says_with(peer, &works[0].1, UNAUTHORIZED, b"?").unwrap();
    assert_eq!(room.kinds(peer), [Kind::Hello]);
    room.says_with(peer, &works[0].1, UNAUTHORIZED, &sent[0].2).unwrap();
    room.says_with(peer, &works[1].1, UNAUTHORIZED, b"?").unwrap();
    let mut ended = Vec::new();
    let mut closed = None;
    while let Some(action) = room.node.poll_action() {
        match action {
            Action::Finish { outcome: Outcome::NotExecuted(why), .. } => ended.push(why),
            Action::Close(_, why) => closed = Some(why),
            _ => {}
        }
    }
    let refused = Reason::from(PeerError::from(Incompatible::Refused(500)));
    assert_eq!((ended, closed), (vec![refused; 2], Some(refused)));
    assert!(refused.is_transient() && !refused.is_denial());
}

/// Nobody could tell: that was no guess.
#[test]
fn g_12_an_authenticator_that_is_down_costs_no_try() {
    let mut room = Room::server();
    let peer = room.join("desk", "");
    for _ in 0..10 {
        room.says(peer, 1, HELLO, RIGHT).unwrap();
        assert_eq!(room.asked().len(), 1);
        room.node.answer_login(peer, Verdict::Unavailable, room.now);
    }
    room.says(peer, 1, HELLO, RIGHT).unwrap();
    room.admit(peer);
    assert_eq!(room.kinds(peer).pop(), Some(Kind::Authenticated));
}

#[test]
fn g_01_answers_for_nobody_admit_nobody() {
    let mut room = Room::server();
    let peer = room.join("desk", "");
    room.admit(peer);
    room.says(peer, 1, HELLO, RIGHT).unwrap();
    // Admitted as nobody: that is no login.
    room.node.answer_login(peer, Verdict::Admit(User::default()), room.now);
    assert_eq!(room.kinds(peer), [Kind::Unauthorized]);
    room.node.answer_login(peer, Verdict::Admit("john".into()), room.now);
    assert!(room.node.sessions_of(b"john").is_empty());
    let gone = room.join("lamp", "");
    room.says(gone, 1, HELLO, RIGHT).unwrap();
    room.node.handle_gone(gone, Reason::PeerGone, room.now);
    room.admit(gone);
    assert!(room.node.sessions_of(b"john").is_empty());
}

#[test]
fn g_14_who_is_shown_out_while_it_is_asked_about_stays_out() {
    let mut room = Room::server();
    let peer = room.join("desk", "");
    room.says(peer, 1, HELLO, RIGHT).unwrap();
    room.node.disconnect_user(b"john", room.now);
    room.admit(peer);
    assert!(room.node.sessions_of(b"john").is_empty());
    assert_eq!(room.kinds(peer), [Kind::Unauthorized]);
}

#[test]
fn e_01_a_name_moves_when_its_user_has_logged_in_and_not_before() {
    let mut room = Room::server();
    let old = room.join("desk", "john");
    let new = room.join("desk", "");
    assert_eq!(room.node.peer_named(b"desk"), Some(old));
    room.says(new, 1, HELLO, RIGHT).unwrap();
    room.admit(new);
    assert_eq!(room.node.peer_named(b"desk"), Some(new));
    assert!(room.node.peer_info(old).is_none(), "it was replaced");
}

#[test]
fn e_02_another_user_takes_no_name_by_its_login() {
    let mut room = Room::server();
    let (jane, new) = (room.join("desk", "jane"), room.join("desk", ""));
    room.says(new, 1, HELLO, RIGHT).unwrap();
    room.admit(new);
    assert_eq!(room.node.peer_named(b"desk"), Some(jane));
    assert_eq!(room.node.sessions_of(b"john"), [new]);
    // Strangers do not put each other out.
    let strangers = [room.join("lamp", ""), room.join("lamp", "")];
    assert!(strangers.iter().all(|peer| room.node.peer_info(*peer).is_some()));
}

#[test]
fn so_many_may_be_there_without_a_login_and_then_the_oldest_goes() {
    let mut room = Room::with(|config| {
        config.requires_login = true;
        config.limits.sessions_unnamed_max = 3;
    });
    let known = room.join("desk", "john");
    let mut strangers: Vec<_> = (0..3).map(|_| room.join("", "")).collect();
    room.says(strangers[0], 1, HELLO, RIGHT).unwrap();
    room.admit(strangers[0]);
    room.says(strangers[1], 1, WORK, ECHO).unwrap();
    assert_eq!(room.node.stats().sessions_unnamed, 2);
    strangers.extend((0..3).map(|_| room.join("", "")));
    let there = |peer: &PeerId| room.node.peer_info(*peer).is_some();
    let left: Vec<_> = strangers.iter().map(there).collect();
    assert_eq!(left, [true, false, false, true, true, true], "who has logged in stays");
    assert!(there(&known));
    let stats = room.node.stats();
    assert_eq!((stats.sessions, stats.sessions_unnamed), (5, 3));
    let why = Reason::PeerFault(Misbehaved::NotLoggedIn.into());
    let closed = std::iter::from_fn(|| room.node.poll_action())
        .filter(|action| matches!(action, Action::Close(_, reason) if *reason == why));
    assert_eq!(closed.count(), 2);
    for peer in &strangers[3..] {
        room.node.handle_gone(*peer, Reason::PeerGone, room.now);
    }
    assert_eq!(room.node.stats().sessions_unnamed, 0);
}

#[test]
fn f_07_heartbeats_do_not_keep_a_stranger_there() {
    let mut room = Room::with(|config| {
        config.requires_login = true;
        config.limits.login_timeout = Duration::from_secs(60);
    });
    let [stays, goes, silent] = ["desk", "lamp", ""].map(|name| room.join(name, ""));
    for peer in [stays, goes] {
        let probe = Parts::from_frames(&[b""]).unwrap();
        room.node.handle_message(peer, probe, room.now).unwrap();
    }
    room.says(stays, 1, HELLO, RIGHT).unwrap();
    room.admit(stays);
    for _ in 0..5 {
        room.now += Duration::from_secs(10);
        room.says(goes, 1, HEARTBEAT, b"").unwrap();
        room.node.handle_timeout(room.now);
        assert!(room.node.peer_info(goes).is_some() && room.node.peer_info(silent).is_some());
    }
    assert_eq!(room.node.poll_timeout(), Some(room.now + Duration::from_secs(10)));
    room.now += Duration::from_secs(10);
    room.node.handle_timeout(room.now);
    assert!(room.node.peer_info(goes).is_none() && room.node.peer_info(stays).is_some());
    assert!(room.node.peer_info(silent).is_none(), "who says nothing has no more time");
    assert_eq!(room.node.stats().logins_missed, 2);
    // It may be early, and is right once it has been looked at.
    room.node.handle_timeout(room.now);
    assert_eq!(room.node.poll_timeout(), None);
}

#[test]
fn a_user_keeps_the_sessions_that_it_may_have() {
    let there = |policy| {
        let mut room = Room::with(|config| {
            (config.requires_login, config.user_sessions) = (true, policy);
        });
        let sessions = [room.join("a", "john"), room.join("b", ""), room.join("c", "jane")];
        room.says(sessions[1], 1, HELLO, RIGHT).unwrap();
        room.admit(sessions[1]);
        let later = room.join("d", "john");
        let all = [sessions[0], sessions[1], sessions[2], later];
        all.map(|peer| room.node.peer_info(peer).is_some())
    };
    assert_eq!(there(UserSessions::Several), [true; 4]);
    assert_eq!(there(UserSessions::Newest), [false, false, true, true]);
    assert_eq!(there(UserSessions::Oldest), [true, false, true, false]);
}

#[test]
fn f_08_without_logins_nothing_of_them_means_anything() {
    let mut room = Room::with(|_| {});
    let peer = room.join("desk", "");
    for kind in [HELLO, AUTHENTICATED, UNAUTHORIZED] {
        room.says(peer, 1, kind, RIGHT).unwrap();
    }
    assert_eq!((room.asked().len(), room.sent(peer)), (0, vec![]));
}
