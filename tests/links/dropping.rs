//! Dropping any future at any await point loses nothing.

use crate::{
    Client, Runtime, Server, Tokio, client, conversations, hello, new_client, server, soon, spawn,
    until, yield_now,
};
use pseud::{CallError, Fault, Options, Reason};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

conversations! { Tokio:
    p_01_a_call_dropped_at_every_poll_leaves_nothing on 2 threads,
    p_01_ready_drained_and_events_dropped_at_every_poll_leave_nothing on 2 threads,
    j_13_ten_thousand_dropped_calls_leave_no_slot_and_no_timer on 2 threads,
    p_01_a_bind_or_a_drain_that_is_dropped_leaves_a_node_that_works,
}

/// Polls a future that often, also when it did not ask for it, and drops it.
async fn poll_and_drop<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    })
    .await
}

async fn at_rest<R: Runtime>(client: &Client<R>, server: &Server<R>) {
    until(|| client.stats().calls_pending == 0 && server.stats().requests_open == 0).await;
}

async fn p_01_a_call_dropped_at_every_poll_leaves_nothing<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    server
        .register("later", |_| async {
            yield_now().await;
            Ok::<_, Fault>(1)
        })
        .unwrap();
    let client = client::<R>(&endpoint);
    for polls in 0..4 {
        for _ in 0..200 {
            let call = client.call::<i32, _>("later", ());
            if let Some(answer) = soon(poll_and_drop(call, polls)).await {
                assert_eq!(answer.unwrap(), 1);
            }
        }
        at_rest(&client, &server).await;
        assert_eq!(hello(&client).await, "Hello Charly");
    }
}

async fn p_01_ready_drained_and_events_dropped_at_every_poll_leave_nothing<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let client = new_client::<R>(Options::client("service"));
    let mut events = client.events();
    for polls in 0..3 {
        assert!(poll_and_drop(client.ready(), polls).await.is_none());
        assert!(poll_and_drop(events.next(), polls).await.is_none());
    }
    client.connect(&endpoint).unwrap();
    soon(client.ready()).await;
    for _ in 0..2 {
        assert!(soon(events.next()).await.is_some(), "connecting, then ready");
    }
    assert_eq!(hello(&client).await, "Hello Charly");
    let stuck = spawn(client.call::<(), _>("forever", ()));
    until(|| server.stats().requests_open > 0).await;
    for polls in 0..3 {
        assert!(poll_and_drop(server.drained(), polls).await.is_none());
    }
    stuck.abort();
}

async fn j_13_ten_thousand_dropped_calls_leave_no_slot_and_no_timer<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let client = client::<R>(&endpoint);
    soon(client.ready()).await;
    for _ in 0..10_000 {
        let _ = poll_and_drop(client.call::<String, _>("hello", ("x",)), 1).await;
    }
    // What was given up may still be on its way in, and more of it than one peer may have open.
    let answer = soon(async {
        loop {
            match client.call::<String, _>("hello", ("Charly",)).await {
                Err(CallError::NotExecuted(Reason::Overloaded)) => {}
                answer => break answer,
            }
        }
    });
    assert_eq!(answer.await.unwrap(), "Hello Charly");
    at_rest(&client, &server).await;
}

async fn p_01_a_bind_or_a_drain_that_is_dropped_leaves_a_node_that_works<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let _ = poll_and_drop(server.bind("tcp://127.0.0.1:0"), 1).await;
    let client = client::<R>(&endpoint);
    assert_eq!(hello(&client).await, "Hello Charly");
}
