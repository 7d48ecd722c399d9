//! What one link does, with each kind of other end.

use super::links::{Bare, Wired, engine, meet};
use super::{IN_FLIGHT, Lane, Lanes};
use anyhow::{Context as _, Result, ensure};
use pseud::proto::zmtp::Side;
use pseud::{Fault, Node, Peer};
use serde_bytes::{ByteBuf, Bytes};
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// `["echo", [16 bytes], {}]` and `16 bytes` as msgpack; what kind of message each is.
const REQUEST: &[u8] = b"\x93\xa4echo\x91\xc4\x10sixteen bytes...\x80";
const RESULT: &[u8] = b"\xc4\x10sixteen bytes...";
const WORK: u8 = 0x03;
const OK: u8 = 0x01;
const BODY: &[u8] = b"sixteen bytes...";

/// A lane that shares an engine, or two, with others.
pub(super) trait Shares: Lane + Sized + 'static {
    fn new(engines: &[Node; 2], number: usize) -> Result<Self>;
}

pub(super) fn boxed<L: Shares>(count: usize) -> Result<Lanes> {
    let engines = [engine()?, engine()?];
    serve(&engines[1])?;
    (0..count).map(|number| Ok(Box::new(L::new(&engines, number)?) as _)).collect()
}

fn serve(engine: &Node) -> Result<()> {
    engine.registry().register("echo", |request| async move {
        let (body,): (ByteBuf,) = request.args()?;
        Ok::<_, Fault>(body)
    })?;
    Ok(())
}

/// A link of the server's engine.
pub(super) struct Servers {
    server: Wired,
    client: Bare,
    next_id: u128,
    bytes: Vec<u8>,
    /// Bytes of the answers of a turn, once they were looked at.
    answers: Option<usize>,
}

impl Shares for Servers {
    fn new([_, engine]: &[Node; 2], number: usize) -> Result<Self> {
        let server = Wired::new(engine, Side::Accepting, "server")?;
        let client = Bare::of(&server, Side::Connecting, &format!("client-{number}"))?;
        Ok(Self { server, client, next_id: 0, bytes: Vec::new(), answers: None })
    }
}

impl Lane for Servers {
    fn turn(&mut self) -> Result<()> {
        for _ in 0..IN_FLIGHT {
            self.next_id += 1;
            self.client.send(&self.next_id.to_be_bytes(), WORK, REQUEST);
        }
        self.client.output(&mut self.bytes);
        self.server.input(&mut self.bytes)?;
        self.server.output(&mut self.bytes)?;
        let len = self.bytes.len();
        if let Some(answers) = self.answers {
            ensure!(len == answers, "a turn was answered by {len} bytes instead of {answers}");
            return Ok(());
        }
        let mut count = 0;
        self.client.input(&mut self.bytes, |_, _| count += 1)?;
        ensure!(count == IN_FLIGHT, "{count} answers in a turn");
        self.answers = Some(len);
        Ok(())
    }
}

/// A link of the client's engine.
pub(super) struct Callers {
    client: Wired,
    server: Bare,
    calls: Calls,
    bytes: Vec<u8>,
}

impl Shares for Callers {
    fn new([engine, _]: &[Node; 2], number: usize) -> Result<Self> {
        let name = format!("server-{number}");
        let client = Wired::new(engine, Side::Connecting, "")?;
        let server = Bare::of(&client, Side::Accepting, &name)?;
        Ok(Self { calls: Calls::to(engine, &name), client, server, bytes: Vec::new() })
    }
}

impl Lane for Callers {
    fn turn(&mut self) -> Result<()> {
        self.calls.begin();
        self.client.output(&mut self.bytes)?;
        self.server.input(&mut self.bytes, |server, id| server.send(id, OK, RESULT))?;
        self.server.output(&mut self.bytes);
        self.client.input(&mut self.bytes)?;
        self.calls.end()
    }
}

/// A link from the client's engine to the server's.
pub(super) struct Whole {
    client: Wired,
    server: Wired,
    calls: Calls,
    bytes: Vec<u8>,
}

impl Shares for Whole {
    fn new([client, server]: &[Node; 2], number: usize) -> Result<Self> {
        let name = format!("server-{number}");
        let calls = Calls::to(client, &name);
        let client = Wired::new(client, Side::Connecting, &format!("client-{number}"))?;
        let server = Wired::new(server, Side::Accepting, &name)?;
        meet(&client, &server)?;
        Ok(Self { client, server, calls, bytes: Vec::new() })
    }
}

impl Lane for Whole {
    fn turn(&mut self) -> Result<()> {
        self.calls.begin();
        self.client.output(&mut self.bytes)?;
        self.server.input(&mut self.bytes)?;
        self.server.output(&mut self.bytes)?;
        self.client.input(&mut self.bytes)?;
        self.calls.end()
    }
}

/// Calls on their way to one peer, waited for by nobody: they are looked at when they must be over.
struct Calls {
    peer: Peer,
    open: Vec<Pin<Box<dyn Future<Output = Result<ByteBuf>> + Send>>>,
}

impl Calls {
    fn to(engine: &Node, name: &str) -> Self {
        Self { peer: engine.peer(name), open: Vec::new() }
    }

    fn begin(&mut self) {
        for _ in 0..IN_FLIGHT {
            let call = self.peer.call::<ByteBuf, _>("echo", (Bytes::new(BODY),)).into_future();
            let mut call: Pin<Box<dyn Future<Output = _> + Send>> =
                Box::pin(async move { Ok(call.await?) });
            let begun = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(begun.is_pending(), "a call is over before it was sent");
            self.open.push(call);
        }
    }

    fn end(&mut self) -> Result<()> {
        for mut call in self.open.drain(..) {
            match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(result) => ensure!(result? == BODY, "an echo is what was sent"),
                Poll::Pending => return None.context("a call has no answer"),
            }
        }
        Ok(())
    }
}
