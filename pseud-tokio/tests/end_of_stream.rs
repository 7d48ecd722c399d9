//! A peer that closes its socket ends its session, between messages as anywhere else.

use pseud_proto::Fault;
use pseud_tokio::{Client, Server};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn a_clean_end_ends_the_session() {
    let server = Server::new("service").unwrap();
    server.register_sync("hello", |_| Ok::<_, Fault>("Hello")).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let client = Client::new("service").unwrap();
    client.connect(&endpoint).unwrap();
    assert_eq!(client.call::<String, _>("hello", ()).await.unwrap(), "Hello");
    assert_eq!(server.stats().sessions, 1);
    drop(client);
    let gone = async {
        while server.stats().sessions > 0 {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.expect("the session is still there");
}

/// Links own what they need of their node, which knows its links: that circle is cut when they end.
#[tokio::test]
async fn nothing_is_left_of_nodes_that_end() {
    let server = Server::new("service").unwrap();
    server.register_sync("hello", |_| Ok::<_, Fault>("Hello")).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let client = Client::new("service").unwrap();
    client.connect(&endpoint).unwrap();
    assert_eq!(client.call::<String, _>("hello", ()).await.unwrap(), "Hello");
    // One whose handshake never ends.
    let address = endpoint.strip_prefix("tcp://").unwrap();
    let _silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let left = [Arc::downgrade(server.node().host()), Arc::downgrade(client.node().host())];
    drop((server, client));
    let gone = async {
        while left.iter().any(|node| node.strong_count() > 0) {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.expect("a node is still there");
}
