//! Handlers whose callers have left.

use crate::{
    Runtime, Tokio, client, conversations, hello, new_client, new_server, server, soon, spawn,
    until,
};
use pseud::proto::Capabilities;
use pseud::{CallError, Fault, OnDisconnect, Options, Reason, Request};
use std::future::pending;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::sync::Notify;

conversations! { Tokio:
    what_a_handler_spawned_is_finished_without_it,
    the_calls_of_a_dropped_handler_are_cancelled,
    a_handler_that_is_to_finish_does,
    a_handler_whose_caller_has_only_given_up_goes_on,
}

/// Tells when it is dropped.
struct Held(Arc<Notify>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

fn signals<const N: usize>() -> [Arc<Notify>; N] {
    [(); N].map(|()| Arc::default())
}

/// Calls from a client that leaves once `begun`.
async fn call_and_leave<R: Runtime>(endpoint: &str, name: &'static str, begun: &Notify) {
    let caller = client::<R>(endpoint);
    let calling = caller.clone();
    let call = spawn(calling.call::<(), _>(name, ()));
    soon(begun.notified()).await;
    caller.shutdown();
    assert!(soon(call).await.unwrap().is_err());
}

async fn what_a_handler_spawned_is_finished_without_it<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let [begun, dropped, admission, done] = signals();
    let theirs = (begun.clone(), dropped.clone(), admission.clone(), done.clone());
    let work = move |_| {
        let (begun, dropped, admission, done) = theirs.clone();
        async move {
            let _held = Held(dropped);
            let task = spawn(async move {
                begun.notify_one();
                admission.notified().await;
                done.notify_one();
            });
            task.await.map_err(|error| Fault::new("RuntimeError", error.to_string()))
        }
    };
    server.register("work", work).unwrap();
    call_and_leave::<R>(&endpoint, "work", &begun).await;
    soon(dropped.notified()).await;
    admission.notify_one();
    soon(done.notified()).await;
    assert_eq!(hello(&client::<R>(&endpoint)).await, "Hello Charly");
}

async fn the_calls_of_a_dropped_handler_are_cancelled<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let [begun] = signals();
    let begin = begun.clone();
    let third = new_client::<R>(Options::client("service").identity("third"));
    let forever = move |_| {
        begin.notify_one();
        pending::<Result<(), Fault>>()
    };
    third.register("forever", forever).unwrap();
    third.connect(&endpoint).unwrap();
    soon(third.ready()).await;
    let peer = server.peer("third");
    let work = move |_| {
        let call = peer.call::<(), _>("forever", ()).timeout(Duration::from_secs(3_600));
        async move { Ok::<_, Fault>(call.await?) }
    };
    server.register("work", work).unwrap();
    call_and_leave::<R>(&endpoint, "work", &begun).await;
    until(|| server.stats().calls_pending == 0).await;
    assert_eq!(hello(&third).await, "Hello Charly");
}

#[tokio::test]
async fn a_handler_on_a_thread_hears_of_it_and_runs_to_its_end() {
    let (server, endpoint) = server::<Tokio>("tcp://127.0.0.1:0").await;
    let [begun] = signals();
    let (begin, (release, admission), (tell, told)) =
        (begun.clone(), mpsc::channel(), mpsc::channel());
    let (admission, tell) = (std::sync::Mutex::new(admission), std::sync::Mutex::new(tell));
    let work = move |request: Request| {
        begin.notify_one();
        let released: Result<(), _> = admission.lock().unwrap().recv();
        let _ = tell.lock().unwrap().send(request.cancelled().is_cancelled());
        released.map_err(|error| Fault::new("RuntimeError", error.to_string()))
    };
    server.register_blocking("work", work).unwrap();
    call_and_leave::<Tokio>(&endpoint, "work", &begun).await;
    until(|| server.stats().sessions == 0).await;
    release.send(()).unwrap();
    let told = tokio::task::spawn_blocking(move || told.recv_timeout(crate::SOON));
    assert_eq!(told.await.unwrap(), Ok(true));
}

async fn a_handler_that_is_to_finish_does<R: Runtime>() {
    let server = new_server::<R>(Options::server("service").on_disconnect(OnDisconnect::Detach));
    let endpoint = crate::serve(&server, "tcp://127.0.0.1:0").await;
    let [begun, told, admission, done] = signals();
    let theirs = (begun.clone(), told.clone(), admission.clone(), done.clone());
    let work = move |request: Request| {
        let (begun, told, admission, done) = theirs.clone();
        async move {
            begun.notify_one();
            request.cancelled().await;
            told.notify_one();
            admission.notified().await;
            done.notify_one();
            Ok::<_, Fault>(())
        }
    };
    server.register("work", work).unwrap();
    call_and_leave::<R>(&endpoint, "work", &begun).await;
    soon(told.notified()).await;
    admission.notify_one();
    soon(done.notified()).await;
}

/// A v1 peer that has given up its call is not answered any more; but it has not left.
async fn a_handler_whose_caller_has_only_given_up_goes_on<R: Runtime>() {
    let mut options = Options::server("service");
    options.config.late_guard = Duration::ZERO.into();
    let server = new_server::<R>(options);
    let endpoint = crate::serve(&server, "tcp://127.0.0.1:0").await;
    let [begun, admission, done] = signals();
    let theirs = (begun.clone(), admission.clone(), done.clone());
    let work = move |request: Request| {
        let (begun, admission, done) = theirs.clone();
        async move {
            begun.notify_one();
            admission.notified().await;
            assert!(!request.cancelled().is_cancelled());
            done.notify_one();
            Ok::<_, Fault>(())
        }
    };
    server.register("work", work).unwrap();
    let mut options = Options::client("service");
    options.config.capabilities = Capabilities::NONE;
    let caller = new_client::<R>(options);
    caller.connect(&endpoint).unwrap();
    soon(caller.ready()).await;
    let error = soon(caller.call::<(), _>("work", ()).timeout(Duration::from_millis(50))).await;
    assert!(matches!(error, Err(CallError::Unknown(Reason::TimedOut))), "{error:?}");
    soon(begun.notified()).await;
    admission.notify_one();
    soon(done.notified()).await;
}
