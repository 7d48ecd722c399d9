//! Predicates and handlers that do something to their own registry, node or caller: nothing of theirs
//! runs, or is dropped, under a lock that they could need.

use crate::{
    Runtime, Tokio, client, conversations, new_client, not_found, open_server, options, said, says,
    soon, user, yield_now,
};
use pseud::{CallError, Events, Fault, Node, Reason, Registry, Request};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

conversations! { Tokio:
    a_predicate_may_change_the_registry_that_it_guards,
    a_predicate_may_call_the_caller_that_it_judges,
    a_handler_may_take_itself_away,
    a_handler_may_disconnect_its_own_caller_or_its_user,
    a_handler_may_end_its_own_node,
    what_handlers_and_predicates_hold_may_use_registries_when_it_is_dropped,
}

async fn a_predicate_may_change_the_registry_that_it_guards<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let registry = server.registry();
    let global = Registry::global();
    says(&global, "reentrant.changed", "global");
    server.predicate("changes", move |_| {
        registry.predicate("changes", |_| true);
        assert!(registry.domain("changes").unregister("reentrant.changed"));
        says(&registry, "reentrant.changed", "new");
        says(&Registry::global(), "reentrant.more", "more");
        true
    });
    says(&server.domain("changes"), "reentrant.changed", "former");
    let client = client::<R>(&endpoint);
    assert_eq!(said(&client, "reentrant.changed").await, "former");
    assert_eq!(said(&client, "reentrant.changed").await, "new");
    assert_eq!(said(&client, "reentrant.more").await, "more");
}

async fn a_predicate_may_call_the_caller_that_it_judges<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    server.predicate_async("vouched", |caller| async move {
        matches!(caller.call::<String, _>("password", ()).await.as_deref(), Ok("sesame"))
    });
    says(&server.domain("vouched"), "open", "opened");
    let knows = client::<R>(&endpoint);
    says(&knows.registry(), "password", "sesame");
    assert_eq!(said(&knows, "open").await, "opened");
    not_found(&client::<R>(&endpoint), "open").await;
}

async fn a_handler_may_take_itself_away<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let registry = server.registry();
    let once = registry.clone();
    registry
        .register_sync("once", move |request| {
            assert!(once.unregister(request.name()));
            Ok::<_, Fault>("once")
        })
        .unwrap();
    let client = client::<R>(&endpoint);
    assert_eq!(said(&client, "once").await, "once");
    not_found(&client, "once").await;
}

async fn a_handler_may_disconnect_its_own_caller_or_its_user<R: Runtime>() {
    let (server, endpoint) = crate::server::<R>().await;
    let node = server.clone();
    server
        .register_sync("leave", |request| Ok::<_, Fault>(request.caller().peer().disconnect()))
        .unwrap();
    server
        .register("leave all", move |request: Request| {
            let node = node.clone();
            async move { Ok::<_, Fault>(node.disconnect_user(request.user().id()) as u64) }
        })
        .unwrap();
    says(&server.registry(), "hello", "hello");
    let admin = user::<R>("admin", &endpoint);
    for name in ["leave", "leave all"] {
        // A client of its own each: who was shown out does not come back soon.
        let lambda = user::<R>("lambda", &endpoint);
        assert_eq!(said(&lambda, "hello").await, "hello");
        let told = soon(lambda.call::<u64, _>(name, ())).await.unwrap_err();
        // That it was shown out, unless the link was lost before that was said.
        let is_told = |why| matches!(why, Reason::Revoked | Reason::PeerGone);
        assert!(matches!(told, CallError::Unknown(why) if is_told(why)), "{told:?}");
        assert_eq!(said(&admin, "hello").await, "hello");
    }
    assert_eq!(server.stats().requests_open, 0);
    // One of its handlers holds it.
    server.shutdown();
}

