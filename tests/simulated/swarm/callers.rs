//! Those who call, one call after another.

use super::book::{self, Book, Plan, SERVER};
use super::handlers::NAMES;
use pseud::Node;
use pseud_testkit::luck::Luck;
use pseud_testkit::sim::Server;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CALLS: usize = 6;

/// The server of now: others follow it.
#[derive(Clone)]
pub(super) struct Present(pub(super) Arc<Mutex<Server>>);

impl Present {
    pub(super) fn server(&self) -> Server {
        self.0.lock().unwrap().clone()
    }
}

/// A client calls its server.
pub(super) async fn call_server(node: Node, maker: usize, book: Book, mut luck: Luck) {
    for _ in 0..CALLS {
        let (name, padding) = (luck.one_of(&NAMES), padding(&mut luck));
        let plan = plan(maker, vec![SERVER], &mut luck);
        if luck.between(0, 4) == 0 {
            let to = luck.between(0, book::NAMES);
            let call = |number, time| node.call("hand_on", (number, padding, to)).timeout(time);
            book.follow(plan, call).await;
        } else {
            let call = |number, time| node.call(name, (number, padding)).timeout(time);
            book.follow(plan, call).await;
        }
    }
}

/// The server calls whoever has that name, or is that user.
pub(super) async fn call_desk(server: Present, to: usize, book: Book, mut luck: Luck) {
    for _ in 0..CALLS {
        let (name, padding) = (luck.one_of(&NAMES), padding(&mut luck));
        let meant = vec![book::desk(to), book::twin(to)];
        let (plan, desk) = (plan(SERVER, meant, &mut luck), book::name(to));
        // Not held while the call goes on: a server that is not held any more ends.
        let peer = match luck.between(0, 3) {
            0 => server.server().peer(&desk),
            1 => server.server().user(&desk),
            _ => server.server().send_to(&desk),
        };
        let call = |number, time| peer.call(name, (number, padding)).timeout(time);
        book.follow(plan, call).await;
    }
}

fn plan(maker: usize, meant: Vec<usize>, luck: &mut Luck) -> Plan {
    let timeout = Duration::from_millis(luck.one_of(&[10, 300, 2_000, 5_000]));
    let given_up = (luck.between(0, 8) == 0).then(|| luck.millis(0, 50));
    Plan { given_up, ..Plan::new(maker, meant, timeout) }
}

/// Bytes that a call carries, there and back.
fn padding(luck: &mut Luck) -> String {
    "x".repeat(luck.one_of(&[0, 0, 0, 100, 100, 3_000]))
}
