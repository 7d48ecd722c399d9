//! Ends: of a caller, of a handler, of a node, of the runtime.

use crate::{
    Runtime, Tokio, client, conversations, hello, is_simulated, new_client, new_server, now,
    server, soon, spawn, until, yield_now,
};
use pseud::{CallError, Fault, Limits, OnDisconnect, Options, Reason};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

conversations! { Tokio:
    a_handler_is_told_that_its_caller_is_gone,
    whoever_asks_whether_a_request_is_over_hears_of_its_answer,
    j_11_a_handler_that_panics_harms_its_own_call_only,
    draining_lets_work_finish_and_takes_no_more,
    draining_is_bounded,
    dropping_the_last_handle_ends_the_node,
    after_its_end_a_node_says_so_at_once,
    handlers_that_are_to_finish_leave_no_room_when_their_callers_leave,
    many_large_results_at_once_reach_a_peer_that_reads on 2 threads,
}

async fn a_handler_is_told_that_its_caller_is_gone<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
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
    let caller = client::<R>(&endpoint);
    let call = spawn(caller.call::<(), _>("work", ()));
    soon(started.notified()).await;
    caller.shutdown();
    soon(told.notified()).await;
    let error = soon(call).await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Closed { executed: pseud::Executed::Maybe }), "{error}");
    assert_eq!(hello(&client::<R>(&endpoint)).await, "Hello Charly");
}

async fn whoever_asks_whether_a_request_is_over_hears_of_its_answer<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    for (name, turns) in [("at once", 0), ("later", 1)] {
        let tell = tell.clone();
        let work = move |request: pseud::Request| {
            let tell = tell.clone();
            async move {
                let cancelled = request.cancelled();
                let mut watching = Box::pin(cancelled.clone());
                std::future::poll_fn(|cx| {
                    assert!(watching.as_mut().poll(cx).is_pending());
                    Poll::Ready(())
                })
                .await;
                spawn(async move {
                    watching.await;
                    let _ = tell.send(cancelled.is_cancelled());
                });
                for _ in 0..turns {
                    yield_now().await;
                }
                Ok::<_, Fault>(())
            }
        };
        server.register(name, work).unwrap();
    }
    let (client, mut told) = (client::<R>(&endpoint), told);
    for name in ["at once", "later"] {
        soon(client.call::<(), _>(name, ())).await.unwrap();
        assert_eq!(soon(told.recv()).await, Some(true), "{name}");
    }
}

async fn j_11_a_handler_that_panics_harms_its_own_call_only<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    server.register("early", |_| panicking(true)).unwrap();
    server.register("late", |_| panicking(false)).unwrap();
    server.register_sync("inline", |_| -> Result<(), Fault> { panic!("a secret") }).unwrap();
    server.register_blocking("thread", |_| -> Result<(), Fault> { panic!("a secret") }).unwrap();
    let client = client::<R>(&endpoint);
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
        yield_now().await;
    }
    panic!("a secret")
}

#[tokio::test]
async fn a_blocking_handler_holds_up_nobody_else() {
    let (server, endpoint) = server::<Tokio>("tcp://127.0.0.1:0").await;
    let (release, admission) = std::sync::mpsc::channel::<()>();
    let admission = std::sync::Mutex::new(admission);
    server
        .register_blocking("wait", move |_| {
            admission.lock().unwrap().recv().map_err(|e| Fault::new("RuntimeError", e.to_string()))
        })
        .unwrap();
    let client = client::<Tokio>(&endpoint);
    let waiting = spawn(client.call::<(), _>("wait", ()));
    assert_eq!(hello(&client).await, "Hello Charly");
    release.send(()).unwrap();
    soon(waiting).await.unwrap().unwrap();
}

async fn draining_lets_work_finish_and_takes_no_more<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let (started, admission) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begin, wait) = (started.clone(), admission.clone());
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
    let client = client::<R>(&endpoint);
    let work = spawn(client.call::<String, _>("work", ()));
    soon(started.notified()).await;
    let drain = spawn({
        let server = server.clone();
        async move { server.drain(Duration::from_secs(20)).await }
    });
    soon(async {
        loop {
            match client.call::<String, _>("hello", ("Charly",)).await {
                Err(CallError::NotExecuted(Reason::Draining)) => break,
                other => assert!(other.is_ok(), "{other:?}"),
            }
        }
    })
    .await;
    admission.notify_one();
    assert_eq!(soon(work).await.unwrap().unwrap(), "done");
    soon(drain).await.unwrap();
}