/// Handlers of each kind that end their own node: by saying so, or by dropping its last handle.
async fn ends<R: Runtime>(kind: &'static str, last_handle: bool) {
    let (server, endpoint) = open_server::<R>().await;
    let client = client::<R>(&endpoint);
    soon(client.ready()).await;
    let registry = server.registry();
    let mut events = server.events();
    let held = Arc::new(Mutex::new(Some(server)));
    let end = move || {
        let server = held.lock().unwrap().take();
        if !last_handle {
            server.inspect(|server| server.shutdown());
        }
        Ok::<_, Fault>(())
    };
    match kind {
        "sync" => registry.register_sync("end", move |_| end()).unwrap(),
        "blocking" => registry.register_blocking("end", move |_| end()).unwrap(),
        "async" => registry
            .register("end", move |_| {
                let ended = end();
                async { ended }
            })
            .unwrap(),
        _ => {
            registry.predicate_async("late", |_| async {
                yield_now().await;
                true
            });
            registry.domain("late").register_sync("end", move |_| end()).unwrap();
        }
    }
    let told = soon(client.call::<(), _>("end", ())).await.unwrap_err();
    assert!(matches!(told, CallError::Unknown(Reason::PeerGone)), "{kind}: {told:?}");
    soon(async { while events.next().await.is_some() {} }).await;
}

async fn a_handler_may_end_its_own_node<R: Runtime>() {
    for kind in ["sync", "blocking", "async", "behind a predicate that waits"] {
        for last_handle in [false, true] {
            ends::<R>(kind, last_handle).await;
        }
    }
}

/// Uses a registry and a node when it is dropped.
struct Uses(Registry, Arc<Mutex<Option<Node>>>);

impl Drop for Uses {
    fn drop(&mut self) {
        says(&self.0, "reentrant.dropped", "dropped");
        self.0.predicate("reentrant", |_| true);
        let node = self.1.lock().unwrap().take();
        node.inspect(|node| assert!(node.stats().sessions < 2));
    }
}

async fn what_handlers_and_predicates_hold_may_use_registries_when_it_is_dropped<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let uses = |registry: &Registry| {
        let node: &Node = server.node();
        Uses(registry.clone(), Arc::new(Mutex::new(Some(node.clone()))))
    };
    for registry in [server.registry(), Registry::global(), Registry::new()] {
        let held = uses(&registry);
        registry
            .register_sync("reentrant.held", move |_| {
                let _ = &held;
                Ok::<_, Fault>(())
            })
            .unwrap();
        says(&registry, "reentrant.held", "replaced");
        let held = uses(&registry);
        registry.predicate("reentrant", move |_| {
            let _ = &held;
            true
        });
        registry.predicate("reentrant", |_| true);
        let held = uses(&registry);
        let refused = registry.register_sync("pseud", move |_| {
            let _ = &held;
            Ok::<_, Fault>(())
        });
        assert!(refused.is_err());
        assert!(registry.unregister("reentrant.dropped"));
        assert!(registry.unregister("reentrant.held"));
    }
    let held = uses(&server.registry());
    server
        .register_sync("held to the end", move |_| {
            let _ = &held;
            Ok::<_, Fault>(())
        })
        .unwrap();
    let client = client::<R>(&endpoint);
    soon(client.call::<(), _>("held to the end", ())).await.unwrap();
    server.shutdown();
}

/// A waker whose task uses the node when the last waker of it goes.
struct Task(Node);

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Task {
    fn drop(&mut self) {
        assert_eq!(self.0.stats().sessions, 0);
    }
}

fn poll_events(events: &mut Events, node: &Node) {
    let waker: Waker = Arc::new(Task(node.clone())).into();
    let mut cx = Context::from_waker(&waker);
    while events.poll_next(&mut cx).is_ready() {}
}

fn poll(future: &mut (impl Future + Unpin), node: &Node) {
    let waker: Waker = Arc::new(Task(node.clone())).into();
    let polled = std::pin::Pin::new(future).poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
}

#[tokio::test]
async fn no_waker_is_dropped_under_a_lock_that_its_task_may_need() {
    let client = new_client::<Tokio>(options());
    let node: Node = client.node().clone();
    // On a thread of its own, which a dead-lock does not keep the test waiting for.
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut events = node.events();
        let mut call = node.call::<(), _>("hello", ());
        let (mut ready, mut all) =
            (node.ready(), node.call_all::<(), _>([node.peer("x")], "x", ()));
        for _ in 0..3 {
            poll_events(&mut events, &node);
            poll(&mut call, &node);
            poll(&mut ready, &node);
            poll(&mut all, &node);
        }
        drop((events, call, ready, all));
        tell.send(()).unwrap();
    });
    soon(told).await.unwrap();
}
