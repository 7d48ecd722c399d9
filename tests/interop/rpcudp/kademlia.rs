//! A network of 25 nodes of Python's `kademlia` and the node of `examples/dht_node`, from which they
//! bootstrap: values set by either kind are got from the other.

#[path = "../../../examples/dht_node/id.rs"]
mod id;
#[path = "../../../examples/dht_node/lookup.rs"]
mod lookup;
#[path = "../../../examples/dht_node/node.rs"]
mod node;
#[path = "../../../examples/dht_node/table.rs"]
mod table;

use super::packages;
use crate::tagged::tagged;
use node::Node;
use pseud::Value;
use serde_json::json;

const NODES: usize = 25;
const VALUES: usize = 100;

/// Of every kind that a network's value may be; one has 1 KiB.
fn value(at: usize) -> Value {
    match at % 5 {
        _ if at == 50 => Value::Bin(vec![7; 1_024].into()),
        0 => format!("value {at}").into(),
        1 => (at as u64).into(),
        2 => (at as f64 / 8.0).into(),
        3 => Value::Bin(at.to_string().into_bytes().into()),
        _ => at.is_multiple_of(2).into(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_of_python_nodes_around_a_rust_node() {
    let Some(python) = packages::start("kademlia_net.py") else { return };
    let rust = Node::start("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, port) = (rust.address().to_string(), rust.address().port());

    // Each knows the Rust node alone at first, and finds the others through it.
    let fields = json!({"bootstrap": address, "count": NODES});
    let found = python.ask("nodes_from", fields).await;
    let found: Vec<u64> = found.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    // The crawl's answer: who was found, the Rust node itself and at most 20 of them.
    assert!(found.iter().zip(1..).all(|(&found, before)| found >= before.min(19)), "{found:?}");
    for node in [0, 12, 24] {
        assert_eq!(python.ask("neighbors", json!({"node": node, "port": port})).await, true);
    }
    let its = python.ask("address", json!({"node": 3})).await;
    let (host, its_port) = its.as_str().unwrap().rsplit_once(':').unwrap();
    let stun = python.ask("stun", json!({"node": 3, "to": address})).await;
    assert_eq!(stun, json!([true, {"$tuple": [host, its_port.parse::<u16>().unwrap()]}]));

    for at in 0..VALUES {
        let key = format!("key {at}");
        if at % 4 == 0 {
            assert!(rust.set(&key, value(at)).await > 1, "{key}");
            continue;
        }
        let fields = json!({"node": at % NODES, "key": key, "value": tagged(&value(at))});
        assert_eq!(python.ask("set", fields).await, true, "{key}");
    }
    for at in 0..VALUES {
        let key = format!("key {at}");
        // Never the node that set it.
        let fields = json!({"node": (at + 3) % NODES, "key": key});
        assert_eq!(python.ask("get", fields).await, tagged(&value(at)), "{key}");
        assert_eq!(rust.get(&key).await, Some(value(at)), "{key}");
    }
    assert!(rust.values() > 0, "it keeps values for the network");

    // A second Rust node, which knows a Python node alone, and keeps nothing yet.
    let second = Node::start("127.0.0.1:0".parse().unwrap()).unwrap();
    assert_eq!(second.bootstrap(&[its.as_str().unwrap().parse().unwrap()]).await, 1);
    for at in [1, 2, 50, 99] {
        assert_eq!(second.get(&format!("key {at}")).await, Some(value(at)));
    }
    assert_eq!(second.get("nobody has it").await, None);
}
