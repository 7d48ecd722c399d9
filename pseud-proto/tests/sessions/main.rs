//! Sessions and a directory apart, each under a lock of its own, as drivers with threads have them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test that panics is a test that fails"
)]

mod requests;

use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::{Dropped, Stats};
use pseud_proto::session::{
    AbsentPeer, Arrived, Budget, CallKey, Counted, Directory, NewCall, NotCalled, Outbound,
    Portion, Reply, Session, Sink, Target, Visit, Waits,
};
use pseud_proto::value::Packed;
use pseud_proto::zmtp::{Parts, Token};
use pseud_proto::{
    CallOptions, CallRefused, Config, Outcome, PeerId, Reason, RequestId, To, User, UserSessions,
    WhenFull,
};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Notes down what it is told.
#[derive(Default)]
struct Told {
    ended: Vec<(u64, Outcome)>,
    cancelled: Vec<RequestId>,
    withheld: Vec<String>,
    flushes: usize,
    stats: Stats,
}

impl Sink for Told {
    fn finish(&mut self, call: u64, outcome: Outcome) {
        self.ended.push((call, outcome));
    }

    fn cancelled(&mut self, request: RequestId) {
        self.cancelled.push(request);
    }

    fn withheld(&mut self, _: &Arc<PeerInfo>, name: &str) {
        self.withheld.push(name.to_owned());
    }

    fn flush(&mut self) {
        self.flushes += 1;
    }

    fn count(&mut self, what: Counted) {
        self.stats.count(what);
    }
}

/// What all sessions of a node share.
struct Node {
    config: Arc<Config>,
    budget: Arc<Budget>,
    directory: Mutex<Directory>,
}

impl Node {
    fn new(seed: u8, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let config = Arc::new(config);
        let budget = Arc::new(Budget::new(&config));
        let directory = Directory::new(config.clone(), budget.clone(), [seed; 32]);
        Self { config, budget, directory: Mutex::new(directory) }
    }

    /// A session, and whose session ends for it.
    fn join(&self, info: PeerInfo) -> (Session, Option<PeerId>) {
        let joined = self.directory.lock().unwrap().join(info);
        (Session::new(self.config.clone(), self.budget.clone(), joined.admitted), joined.ends)
    }

    /// One that can be found at once.
    fn session(&self, name: &'static str) -> Session {
        let (session, _) = self.join(PeerInfo::new(name.into()));
        assert!(self.directory.lock().unwrap().welcome(session.id()).is_empty());
        session
    }

    fn find(&self, name: &'static str) -> Target {
        self.directory.lock().unwrap().find(&To::Identity(name.into())).unwrap()
    }

    fn call(&self, tag: u64, text: &str) -> NewCall {
        let body = Packed::call(&(text,), &()).unwrap();
        let options = CallOptions::default();
        let outbound = Outbound::new("echo", body, options, &self.config.limits).unwrap();
        NewCall::new(tag, Instant::now() + Duration::from_secs(60), outbound)
    }
}

fn work(id: u32) -> Parts {
    let id = id.to_be_bytes();
    Parts::from_frames(&[&b""[..], b"v1", &id, b"\x03", b"\x93\xa4echo\x90\x80"]).unwrap()
}

fn visit(session: &mut Session, parts: &Parts, budget: &Budget, told: &mut Told) -> Visit {
    let mut portion = Portion::exact(budget);
    session.visit(parts.lent(), Instant::now(), &mut portion, told).unwrap()
}

fn arrived(session: &mut Session, id: u32, budget: &Budget, told: &mut Told) -> Option<Arrived> {
    match visit(session, &work(id), budget, told) {
        Visit::Request(arrived, located) => {
            assert_eq!((located.name(), located.rest().len()), ("echo", 2));
            Some(arrived)
        }
        Visit::Nothing => None,
        other => panic!("{other:?}"),
    }
}

