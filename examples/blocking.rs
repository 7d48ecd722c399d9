//! A server and a client on plain threads: prints `Hello Charly` and `Charly adds: 6`.
//!
//!     cargo run --example blocking --features blocking

use pseud::Fault;
use pseud::blocking::{Client, Options, Server, Wait};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::new("service")?;
    server.register("hello", |request| {
        let (name,): (String,) = request.args()?;
        // The caller is called back while it waits for this very answer.
        let sum: i64 = request.caller().call("add", (2, 4)).wait()?;
        println!("{name} adds: {sum}");
        Ok::<_, Fault>(format!("Hello {name}"))
    })?;
    let endpoint = server.bind("tcp://127.0.0.1:0")?;

    let client = Client::with_options(Options::client("service").identity("charly"))?;
    client.register("add", |request| {
        let (a, b): (i64, i64) = request.args()?;
        Ok::<_, Fault>(a + b)
    })?;
    client.connect(&endpoint)?;
    let greeting: String = client.call("hello", ("Charly",)).wait()?;
    println!("{greeting}");
    Ok(())
}
