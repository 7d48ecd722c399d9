//! Many peers in a loop of one's own: `mio`, one thread, no runtime. A server is called by three
//! clients, calls each of them back, and closes the link of a stranger that speaks HTTP.
//!
//!     cargo run --example own_loop
//!
//! `node.rs` is the loop, for servers and clients alike; `socket.rs` is what it does to one socket,
//! `handlers.rs` what it does with one request.

mod handlers;
mod node;
mod socket;

use handlers::{add, hello};
use node::Node;
use pseud::Config;
use pseud::proto::value::ValueLimits;
use pseud::proto::{Action, CallOptions, Outcome, Packed, To};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Instant;

type AnyResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

const CLIENTS: [&str; 3] = ["anne", "bert", "charly"];

fn main() -> AnyResult<()> {
    let mut server = Node::new("service", Config::default())?;
    server.handlers.register("hello", hello)?;
    let address = server.address()?;

    let mut stranger = TcpStream::connect(address)?;
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n")?;
    let clients = CLIENTS.map(|name| thread::spawn(move || client(name, address)));

    serve(&mut server)?;
    for client in clients {
        println!("{}", client.join().map_err(|_| "a client panicked")??);
    }
    // Its end is the server's: whatever was said to it, nothing comes any more.
    let _ = stranger.read_to_end(&mut Vec::new());
    Ok(())
}

/// Calls back whoever comes, until all have gone.
fn serve(server: &mut Node) -> AnyResult<()> {
    let (mut calls, mut left) = (BTreeMap::new(), 0);
    while left < CLIENTS.len() || !server.is_alone() {
        for action in server.turn()? {
            match action {
                Action::Joined(peer, info) => {
                    let arguments = Packed::call(&(2, 4), &())?;
                    let (to, options) = (To::Peer(peer), CallOptions::default());
                    let call =
                        server.endpoint.call(to, "add", arguments, options, Instant::now())?;
                    calls.insert(call, String::from_utf8_lossy(&info.identity).into_owned());
                }
                Action::Finish { call, outcome } => {
                    let name = calls.remove(&call).unwrap_or_default();
                    let sum: i64 = result(outcome)?.decode()?;
                    println!("{name}, called back: 2 + 4 = {sum}");
                }
                Action::Left(..) => left += 1,
                _ => {}
            }
        }
    }
    Ok(())
}

/// Says hello, and stays until it has been called back.
fn client(name: &'static str, server: SocketAddr) -> AnyResult<String> {
    let mut config = Config::default();
    config.server = Some("service".into());
    let mut node = Node::new(name, config)?;
    node.handlers.register("add", add)?;
    node.dial(server)?;

    // It waits for the handshake by itself.
    let (arguments, options) = (Packed::call(&(name,), &())?, CallOptions::default());
    node.endpoint.call(To::Server, "hello", arguments, options, Instant::now())?;
    let mut greeting = None;
    while greeting.is_none() || !has_answered(&node) {
        for action in node.turn()? {
            match action {
                Action::Finish { outcome, .. } => greeting = Some(result(outcome)?.decode()?),
                Action::Left(_, reason) => return Err(reason.to_string().into()),
                _ => {}
            }
        }
    }

    node.endpoint.shutdown(Instant::now());
    while !node.is_alone() {
        node.turn()?;
    }
    Ok(greeting.unwrap_or_default())
}

/// Whether somebody called, and the answers are written.
fn has_answered(node: &Node) -> bool {
    let stats = node.endpoint.stats();
    stats.requests_served > 0 && stats.requests_open == 0
}

/// What a call came to; everything but a value is an error here.
fn result(outcome: Outcome) -> AnyResult<Packed> {
    match outcome {
        Outcome::Value(body) => Ok(body.check(&ValueLimits::default())?),
        other => Err(format!("{other:?}").into()),
    }
}
