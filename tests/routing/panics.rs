//! Panics of what users hand in, outside what they are called for: in drops, and in decoding.

use crate::{
    Runtime, Tokio, client, connected, conversations, only_we_left, open_server, options, said,
    says, soon,
};
use pseud::{CallError, Fault};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

conversations! { Tokio:
    a_panic_while_a_handler_or_a_predicate_is_dropped_costs_no_link,
    a_result_whose_decoding_panics_is_not_asked_for_again,
}

/// Panics when it is dropped, once.
struct Bomb(Arc<Mutex<bool>>);

impl Drop for Bomb {
    fn drop(&mut self) {
        let lit = std::mem::take(&mut *self.0.lock().unwrap());
        assert!(!lit, "on purpose");
    }
}

/// The handler's last owner is whoever serves its request, or others that came with it.
async fn a_panic_while_a_handler_or_a_predicate_is_dropped_costs_no_link<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    says(&server.registry(), "hello", "hello");
    let client = client::<R>(&endpoint);
    let events = client.events();
    soon(client.ready()).await;
    let registry = server.registry();
    for kind in 0..4 {
        let lit = Arc::new(Mutex::new(true));
        let bomb = Bomb(lit.clone());
        let own = registry.clone();
        let go = move || {
            let _ = &bomb;
            own.unregister("bomb");
            own.domain("bombed").unregister("bomb");
            own.predicate("bombed", |_| false);
        };
        match kind {
            0 => registry
                .register_sync("bomb", move |_| {
                    go();
                    Ok::<_, Fault>(())
                })
                .unwrap(),
            1 => registry
                .register("bomb", move |_| {
                    go();
                    async { Ok::<_, Fault>(()) }
                })
                .unwrap(),
            2 => {
                registry.predicate("bombed", move |_| {
                    go();
                    true
                });
                says(&registry.domain("bombed"), "bomb", "behind a bomb");
            }
            _ => {
                registry.predicate_async("bombed", move |_| {
                    go();
                    async { true }
                });
                says(&registry.domain("bombed"), "bomb", "behind a bomb");
            }
        }
        // Its answer is not of what becomes of it, which may be later.
        let told = soon(client.call::<(), _>("bomb", ())).await;
        let is_told = match kind {
            0 | 1 => told.is_ok(),
            _ => matches!(told, Err(CallError::Result(_))),
        };
        assert!(is_told, "{kind}: {told:?}");
        assert_eq!(said(&client, "hello").await, "hello");
        assert!(!*lit.lock().unwrap(), "{kind}: it went off");
    }
    client.shutdown();
    only_we_left(events).await;
}

/// Its decoding panics, for the first of two sessions.
#[derive(Debug)]
struct Odd;

impl<'de> serde::Deserialize<'de> for Odd {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        assert_ne!(text, "first", "on purpose");
        Ok(Self)
    }
}

async fn a_result_whose_decoding_panics_is_not_asked_for_again<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let names = ["first", "second"];
    let clients = names.map(|name| connected::<R>(options().identity(name), &endpoint));
    for (client, name) in clients.iter().zip(names) {
        says(&client.registry(), "name", name);
        soon(client.ready()).await;
    }
    let mut all = server.call_all::<Odd, _>(names.map(|name| server.peer(name)), "name", ());
    let mut panics = 0;
    let told = poll_fn(|cx| {
        let poll = || Pin::new(&mut all).poll(cx);
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(polled) => polled,
            Err(_) => {
                panics += 1;
                assert_eq!(panics, 1, "it was done");
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    });
    let told = soon(told).await;
    assert!(matches!(&told[..], [Ok(Odd)]), "{told:?}");
    assert_eq!(panics, 1);
}
