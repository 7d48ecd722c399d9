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

use handlers::{Handler, add, hello};
use node::Node;
use pseud::Config;
use pseud::proto::value::Packed;
use pseud::proto::value::ValueLimits;
use pseud::proto::{Action, CallOptions, Outcome, To};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::Instant;

type AnyResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A free port of this machine.
const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

const CLIENTS: [&str; 3] = ["anne", "bert", "charly"];

fn main() -> AnyResult<()> {
    let mut server = Node::new("service", Config::default(), ANY)?;
    server.handlers.register("hello", Handler::Now(hello))?;
    server.handlers.register("everybody", Handler::Later)?;
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
    let (mut waiting, mut joined) = (Vec::new(), 0);
    while left < CLIENTS.len() || !server.is_alone() {
        for action in server.turn()? {
            match action {
                Action::Joined(peer, info) => {
                    let arguments = Packed::call(&(2, 4), &())?;
                    let (to, options) = (To::Peer(peer), CallOptions::default());
                    let call =
                        server.endpoint.call(to, "add", arguments, options, Instant::now())?;
                    calls.insert(call, String::from_utf8_lossy(&info.identity).into_owned());
                    joined += 1;
                }
                // "everybody": who asks waits until all are there.
                Action::Serve(request) => waiting.push(request.into_ticket()),
                Action::Finish { call, outcome } => {
                    let name = calls.remove(&call).unwrap_or_default();
                    let sum: i64 = result(outcome)?.decode()?;
                    println!("{name}, called back: 2 + 4 = {sum}");
                }
                Action::Left(..) => left += 1,
                _ => {}
            }
        }
        if joined == CLIENTS.len() {
            for ticket in waiting.drain(..) {
                server.endpoint.reply(ticket, Ok(Packed::result(&joined)?), Instant::now());
            }
        }
    }
    Ok(())
}

/// Says hello, and stays until it has been called back.
fn client(name: &'static str, server: SocketAddr) -> AnyResult<String> {
    let mut config = Config::default();
    config.server = Some("service".into());
    let mut node = Node::new(name, config, ANY)?;
    node.handlers.register("add", Handler::Now(add))?;
    node.dial(server)?;

    // They wait for the handshake by themselves.
    let (arguments, options) = (Packed::call(&(name,), &())?, CallOptions::default());
    let hello = node.endpoint.call(To::Server, "hello", arguments, options, Instant::now())?;
    let (arguments, options) = (Packed::call(&(), &())?, CallOptions::default());
    node.endpoint.call(To::Server, "everybody", arguments, options, Instant::now())?;
    let (mut greeting, mut everybody): (Option<String>, Option<usize>) = (None, None);
    while greeting.is_none() || everybody.is_none() || !has_answered(&node) {
        for action in node.turn()? {
            match action {
                Action::Finish { call, outcome } if call == hello => {
                    greeting = Some(result(outcome)?.decode()?);
                }
                Action::Finish { outcome, .. } => everybody = Some(result(outcome)?.decode()?),
                Action::Left(_, reason) => return Err(reason.to_string().into()),
                _ => {}
            }
        }
    }

    node.endpoint.shutdown(Instant::now());
    while !node.is_alone() {
        node.turn()?;
    }
    let (greeting, everybody) = (greeting.unwrap_or_default(), everybody.unwrap_or_default());
    Ok(format!("{greeting}, {everybody} of you are here"))
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
