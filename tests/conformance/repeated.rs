//! Requests that come twice: none runs twice in one session.

use pseud::Reason;
use pseud::proto::pseud::Dropped;
use pseud::proto::zmtp::{Connection, Side};
use pseud::proto::{FloodLimit, Misbehaved};
use pseud_testkit::memory::{CHUNKS, Clock, Node, Port, Setup, Stranger, Wire};
use std::cell::RefCell;
use std::rc::Rc;

const OK: u8 = 0x01;
const WORK: u8 = 0x03;
const ERROR: u8 = 0x10;
const BODY: &[u8] = b"\x93\xa1f\x90\x80";

/// A server, and what it dropped and served.
struct Bench {
    setup: Setup,
    node: Rc<RefCell<Node>>,
}

impl Bench {
    fn new(setup: Setup) -> Self {
        let node = setup.node(&Clock::new());
        Self { setup, node }
    }

    fn join(&self) -> Wire<Stranger, Port> {
        let clock = self.node.borrow().clock();
        let link = self.setup.client_link.clone();
        let connection = Connection::new(link.into(), Side::Connecting, [3; 32], clock.now());
        let stranger = Stranger::new(connection, clock.clone());
        let port = Node::open(&self.node, Side::Accepting);
        let mut wire = self.setup.wire(stranger, port, clock);
        wire.settle();
        wire
    }

    /// Answers what waits; says how many requests those were.
    fn serve(&self) -> usize {
        let mut node = self.node.borrow_mut();
        let works: Vec<_> = std::iter::from_fn(|| node.next_work()).collect();
        let count = works.len();
        works.into_iter().for_each(|work| node.answer(work, 7));
        count
    }

    fn repeated(&self) -> u64 {
        self.node.borrow().endpoint.stats().dropped(Dropped::Duplicate)
    }
}

fn say(wire: &mut Wire<Stranger, Port>, id: &[u8]) {
    wire.client.say(WORK, id, BODY);
    wire.settle();
}

#[test]
fn j_07_a_request_runs_once_in_flight_and_when_it_is_over() {
    for chunk in CHUNKS {
        let bench = Bench::new(Setup::default().chunk(chunk));
        let mut wire = bench.join();
        for id in [&b"x"[..], &[1; 16], &[2; 64]] {
            for _ in 0..3 {
                say(&mut wire, id);
            }
            assert_eq!(bench.serve(), 1, "in flight");
            wire.settle();
            assert_eq!(wire.client.hear(), (OK, id.to_vec(), vec![7]));
            for _ in 0..3 {
                say(&mut wire, id);
            }
            assert_eq!(bench.serve(), 0, "over");
        }
        assert!(wire.client.heard.is_empty(), "and answered once");
        assert_eq!(bench.repeated(), 15);
    }
}

#[test]
fn j_07_requests_without_an_id_are_all_different() {
    let bench = Bench::new(Setup::default());
    let mut wire = bench.join();
    say(&mut wire, b"");
    assert_eq!(bench.serve(), 1);
    for _ in 0..3 {
        say(&mut wire, b"");
    }
    assert_eq!((bench.serve(), bench.repeated()), (3, 0));
}

#[test]
fn j_07_another_session_may_use_the_same_id() {
    let bench = Bench::new(Setup::default());
    let (mut first, mut second) = (bench.join(), bench.join());
    say(&mut first, b"one");
    say(&mut second, b"one");
    assert_eq!(bench.serve(), 2);
    first.cut();
    first.settle();
    say(&mut bench.join(), b"one");
    assert_eq!((bench.serve(), bench.repeated()), (1, 0), "a new link is a new session");
}

#[test]
fn what_is_older_than_the_window_may_run_again() {
    let small = |setup: &mut Setup| setup.server.limits.requests_remembered_max = 2;
    let bench = Bench::new(Setup::default().with(small));
    let mut wire = bench.join();
    for (id, served) in [(b"a", 1), (b"b", 1), (b"a", 0), (b"c", 1), (b"b", 0), (b"a", 1)] {
        say(&mut wire, id);
        assert_eq!(bench.serve(), served, "{id:?}");
    }
    assert_eq!(bench.repeated(), 2);
}

#[test]
fn a_request_that_was_refused_is_not_answered_again() {
    let one = |setup: &mut Setup| setup.server.limits.requests_open_max = 1;
    let bench = Bench::new(Setup::default().with(one));
    let mut wire = bench.join();
    for id in [b"served", b"shed!!", b"served", b"shed!!"] {
        say(&mut wire, id);
    }
    assert_eq!(wire.client.hear().0, ERROR);
    assert_eq!(bench.serve(), 1);
    say(&mut wire, b"shed!!");
    assert_eq!((bench.serve(), bench.repeated()), (0, 3));
}

#[test]
fn repeating_is_noise() {
    let quiet = |setup: &mut Setup| {
        let mut flood = FloodLimit::default();
        (flood.burst, flood.per_second) = (10, 0);
        setup.server.limits.flood = flood;
    };
    let bench = Bench::new(Setup::default().with(quiet));
    let mut wire = bench.join();
    let peer = wire.server.peer().expect("a session");
    for _ in 0..=10 {
        say(&mut wire, b"x");
    }
    assert_eq!(wire.server.peer(), Some(peer), "ten may be");
    say(&mut wire, b"x");
    let why = Reason::PeerFault(Misbehaved::Flood.into());
    assert!(bench.node.borrow().log.said.contains(&pseud_testkit::memory::Said::Left(peer, why)));
}
