//! P-07: a thread that runs tasks is told so, instead of being blocked.

use pseud_blocking::{CallError, Client, Server, Wait, block_on};
use pseud_proto::{CallRefused, Fault};
use std::io::ErrorKind;
use std::thread;

fn server() -> (Server, String) {
    let server = Server::new("service").unwrap();
    server.register("one", |_| Ok::<_, Fault>(1)).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").unwrap();
    (server, endpoint.into())
}

fn client(endpoint: &str) -> Client {
    let client = Client::new("service").unwrap();
    client.connect(endpoint).unwrap();
    client
}

fn one(client: &Client) -> Result<i64, CallError> {
    client.call("one", ()).wait()
}

fn check_refused(client: &Client) {
    let refused = one(client);
    assert!(matches!(refused, Err(CallError::Refused(CallRefused::WouldBlock))), "{refused:?}");
    assert_eq!(client.ready().unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(client.bind("tcp://127.0.0.1:0").unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(block_on(client.drained()).is_err());
}

#[test]
fn threads_of_async_executors_are_told_by_their_names() {
    let (_server, endpoint) = server();
    let client = &client(&endpoint);
    thread::scope(|scope| {
        for name in ["smol-1", "async-std/runtime"] {
            let named = thread::Builder::new().name(name.to_owned());
            named.spawn_scoped(scope, || check_refused(client)).unwrap();
        }
    });
    assert_eq!(one(client).unwrap(), 1);
}

#[cfg(feature = "tokio")]
mod tokio_workers {
    use super::{check_refused, client, one, server};
    use tokio::runtime::Builder;
    use tokio::task::{spawn, spawn_blocking};

    #[test]
    fn workers_are_told_and_blocking_threads_may_wait() {
        for build in [Builder::new_current_thread, Builder::new_multi_thread] {
            let (_server, endpoint) = server();
            let client = client(&endpoint);
            let runtime = build().enable_all().build().unwrap();
            runtime.block_on(async {
                check_refused(&client);
                let task = client.clone();
                spawn(async move { check_refused(&task) }).await.unwrap();
                let blocking = client.clone();
                assert_eq!(spawn_blocking(move || one(&blocking)).await.unwrap().unwrap(), 1);
                // A node's futures are as good as any.
                assert_eq!(client.call::<i64, _>("one", ()).await.unwrap(), 1);
            });
            // The runtime is there, but does not run here.
            let _entered = runtime.enter();
            assert_eq!(one(&client).unwrap(), 1);
        }
    }
}
