//! Functions under names: for this server only, for every node of the process, by default and by
//! choice; called by dotted parts, with typed results.
//!
//!     cargo run --example string_service

use pseud::{Client, Registry, Server, register};
use std::error::Error;

mod string {
    use pseud::{Fault, Request};

    pub(crate) async fn lower((text,): (String,), _: Request) -> Result<String, Fault> {
        Ok(text.to_lowercase())
    }

    pub(crate) async fn upper((text,): (String,), _: Request) -> Result<String, Fault> {
        Ok(text.to_uppercase())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::new("remote")?;
    // For this server only, and for every node of the process; each under its own name.
    register!(server, string::lower)?;
    register!(Registry::global(), string::upper)?;
    // Names of one's choice may have dots.
    server.register_typed("string.lower", string::lower)?;
    server.register_typed("string.upper", string::upper)?;
    let endpoint = server.bind("tcp://127.0.0.1:0").await?;

    let client = Client::new("remote")?;
    client.connect(&endpoint)?;
    let abc: String = client.call("lower", ("ABC",)).await?;
    let def: String = client.call("upper", ("def",)).await?;
    println!("lower: {abc}, upper: {def}");

    // Python's `client.string.lower('ABC')`.
    let string = client.service("string");
    let abc = string.call::<String, _>("lower", ("ABC",)).await?;
    let def = string.call::<String, _>("upper", ("def",)).await?;
    println!("string.lower: {abc}, string.upper: {def}");
    Ok(())
}
