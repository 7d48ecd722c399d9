//! Panics that carry what panics as it is dropped (S-16): a fault of that call, a "no" of a predicate,
//! and nothing else.

use crate::{
    Runtime, Tokio, client, conversations, fault, not_found, only_we_left, open_server, said, says,
    soon, spawn, until,
};
use pseud::{Fault, Registry};
use std::future::{Future, poll_fn};
use std::panic::panic_any;
use std::task::Poll;

conversations! { Tokio:
    s_16_handlers_and_predicates_whose_panics_panic,
    s_16_a_handler_that_panics_as_it_is_dropped_unasked,
}

/// Panics as it is dropped, with another of its kind.
struct Endless;

impl Drop for Endless {
    fn drop(&mut self) {
        panic_any(Endless);
    }
}

fn explode<T>() -> T {
    panic_any(Endless)
}

/// Waits once; explodes then.
fn later<T>() -> impl Future<Output = T> {
    let mut waited = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(explode());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Explodes as it is dropped, whether it was ready or not.
struct Charged<F>(F);

impl<F> Drop for Charged<F> {
    fn drop(&mut self) {
        panic_any(Endless);
    }
}

type Told = Result<(), Fault>;

async fn s_16_handlers_and_predicates_whose_panics_panic<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let registry = server.registry();
    says(&registry, "hello", "hello");
    handlers(&registry);
    predicates(&registry);
    let client = client::<R>(&endpoint);
    let events = client.events();
    soon(client.ready()).await;
    for name in ["inline", "called", "polled", "later", "blocking"] {
        assert_eq!(fault(&client, name).await.to_string(), "Internal: the handler panicked");
        assert_eq!(said(&client, "hello").await, "hello");
    }
    for name in ["sync", "asked", "at once", "waits", "as it goes"] {
        not_found(&client, name).await;
        assert_eq!(said(&client, "hello").await, "hello");
    }
    // A handler that waits is dropped with its caller's link.
    let charged = spawn(client.call::<(), _>("charged", ()));
    until(|| server.stats().requests_open > 0).await;
    client.shutdown();
    soon(charged).await.unwrap().unwrap_err();
    only_we_left(events).await;
    soon(server.drained()).await;
}

fn handlers(registry: &Registry) {
    registry.register_sync("inline", |_| -> Told { explode() }).unwrap();
    registry.register_blocking("blocking", |_| -> Told { explode() }).unwrap();
    registry.register("called", |_| explode::<std::future::Ready<Told>>()).unwrap();
    registry.register("polled", |_| async { explode::<Told>() }).unwrap();
    registry.register("later", |_| later::<Told>()).unwrap();
    let charged = |_| {
        let charged = Charged(());
        async move {
            let _ = &charged;
            std::future::pending::<Told>().await
        }
    };
    registry.register("charged", charged).unwrap();
}

fn predicates(registry: &Registry) {
    registry.predicate("sync", |_| explode());
    registry.predicate_async("asked", |_| explode::<std::future::Ready<bool>>());
    registry.predicate_async("at once", |_| async { explode() });
    registry.predicate_async("waits", |_| later());
    registry.predicate_async("as it goes", |_| {
        let charged = Charged(());
        async move {
            let _ = &charged;
            false
        }
    });
    for domain in ["sync", "asked", "at once", "waits", "as it goes"] {
        says(&registry.domain(domain), domain, "behind a predicate that panics");
    }
}

/// Its last owner is the request that it was a candidate for.
async fn s_16_a_handler_that_panics_as_it_is_dropped_unasked<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    says(&server.registry(), "hello", "hello");
    let client = client::<R>(&endpoint);
    let registry = server.registry();
    for is_async in [false, true] {
        let charged = Charged(());
        let run = move |_| {
            let _ = &charged;
            Ok::<_, Fault>(())
        };
        registry.domain("closed").register_sync("charged", run).unwrap();
        let own = registry.clone();
        let deny = move || {
            own.domain("closed").unregister("charged");
            false
        };
        match is_async {
            false => registry.predicate("closed", move |_| deny()),
            true => registry.predicate_async("closed", move |_| std::future::ready(deny())),
        }
        not_found(&client, "charged").await;
        assert_eq!(said(&client, "hello").await, "hello");
    }
    assert_eq!(server.stats().sessions, 1);
    assert_eq!(client.stats().sessions, 1);
}