/// What a session sends, as its peer gets it.
fn pulled(session: &mut Session, told: &mut Told) -> Vec<(Parts, Token)> {
    let mut messages = Vec::new();
    session.pull(Instant::now(), told, |several, Token(last)| {
        let len = several.len();
        several.each(|message, end| {
            let body = [message.head, &message.body, message.tail].concat();
            let frames: Vec<&[u8]> = message.frames.iter().copied().chain([&body[..]]).collect();
            let token = Token(last - (len - end) as u64);
            messages.push((Parts::from_frames(&frames).unwrap(), token));
        });
        true
    });
    messages
}

fn ok(number: u32) -> Reply {
    Reply::Handled(Ok(Packed::result(&number).unwrap()))
}

#[test]
fn a_request_is_answered_where_it_came_without_a_slot() {
    let (node, mut told) = (Node::new(1, |_| {}), Told::default());
    let mut session = node.session("desk");
    let first = arrived(&mut session, 1, &node.budget, &mut told).unwrap();
    assert_eq!((session.requests_open(), node.budget.taken().requests), (1, 1));
    assert!(arrived(&mut session, 1, &node.budget, &mut told).is_none(), "it came before");
    session.answer(first, ok(7), Instant::now(), &mut told);
    let taken = node.budget.taken();
    assert_eq!((session.requests_open(), taken.requests, taken.request_bytes), (0, 0, 0));
    assert!(taken.output_bytes > 0 && !session.is_idle(), "its answer waits");
    let (answer, token) = pulled(&mut session, &mut told).remove(0);
    assert_eq!((answer.get(3), answer.get(4)), (Some(&[1][..]), Some(&[7][..])));
    assert!(!session.is_idle());
    session.handle_written(token);
    assert!(session.is_idle() && told.stats.dropped(Dropped::Duplicate) == 1);
    // What its session does not live to answer is nobody's.
    let last = arrived(&mut session, 2, &node.budget, &mut told).unwrap();
    session.handle_gone(Reason::PeerGone, &mut told);
    session.answer(last, ok(7), Instant::now(), &mut told);
    assert_eq!(told.stats.dropped(Dropped::CallerGone), 1);
    assert_eq!(node.budget.taken().requests, 0);
}

#[test]
fn an_open_request_is_told_of_its_callers_end() {
    let (node, mut told) = (Node::new(1, |_| {}), Told::default());
    let mut session = node.session("desk");
    let request = arrived(&mut session, 1, &node.budget, &mut told).unwrap();
    let ticket = session.keep(request);
    assert_eq!(ticket.request().peer(), session.id());
    session.handle_gone(Reason::PeerGone, &mut told);
    assert_eq!(told.cancelled, [ticket.request()]);
    session.reply(ticket, ok(1), Instant::now(), &mut told);
    assert_eq!(told.stats.dropped(Dropped::CallerGone), 1);
}

#[test]
fn who_is_not_welcome_yet_is_waited_for_and_an_older_session_ends_first() {
    let (node, mut told) = (Node::new(1, |_| {}), Told::default());
    let mut old = node.session("desk");
    let (mut new, ends) = node.join(PeerInfo::new("desk".into()));
    assert_eq!(ends, Some(old.id()));
    old.close(Reason::Replaced, &mut told);
    let left = node.directory.lock().unwrap().leave(old.id()).unwrap();
    assert!(left.successor.is_none(), "a newer one has the name");
    assert!(node.directory.lock().unwrap().leave(old.id()).is_none(), "told twice");
    let Target::Nobody(AbsentPeer { whom, is_server, .. }) = node.find("desk") else {
        panic!("too early")
    };
    let call = node.call(5, "x");
    let until = call.deadline;
    node.directory.lock().unwrap().park(whom, call, until, is_server);
    let waited = node.directory.lock().unwrap().welcome(new.id());
    assert_eq!((waited.len(), node.find("desk")), (1, Target::Session(new.id())));
    for call in waited {
        new.call_waited(call, &mut told).unwrap();
    }
    assert_eq!(pulled(&mut new, &mut told).len(), 1);
    // Who finds an ended session has its call for another.
    let mut call = node.call(6, "x");
    let refused = old.call(&mut call, &mut told);
    assert!(matches!(refused, Err(NotCalled::Ended(Reason::Replaced))), "it has ended");
    new.call(&mut call, &mut told).unwrap();
    assert_eq!(pulled(&mut new, &mut told).len(), 1);
}

