//! One named client with two addresses of one server.

use crate::{eager, soon};
use pseud::{Client, Fault, Options, Server};

const ANYWHERE: &str = "tcp://127.0.0.1:0";
const CALLS: usize = 200;

/// A server with two addresses.
async fn server() -> (Server, [String; 2]) {
    let server = Server::new("service").unwrap();
    server.register_sync("hello", |_| Ok::<_, Fault>("hello")).unwrap();
    let first = server.bind(ANYWHERE).await.unwrap();
    let second = server.bind(ANYWHERE).await.unwrap();
    (server, [first, second])
}

fn desk(endpoints: &[String]) -> Client {
    let client = Client::with_options(eager(Options::client("service").identity("desk"))).unwrap();
    client.register_sync("name", |_| Ok::<_, Fault>("desk")).unwrap();
    for endpoint in endpoints {
        client.connect(endpoint).unwrap();
    }
    client
}

/// Both sides have so many sessions.
async fn until_sessions(server: &Server, client: &Client, count: usize) {
    soon(async {
        while server.stats().sessions != count || client.stats().sessions != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn both_ways(server: &Server, client: &Client) {
    for _ in 0..CALLS {
        let hello: String = soon(client.call("hello", ())).await.unwrap();
        let name: String = soon(server.peer("desk").call("name", ())).await.unwrap();
        assert_eq!((&*hello, &*name), ("hello", "desk"));
    }
}

#[tokio::test]
async fn two_links_of_one_named_client_lose_no_call() {
    let (server, endpoints) = server().await;
    let client = desk(&endpoints);
    until_sessions(&server, &client, 2).await;
    let sessions = || (server.peer("desk").info(), server.stats().sessions);
    let before = sessions();
    both_ways(&server, &client).await;
    // Nobody took the name from anybody: it is the same link still.
    assert!(before.0.is_some() && sessions() == before);
    // Either link may be the one that ends; the other is called then.
    for endpoint in &endpoints {
        client.disconnect(endpoint).unwrap();
        until_sessions(&server, &client, 1).await;
        both_ways(&server, &client).await;
        client.connect(endpoint).unwrap();
        until_sessions(&server, &client, 2).await;
        both_ways(&server, &client).await;
    }
}
