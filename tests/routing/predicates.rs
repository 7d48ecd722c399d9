//! Predicates that fail, change their minds, or never answer.

use crate::{
    Runtime, Tokio, bound, client, connected, conversations, not_found, open_server, options,
    refused, said, says, soon, yield_now,
};
use pseud::{CallError, Options, Reason};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

conversations! { Tokio:
    m_02_a_predicate_is_asked_at_each_call,
    m_02_a_predicate_that_panics_denies_its_own_domain_only,
    m_02_a_predicate_that_hangs_holds_up_its_own_call_only,
    while_a_predicate_hangs_others_of_the_same_link_are_served,
}

async fn m_02_a_predicate_is_asked_at_each_call<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let (accepts, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let (answer, count) = (accepts.clone(), asked.clone());
    server.predicate("moody", move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        answer.load(Ordering::Relaxed)
    });
    says(&server.domain("moody"), "erase", "erased");
    let client = client::<R>(&endpoint);
    assert_eq!(said(&client, "erase").await, "erased");
    accepts.store(false, Ordering::Relaxed);
    not_found(&client, "erase").await;
    accepts.store(true, Ordering::Relaxed);
    assert_eq!(said(&client, "erase").await, "erased");
    not_found(&client, "another name").await;
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

async fn m_02_a_predicate_that_panics_denies_its_own_domain_only<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    server.predicate("at once", |_| panic!("on purpose"));
    server.predicate_async("before its future", |_| {
        if true {
            panic!("on purpose");
        }
        async { true }
    });
    server.predicate_async("in its future", |_| async { panic!("on purpose") });
    server.predicate_async("late", |_| async {
        yield_now().await;
        panic!("on purpose")
    });
    let client = client::<R>(&endpoint);
    for domain in ["at once", "before its future", "in its future", "late"] {
        says(&server.domain(domain), "erase", "erased");
        not_found(&client, "erase").await;
    }
    says(&server.registry(), "erase", "only said so");
    assert_eq!(said(&client, "erase").await, "only said so");
}

/// Tells when it is dropped.
struct Dropped(mpsc::UnboundedSender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

async fn m_02_a_predicate_that_hangs_holds_up_its_own_call_only<R: Runtime>() {
    let mut bounded = Options::server("service");
    bounded.config.limits.requests_open_max = 1;
    let (server, endpoint) = bound::<R>(bounded).await;
    let (tell, mut asked) = mpsc::unbounded_channel();
    let (dropping, mut dropped) = mpsc::unbounded_channel();
    server.predicate_async("hangs", move |_| {
        tell.send(()).unwrap();
        let dropped = Dropped(dropping.clone());
        async move {
            let _dropped = dropped;
            pending().await
        }
    });
    says(&server.domain("hangs"), "hang", "hung");
    says(&server.registry(), "hello", "hello");
    let hanging = connected::<R>(options().call_timeout(Duration::from_millis(100)), &endpoint);
    let error = soon(hanging.call::<String, _>("hang", ())).await.unwrap_err();
    assert!(matches!(error, CallError::Unknown(Reason::TimedOut)), "{error:?}");
    soon(asked.recv()).await.unwrap();
    // It counts as open, against the same bound as a handler.
    let other = client::<R>(&endpoint);
    assert_eq!(refused(&other, "hello").await, Reason::Overloaded);
    assert!(dropped.try_recv().is_err());
    // Its caller leaves: nobody has to wait for it any more, and its room is free.
    hanging.shutdown();
    soon(dropped.recv()).await.unwrap();
    assert_eq!(said(&other, "hello").await, "hello");
}

async fn while_a_predicate_hangs_others_of_the_same_link_are_served<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    server.predicate_async("hangs", |_| pending());
    says(&server.domain("hangs"), "hang", "hung");
    says(&server.registry(), "hello", "hello");
    let client = client::<R>(&endpoint);
    let mut hanging = std::pin::pin!(client.call::<String, _>("hang", ()));
    let served = async {
        for _ in 0..10 {
            assert_eq!(said(&client, "hello").await, "hello");
        }
    };
    tokio::select! {
        biased;
        ended = &mut hanging => panic!("{ended:?}"),
        () = served => {}
    }
}
