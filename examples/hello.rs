//! The first example of pseud, server and client in one run: prints `Hello Charly`.
//!
//!     cargo run --example hello

use pseud::{Client, Fault, Server};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::new("service")?;
    server.register("hello", |request| async move {
        let (name,): (String,) = request.args()?;
        Ok::<_, Fault>(format!("Hello {name}"))
    })?;
    let endpoint = server.bind("tcp://127.0.0.1:0").await?;

    let client = Client::new("service")?;
    client.connect(&endpoint)?;
    let greeting: String = client.call("hello", ("Charly",)).await?;
    println!("{greeting}");
    Ok(())
}
