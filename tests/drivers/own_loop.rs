//! The loop of `examples/own_loop` as a driver: one thread that turns it, told what to do by the suite.

use crate::end::{Begun, Call, Driver, End, Failed, Outcome, Setup, Whom};
use crate::handlers::{Handler, add, hello};
use crate::node::Node;
use crate::nodes::{not_executed, unknown};
use mio::{Token, Waker};
use pseud::proto::value::Packed;
use pseud::proto::value::{Arguments, ValueLimits};
use pseud::proto::{self, Action, CallId, CallOptions, PeerId, Ticket, To};
use pseud::{Config, Fault, Value};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const NULL_ONLY: &str = "the example authenticates nobody";

pub(crate) fn driver() -> Driver {
    const LEFT_OUT: &[(&str, &str)] = &[
        ("PLAIN", NULL_ONLY),
        ("a wrong password", NULL_ONLY),
        ("CURVE", NULL_ONLY),
        ("an unknown key", NULL_ONLY),
    ];
    const NOT_AS_CLIENT: &[(&str, &str)] = &[
        LEFT_OUT[0],
        LEFT_OUT[1],
        LEFT_OUT[2],
        LEFT_OUT[3],
        ("waiting for room", "its endpoint refuses at once"),
    ];
    Driver {
        name: "own loop",
        server: Box::new(|setup| OwnLoop::end("service", setup)),
        client: Box::new(|setup| OwnLoop::end("charly", setup)),
        side_by_side: true,
        not_as_server: LEFT_OUT.to_vec(),
        not_as_client: NOT_AS_CLIENT.to_vec(),
    }
}

/// How long the loop waits before it dials again.
const AGAIN: Duration = Duration::from_millis(20);

/// What waits for the loop longer than anything in it does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which event is a command: no socket has so many before it.
const COMMANDS: Token = Token(usize::MAX);

enum Command {
    Dial(SocketAddr),
    Call { to: To, call: Call, options: CallOptions, begun: Sender<Result<CallId, Failed>> },
    Wait(CallId, Sender<Outcome>),
    GiveUp(CallId, Sender<()>),
    CountPending(Sender<usize>),
    NextToJoin(Sender<Vec<u8>>),
    Reply(Ticket, f64),
    ShutDown(Sender<()>),
    Drain(Instant, Sender<bool>),
    End,
}

/// An end. The thread begins when it is known where to listen.
struct OwnLoop {
    identity: &'static str,
    setup: Setup,
    running: OnceCell<Running>,
}

struct Running {
    address: SocketAddr,
    commands: Commands,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Commands(Sender<Command>, Arc<Waker>);

impl Commands {
    fn send(&self, command: Command) {
        // A loop that has ended hears nothing, and whoever asked hears that.
        let _ = self.0.send(command);
        self.1.wake().expect("the loop can be woken");
    }

    fn ask<T>(&self, command: impl FnOnce(Sender<T>) -> Command) -> Result<T, Failed> {
        let (answer, answered) = channel();
        self.send(command(answer));
        answered.recv_timeout(PATIENCE).map_err(|_| Failed::Closed)
    }
}

impl OwnLoop {
    fn end(identity: &'static str, setup: Setup) -> Box<dyn End> {
        Box::new(Self { identity, setup, running: OnceCell::new() })
    }

    fn running(&self, at: SocketAddr) -> Result<&Running, String> {
        if self.running.get().is_none() {
            let running = self.begin_at(at).map_err(|error| error.to_string())?;
            let _ = self.running.set(running);
        }
        Ok(self.running.get().expect("it runs"))
    }

    fn begin_at(&self, at: SocketAddr) -> std::io::Result<Running> {
        let node = Node::new(self.identity, self.config(), at)?;
        let (address, waker) = (node.address()?, Waker::new(node.poll.registry(), COMMANDS)?);
        let (sender, inbox) = channel();
        let commands = Commands(sender, Arc::new(waker));
        let mut turning = Turning::new(node, commands.clone());
        let thread = thread::spawn(move || turning.run(&inbox));
        Ok(Running { address, commands, thread: Some(thread) })
    }

    fn config(&self) -> Config {
        let mut config = Config::default();
        config.server = (self.identity != "service").then(|| "service".into());
        config.call_timeout = self.setup.call_timeout;
        if let Some(guard) = self.setup.late_guard {
            config.late_guard = guard.into();
        }
        let limits = &mut config.limits;
        limits.calls_pending_max = self.setup.calls_max.unwrap_or(limits.calls_pending_max);
        limits.requests_open_per_peer_max =
            self.setup.requests_max.unwrap_or(limits.requests_open_per_peer_max);
        config
    }

