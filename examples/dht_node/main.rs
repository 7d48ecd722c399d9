//! A node in a network of Python's `kademlia` (2.2): Python nodes bootstrap from it, and store and find
//! values through it.
//!
//!     cargo run --features rpcudp --example dht_node                     three nodes in one run
//!     cargo run --features rpcudp --example dht_node 0.0.0.0:8468        one, for others to bootstrap from
//!     cargo run --features rpcudp --example dht_node 0.0.0.0:0 192.0.2.1:8468 set KEY VALUE
//!     cargo run --features rpcudp --example dht_node 0.0.0.0:0 192.0.2.1:8468 get KEY
//!
//! `node.rs` is what a node serves, `lookup.rs` what it asks of others, `table.rs` whom it knows.
//! Newcomers are pinged before they are sent more than they sent, and before they are believed.

mod id;
mod lookup;
mod node;
mod table;

use node::Node;
use std::error::Error;
use std::future::pending;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => three().await,
        [at] => {
            let node = Node::start(at.parse()?)?;
            println!("listening on {}", node.address());
            pending().await
        }
        [at, network, "set", key, value] => {
            let node = joined(at, network).await?;
            println!("stored on {} nodes", node.set(key, value.into()).await);
            Ok(())
        }
        [at, network, "get", key] => {
            let node = joined(at, network).await?;
            println!("{:?}", node.get(key).await);
            Ok(())
        }
        _ => Err("dht_node [ADDRESS [NETWORK set KEY VALUE | NETWORK get KEY]]".into()),
    }
}

/// A node at an address in the network of another.
async fn joined(at: &str, network: &str) -> Result<Node, Box<dyn Error>> {
    let node = Node::start(at.parse()?)?;
    match node.bootstrap(&[network.parse()?]).await {
        0 => Err(format!("nobody answers at {network}").into()),
        _ => Ok(node),
    }
}

/// The second and the third know the first alone; what the second sets, the third finds.
async fn three() -> Result<(), Box<dyn Error>> {
    let here = "127.0.0.1:0".parse()?;
    let [first, second, third] = [Node::start(here)?, Node::start(here)?, Node::start(here)?];
    for node in [&second, &third] {
        node.bootstrap(&[first.address()]).await;
    }
    println!("stored on {} nodes", second.set("a key", "a value".into()).await);
    println!("found {:?}", third.get("a key").await);
    println!("each keeps {:?}", [first.values(), second.values(), third.values()]);
    Ok(())
}