#[test]
fn a_session_says_once_who_it_is() {
    let (node, mut told) = (Node::new(1, |_| {}), Told::default());
    let mut session = node.session("desk");
    let to = To::User { id: "alice".into(), several: Default::default() };
    let find = || node.directory.lock().unwrap().find(&to).unwrap();
    let Target::Nobody(AbsentPeer { whom, .. }) = find() else { panic!("nobody is alice") };
    let call = node.call(1, "x");
    let until = call.deadline;
    node.directory.lock().unwrap().park(whom, call, until, false);
    let login = |user| {
        let mut directory = node.directory.lock().unwrap();
        directory.login(session.id(), User::new(user)).map(|logged_in| logged_in.info)
    };
    let info = login("alice").unwrap();
    assert!(login("bob").is_none() && login("alice").is_none());
    session.set_info(info);
    assert_eq!(
        (find(), session.info().user.id().as_ref()),
        (Target::Session(session.id()), &b"alice"[..])
    );
    let waited = node.directory.lock().unwrap().waiting_for(session.id());
    assert_eq!(waited.len(), 1);
    for call in waited {
        session.call_waited(call, &mut told).unwrap();
    }
    // Nobody else takes a user's name.
    let (other, ends) = node.join(PeerInfo::new("desk".into()));
    assert_eq!((ends, node.find("desk")), (None, Target::Session(session.id())));
    let revoked = node.directory.lock().unwrap().revoke(b"alice");
    assert_eq!(revoked, [session.id()]);
    session.close(Reason::Revoked, &mut told);
    let left = node.directory.lock().unwrap().leave(session.id()).unwrap();
    assert_eq!(left.successor, Some(other.id()));
}

/// After the budget is closed nothing begins, and a look at zero is exact.
#[test]
fn nothing_begins_in_a_closed_budget() {
    let (node, mut told) = (Node::new(1, |_| {}), Told::default());
    let mut session = node.session("desk");
    let open = arrived(&mut session, 1, &node.budget, &mut told).unwrap();
    node.directory.lock().unwrap().drain();
    assert!(arrived(&mut session, 2, &node.budget, &mut told).is_none());
    assert_eq!((told.stats.requests_shed, node.budget.taken().requests), (1, 1));
    session.answer(open, ok(1), Instant::now(), &mut told);
    assert!(session.call(&mut node.call(1, "x"), &mut told).is_ok(), "handlers call on");
    let kinds: Vec<_> =
        pulled(&mut session, &mut told).iter().map(|(parts, _)| parts.get(3).unwrap()[0]).collect();
    assert_eq!(kinds, [0x10, 1, 3]);
}

/// S-02: each holds less than its own bound, and together they hold no more than there is.
#[test]
fn s_02_those_who_read_nothing_hold_no_more_than_the_nodes_bytes() {
    const MAX: usize = 1 << 20;
    let node = Node::new(1, |config| config.limits.queue_bytes_total_max = MAX);
    let mut told = Told::default();
    let mut sessions: Vec<_> = (0..60).map(|_| node.session("")).collect();
    let mut closed = 0;
    for id in 0..20 {
        for session in 0..sessions.len() {
            let session = &mut sessions[session];
            let Some(request) = arrived(session, id, &node.budget, &mut told) else { continue };
            let text = Packed::result(&"x".repeat(64 << 10)).unwrap();
            let reply = Reply::Handled(Ok(text));
            session.answer(request, reply, Instant::now(), &mut told);
            if node.budget.is_over() {
                let largest = node.directory.lock().unwrap().largest_holder().unwrap();
                let largest = sessions.iter_mut().find(|session| session.id() == largest).unwrap();
                largest.close(Reason::SlowPeer, &mut told);
                node.directory.lock().unwrap().leave(largest.id()).unwrap();
                closed += 1;
            }
            assert!(node.budget.taken().output_bytes <= MAX + (65 << 10));
        }
    }
    assert!(closed > 40, "{closed}");
    drop(sessions);
    assert_eq!(node.budget.taken(), Default::default());
}

