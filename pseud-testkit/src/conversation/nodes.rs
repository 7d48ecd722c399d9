//! The nodes that conversations are between. In a simulated world each is watched from its birth to its
//! end: every session begins once, and leaves once.

use super::{Client, Runtime, Server};
use crate::sim::SimRuntime;
use pseud_async::{ConnectionEvent, Events, Node, Options};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

thread_local! {
    /// What the nodes of the world on this thread tell.
    static WATCHED: RefCell<Vec<Events>> = const { RefCell::new(Vec::new()) };
}

/// A server of those options, which can be met.
pub fn new_server<R: Runtime>(options: Options) -> Server<R> {
    let server = Server::with_options(options).expect("options that can be met");
    watch(server.node());
    server
}

/// A client of those options, which can be met.
pub fn new_client<R: Runtime>(options: Options) -> Client<R> {
    let client = Client::with_options(options).expect("options that can be met");
    watch(client.node());
    client
}

fn watch(node: &Node) {
    if SimRuntime::here().is_some() {
        WATCHED.with_borrow_mut(|watched| watched.push(node.events()));
    }
}

/// All nodes of the world on this thread have ended: whether each of their sessions began once and left
/// once. How many sessions there were.
///
/// # Panics
/// That is not so.
pub(super) fn judge() -> usize {
    WATCHED.take().into_iter().map(sessions).sum()
}

/// The sessions of one node that has ended.
fn sessions(mut events: Events) -> usize {
    // By session: how often it began, and how often it left.
    let mut counts = BTreeMap::<_, (u32, u32)>::new();
    let mut has_lagged = false;
    loop {
        match events.poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(None) => break,
            Poll::Ready(Some(ConnectionEvent::Connected { session, .. })) => {
                let count = counts.entry(session).or_default();
                count.0 += 1;
                assert_eq!(*count, (1, 0), "{session:?} began twice, or after it had left");
            }
            Poll::Ready(Some(ConnectionEvent::Disconnected { session, .. })) => {
                let count = counts.entry(session).or_default();
                count.1 += 1;
                assert_eq!(count.1, 1, "{session:?} left twice");
                assert!(count.0 == 1 || has_lagged, "{session:?} left and has never begun");
            }
            Poll::Ready(Some(ConnectionEvent::Lagged(_))) => has_lagged = true,
            Poll::Ready(Some(_)) => {}
            Poll::Pending => panic!("a node outlives its conversation"),
        }
    }
    for (session, count) in &counts {
        assert_eq!(count.1, 1, "{session:?} has never left");
    }
    counts.len()
}
