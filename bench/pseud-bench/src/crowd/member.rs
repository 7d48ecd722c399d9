//! One client of a crowd.

use anyhow::{Result, bail, ensure};
use pseud::Config;
use pseud::proto::pseud::Channel;
use pseud::proto::value::{Packed, ValueLimits};
use pseud::proto::zmtp::{Connection, ConnectionConfig, Event, Outgoing, Side, Token};
use pseud::proto::{Action, CallOptions, Outcome};
use serde_bytes::Bytes;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

/// What a member says to whoever leads the crowd.
#[derive(Debug, PartialEq)]
pub(super) enum Told {
    /// Its handshake is over.
    Ready,
    /// A call of its own was answered.
    Called,
    /// It has gone, as all were told to.
    Left,
    Failed(String),
}

/// What its server understands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Speaks {
    Bytes,
    Zmtp,
    Pseud,
}

/// What it is on its link.
enum Machine {
    /// The bytes themselves, of calls and answers.
    /// A call of its own is its handshake: it shows that the server has accepted it.
    Bytes(Vec<u8>),
    Zmtp(Box<Connection>),
    Pseud(Box<Channel>),
}

pub(super) struct Member {
    stream: TcpStream,
    machine: Machine,
    size: usize,
    is_ready: bool,
    /// Its own calls that wait for an answer: what else comes is a call of the server's.
    open: usize,
    answered: usize,
    /// Bytes of an answer that has not come whole, where there is no framing.
    partial: usize,
}

impl Member {
    pub(super) async fn connect(
        server: &str,
        speaks: Speaks,
        (config, connection): (Arc<Config>, Arc<ConnectionConfig>),
        size: usize,
    ) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let mut seed = [0; 32];
        seed.fill_with(|| fastrand::u8(..));
        let (side, now) = (Side::Connecting, Instant::now());
        let machine = match speaks {
            Speaks::Bytes => Machine::Bytes(Vec::new()),
            Speaks::Zmtp => Machine::Zmtp(Connection::new(connection, side, seed, now).into()),
            Speaks::Pseud => {
                Machine::Pseud(Channel::new(config, connection, side, seed, now).into())
            }
        };
        Ok(Self { stream, machine, size, is_ready: false, open: 0, answered: 0, partial: 0 })
    }

    /// Until the sender of `calls` is gone.
    pub(super) async fn live(
        mut self,
        calls: watch::Receiver<usize>,
        told: mpsc::UnboundedSender<Told>,
    ) {
        let told_last = match self.obey(calls, &told).await {
            Ok(()) => Told::Left,
            Err(error) => Told::Failed(format!("{error:#}")),
        };
        drop(self);
        let _ = told.send(told_last);
    }

    async fn obey(
        &mut self,
        mut calls: watch::Receiver<usize>,
        told: &mpsc::UnboundedSender<Told>,
    ) -> Result<()> {
        let mut buffer = vec![0; 4096];
        let (mut called, mut said_ready, mut said_answered) = (0, false, 0);
        if let Machine::Bytes(_) = self.machine
            && !self.is_ready
        {
            self.call()?;
        }
        loop {
            self.write().await?;
            if self.is_ready && !said_ready {
                said_ready = true;
                let _ = told.send(Told::Ready);
            }
            while said_answered < self.answered {
                said_answered += 1;
                let _ = told.send(Told::Called);
            }
            tokio::select! {
                count = self.stream.read(&mut buffer) => {
                    let count = count?;
                    ensure!(count > 0, "the server closed the link");
                    self.input(&mut buffer[..count])?;
                }
                changed = calls.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    let more = *calls.borrow_and_update() - called;
                    for _ in 0..more {
                        self.call()?;
                    }
                    called += more;
                }
            }
        }
    }

    async fn write(&mut self) -> Result<()> {
        let mut output = Vec::new();
        match &mut self.machine {
            Machine::Bytes(bytes) => output.append(bytes),
            Machine::Zmtp(connection) => pour(connection.as_mut(), &mut output),
            Machine::Pseud(channel) => pour(channel.as_mut(), &mut output),
        }
        Ok(self.stream.write_all(&output).await?)
    }

    fn call(&mut self) -> Result<()> {
        self.open += 1;
        let body = vec![7; self.size];
        match &mut self.machine {
            Machine::Bytes(bytes) => bytes.extend(body),
            Machine::Zmtp(connection) => send(connection, &body),
            Machine::Pseud(channel) => {
                let arguments = Packed::call(&(Bytes::new(&body),), &())?;
                channel.call("echo", arguments, CallOptions::default(), Instant::now())?;
            }
        }
        Ok(())
    }

    fn input(&mut self, input: &mut [u8]) -> Result<()> {
        let now = Instant::now();
        match &mut self.machine {
            Machine::Bytes(bytes) if self.open == 0 => bytes.extend_from_slice(input),
            Machine::Bytes(_) => {
                self.partial += input.len();
                while self.partial >= self.size {
                    self.partial -= self.size;
                    self.open -= 1;
                    self.answered += usize::from(self.is_ready);
                    self.is_ready = true;
                }
            }
            Machine::Zmtp(connection) => {
                connection.handle_input(input, now)?;
                while let Some(event) = connection.poll_event() {
                    match event {
                        Event::Ready(_) => self.is_ready = true,
                        Event::Message(_) if self.open > 0 => {
                            self.open -= 1;
                            self.answered += 1;
                        }
                        Event::Message(parts) => send(connection, parts.get(0).unwrap_or(b"")),
                        _ => {}
                    }
                }
            }
            Machine::Pseud(channel) => {
                channel.handle_input(input, now)?;
                self.is_ready = channel.peer().is_some();
                while let Some(action) = channel.poll_action() {
                    match action {
                        Action::Serve(request) => {
                            let opened = match request.open(&ValueLimits::default()) {
                                Ok(opened) => opened,
                                Err((_, refusal)) => bail!("a bad request: {refusal:?}"),
                            };
                            let (body,): (&Bytes,) = opened.arguments.args()?;
                            let result = Packed::result(body)?;
                            channel.reply(opened.ticket, Ok(result), now);
                        }
                        Action::Finish { outcome: Outcome::Value(_), .. } => {
                            self.open -= 1;
                            self.answered += 1;
                        }
                        Action::Finish { outcome, .. } => bail!("a call ended as {outcome:?}"),
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }
}

/// What both machines of this library do with bytes that leave.
trait Pours {
    fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize;
    fn advance(&mut self, count: usize);
}

impl Pours for Connection {
    fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        self.slices(out)
    }

    fn advance(&mut self, count: usize) {
        self.advance(count);
    }
}

impl Pours for Channel {
    fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        self.slices(out)
    }

    fn advance(&mut self, count: usize) {
        self.advance(count, Instant::now());
    }
}

fn pour(machine: &mut impl Pours, output: &mut Vec<u8>) {
    loop {
        let mut slices = [IoSlice::new(&[]); 16];
        let (count, before) = (machine.slices(&mut slices), output.len());
        slices[..count].iter().for_each(|slice| output.extend_from_slice(slice));
        if output.len() == before {
            return;
        }
        machine.advance(output.len() - before);
    }
}

/// One frame.
fn send(connection: &mut Connection, body: &[u8]) {
    let message = Outgoing { body: body.to_vec().into(), ..Outgoing::default() };
    connection.send(message, Token(0));
}
