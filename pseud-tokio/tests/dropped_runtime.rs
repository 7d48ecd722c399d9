//! A node whose runtime is dropped: whoever waits on another thread is told, and whoever asks later, too.

use pseud_proto::Fault;
use pseud_tokio::{CallError, Client, Node, Options, Server};
use std::future::{Future, pending};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// What must happen, far before any of the calls' time-outs.
const SOON: Duration = Duration::from_secs(20);
const CALL_TIMEOUT: Duration = Duration::from_secs(600);

fn runtimes() -> [Runtime; 2] {
    let one = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let other = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    [one, other]
}

/// A server that tells of each request, and answers none.
fn silent_server(on: &Runtime) -> (Server, String, Receiver<()>) {
    let _entered = on.enter();
    let (came, is_there) = mpsc::channel();
    let server = Server::new("service").unwrap();
    server
        .register("never", move |_| {
            came.send(()).unwrap();
            async { pending::<Result<(), Fault>>().await }
        })
        .unwrap();
    let endpoint = on.block_on(server.bind("tcp://127.0.0.1:0")).unwrap();
    (server, endpoint.into(), is_there)
}

fn client(on: &Runtime, endpoint: &str) -> Client {
    let _entered = on.enter();
    let options = Options::client("service").call_timeout(CALL_TIMEOUT);
    let options = options.identity("charly");
    let client = Client::with_options(options).unwrap();
    client.connect(endpoint).unwrap();
    client
}

/// Waits on a thread that is of no runtime.
fn aside<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
    let (over, ended) = mpsc::channel();
    thread::spawn(move || {
        let waiting = Builder::new_current_thread().build().unwrap();
        let _ = over.send(waiting.block_on(future));
    });
    ended
}

fn call(node: &Node, method: &'static str) -> Receiver<Result<(), CallError>> {
    let node = node.clone();
    aside(async move { node.call::<(), _>(method, ()).await })
}

fn assert_over(ended: &Receiver<Result<(), CallError>>) {
    let ended = ended.recv_timeout(SOON).expect("the call ends with its runtime");
    let is_told = matches!(ended, Err(CallError::Closed { .. } | CallError::Unknown(_)))
        || matches!(ended, Err(CallError::NotExecuted(_)));
    assert!(is_told, "{ended:?}");
}

#[test]
fn a_call_that_has_left_ends_with_the_runtime_of_its_client() {
    for how in [drop::<Runtime>, Runtime::shutdown_background] {
        let [one, other] = runtimes();
        let (_server, endpoint, is_there) = silent_server(&other);
        let client = client(&one, &endpoint);
        let waiting = call(client.node(), "never");
        is_there.recv_timeout(SOON).unwrap();
        how(one);
        assert_over(&waiting);
        // Later ones, too.
        assert_over(&call(client.node(), "never"));
        let ready = client.clone();
        aside(async move { ready.ready().await }).recv_timeout(SOON).expect("it ends");
    }
}

#[test]
fn a_call_that_waits_for_a_link_ends_with_the_runtime() {
    let [one, _] = runtimes();
    // Nobody accepts: what connects there is never greeted.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = client(&one, &format!("tcp://{}", mute.local_addr().unwrap()));
    let waiting = call(client.node(), "never");
    let (ready, mut events) = (client.clone(), client.events());
    let is_ready = aside(async move { ready.ready().await });
    let told = aside(async move { while events.next().await.is_some() {} });
    let node = client.node().clone();
    let drained = aside(async move { node.drained().await });
    while client.stats().calls_pending == 0 {
        thread::yield_now();
    }
    drop(one);
    assert_over(&waiting);
    is_ready.recv_timeout(SOON).expect("nobody waits for a link that nobody makes");
    told.recv_timeout(SOON).expect("the events end");
    drained.recv_timeout(SOON).expect("nothing is left to wait for");
}

#[test]
fn a_call_of_a_server_ends_with_its_runtime_and_with_that_of_its_client() {
    for is_servers in [true, false] {
        let [one, other] = runtimes();
        let (server, endpoint, _) = silent_server(&one);
        let client = client(&other, &endpoint);
        let (came, is_there) = mpsc::channel();
        client
            .register("never", move |_| {
                came.send(()).unwrap();
                async { pending::<Result<(), Fault>>().await }
            })
            .unwrap();
        other.block_on(client.ready());
        let node = server.node().clone();
        let waiting = aside(async move {
            node.peer("charly").call::<(), _>("never", ()).timeout(CALL_TIMEOUT).await
        });
        is_there.recv_timeout(SOON).unwrap();
        if is_servers {
            drop(one);
            assert_over(&waiting);
            continue;
        }
        // The handler goes with its runtime, which may be answered before the link is lost.
        drop(other);
        let ended = waiting.recv_timeout(SOON).expect("the call ends with its peer's runtime");
        let is_told = matches!(ended, Err(CallError::Unknown(_) | CallError::Fault(_)));
        assert!(is_told, "{ended:?}");
    }
}
