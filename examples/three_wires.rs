//! One registry, three wires: what is registered once is served over ZMTP to clients of pseud, over kaa.rpc to
//! clients of that, and over datagrams to whoever speaks Python's `rpcudp`. Where a wire knows who is there a
//! handler calls its caller back, without knowing which wire that is.
//!
//! `cargo run --example three_wires --features rpcudp`

use pseud::rpcudp;
use pseud::tokio::kaa;
use pseud::{Client, Fault, Options, Registry, Server};
use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    registry.register_typed("add", |(a, b): (i64, i64), _| async move { Ok::<_, Fault>(a + b) })?;
    registry.register("hello", |request| async move {
        let name: String = request.caller().call("name", ()).await?;
        Ok::<_, Fault>(format!("Hello {name}"))
    })?;

    let zmtp = Server::with_options(Options::server("service").registry(registry.clone()))?;
    let endpoint = zmtp.bind("tcp://127.0.0.1:0").await?;
    let options = kaa::Options::new("s3cret").registry(registry.clone());
    let kaa = kaa::Server::with_options(options)?;
    let address = kaa.bind("127.0.0.1:0").await?;
    let options = rpcudp::Options::default().registry(registry);
    let datagrams = rpcudp::Endpoint::bind_with("127.0.0.1:0".parse()?, options)?;

    let client = Client::new("service")?;
    client.register("name", |_| async { Ok::<_, Fault>("Charly, over ZMTP") })?;
    client.connect(&endpoint)?;
    println!("{}", client.call::<String, _>("hello", ()).await?);
    println!("over ZMTP: 1 + 2 = {}", client.call::<i64, _>("add", (1, 2)).await?);

    let client = kaa::Client::new("s3cret")?;
    client.register("name", |_| async { Ok::<_, Fault>("Charly, over kaa.rpc") })?;
    client.connect(&address)?;
    println!("{}", client.call::<String, _>("hello", ()).await?);
    println!("over kaa.rpc: 1 + 2 = {}", client.call::<i64, _>("add", (1, 2)).await?);

    let client = rpcudp::Endpoint::bind("127.0.0.1:0".parse()?)?;
    let sum: i64 = client.call(datagrams.local_addr(), "add", (1, 2)).await?;
    println!("over datagrams: 1 + 2 = {sum}");
    Ok(())
}
