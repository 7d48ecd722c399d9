//! The server and the client of Python's `rpcudp`, over datagrams.
//!
//!     cargo run --features rpcudp --example sayhi              both in one run
//!     cargo run --features rpcudp --example sayhi server       one that Python's client can call
//!     cargo run --features rpcudp --example sayhi client 127.0.0.1:1234

use pseud::Fault;
use pseud::rpcudp::Endpoint;
use std::error::Error;
use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let server = server(0)?;
            client(server.local_addr()).await
        }
        ["server"] => {
            let server = server(1234)?;
            println!("listening on {}", server.local_addr());
            pending().await
        }
        ["client", address] => client(address.parse()?).await,
        _ => Err("sayhi [server | client ADDRESS]".into()),
    }
}

fn server(port: u16) -> Result<Endpoint, Box<dyn Error>> {
    let server = Endpoint::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    server.register_typed("sayhi", |(name,): (String,), request| async move {
        let address = request.caller().address();
        Ok::<_, Fault>(format!("Hello {name} you live at {address}"))
    })?;
    Ok(server)
}

/// It needs a socket of its own, too: answers come there.
async fn client(server: SocketAddr) -> Result<(), Box<dyn Error>> {
    let client = Endpoint::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let (answered, greeting) =
        client.call::<(), _>(server, "sayhi", ("Snake Plissken",)).answered().await;
    match greeting.as_str() {
        Some(greeting) if answered => {
            println!("{}", greeting.replace(&client.local_addr().to_string(), "home"));
        }
        _ => println!("No response received."),
    }
    Ok(())
}
