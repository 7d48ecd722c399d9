//! One registry, served over more than one wire.

use crate::{SECRET, client, soon};
use pseud::tokio::kaa;
use pseud::{Client, Fault, Options, Registry, Server};

#[tokio::test]
async fn a_handler_serves_whoever_carries_it_and_may_ask_who() {
    let registry = Registry::new();
    registry
        .register_typed("add", |(a, b): (i64, i64), request: pseud::Request| async move {
            let name: String = request.caller().call("name", ()).await?;
            let wire = request.caller().wire();
            Ok::<_, Fault>(format!("{name} on {wire:?}: {}", a + b))
        })
        .unwrap();
    let zmtp = Server::with_options(Options::server("service").registry(registry.clone())).unwrap();
    let endpoint = zmtp.bind("tcp://127.0.0.1:0").await.unwrap();
    let other = kaa::Server::with_options(kaa::Options::new(SECRET).registry(registry)).unwrap();
    let address = other.bind("127.0.0.1:0").await.unwrap();

    let over_zmtp = Client::new("service").unwrap();
    over_zmtp.connect(&endpoint).unwrap();
    over_zmtp.register("name", |_| async { Ok::<_, Fault>("zmtp") }).unwrap();
    let told: String = soon(over_zmtp.call("add", (1, 2))).await.unwrap();
    assert_eq!(told, "zmtp on Pseud: 3");

    let over_kaa = client(&address);
    over_kaa.register("name", |_| async { Ok::<_, Fault>("kaa") }).unwrap();
    let told: String = soon(over_kaa.call("add", (1, 2))).await.unwrap();
    assert_eq!(told, "kaa on Kaa: 3");
}
