//! Logins within sessions (HOSTILE E and G), beside the machine alone: what a peer that has not logged in
//! reaches, and whom a password is shown to.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::{Endpoint, Kind};
use pseud_proto::value::Packed;
use pseud_proto::zmtp::{Parts, Question, Secret, Verdict};
use pseud_proto::{
    Action, CallOptions, CallRefused, Capabilities, Config, Credentials, Incompatible, Misbehaved,
    Outcome, PeerError, PeerId, Profile, Reason, To, User, UserSessions,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

const OK: u8 = 0x01;
const HELLO: u8 = 0x02;
const WORK: u8 = 0x03;
const AUTHENTICATED: u8 = 0x04;
const HEARTBEAT: u8 = 0x06;
const ERROR: u8 = 0x10;
const UNAUTHORIZED: u8 = 0x11;
const ECHO: &[u8] = b"\x93\xa4echo\x90\x80";
const RIGHT: &[u8] = b"\x92\xc4\x04john\xc4\x05right";
const WRONG: &[u8] = b"\x92\xc4\x04john\xc4\x05wrong";

struct Room {
    node: Endpoint,
    now: Instant,
}

impl Room {
    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        Self { node: Endpoint::new(Arc::new(config), [1; 32]), now: Instant::now() }
    }

    /// One that has nobody served who has not logged in.
    fn server() -> Self {
        Self::with(|config| config.requires_login = true)
    }

    /// A client of the server `service`, to which it is connected, and its one session there.
    fn client(allow_plaintext: bool) -> (Self, PeerId) {
        let mut room = Self::with(|config| {
            config.server = Some("service".into());
            let shown = Credentials::new("john", Secret::new("right"));
            config.credentials = Some(shown.allow_plaintext(allow_plaintext));
        });
        let peer = room.join("service", "");
        (room, peer)
    }

    fn join(&mut self, name: &'static str, user: &'static str) -> PeerId {
        self.node.handle_connected(PeerInfo::new(name.into()).with_user(user), self.now)
    }

    fn says(&mut self, peer: PeerId, id: u8, kind: u8, body: &[u8]) -> Result<(), PeerError> {
        self.says_with(peer, &[id; 16], kind, body)
    }

    fn says_with(
        &mut self,
        peer: PeerId,
        id: &[u8],
        kind: u8,
        body: &[u8],
    ) -> Result<(), PeerError> {
        let parts = Parts::from_frames(&[&b""[..], b"v1", id, &[kind], body]).unwrap();
        self.node.handle_message(peer, parts, self.now)
    }

    /// What that peer is sent: kinds and ids.
    fn sent(&mut self, peer: PeerId) -> Vec<(Kind, Vec<u8>, Vec<u8>)> {
        let mut sent = Vec::new();
        while let Some(transmit) = self.node.poll_transmit(peer, self.now) {
            let kind = transmit.kind();
            sent.push(transmit.with(|message, _| {
                let body = [message.head, &message.body, message.tail].concat();
                (kind, message.frames[2].to_vec(), body)
            }));
        }
        sent
    }

    fn kinds(&mut self, peer: PeerId) -> Vec<Kind> {
        self.sent(peer).into_iter().map(|(kind, ..)| kind).collect()
    }

    /// What is asked about that peer now, if anything.
    fn asked(&mut self) -> Vec<(PeerId, Question)> {
        let mut asked = Vec::new();
        while let Some(action) = self.node.poll_action() {
            match action {
                Action::Login(peer, question) => asked.push((peer, question)),
                Action::Serve(request) => panic!("{request:?} is served"),
                _ => {}
            }
        }
        asked
    }

    fn admit(&mut self, peer: PeerId) {
        self.node.answer_login(peer, Verdict::Admit("john".into()), self.now);
    }

    fn served(&mut self) -> usize {
        let actions = std::iter::from_fn(|| self.node.poll_action());
        actions.filter(|action| matches!(action, Action::Serve(_))).count()
    }

    fn call(&mut self) {
        let body = Packed::call(&(1,), &()).unwrap();
        self.node.call(To::Server, "echo", body, CallOptions::default(), self.now).unwrap();
    }

    /// How calls have ended, in order.
    fn outcomes(&mut self) -> Vec<Outcome> {
        let actions = std::iter::from_fn(|| self.node.poll_action());
        let ended = actions.filter_map(|action| match action {
            Action::Finish { outcome, .. } => Some(outcome),
            _ => None,
        });
        ended.collect()
    }
}

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
