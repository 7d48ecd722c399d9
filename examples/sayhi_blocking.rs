//! The server and the client of Python's `rpcudp` on plain threads: prints what `sayhi` prints.
//!
//!     cargo run --features rpcudp,blocking --example sayhi_blocking              both in one run
//!     cargo run --features rpcudp,blocking --example sayhi_blocking server       one that Python's client can call
//!     cargo run --features rpcudp,blocking --example sayhi_blocking client 127.0.0.1:1234

use pseud::Fault;
use pseud::blocking::block_on;
use pseud::blocking::rpcudp::Endpoint;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let server = server(0)?;
            client(server.local_addr())
        }
        ["server"] => {
            let server = server(1234)?;
            println!("listening on {}", server.local_addr());
            Ok(server.serve()?)
        }
        ["client", address] => client(address.parse()?),
        _ => Err("sayhi_blocking [server | client ADDRESS]".into()),
    }
}

fn server(port: u16) -> Result<Endpoint, Box<dyn Error>> {
    let server = Endpoint::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    // On a thread of the pool: it may block, and call its caller back.
    server.register_typed("sayhi", |(name,): (String,), request| {
        let address = request.caller().address();
        Ok::<_, Fault>(format!("Hello {name} you live at {address}"))
    })?;
    Ok(server)
}

/// It needs a socket of its own, too: answers come there.
fn client(server: SocketAddr) -> Result<(), Box<dyn Error>> {
    let client = Endpoint::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let call = client.call::<(), _>(server, "sayhi", ("Snake Plissken",));
    let (answered, greeting) = block_on(call.answered())?;
    match greeting.as_str() {
        Some(greeting) if answered => {
            println!("{}", greeting.replace(&client.local_addr().to_string(), "home"));
        }
        _ => println!("No response received."),
    }
    Ok(())
}
