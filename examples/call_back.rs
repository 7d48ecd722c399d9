//! The server calls its client, on the connection that the client opened: by its name from
//! anywhere, and from inside a handler while the client still waits.
//!
//!     cargo run --example call_back

use pseud::{Client, Fault, Options, Server};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::new("service")?;
    server.register("greet_me", |request| async move {
        // The caller waits for our answer, and serves ours meanwhile.
        let name: Result<String, _> = request.caller().call("name", ()).await;
        let name = name.map_err(|error| Fault::new("RuntimeError", error.to_string()))?;
        Ok::<_, Fault>(format!("Hello {name}"))
    })?;
    let endpoint = server.bind("tcp://127.0.0.1:0").await?;

    let client = Client::with_options(Options::client("service").identity("charlys-desk"))?;
    client.register_sync("name", |_| Ok::<_, Fault>("Charly"))?;
    client.register_sync("add", |request| {
        let (a, b): (i64, i64) = request.args()?;
        Ok::<_, Fault>(a + b)
    })?;
    client.connect(&endpoint)?;

    let greeting: String = client.call("greet_me", ()).await?;
    println!("the server, called back by its own handler: {greeting}");

    let sum: i64 = server.peer("charlys-desk").call("add", (2, 4)).await?;
    println!("the client, called by its name: 2 + 4 = {sum}");
    Ok(())
}
