//! More calls at once than may be pending, or queued: those that are too many wait.

use pseud::{Client, Options, Peer};
use std::time::Duration;
use tokio::task::JoinSet;

use crate::live::{PythonCalls, RustCalls, SERVICE};

const PATIENCE: Duration = Duration::from_secs(60);
const CALLS: i64 = 2_000;
const LARGE: usize = 20;
const MIB: usize = 1 << 20;

/// Whom to call, however it is named.
#[derive(Clone)]
enum Callee {
    Server(Client),
    Peer(Peer),
}

impl Callee {
    async fn call<T: serde::de::DeserializeOwned>(&self, name: &str, args: (i64, usize)) -> T {
        let (n, bytes) = args;
        let text = "x".repeat(bytes);
        let call = match (self, bytes) {
            (Self::Server(client), 0) => client.call(name, (n, 1)).timeout(PATIENCE).await,
            (Self::Peer(peer), 0) => peer.call(name, (n, 1)).timeout(PATIENCE).await,
            (Self::Server(client), _) => client.call(name, (text,)).timeout(PATIENCE).await,
            (Self::Peer(peer), _) => peer.call(name, (text,)).timeout(PATIENCE).await,
        };
        call.unwrap()
    }
}

async fn all_are_answered(callee: Callee) {
    let mut calls = JoinSet::new();
    for n in 0..CALLS {
        let callee = callee.clone();
        calls.spawn(async move { assert_eq!(callee.call::<i64>("add", (n, 0)).await, n + 1) });
    }
    calls.join_all().await;
    let mut calls = JoinSet::new();
    for _ in 0..LARGE {
        let callee = callee.clone();
        calls.spawn(async move { callee.call::<String>("hello", (0, MIB)).await.len() });
    }
    let greeting = "Hello ".len() + MIB;
    assert_eq!(calls.join_all().await, [greeting; LARGE]);
}

#[tokio::test]
async fn a_python_server_answers_two_thousand_at_once_and_twenty_of_a_mebibyte() {
    RustCalls::hold(async |room| all_are_answered(Callee::Server(room.client.clone())).await).await;
}

#[tokio::test]
async fn a_python_client_answers_two_thousand_at_once_and_twenty_of_a_mebibyte() {
    PythonCalls::with(Options::server(SERVICE), 5.0, async |room| {
        let client = room.server.all_sessions().remove(0);
        all_are_answered(Callee::Peer(client)).await;
        assert_eq!(room.server.stats().calls_waiting, 0);
    })
    .await;
}