    fn commands(&self) -> &Commands {
        &self.running.get().expect("it listens, or is connected").commands
    }
}

impl Drop for OwnLoop {
    fn drop(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        running.commands.send(Command::End);
        let ended = running.thread.take().map(JoinHandle::join);
        assert!(matches!(ended, Some(Ok(()))) || thread::panicking(), "the loop panicked");
    }
}

fn address(endpoint: &str) -> SocketAddr {
    endpoint.trim_start_matches("tcp://").replace('*', "0").parse().expect("an address")
}

impl End for OwnLoop {
    fn listen(&self, at: &str) -> Result<String, String> {
        if self.running.get().is_some() {
            return Err("it listens in one place, once".to_owned());
        }
        Ok(format!("tcp://{}", self.running(address(at))?.address))
    }

    fn connect(&self, to: &str) {
        let running = self.running(address("tcp://127.0.0.1:*")).expect("loopback has a port");
        running.commands.send(Command::Dial(address(to)));
    }

    fn begin(&self, to: Whom, call: Call, within: Option<Duration>) -> Box<dyn Begun + '_> {
        let to = match to {
            Whom::Server => To::Server,
            Whom::Charly | Whom::UserCharly => To::Identity("charly".into()),
        };
        let mut options = CallOptions::default();
        options.timeout = within;
        let begun = self.commands().ask(|begun| Command::Call { to, call, options, begun });
        Box::new(Open(self.commands(), begun.and_then(|begun| begun)))
    }

    fn call_side_by_side(&self, calls: Vec<Call>) -> Vec<Outcome> {
        let begun: Vec<_> =
            calls.into_iter().map(|call| self.begin(Whom::Server, call, None)).collect();
        begun.into_iter().map(Begun::wait).collect()
    }

    fn calls_pending(&self) -> Option<usize> {
        Some(self.commands().ask(Command::CountPending).expect("the loop runs"))
    }

    fn next_to_join(&self) -> Vec<u8> {
        self.commands().ask(Command::NextToJoin).expect("the loop runs")
    }

    fn shut_down(&self) {
        self.commands().ask(Command::ShutDown).expect("the loop runs");
    }

    fn drain(&self, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        self.commands().ask(|drained| Command::Drain(until, drained)).expect("the loop runs")
    }
}

struct Open<'a>(&'a Commands, Result<CallId, Failed>);

impl Begun for Open<'_> {
    fn wait(self: Box<Self>) -> Outcome {
        let call = self.1?;
        self.0.ask(|over| Command::Wait(call, over))?
    }

    fn give_up(self: Box<Self>) {
        let call = self.1.expect("it has begun");
        self.0.ask(|done| Command::GiveUp(call, done)).expect("the loop runs");
    }
}

/// What the thread has.
struct Turning {
    node: Node,
    commands: Commands,
    dialed: Option<SocketAddr>,
    over: BTreeMap<CallId, Outcome>,
    waiting: BTreeMap<CallId, Sender<Outcome>>,
    /// Requests that wait for a call of ours.
    asking_back: BTreeMap<CallId, Ticket>,
    joined: Vec<Vec<u8>>,
    next_to_join: Vec<Sender<Vec<u8>>>,
    draining: Vec<(Instant, Sender<bool>)>,
    is_ending: bool,
}

impl Turning {
    fn new(mut node: Node, commands: Commands) -> Self {
        let handlers = [
            ("add", Handler::Now(add)),
            ("hello", Handler::Now(hello)),
            ("echo", Handler::Now(echo)),
            ("fail", Handler::Now(fail)),
            ("sleep", Handler::Later),
            ("ask_back", Handler::Later),
        ];
        for (name, handler) in handlers {
            node.handlers.register(name, handler).expect("a good name");
        }
        Self {
            node,
            commands,
            dialed: None,
            over: BTreeMap::new(),
            waiting: BTreeMap::new(),
            asking_back: BTreeMap::new(),
            joined: Vec::new(),
            next_to_join: Vec::new(),
            draining: Vec::new(),
            is_ending: false,
        }
    }

