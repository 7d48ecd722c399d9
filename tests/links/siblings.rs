//! One named client with two addresses of one server.

use crate::{
    Client, Runtime, Server, Tokio, conversations, eager, is_simulated, new_client, new_server,
    soon, until,
};
use pseud::{Fault, Options};

conversations! { Tokio:
    two_links_of_one_named_client_lose_no_call,
}

const ANYWHERE: &str = "tcp://127.0.0.1:0";
/// Calls over sockets, and in each of many simulated worlds.
const CALLS: [usize; 2] = [200, 20];

/// A server with two addresses.
async fn server<R: Runtime>() -> (Server<R>, [String; 2]) {
    let server = new_server::<R>(Options::server("service"));
    server.register_sync("hello", |_| Ok::<_, Fault>("hello")).unwrap();
    let first = server.bind(ANYWHERE).await.unwrap();
    let second = server.bind(ANYWHERE).await.unwrap();
    (server, [first.into(), second.into()])
}

fn desk<R: Runtime>(endpoints: &[String]) -> Client<R> {
    let client = new_client::<R>(eager(Options::client("service").identity("desk")));
    client.register_sync("name", |_| Ok::<_, Fault>("desk")).unwrap();
    for endpoint in endpoints {
        client.connect(endpoint).unwrap();
    }
    client
}

/// Both sides have so many sessions.
async fn until_sessions<R: Runtime>(server: &Server<R>, client: &Client<R>, count: usize) {
    until(|| server.stats().sessions == count && client.stats().sessions == count).await;
}

async fn both_ways<R: Runtime>(server: &Server<R>, client: &Client<R>) {
    for _ in 0..CALLS[usize::from(is_simulated())] {
        let hello: String = soon(client.call("hello", ())).await.unwrap();
        let name: String = soon(server.peer("desk").call("name", ())).await.unwrap();
        assert_eq!((&*hello, &*name), ("hello", "desk"));
    }
}

async fn two_links_of_one_named_client_lose_no_call<R: Runtime>() {
    let (server, endpoints) = server::<R>().await;
    let client = desk::<R>(&endpoints);
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
