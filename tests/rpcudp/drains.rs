//! Endpoints that are drained, and handlers that wait for too long.

use super::{PATIENCE, add, endpoint, until};
use pseud::rpcudp::{Config, Dropped, Endpoint, Options, Silence};
use pseud::tokio::Drain;
use pseud::{CallError, Executed, Fault, Reason, Request, Value};
use std::future::pending;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// A server whose `waits` answers once it is told to.
fn waiting(config: Config) -> (Endpoint, Arc<Notify>) {
    let options = Options::default().config(config);
    let server = Endpoint::bind_with("127.0.0.1:0".parse().unwrap(), options).unwrap();
    let go = Arc::new(Notify::new());
    let told = go.clone();
    server
        .register("waits", move |_| {
            let told = told.clone();
            async move {
                told.notified().await;
                Ok::<_, Fault>(7)
            }
        })
        .unwrap();
    server.register_typed("add", add).unwrap();
    (server, go)
}

#[tokio::test]
async fn what_is_open_is_answered_and_nothing_more() {
    let ((server, go), client) = (waiting(Config::default()), endpoint());
    let to = server.local_addr();
    let open = tokio::spawn(client.call::<i64, _>(to, "waits", ()).timeout(PATIENCE));
    until(&server, |stats| stats.requests_open == 1).await;
    let drains = server.clone();
    let drain = tokio::spawn(async move { drains.drain(PATIENCE).await });
    // Nobody hears that it is going.
    let dropped = |server: &Endpoint| server.stats().counts.dropped(Dropped::Draining);
    while dropped(&server) == 0 {
        let late = client.call::<i64, _>(to, "add", (1, 2)).timeout(Duration::from_millis(20));
        let _ = late.await;
    }
    assert!(!drain.is_finished());
    go.notify_one();
    assert_eq!(open.await.unwrap().unwrap(), 7);
    assert_eq!(timeout(PATIENCE, drain).await.unwrap().unwrap(), Drain::Complete);
    // It is closed, and its port is free.
    timeout(PATIENCE, server.closed()).await.unwrap();
    let error = server.call::<Value, _>(client.local_addr(), "x", ()).await.unwrap_err();
    assert!(matches!(error, CallError::Refused(_)), "{error}");
}

#[tokio::test]
async fn our_own_calls_are_waited_for_and_what_takes_too_long_is_given_up() {
    let black_hole = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = black_hole.local_addr().unwrap();
    let end = endpoint();
    let call = tokio::spawn(end.call::<Value, _>(to, "x", ()).timeout(Duration::from_millis(50)));
    until(&end, |stats| stats.calls_pending == 1).await;
    assert_eq!(timeout(PATIENCE, end.drain(PATIENCE)).await.unwrap(), Drain::Complete);
    assert!(matches!(call.await.unwrap(), Err(CallError::Unknown(Reason::TimedOut))));
    // Nothing is open: at once.
    assert_eq!(timeout(PATIENCE, endpoint().drain(PATIENCE)).await.unwrap(), Drain::Complete);
    let end = endpoint();
    let call = tokio::spawn(end.call::<Value, _>(to, "x", ()).timeout(PATIENCE));
    until(&end, |stats| stats.calls_pending == 1).await;
    assert_eq!(end.drain(Duration::from_millis(20)).await, Drain::CutShort);
    let executed = Executed::Maybe;
    assert!(
        matches!(call.await.unwrap(), Err(CallError::Closed { executed: known }) if known == executed)
    );
}

#[tokio::test]
async fn somebody_else_may_close_it_meanwhile() {
    let ((server, _), client) = (waiting(Config::default()), endpoint());
    let _call = tokio::spawn(client.call::<i64, _>(server.local_addr(), "waits", ()));
    until(&server, |stats| stats.requests_open == 1).await;
    let drains = server.clone();
    let drain = tokio::spawn(async move { drains.drain(PATIENCE).await });
    server.close();
    timeout(PATIENCE, drain).await.unwrap().unwrap();
}

