//! Errands that need somebody else: a user that is called before it is there, and calls that a server hands on to
//! whom their caller names.

use super::book::{self, Book, Plan, SERVER};
use super::callers::Present;
use super::handlers;
use super::life::Scene;
use pseud::{Fault, Node, Request};
use pseud_testkit::ledger::{CallEnd, Number, answer_to};
use pseud_testkit::luck::Luck;
use pseud_testkit::sim;
use std::time::Duration;

/// How long a call waits for somebody whom nobody knows (the default of `unroutable_timeout`).
const UNROUTABLE: Duration = Duration::from_millis(400);

/// A guest is called before it comes; at times it never does. Who waits is served once it is there, as itself or
/// as the user that it is, and has an end, not executed, where it does not come.
pub(super) async fn wait_for_guest(scene: Scene, mut luck: Luck) {
    sim::sleep(luck.millis(0, 2_000)).await;
    let comes = luck.between(0, 3) > 0;
    let mut callers = Vec::new();
    for way in 0..3 {
        let (server, book, luck) = (scene.server.clone(), scene.book(), luck.fork());
        callers.push(sim::spawn(call_guest(server, way, comes, book, luck)));
    }
    sim::sleep(luck.millis(0, 600)).await;
    let guest = comes.then(|| scene.new_client(book::GUEST, false));
    sim::join_all(callers).await;
    match guest {
        Some(guest) if luck.between(0, 2) == 0 => guest.shutdown(),
        Some(guest) => drop(guest.drain(luck.millis(0, 500)).await),
        None => {}
    }
}

/// Calls it as whoever has that name, as that user, or as either.
async fn call_guest(server: Present, way: usize, comes: bool, book: Book, mut luck: Luck) {
    for _ in 0..3 {
        let name = book::name(book::GUEST);
        // Not held while the call goes on: a server that is not held any more ends.
        let guest = match way {
            0 => server.server().peer(&name),
            1 => server.server().user(&name),
            _ => server.server().send_to(&name),
        };
        let timeout = Duration::from_millis(luck.one_of(&[100, 2_000, 5_000]));
        let (meant, until) = match comes {
            true => (vec![book::guest()], timeout),
            false => (vec![], timeout.min(UNROUTABLE)),
        };
        let (is_absent, name) = (!guest.is_connected(), luck.one_of(&handlers::NAMES));
        let plan = Plan { maker: SERVER, meant, timeout, until, given_up: None };
        let call = |number, time| guest.call(name, (number, String::new())).timeout(time);
        let end = book.follow(plan, call).await;
        if !comes {
            let is_safe =
                matches!(end, CallEnd::NotExecuted(_) | CallEnd::Closed { not_executed: true });
            assert!(is_safe, "nobody came: {end:?}");
            book.count(|counts| counts.waited_in_vain += 1);
        } else if is_absent && matches!(end, CallEnd::Value(_)) {
            book.count(|counts| counts.waited_for += 1);
        }
        sim::sleep(luck.millis(0, 100)).await;
    }
}

/// Serves who wants a call to be handed on.
pub(super) fn serve(node: &Node, book: &Book) {
    let (next, seen) = (node.clone(), book.clone());
    let handler = move |request| hand_on(next.clone(), seen.clone(), request);
    node.registry().register("hand_on", handler).unwrap();
}

/// Calls whom its caller names, whatever comes of that, before it answers: whoever has that name, is that user, or
/// the newest session of it.
async fn hand_on(node: Node, book: Book, request: Request) -> Result<(u64, String), Fault> {
    let (number, padding, to): (Number, String, usize) = request.args()?;
    book.runs(number, SERVER);
    let (name, way) = (book::name(to), number as usize % 3);
    let hop = match way {
        0 => node.peer(&name),
        1 => node.user(&name),
        _ => node.sessions(&name).pop().unwrap_or_else(|| node.send_to(&name)),
    };
    let plan = Plan::new(SERVER, vec![book::desk(to), book::twin(to)], Duration::from_secs(1));
    // Where the caller leaves, this future is dropped; the call that it made has its end.
    let calling = sim::spawn(async move {
        let call = |number, time| hop.call("later", (number, String::new())).timeout(time);
        if matches!(book.follow(plan, call).await, CallEnd::Value(_)) {
            book.count(|counts| counts.handed_on[way] += 1);
        }
    });
    let _ = calling.await;
    Ok((answer_to(number), padding))
}
