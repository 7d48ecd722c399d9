//! One life: a server, its clients, all that happens to them, and what the judge says of it.

use super::book::{self, Book, SERVER};
use super::callers::{Present, call_desk, call_server};
use super::counts::Counts;
use super::doors::Doors;
use super::{errands, handlers, repeater, troubles, watcher};
use pseud::Node;
use pseud::proto::pseud::Dropped;
use pseud_testkit::ledger::{Ledger, Tally};
use pseud_testkit::luck::Luck;
use pseud_testkit::sim::{self, Client, Conditions, Server, Sim};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Tasks that call one after another: of each client, and of the server for each client.
const CALLERS: usize = 2;

/// How late an end may be told: a session looks at its deadlines every ten milliseconds, and a task whose
/// time has come waits for its turn.
const SLACK: Duration = Duration::from_millis(100);

/// When everything that anybody waited for is over: handshakes, farewells, time-outs.
const LATE: Duration = Duration::from_secs(120);

/// What came of one life.
pub(super) struct Life {
    pub(super) seed: u64,
    pub(super) digest: u64,
    pub(super) tally: Tally,
    pub(super) counts: Counts,
    pub(super) ledger: Ledger,
}

/// Those who live.
#[derive(Clone)]
pub(super) struct Scene {
    pub(super) endpoint: String,
    pub(super) server: Present,
    pub(super) desks: Arc<[Client]>,
    pub(super) twins: Arc<Mutex<Vec<Option<Client>>>>,
    doors: Doors,
    book: Book,
}

/// Lives that seed.
pub(super) fn live(seed: u64) -> Life {
    let mut luck = Luck::new(seed);
    let book = Book::default();
    let mut sim = Sim::new(seed, Conditions::windy());
    sim.run(live_in_world(book.clone(), luck.fork()));
    let (digest, ledger) = (sim.digest(), book.ledger());
    let tally = ledger.check(SLACK).unwrap_or_else(|lie| panic!("PSEUD_SEED={seed}: {lie}"));
    let left = sim.runtime().tasks();
    assert_eq!(left, 0, "PSEUD_SEED={seed}: tasks of nodes that have ended");
    Life { seed, digest, tally, counts: book.counts(), ledger }
}

async fn live_in_world(book: Book, mut luck: Luck) {
    let doors = Doors::new(&mut luck);
    let scene = Scene::open(doors, book.clone()).await;
    let mut callers = Vec::new();
    for (number, client) in scene.desks.iter().enumerate() {
        for _ in 0..CALLERS {
            let node: Node = client.node().clone();
            let (maker, server) = (book::desk(number), scene.server.clone());
            callers.push(sim::spawn(call_server(node, maker, book.clone(), luck.fork())));
            callers.push(sim::spawn(call_desk(server, number, book.clone(), luck.fork())));
        }
    }
    if doors.lets_strangers_in() {
        let (endpoint, luck) = (scene.endpoint.clone(), luck.fork());
        let meant = if doors.serves_strangers() { vec![SERVER] } else { vec![] };
        callers.push(sim::spawn(repeater::repeat(endpoint, book.clone(), meant, luck)));
    }
    callers.push(sim::spawn(errands::wait_for_guest(scene.clone(), luck.fork())));
    let troubles = sim::spawn(troubles::make(scene.clone(), luck.fork()));
    sim::join_all(callers).await;
    troubles.abort();
    let _ = troubles.await;
    scene.end(&mut luck).await;
    sim::sleep(LATE).await;
}

impl Scene {
    async fn open(doors: Doors, book: Book) -> Self {
        let server = new_server(doors, &book);
        let endpoint: String = server.bind("tcp://127.0.0.1:0").await.unwrap().into();
        let new = |number| new_client(number, false, doors, &book, &endpoint);
        let desks = (0..book::NAMES).map(new).collect();
        let twins = Arc::new(Mutex::new(vec![None; book::NAMES]));
        Self { server: Present(Arc::new(Mutex::new(server))), endpoint, desks, twins, doors, book }
    }

    pub(super) fn book(&self) -> Book {
        self.book.clone()
    }

    /// A server has ended: what it has seen.
    pub(super) fn has_ended(&self, server: &Server) {
        let repeats = server.stats().dropped(Dropped::Duplicate);
        self.book.count(|counts| counts.repeats += repeats);
    }

    /// A server ends when what is open has ended, or that time has passed.
    pub(super) async fn drain(&self, server: &Server, time: Duration) {
        let drains = u64::from(server.stats().sessions > 0);
        self.book.count(|counts| counts.drains += drains);
        server.drain(time).await;
    }

    pub(super) fn new_server(&self) -> Server {
        new_server(self.doors, &self.book)
    }

    pub(super) fn new_client(&self, number: usize, is_twin: bool) -> Client {
        new_client(number, is_twin, self.doors, &self.book, &self.endpoint)
    }

    /// Everybody leaves: some in order, some not.
    async fn end(self, luck: &mut Luck) {
        for client in self.desks.iter() {
            match luck.between(0, 2) {
                0 => client.shutdown(),
                _ => drop(client.drain(luck.millis(0, 500)).await),
            }
            assert_eq!(client.stats().sessions, 0);
        }
        let server = self.server.server();
        self.drain(&server, luck.millis(0, 500)).await;
        self.has_ended(&server);
        let stats = server.stats();
        assert_eq!((stats.sessions, stats.requests_open), (0, 0), "{stats:?}");
    }
}

fn new_server(doors: Doors, book: &Book) -> Server {
    let server = Server::with_options(doors.server()).unwrap();
    handlers::serve(server.node(), SERVER, book);
    errands::serve(server.node(), book);
    sim::spawn(watcher::watch(server.node().clone(), doors.limits(), book.clone()));
    server
}

fn new_client(number: usize, is_twin: bool, doors: Doors, book: &Book, endpoint: &str) -> Client {
    let client = Client::with_options(doors.client(number)).unwrap();
    let member = match number {
        book::GUEST => book::guest(),
        _ if is_twin => book::twin(number),
        _ => book::desk(number),
    };
    handlers::serve(client.node(), member, book);
    if !is_twin {
        sim::spawn(watcher::watch(client.node().clone(), doors.limits(), book.clone()));
    }
    client.connect(endpoint).unwrap();
    client
}