    fn run(&mut self, inbox: &Receiver<Command>) {
        loop {
            loop {
                match inbox.try_recv() {
                    Ok(Command::End) | Err(TryRecvError::Disconnected) => return,
                    Ok(command) => self.obey(command),
                    Err(TryRecvError::Empty) => break,
                }
            }
            for action in self.node.turn().expect("the poll works") {
                self.act(action);
            }
            self.check_drained();
            if let Some(address) = self.dialed.filter(|_| self.node.is_alone() && !self.is_ending) {
                thread::sleep(AGAIN);
                self.node.dial(address).expect("a socket");
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::Dial(address) => {
                self.dialed = Some(address);
                self.node.dial(address).expect("a socket");
            }
            Command::Call { to, call, options, begun } => {
                let _ = begun.send(self.call(to, call, options));
            }
            Command::Wait(call, over) => match self.over.remove(&call) {
                Some(outcome) => drop(over.send(outcome)),
                None => drop(self.waiting.insert(call, over)),
            },
            Command::GiveUp(call, done) => {
                self.node.endpoint.cancel(call, now);
                let _ = done.send(());
            }
            Command::CountPending(count) => {
                let _ = count.send(self.node.endpoint.stats().calls_pending);
            }
            Command::NextToJoin(next) => {
                self.next_to_join.push(next);
                self.tell_joined();
            }
            Command::Reply(ticket, seconds) => {
                let result = Packed::result(&seconds).expect("a number");
                self.node.endpoint.reply(ticket, Ok(result), now);
            }
            Command::ShutDown(done) => {
                self.is_ending = true;
                self.node.endpoint.shutdown(now);
                let _ = done.send(());
            }
            Command::Drain(until, drained) => {
                self.node.endpoint.drain();
                self.draining.push((until, drained));
            }
            Command::End => {}
        }
    }

    fn call(&mut self, to: To, call: Call, options: CallOptions) -> Result<CallId, Failed> {
        let args = Packed::call(&call.1, &()).map_err(|error| Failed::Other(error.to_string()))?;
        let call = self.node.endpoint.call(to, call.0, args, options, Instant::now());
        call.map_err(|_| Failed::Refused)
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Joined(_, info) => {
                self.joined.push(info.identity.to_vec());
                self.tell_joined();
            }
            Action::Finish { call, outcome } => {
                let outcome = outcome_of(outcome);
                if let Some(ticket) = self.asking_back.remove(&call) {
                    return self.answer_back(ticket, outcome);
                }
                match self.waiting.remove(&call) {
                    Some(waiting) => drop(waiting.send(outcome)),
                    None => drop(self.over.insert(call, outcome)),
                }
            }
            Action::Serve(request) if request.name() == "ask_back" => {
                let (peer, ticket) = (request.peer(), request.into_ticket());
                self.ask_back(peer, ticket);
            }
            Action::Serve(request) => match request.open(&ValueLimits::default()) {
                Ok(opened) => self.sleep(&opened.arguments, opened.ticket),
                Err((ticket, refusal)) => {
                    self.node.endpoint.refuse(ticket, &refusal, Instant::now());
                }
            },
            _ => {}
        }
    }

    fn sleep(&self, arguments: &Arguments, ticket: Ticket) {
        let (seconds,): (f64,) = arguments.args().expect("the suite sends a number");
        let commands = self.commands.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_secs_f64(seconds));
            commands.send(Command::Reply(ticket, seconds));
        });
    }

    fn ask_back(&mut self, peer: PeerId, ticket: Ticket) {
        let call = ("hello", vec![Value::Str("back".into())]);
        let call = self.call(To::Peer(peer), call, CallOptions::default());
        self.asking_back.insert(call.expect("it is there"), ticket);
    }

    fn answer_back(&mut self, ticket: Ticket, outcome: Outcome) {
        let result = match outcome {
            Ok(value) => Ok(Packed::result(&value).expect("a value")),
            Err(error) => Err(Fault::new("RuntimeError", format!("{error:?}"))),
        };
        self.node.endpoint.reply(ticket, result, Instant::now());
    }

    fn tell_joined(&mut self) {
        while !self.joined.is_empty() && !self.next_to_join.is_empty() {
            let _ = self.next_to_join.remove(0).send(self.joined.remove(0));
        }
    }

    fn check_drained(&mut self) {
        let (is_idle, now) = (self.node.endpoint.is_idle(), Instant::now());
        for (until, drained) in std::mem::take(&mut self.draining) {
            match is_idle || now >= until {
                true => drop(drained.send(is_idle)),
                false => self.draining.push((until, drained)),
            }
        }
    }
}

fn echo(arguments: &Arguments) -> Result<Packed, Fault> {
    let kwargs: Value = arguments.kwargs_values().into_iter().collect();
    let echoed = Value::Array(vec![Value::Array(arguments.args_values()), kwargs]);
    Packed::result(&echoed).map_err(|error| Fault::new("ValueError", error.to_string()))
}

fn fail(arguments: &Arguments) -> Result<Packed, Fault> {
    let (class, why): (String, String) = arguments.args().expect("the suite sends both");
    Err(Fault::new(class, why))
}

fn outcome_of(outcome: proto::Outcome) -> Outcome {
    match outcome {
        proto::Outcome::Value(body) => {
            let body = body.check(&ValueLimits::default());
            let value = body.map_err(|error| Failed::Other(error.to_string()))?.decode();
            value.map_err(|error| Failed::Other(error.to_string()))
        }
        proto::Outcome::Fault(fault) if fault.is_service_not_found() => Err(Failed::NoSuchService),
        proto::Outcome::Fault(fault) if fault.class == "Overloaded" => Err(Failed::Overloaded),
        proto::Outcome::Fault(fault) => Err(Failed::Raised(fault.class.to_string())),
        proto::Outcome::NotExecuted(reason) => Err(not_executed(reason)),
        proto::Outcome::Unknown(reason) => Err(unknown(reason)),
        proto::Outcome::Closed { .. } => Err(Failed::Closed),
        other => Err(Failed::Other(format!("{other:?}"))),
    }
}
