//! Handlers of every kind: each writes down that it ran, and returns what only this call is answered with.

use super::book::{Book, Plan, members};
use pseud::{Fault, Node, Request};
use pseud_testkit::ledger::{Member, Number, answer_to};
use pseud_testkit::sim;
use std::time::Duration;

/// What can be called; those behind the first four call their caller before they answer.
pub(super) const NAMES: [&str; 8] =
    ["inline", "later", "slow", "thread", "raises", "down1", "down2", "down3"];

/// Serves all of them on that node.
pub(super) fn serve(node: &Node, member: Member, book: &Book) {
    let (registry, seen) = (node.registry(), book.clone());
    registry.register_sync("inline", move |request| run(&seen, member, &request)).unwrap();
    let seen = book.clone();
    registry.register_blocking("thread", move |request| run(&seen, member, &request)).unwrap();
    let seen = book.clone();
    let raises = move |request: Request| {
        run(&seen, member, &request)?;
        Err::<(), _>(Fault::new("OnPurpose", "as it was meant to"))
    };
    registry.register_sync("raises", raises).unwrap();
    for (name, nap) in [("later", 0), ("slow", 20)] {
        let seen = book.clone();
        let handler = move |request: Request| {
            let ran = run(&seen, member, &request);
            async move {
                sim::sleep(Duration::from_millis(nap)).await;
                ran
            }
        };
        registry.register(name, handler).unwrap();
    }
    for (name, next) in [("down1", "later"), ("down2", "down1"), ("down3", "down2")] {
        let seen = book.clone();
        let handler = move |request| call_back(seen.clone(), member, request, next);
        registry.register(name, handler).unwrap();
    }
}

fn run(book: &Book, member: Member, request: &Request) -> Result<(u64, String), Fault> {
    let (number, padding): (Number, String) = request.args()?;
    book.runs(number, member);
    Ok((answer_to(number), padding))
}

/// Calls its caller, whatever comes of that, before it answers.
async fn call_back(
    book: Book,
    member: Member,
    request: Request,
    next: &'static str,
) -> Result<(u64, String), Fault> {
    let ran = run(&book, member, &request);
    let user = request.user();
    let known_by = if user.is_anonymous() { request.caller().identity() } else { user.id() };
    let meant = members(known_by);
    let timeout = Duration::from_secs(1);
    // Where the caller leaves, this future is dropped, and its call with it: that is no end that anybody
    // is told of.
    let plan = Plan::new(member, meant, timeout);
    let (caller, books) = (request.caller().peer(), book.clone());
    let calling = sim::spawn(async move {
        let call = |number, timeout| caller.call(next, (number, String::new())).timeout(timeout);
        books.follow(plan, call).await;
    });
    let _ = calling.await;
    ran
}