async fn draining_is_bounded<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let client = client::<R>(&endpoint);
    let stuck = spawn(client.call::<(), _>("forever", ()));
    until(|| server.stats().requests_open > 0).await;
    let started = now();
    soon(server.drain(Duration::from_millis(100))).await;
    assert!(now() - started < Duration::from_secs(5));
    let error = soon(stuck).await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Unknown(Reason::PeerGone)), "{error}");
}

#[test]
fn p_04_when_the_runtime_goes_every_call_ends() {
    let here = runtime();
    let there = runtime();
    let (_server, endpoint) = here.block_on(server::<Tokio>("tcp://127.0.0.1:0"));
    let (client, calls) = there.block_on(async {
        let client = client::<Tokio>(&endpoint);
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
        until(|| outcomes.load(Ordering::SeqCst) >= 5).await;
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

async fn dropping_the_last_handle_ends_the_node<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let client = client::<R>(&endpoint);
    assert_eq!(hello(&client).await, "Hello Charly");
    drop(client);
    until(|| server.stats().sessions == 0).await;
}

async fn after_its_end_a_node_says_so_at_once<R: Runtime>() {
    let client = new_client::<R>(Options::client("service"));
    client.shutdown();
    let error = soon(client.call::<(), _>("hello", ())).await.unwrap_err();
    assert!(matches!(error, CallError::Closed { executed: pseud::Executed::No }), "{error}");
    soon(client.ready()).await;
    soon(client.drained()).await;
    assert!(client.connect("tcp://127.0.0.1:1").is_err());
    assert!(soon(client.bind("tcp://127.0.0.1:0")).await.is_err());
}

#[test]
fn handles_are_for_all_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<pseud::Client>();
    shared::<pseud::Server>();
    shared::<pseud::Peer>();
}

async fn handlers_that_are_to_finish_leave_no_room_when_their_callers_leave<R: Runtime>() {
    let mut options = Options::server("service").on_disconnect(OnDisconnect::Detach);
    options.config.limits.requests_open_max = 10;
    let server = new_server::<R>(options);
    let (running, release) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let endpoint = crate::serve(&server, "tcp://127.0.0.1:0").await;
    let (count, admission) = (running.clone(), release.clone());
    server
        .register("stubborn", move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            let admission = admission.clone();
            async move {
                let _closed = admission.acquire().await;
                Ok::<_, Fault>(())
            }
        })
        .unwrap();
    for round in 0..5 {
        let client = client::<R>(&endpoint);
        soon(client.ready()).await;
        let calls: Vec<_> = (0..4).map(|_| spawn(client.call::<(), _>("stubborn", ()))).collect();
        let expected = if round < 2 { 4 * (round + 1) } else { 10 };
        until(|| running.load(Ordering::SeqCst) >= expected).await;
        if round > 2 {
            for call in calls {
                let error = soon(call).await.unwrap().unwrap_err();
                assert!(matches!(error, CallError::NotExecuted(Reason::Overloaded)), "{error}");
            }
        }
        client.shutdown();
        until(|| server.stats().sessions == 0).await;
    }
    assert_eq!(running.load(Ordering::SeqCst), 10);
    release.close();
}

async fn many_large_results_at_once_reach_a_peer_that_reads<R: Runtime>() {
    // A simulated world takes its time for each byte: less of them, for smaller queues.
    let size = if is_simulated() { 32 << 10 } else { 2 << 20 };
    let mut limits = Limits::default();
    limits.queue_bytes_hard_max = 8 * size;
    let server = new_server::<R>(Options::server("service").limits(limits));
    let endpoint = crate::serve(&server, "tcp://127.0.0.1:0").await;
    server.register_sync("large", move |_| Ok::<_, Fault>("x".repeat(size))).unwrap();
    let client = client::<R>(&endpoint);
    soon(client.ready()).await;
    let calls: Vec<_> = (0..40)
        .map(|_| spawn(client.call::<String, _>("large", ()).timeout(crate::SOON)))
        .collect();
    let mut whole = 0;
    for call in calls {
        match soon(call).await.unwrap() {
            Ok(text) => {
                assert_eq!(text.len(), size);
                whole += 1;
            }
            Err(CallError::Fault(fault)) => assert_eq!(fault.class, "Overloaded"),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(whole >= 8, "{whole}: the queue alone holds as many");
    assert_eq!(hello(&client).await, "Hello Charly");
}