/// S-06: whoever pipelines with many sessions of one user has the places of one, and leaves the reserve.
#[test]
fn s_06_many_sessions_of_one_user_are_one_peer() {
    let (node, mut told) =
        (Node::new(1, |config| config.limits.requests_open_max = 64), Told::default());
    let mut greedy: Vec<_> =
        (0..32).map(|_| node.join(PeerInfo::new("".into()).with_user("mallory")).0).collect();
    let mut open = 0;
    for id in 0..4 {
        for session in &mut greedy {
            open += usize::from(
                arrived(session, id, &node.budget, &mut told)
                    .map(|request| session.keep(request))
                    .is_some(),
            );
        }
    }
    assert_eq!(open, 48, "three quarters");
    let mut honest = node.join(PeerInfo::new("".into()).with_user("alice")).0;
    for id in 0..16 {
        let request = arrived(&mut honest, id, &node.budget, &mut told).expect("the last quarter");
        let _ = honest.keep(request);
    }
    assert!(arrived(&mut honest, 99, &node.budget, &mut told).is_none(), "64 are 64");
}

#[test]
fn a_call_that_waits_anew_is_counted_anew() {
    let node = Node::new(1, |config| config.limits.calls_pending_max = 1);
    let wait = |mut call: NewCall| {
        call.when_full = WhenFull::Wait;
        let Target::Nobody(wanted) = node.find("desk") else { panic!("somebody is there") };
        let waits = node.directory.lock().unwrap().wait(wanted, call, Instant::now());
        assert!(matches!(waits, Ok(Waits::For(_))), "{waits:?}");
    };
    (1..=2).for_each(|tag| wait(node.call(tag, "x")));
    let (session, _) = node.join(PeerInfo::new("desk".into()));
    let calls = node.directory.lock().unwrap().welcome(session.id());
    node.directory.lock().unwrap().leave(session.id());
    // Whom they waited for is gone before they are handed over.
    for call in calls {
        node.budget.give_up_call(&call);
        wait(call);
    }
    let taken = node.budget.taken();
    assert_eq!((taken.calls, taken.calls_waiting), (1, 1));
}

#[test]
fn calls_of_all_sessions_are_bounded_exactly() {
    for max in 0..=8 {
        let node = Node::new(1, |config| config.limits.calls_pending_max = max);
        let (mut told, mut sessions) = (Told::default(), [node.session("a"), node.session("b")]);
        let mut keys: Vec<CallKey> = Vec::new();
        for n in 0..max {
            keys.push(sessions[n % 2].call(&mut node.call(n as u64, "x"), &mut told).unwrap());
        }
        let refused = sessions[0].call(&mut node.call(99, "x"), &mut told);
        let Err(NotCalled::Full(CallRefused::TooManyPending { max: told_max })) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(told_max, max);
        if let Some(&first) = keys.first() {
            sessions[0].cancel(first, &mut told);
            sessions[0].cancel(first, &mut told);
            assert_eq!(told.ended.len(), 1, "once");
            sessions[1].call(&mut node.call(98, "x"), &mut told).unwrap();
        }
    }
}

