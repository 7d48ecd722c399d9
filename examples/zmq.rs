//! Two threads of one process over libzmq, without a socket of the system: prints `Hello Charly`.
//!
//!     cargo run --example zmq --features zmq

use pseud::Fault;
use pseud::blocking::zmq::{Client, Context, Server};
use pseud::blocking::{Options, Wait};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let context = Context::new();
    let server = Server::with_options(Options::server("service"), context.clone())?;
    server.register("hello", |request| {
        let (name,): (String,) = request.args()?;
        Ok::<_, Fault>(format!("Hello {name}"))
    })?;
    server.bind("inproc://service")?;

    let client = Client::with_options(Options::client("service"), context)?;
    client.connect("inproc://service")?;
    let greeting: String = client.call("hello", ("Charly",)).wait()?;
    println!("{greeting}");
    Ok(())
}
