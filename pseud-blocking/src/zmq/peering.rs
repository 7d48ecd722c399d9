//! What a server and a client over libzmq have in common.

use super::commands::{Desk, SocketCommand};
use super::sockets;
use super::worker::Worker;
use crate::runtime::Threads;
use crate::wait::block_on;
use pseud_async::adapter::{Runtime, Timer, after, node_on};
use pseud_async::{Address, Drain, EndpointError, Node, Options, SetupError};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

/// How long what was handed to libzmq may take to leave, when a node is drained.
const LEAVING: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub(super) struct SocketNode {
    pub(super) node: Node,
    desk: Arc<Desk>,
    threads: Threads,
}

impl SocketNode {
    pub(super) fn new(mut options: Options, context: zmq::Context) -> Result<Self, SetupError> {
        sockets::check(&options).map_err(SetupError::Runtime)?;
        let threads = Threads::current().map_err(SetupError::Runtime)?;
        let node = node_on(&mut options, &threads)?;
        let worker = Worker::new(node.host(), Arc::new(options), context);
        let worker = worker.map_err(SetupError::Runtime)?;
        let desk = worker.desk().clone();
        let thread = thread::Builder::new().name("pseud-zmq".to_owned());
        thread.spawn(move || worker.run()).map_err(SetupError::Runtime)?;
        Ok(Self { node, desk, threads })
    }

    pub(super) fn bind(&self, at: Address) -> Result<Address, EndpointError> {
        self.desk.ask(|answer| SocketCommand::Bind(at, answer))
    }

    pub(super) fn connect(&self, at: Address) -> Result<(), EndpointError> {
        self.desk.ask(|answer| SocketCommand::Connect(at, answer))
    }

    pub(super) fn unbind(&self, at: Address) -> Result<(), EndpointError> {
        self.desk.ask(|answer| SocketCommand::Unbind(at, answer))
    }

    pub(super) fn disconnect(&self, at: Address) -> Result<(), EndpointError> {
        self.desk.ask(|answer| SocketCommand::Disconnect(at, answer))
    }

    pub(super) fn drain(&self, at_most: Duration) -> io::Result<Drain> {
        let host = self.node.host();
        let finished = block_on(self.by(at_most, self.node.drained()))?;
        host.shutdown();
        let left = block_on(self.by(LEAVING, host.sockets_closed()))?;
        Ok(if finished && left { Drain::Complete } else { Drain::CutShort })
    }

    /// Whether that comes to its end within that time.
    async fn by(&self, at_most: Duration, future: impl Future) -> bool {
        let mut timer = self.threads.timer(after(Instant::now(), at_most));
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending => timer.poll(cx).map(|()| false),
        })
        .await
    }
}
