//! Predicates that have to wait: later requests overtake, and who is gone meanwhile is not served.

use crate::{
    Runtime, Server, Tokio, client, connected, conversations, join_all, not_found, open_server,
    options, said, says, soon, spawn, user, yield_now,
};
use pseud::{Caller, Fault, Request};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, mpsc};

conversations! { Tokio:
    p_7_a_predicate_that_waits_lets_a_later_request_start_first,
    p_7_predicates_that_answer_at_once_keep_the_order,
    handlers_of_every_kind_run_behind_a_predicate_that_waited,
    the_next_candidates_are_asked_after_one_that_waited,
    who_is_gone_while_a_predicate_waits_is_not_served,
}

/// Guards the domain `waits` with a predicate that tells that it was asked, and accepts when it is
/// told to. It tells, too, when nobody waits for it any more: the channel's sender goes with it.
fn guard<R: Runtime>(
    server: &Server<R>,
) -> (mpsc::UnboundedReceiver<mpsc::Receiver<()>>, Arc<Notify>) {
    let (tell, asked) = mpsc::unbounded_channel();
    let accept = Arc::new(Notify::new());
    let told = accept.clone();
    server.predicate_async("waits", move |_| {
        let (told, (alive, ended)) = (told.clone(), mpsc::channel(1));
        tell.send(ended).unwrap();
        async move {
            let _alive = alive;
            told.notified().await;
            true
        }
    });
    (asked, accept)
}

async fn p_7_a_predicate_that_waits_lets_a_later_request_start_first<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let (mut asked, accept) = guard(&server);
    let started = Arc::new(Mutex::new(Vec::new()));
    for (registry, name) in [(server.domain("waits"), "first"), (server.registry(), "second")] {
        let started = started.clone();
        let handler = move |_| {
            started.lock().unwrap().push(name);
            Ok::<_, Fault>(name)
        };
        registry.register_sync(name, handler).unwrap();
    }
    let client = client::<R>(&endpoint);
    let caller = client.clone();
    let first = spawn(async move { said(&caller, "first").await });
    soon(asked.recv()).await.unwrap();
    assert_eq!(said(&client, "second").await, "second");
    accept.notify_one();
    assert_eq!(soon(first).await.unwrap(), "first");
    assert_eq!(*started.lock().unwrap(), ["second", "first"]);
}

async fn p_7_predicates_that_answer_at_once_keep_the_order<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    server.predicate("plain", |_| true);
    server.predicate_async("ready", |_| std::future::ready(true));
    let started = Arc::new(Mutex::new(Vec::new()));
    let names = ["default", "plain", "ready"];
    for name in names {
        let started = started.clone();
        let handler = move |request: Request| {
            let (number,): (usize,) = request.args()?;
            started.lock().unwrap().push(number);
            Ok::<_, Fault>(())
        };
        server.domain(name).register_sync(name, handler).unwrap();
    }
    let client = client::<R>(&endpoint);
    soon(client.ready()).await;
    let (mut calls, made) = (Vec::new(), Arc::new(Mutex::new(Vec::new())));
    for (number, name) in (0..300).zip(names.into_iter().cycle()) {
        let (client, made) = (client.clone(), made.clone());
        calls.push(spawn(async move {
            made.lock().unwrap().push(number);
            client.call::<(), _>(name, (number,)).await.unwrap();
        }));
    }
    soon(join_all(calls)).await;
    let made = made.lock().unwrap();
    assert_eq!((made.len(), &*made), (300, &*started.lock().unwrap()));
}

async fn handlers_of_every_kind_run_behind_a_predicate_that_waited<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let (mut asked, accept) = guard(&server);
    let waits = server.domain("waits");
    says(&waits, "sync", "done");
    waits.register_blocking("blocking", |_| Ok::<_, Fault>("done")).unwrap();
    waits.register("ready", |_| async { Ok::<_, Fault>("done") }).unwrap();
    let late = |_| async {
        yield_now().await;
        Ok::<_, Fault>("done")
    };
    waits.register("late", late).unwrap();
    let client = client::<R>(&endpoint);
    for name in ["sync", "blocking", "ready", "late"] {
        let call = async {
            soon(asked.recv()).await.unwrap();
            accept.notify_one();
        };
        let (told, ()) = tokio::join!(said(&client, name), call);
        assert_eq!(told, "done", "{name}");
    }
}

async fn the_next_candidates_are_asked_after_one_that_waited<R: Runtime>() {
    let (server, endpoint) = crate::server::<R>().await;
    says(&server.registry(), "power", "small");
    says(&server.domain("restricted"), "power", "great");
    server.predicate_async("late no", |_: Caller| async {
        yield_now().await;
        false
    });
    says(&server.domain("late no"), "power", "none");
    server.predicate_async("late admin", |caller: Caller| async move {
        yield_now().await;
        caller.user().id() == "admin"
    });
    says(&server.domain("late admin"), "admin", "for admin");
    let (lambda, admin) = (user::<R>("lambda", &endpoint), user::<R>("admin", &endpoint));
    assert_eq!(said(&lambda, "power").await, "small");
    assert_eq!(said(&admin, "power").await, "great");
    assert_eq!(said(&admin, "admin").await, "for admin");
    not_found(&lambda, "admin").await;
}

async fn who_is_gone_while_a_predicate_waits_is_not_served<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let (mut asked, accept) = guard(&server);
    let runs = Arc::new(AtomicUsize::new(0));
    let count = runs.clone();
    let handler = move |_| Ok::<_, Fault>(count.fetch_add(1, Ordering::Relaxed) as u64);
    server.domain("waits").register_sync("run", handler).unwrap();
    let leaving = connected::<R>(options(), &endpoint);
    let calling = spawn(leaving.call::<u64, _>("run", ()));
    let mut ended = soon(asked.recv()).await.unwrap();
    leaving.shutdown();
    soon(calling).await.unwrap().unwrap_err();
    // Without an answer: the predicate was given up.
    assert_eq!(soon(ended.recv()).await, None);
    accept.notify_one();
    let client = client::<R>(&endpoint);
    assert_eq!(soon(client.call::<u64, _>("run", ())).await.unwrap(), 0, "the first run");
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}
