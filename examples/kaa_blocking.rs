//! A server and a client of kaa.rpc on plain threads: `cargo run --features kaa,blocking --example kaa_blocking`

use pseud::Fault;
use pseud::blocking::{Wait, kaa};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let server = kaa::Server::new("s3cret")?;
    server.register("do_something", |request| {
        let (number,): (i64,) = request.args()?;
        // The reference's `add_client`: each handler knows its caller.
        let name: String = request.caller().call("name", ()).wait()?;
        Ok::<_, Fault>(format!("{name} has {number}"))
    })?;
    let address = server.bind("127.0.0.1:0")?;

    let client = kaa::Client::new("s3cret")?;
    client.register("name", |_| Ok::<_, Fault>("Charly"))?;
    client.connect(&address)?;
    println!("{}", client.call::<String, _>("do_something", (6,)).wait()?);
    Ok(())
}
