//! A server calls its client back, under smol: prints `Hello Charly`.
//!
//!     cargo run --example smol --features smol

use pseud::Fault;
use pseud::asyncstd::{Client, Request, Server};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    smol::block_on(async {
        let server = Server::new("service")?;
        server.register("hello", |request: Request| async move {
            let name: String = request.caller().call("name", ()).await?;
            Ok::<_, pseud::asyncstd::CallError>(format!("Hello {name}"))
        })?;
        let endpoint = server.bind("tcp://127.0.0.1:0").await?;

        let client = Client::new("service")?;
        client.register("name", |_| async { Ok::<_, Fault>("Charly") })?;
        client.connect(&endpoint)?;
        let greeting: String = client.call("hello", ()).await?;
        println!("{greeting}");
        Ok(())
    })
}
