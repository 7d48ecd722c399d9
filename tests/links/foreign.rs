//! Futures of a node under an executor that is none of its runtime's.

use crate::hello;
use pseud::tokio::Drain;
use pseud::{Client, Fault, Server};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// An executor that knows nothing of tokio.
fn block_on<F: Future>(future: F) -> F::Output {
    assert!(tokio::runtime::Handle::try_current().is_err(), "it is to have no runtime");
    let (mut future, waker) = (pin!(future), Waker::from(Arc::new(Unpark(thread::current()))));
    let (mut cx, until) = (Context::from_waker(&waker), Instant::now() + crate::SOON);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        let left = until.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "it takes too long");
        thread::park_timeout(left);
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn greeter(runtime: &Runtime) -> Server {
    let server = runtime.block_on(async { Server::new("service").unwrap() });
    server.register_sync("hello", |_| Ok::<_, Fault>("Hello Charly")).unwrap();
    server
}

#[test]
fn bind_connect_call_and_drain_need_no_runtime_of_their_caller() {
    let runtime = runtime();
    let server = greeter(&runtime);
    let client = runtime.block_on(async { Client::new("service").unwrap() });
    // A name is looked up on a thread of the runtime's.
    for endpoint in ["tcp://127.0.0.1:0", "tcp://localhost:0", "tcp://ip6-localhost:0"] {
        let Ok(bound) = block_on(server.bind(endpoint)) else {
            assert!(endpoint.contains("ip6"), "not every system has that name");
            continue;
        };
        client.connect(&bound).unwrap();
        assert_eq!(block_on(client.call::<String, _>("hello", ())).unwrap(), "Hello Charly");
        client.disconnect(&bound).unwrap();
    }
    let file = std::env::temp_dir().join(format!("pseud-foreign-{}", std::process::id()));
    let bound = block_on(server.bind(&format!("ipc://{}", file.display()))).unwrap();
    client.connect(&bound).unwrap();
    block_on(client.ready());
    assert_eq!(block_on(client.drain(Duration::from_secs(10))), Drain::Complete);
    assert_eq!(block_on(server.drain(Duration::from_secs(10))), Drain::Complete);
    assert!(block_on(server.bind("tcp://127.0.0.1:0")).is_err(), "it has ended");
}

/// A runtime that polls `bind` and ends then takes nothing along.
#[test]
fn what_another_runtime_bound_outlives_it() {
    let own = runtime();
    let server = greeter(&own);
    let other = runtime();
    let endpoint = other.block_on(server.bind("tcp://127.0.0.1:0")).unwrap();
    drop(other);
    let client = own.block_on(async {
        let client = Client::new("service").unwrap();
        client.connect(&endpoint).unwrap();
        client
    });
    assert_eq!(own.block_on(hello(&client)), "Hello Charly");
    let other = Builder::new_current_thread().build().unwrap();
    // It has neither timers nor sockets.
    assert_eq!(other.block_on(server.drain(Duration::from_secs(10))), Drain::Complete);
}

/// A drain whose time is over ends by the node's own timer.
#[test]
fn a_drain_without_a_runtime_is_bounded() {
    let runtime = runtime();
    let server = greeter(&runtime);
    server.register("forever", |_| std::future::pending::<Result<(), Fault>>()).unwrap();
    let endpoint = block_on(server.bind("tcp://127.0.0.1:0")).unwrap();
    let client = runtime.block_on(async { Client::new("service").unwrap() });
    client.connect(&endpoint).unwrap();
    let stuck = thread::spawn(move || block_on(client.call::<(), _>("forever", ())));
    let until = Instant::now() + crate::SOON;
    while server.stats().requests_open == 0 {
        assert!(Instant::now() < until);
        thread::yield_now();
    }
    assert_eq!(block_on(server.drain(Duration::from_millis(50))), Drain::CutShort);
    stuck.join().unwrap().unwrap_err();
}
