//! Ends: of a caller, of a handler, of a node, of the runtime.

use crate::{client, hello, server, soon};
use pseud::{CallError, Client, Fault, Reason};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

#[tokio::test]
async fn a_handler_is_told_that_its_caller_is_gone() {
    let (server, endpoint) = server("tcp://127.0.0.1:0").await;
    let (started, told) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begin, end) = (started.clone(), told.clone());
    server
        .register("work", move |request| {
            let (begin, end) = (begin.clone(), end.clone());
            async move {
                assert!(!request.cancelled().is_cancelled());
                begin.notify_one();
                request.cancelled().await;
                assert!(request.cancelled().is_cancelled());
                end.notify_one();
                Ok::<_, Fault>(())
            }
        })
        .unwrap();
    let caller = client(&endpoint);
    let call = tokio::spawn({
        let caller = caller.clone();
        async move { caller.call::<(), _>("work", ()).await }
    });
    soon(started.notified()).await;
    caller.shutdown();
    soon(told.notified()).await;
    let error = soon(call).await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Closed { executed: pseud::Executed::Maybe }), "{error}");
    assert_eq!(hello(&client(&endpoint)).await, "Hello Charly");
}

#[tokio::test]
async fn j_11_a_handler_that_panics_harms_its_own_call_only() {
    let (server, endpoint) = server("tcp://127.0.0.1:0").await;
    server.register("early", |_| panicking(true)).unwrap();
    server.register("late", |_| panicking(false)).unwrap();
    server.register_sync("inline", |_| -> Result<(), Fault> { panic!("a secret") }).unwrap();
    server.register_blocking("thread", |_| -> Result<(), Fault> { panic!("a secret") }).unwrap();
    let client = client(&endpoint);
    for name in ["early", "late", "inline", "thread"] {
        let error = soon(client.call::<(), _>(name, ())).await.unwrap_err();
        let CallError::Fault(fault) = error else { panic!("{name}: {error}") };
        assert_eq!((fault.class.as_str(), fault.message.contains("secret")), ("Internal", false));
    }
    assert_eq!(hello(&client).await, "Hello Charly");
    assert_eq!(server.stats().requests_open, 0);
}

async fn panicking(early: bool) -> Result<(), Fault> {
    if !early {
        tokio::task::yield_now().await;
    }
    panic!("a secret")
}

#[tokio::test]
async fn a_blocking_handler_holds_up_nobody_else() {
    let (server, endpoint) = server("tcp://127.0.0.1:0").await;
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    server
        .register_blocking("wait", move |_| {
            gate.lock().unwrap().recv().map_err(|e| Fault::new("RuntimeError", e.to_string()))
        })
        .unwrap();
    let client = client(&endpoint);
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call::<(), _>("wait", ()).await }
    });
    assert_eq!(hello(&client).await, "Hello Charly");
    release.send(()).unwrap();
    soon(waiting).await.unwrap().unwrap();
}

#[tokio::test]
async fn draining_lets_work_finish_and_takes_no_more() {
    let (server, endpoint) = server("tcp://127.0.0.1:0").await;
    let (started, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begin, wait) = (started.clone(), gate.clone());
    server
        .register("work", move |_| {
            let (begin, wait) = (begin.clone(), wait.clone());
            async move {
                begin.notify_one();
                wait.notified().await;
                Ok::<_, Fault>("done")
            }
        })
        .unwrap();
    let client = client(&endpoint);
    let work = tokio::spawn({
        let client = client.clone();
        async move { client.call::<String, _>("work", ()).await }
    });
    soon(started.notified()).await;
    let drain = tokio::spawn({
        let server = server.clone();
        async move { server.drain(Duration::from_secs(20)).await }
    });
    soon(async {
        loop {
            match client.call::<String, _>("hello", ("Charly",)).await {
                Err(CallError::Fault(fault)) if fault.class == "Draining" => break,
                other => assert!(other.is_ok(), "{other:?}"),
            }
        }
    })
    .await;
    gate.notify_one();
    assert_eq!(soon(work).await.unwrap().unwrap(), "done");
    soon(drain).await.unwrap();
}

#[tokio::test]
async fn draining_is_bounded() {
    let (server, endpoint) = server("tcp://127.0.0.1:0").await;
    let client = client(&endpoint);
    let stuck = tokio::spawn(async move { client.call::<(), _>("forever", ()).await });
    soon(async {
        while server.stats().requests_open == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let started = Instant::now();
    soon(server.drain(Duration::from_millis(100))).await;
    assert!(started.elapsed() < Duration::from_secs(5));
    let error = soon(stuck).await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Unknown(Reason::PeerGone)), "{error}");
}

#[test]
fn p_04_when_the_runtime_goes_every_call_ends() {
    let here = runtime();
    let there = runtime();
    let (_server, endpoint) = here.block_on(server("tcp://127.0.0.1:0"));
    let (client, calls) = there.block_on(async {
        let client = client(&endpoint);
        soon(client.ready()).await;
        (client.clone(), client)
    });
    let outcomes = Arc::new(AtomicUsize::new(0));
    let waiting: Vec<_> = (0..10)
        .map(|index| {
            let (calls, outcomes) = (calls.clone(), outcomes.clone());
            here.spawn(async move {
                let name = if index % 2 == 0 { "forever" } else { "hello" };
                let call = calls.call::<(), _>(name, ()).timeout(Duration::from_secs(3_600));
                let _ = call.await;
                outcomes.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    here.block_on(async {
        soon(async {
            while outcomes.load(Ordering::SeqCst) < 5 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    });
    drop(there);
    here.block_on(async {
        for call in waiting {
            soon(call).await.unwrap();
        }
        let error = soon(client.call::<(), _>("hello", ())).await.unwrap_err();
        assert!(matches!(error, CallError::Closed { executed: pseud::Executed::No }), "{error}");
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_node() {
    let (server, endpoint) = server("tcp://127.0.0.1:0").await;
    let client = client(&endpoint);
    assert_eq!(hello(&client).await, "Hello Charly");
    drop(client);
    soon(async {
        while server.stats().sessions > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn after_its_end_a_node_says_so_at_once() {
    let client = Client::new("service").unwrap();
    client.shutdown();
    let error = soon(client.call::<(), _>("hello", ())).await.unwrap_err();
    assert!(matches!(error, CallError::Closed { executed: pseud::Executed::No }), "{error}");
    soon(client.ready()).await;
    soon(client.drained()).await;
}
