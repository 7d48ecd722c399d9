//! How endpoints end, and what ends with them.

use super::{PATIENCE, endpoint, until};
use pseud::rpcudp::Endpoint;
use pseud::{CallError, Executed, Fault, Value};
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// Waits until a port can be had again.
async fn is_free(endpoint: std::net::SocketAddr) {
    let start = Instant::now();
    while UdpSocket::bind(endpoint).is_err() {
        assert!(start.elapsed() < PATIENCE, "its port is not free");
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn its_calls_end_with_it_and_its_port_is_free() {
    let black_hole = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = black_hole.local_addr().unwrap();
    for drops in [true, false] {
        let end = endpoint();
        let local = end.local_addr();
        let call = tokio::spawn(end.call::<Value, _>(to, "x", ()).timeout(PATIENCE));
        until(&end, |stats| stats.calls_pending == 1).await;
        if !drops {
            end.close();
        }
        drop(end);
        let error = timeout(PATIENCE, call).await.unwrap().unwrap().unwrap_err();
        assert!(matches!(error, CallError::Closed { executed: Executed::Maybe }), "{error}");
        is_free(local).await;
    }
}

/// A handle of somebody's, or of a peer, does not keep the port.
#[tokio::test]
async fn its_port_is_free_whoever_holds_a_handle() {
    let end = endpoint();
    let local = end.local_addr();
    end.close();
    is_free(local).await;
    drop(end);
    let end = endpoint();
    let (local, peer) = (end.local_addr(), end.peer("127.0.0.1:9".parse().unwrap()));
    drop(end);
    is_free(local).await;
    drop(peer);
}

/// Dropped where it waits; the endpoint's end tells it so before.
#[tokio::test]
async fn handlers_that_wait_go_with_it() {
    let [server, client] = [endpoint(), endpoint()];
    let (begun, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let notes = (begun.clone(), gone.clone());
    struct Tells(Arc<Notify>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    server
        .register("wait", move |request: pseud::Request| {
            let (begun, tells) = (notes.0.clone(), Tells(notes.1.clone()));
            async move {
                begun.notify_one();
                assert!(!request.cancelled().is_cancelled());
                request.cancelled().await;
                let _tells = tells;
                std::future::pending::<Result<(), Fault>>().await
            }
        })
        .unwrap();
    let call = tokio::spawn(client.call::<(), _>(server.local_addr(), "wait", ()));
    timeout(PATIENCE, begun.notified()).await.unwrap();
    drop(server);
    timeout(PATIENCE, gone.notified()).await.unwrap();
    call.abort();
}

#[tokio::test]
async fn a_call_that_is_dropped_is_given_up() {
    let black_hole = UdpSocket::bind("127.0.0.1:0").unwrap();
    let end = endpoint();
    let call = end.call::<(), _>(black_hole.local_addr().unwrap(), "x", ());
    assert!(timeout(Duration::from_millis(20), call).await.is_err());
    assert_eq!(end.stats().calls_pending, 0);
}

#[test]
fn where_there_is_no_runtime_it_says_so() {
    assert!(Endpoint::bind("127.0.0.1:0".parse().unwrap()).is_err());
}

#[test]
fn its_calls_end_with_its_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let black_hole = UdpSocket::bind("127.0.0.1:0").unwrap();
    let end = runtime.block_on(async { endpoint() });
    let call = end.call::<(), _>(black_hole.local_addr().unwrap(), "x", ()).timeout(PATIENCE);
    let other = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = other.block_on(async {
        let call = tokio::spawn(call);
        until(&end, |stats| stats.calls_pending == 1).await;
        runtime.shutdown_background();
        timeout(PATIENCE, call).await.unwrap().unwrap().unwrap_err()
    });
    assert!(matches!(error, CallError::Closed { .. }), "{error}");
}