/// Two nodes, a session for each pair of threads, and one directory that all of them ask: every call
/// ends once, with what was meant for it.
#[test]
fn threads_call_and_serve_side_by_side() {
    const THREADS: usize = 4;
    const CALLS: u64 = 2_000;
    let (client, server) =
        (Node::new(1, |_| {}), Node::new(2, |config| config.limits.requests_open_max = 8));
    let names = ["a", "b", "c", "d"];
    let run = |name: &'static str| {
        let (mut ours, mut theirs) = (client.session(name), server.session(name));
        let (mut told, mut heard) = (Told::default(), Told::default());
        let mut shed = 0;
        for n in 0..CALLS {
            assert_eq!(client.find(name), Target::Session(ours.id()));
            ours.call(&mut client.call(n, name), &mut told).unwrap();
            for (message, token) in pulled(&mut ours, &mut told) {
                ours.handle_written(token);
                let mut portion = Portion::take(&server.budget);
                let visited =
                    theirs.visit(message.lent(), Instant::now(), &mut portion, &mut heard);
                drop(portion);
                match visited.unwrap() {
                    Visit::Request(request, _) if n % 3 == 0 => {
                        let ticket = theirs.keep(request);
                        theirs.reply(ticket, ok(n as u32), Instant::now(), &mut heard);
                    }
                    Visit::Request(request, _) => {
                        theirs.answer(request, ok(n as u32), Instant::now(), &mut heard);
                    }
                    _ => shed += 1,
                }
            }
            for (message, token) in pulled(&mut theirs, &mut heard) {
                theirs.handle_written(token);
                match visit(&mut ours, &message, &client.budget, &mut told) {
                    Visit::Value { call, body } => {
                        let body =
                            message.lent().bytes().get(body.start as usize..body.end as usize);
                        let known = Packed::result(&(n as u32)).unwrap();
                        assert_eq!((call, body), (n, Some(known.as_bytes())));
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(ours.calls_pending(), 0);
        }
        for (node, session) in [(&client, &mut ours), (&server, &mut theirs)] {
            session.close(Reason::Shutdown, &mut told);
            node.directory.lock().unwrap().leave(session.id()).unwrap();
        }
        assert!(told.ended.is_empty() && heard.cancelled.is_empty());
        shed
    };
    thread::scope(|scope| {
        let threads: Vec<_> =
            names.into_iter().take(THREADS).map(|name| scope.spawn(move || run(name))).collect();
        let shed: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(shed, 0, "one each are open at most, of eight");
    });
    for node in [&client, &server] {
        assert_eq!(node.budget.taken(), Default::default());
    }
}

/// Two who come at once are asked about in either order, and before either has ended.
#[test]
fn of_two_sessions_that_come_at_once_one_stays() {
    for policy in [UserSessions::Newest, UserSessions::Oldest] {
        let node = Node::new(1, |config| config.user_sessions = policy);
        let [(first, _), (second, _)] = ["desk", "lamp"]
            .map(|name| node.join(PeerInfo::new(name.into()).with_user(User::new("john"))));
        let directory = node.directory.lock().unwrap();
        let ended = |session: &Session| directory.too_many(session.id());
        let (stays, goes, why) = match policy {
            UserSessions::Newest => (&second, &first, Reason::Replaced),
            _ => (&first, &second, Reason::Occupied),
        };
        let all: Vec<_> = [&first, &second].into_iter().flat_map(ended).collect();
        assert_eq!(all, [(goes.id(), why)], "{policy:?}");
        assert!(all.iter().all(|(peer, _)| *peer != stays.id()));
    }
}

fn heartbeats(burst: u32, per_second: u32, at: &[u64]) -> Vec<bool> {
    let (node, mut told) = (
        Node::new(1, |config| {
            config.limits.flood.burst = burst;
            config.limits.flood.per_second = per_second;
        }),
        Told::default(),
    );
    let mut session = node.session("desk");
    let start = Instant::now();
    let probe = Parts::from_frames(&[&b""[..]]).unwrap();
    at.iter()
        .map(|at| {
            let mut portion = Portion::exact(&node.budget);
            let now = start + Duration::from_secs(*at);
            session.visit(probe.lent(), now, &mut portion, &mut told).is_ok()
        })
        .collect()
}

/// One an hour, where one a second is let by.
#[test]
fn a_trickle_is_no_flood_with_a_burst_of_one() {
    assert_eq!(heartbeats(1, 1, &[0, 3_600, 7_200]), [true; 3]);
}

/// A peer that was silent for an hour may send a whole burst.
#[test]
fn a_burst_behind_an_hour_is_whole() {
    let at: Vec<u64> = [0].into_iter().chain([3_600; 1_000]).collect();
    assert_eq!(heartbeats(1_000, 100, &at).iter().filter(|ok| !**ok).count(), 0);
}