/// One that nobody can wait for any more does not keep its place.
#[tokio::test]
async fn a_handler_that_waits_for_too_long_is_dropped() {
    let mut config = Config::default();
    config.request_timeout = Some(Duration::from_millis(30));
    let ((server, _), client) = (waiting(config), endpoint());
    let (told, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    struct Tells(Arc<Notify>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let notes = (told.clone(), gone.clone());
    server
        .register("asks", move |request: Request| {
            let (told, tells) = (notes.0.clone(), Tells(notes.1.clone()));
            async move {
                request.cancelled().await;
                told.notify_one();
                let _tells = tells;
                pending::<Result<(), Fault>>().await
            }
        })
        .unwrap();
    let to = server.local_addr();
    for (name, count) in [("waits", 1), ("asks", 2)] {
        let call = client.call::<Value, _>(to, name, ()).timeout(Duration::from_millis(50));
        assert!(matches!(call.await, Err(CallError::Unknown(Reason::TimedOut))));
        until(&server, |stats| stats.counts.silent(Silence::Overdue) == count).await;
    }
    timeout(PATIENCE, told.notified()).await.unwrap();
    timeout(PATIENCE, gone.notified()).await.unwrap();
    assert_eq!(server.stats().requests_open, 0);
    // One that is quick is served as ever.
    assert_eq!(client.call::<i64, _>(to, "add", (1, 2)).await.unwrap(), 3);
}

/// A thread cannot be stopped: its place is taken until it ends, and it is told to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_handler_keeps_its_place_until_it_ends() {
    let mut config = Config::default();
    config.request_timeout = Some(Duration::from_millis(30));
    let ((server, _), client) = (waiting(config), endpoint());
    let told = Arc::new(Notify::new());
    let (go, goes) = std::sync::mpsc::channel();
    let (tells, goes) = (told.clone(), std::sync::Mutex::new(goes));
    server
        .register_blocking("thread", move |request: Request| {
            while !request.cancelled().is_cancelled() {
                std::thread::yield_now();
            }
            tells.notify_one();
            goes.lock().unwrap().recv().unwrap();
            Ok::<_, Fault>(7)
        })
        .unwrap();
    let call =
        tokio::spawn(client.call::<i64, _>(server.local_addr(), "thread", ()).timeout(PATIENCE));
    timeout(PATIENCE, told.notified()).await.unwrap();
    assert_eq!(server.stats().requests_open, 1);
    go.send(()).unwrap();
    // Whoever still waits is answered.
    assert_eq!(call.await.unwrap().unwrap(), 7);
    until(&server, |stats| stats.requests_open == 0).await;
}

/// The system answers from the address that its routes say, which need not be the one that was asked.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_endpoint_at_any_address_may_answer_from_another() {
    let server = Endpoint::bind("0.0.0.0:0".parse().unwrap()).unwrap();
    server.register_typed("add", add).unwrap();
    let port = server.local_addr().port();
    let asked = |last: u8| std::net::SocketAddr::from(([127, 0, 0, last], port));
    let client = endpoint();
    assert_eq!(client.call::<i64, _>(asked(1), "add", (1, 2)).await.unwrap(), 3);
    let call = client.call::<i64, _>(asked(2), "add", (1, 2)).timeout(Duration::from_millis(200));
    assert!(matches!(call.await, Err(CallError::Unknown(Reason::TimedOut))));
    until(&client, |stats| stats.counts.dropped(Dropped::WrongSource) == 1).await;
    // Bound to the address that is asked, it answers from there.
    let server = Endpoint::bind("127.0.0.2:0".parse().unwrap()).unwrap();
    server.register_typed("add", add).unwrap();
    assert_eq!(client.call::<i64, _>(server.local_addr(), "add", (1, 2)).await.unwrap(), 3);
    // Who must reach one that is not, believes any.
    let mut config = Config::default();
    config.any_source = true;
    let options = Options::default().config(config);
    let trusts = Endpoint::bind_with("127.0.0.1:0".parse().unwrap(), options).unwrap();
    let server = Endpoint::bind("0.0.0.0:0".parse().unwrap()).unwrap();
    server.register_typed("add", add).unwrap();
    let to = std::net::SocketAddr::from(([127, 0, 0, 2], server.local_addr().port()));
    assert_eq!(trusts.call::<i64, _>(to, "add", (1, 2)).await.unwrap(), 3);
}
