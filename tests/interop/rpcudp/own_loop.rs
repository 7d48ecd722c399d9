//! The machine on a blocking `std` socket, and nothing else: a loop of one's own.

use pseud::proto::CallId;
use pseud::proto::rpcudp::{
    Action, CallOptions, Config, Endpoint, Outcome, Request, Silence, arguments, result,
};
use pseud::proto::value::{Arguments, Packed};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// How long anything may take in these tests.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the loop listens before it looks whether it is to end.
const TURN: Duration = Duration::from_millis(20);

pub(crate) struct Own {
    socket: UdpSocket,
    pub(crate) endpoint: Endpoint,
    ended: BTreeMap<CallId, Outcome>,
    /// A request whose handler waits for a call of its own.
    asking: BTreeMap<CallId, Request>,
    /// How many requests `nothing` has served.
    pub(crate) runs: usize,
}

impl Own {
    pub(crate) fn new(config: Config) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut endpoint = Endpoint::new(config, seed());
        endpoint.set_local(socket.local_addr().unwrap());
        let (ended, asking) = (BTreeMap::new(), BTreeMap::new());
        Self { socket, endpoint, ended, asking, runs: 0 }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub(crate) fn call<A: Serialize>(&mut self, to: SocketAddr, name: &str, args: &A) -> CallId {
        let args = arguments(args).unwrap();
        let options = CallOptions::default();
        self.endpoint.call(to, name, &args, &options, Instant::now()).unwrap()
    }

    /// How that call ends; what comes meanwhile is served.
    pub(crate) fn end_of(&mut self, call: CallId) -> Outcome {
        let start = Instant::now();
        loop {
            self.turn();
            if let Some(outcome) = self.ended.remove(&call) {
                return outcome;
            }
            assert!(start.elapsed() < PATIENCE, "a call did not end");
        }
    }

    /// Serves until that is so.
    pub(crate) fn serve_until(&mut self, mut done: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            self.turn();
            assert!(start.elapsed() < PATIENCE, "nothing happened");
        }
    }

    fn turn(&mut self) {
        let now = Instant::now();
        self.endpoint.handle_timeout(now);
        self.act();
        let next = self.endpoint.poll_timeout().map(|at| at.saturating_duration_since(now));
        let wait = next.unwrap_or(TURN).clamp(Duration::from_millis(1), TURN);
        self.socket.set_read_timeout(Some(wait)).unwrap();
        let mut buffer = [0; 65_536];
        match self.socket.recv_from(&mut buffer) {
            Ok((size, from)) => {
                // What is dropped is counted.
                let _ = self.endpoint.handle_datagram(from, &buffer[..size], Instant::now());
            }
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                "{error}"
            ),
        }
        self.act();
    }

    fn act(&mut self) {
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Serve(request) => self.serve(request),
                Action::Finish { call, outcome } => match self.asking.remove(&call) {
                    Some(request) => {
                        let (answered, value) = outcome.into_pair();
                        self.answer(request, &result(&(answered, value)).unwrap());
                    }
                    None => drop(self.ended.insert(call, outcome)),
                },
                other => panic!("{other:?}"),
            }
        }
        while let Some(transmit) = self.endpoint.poll_transmit() {
            self.socket.send_to(&transmit.payload, transmit.to).unwrap();
        }
    }

    fn serve(&mut self, request: Request) {
        if request.name() == "ask_back" {
            let mut args = request.arguments().args_values();
            let name = args.remove(0);
            let call = self.call(request.from(), name.as_str().unwrap(), &args);
            self.asking.insert(call, request);
            return;
        }
        self.runs += usize::from(request.name() == "nothing");
        match handle(request.name(), request.from(), request.arguments()) {
            Some(Some(result)) => self.answer(request, &result),
            Some(None) => self.endpoint.abandon(request.into_ticket(), Silence::Fault),
            None => self.endpoint.abandon(request.into_ticket(), Silence::NoSuchService),
        }
    }

    fn answer(&mut self, request: Request, result: &Packed) {
        // What is silent is counted.
        let _ = self.endpoint.reply(request.into_ticket(), result, Instant::now());
    }
}

/// What the Python nodes serve: a result, a failure, or nothing of that name.
fn handle(name: &str, from: SocketAddr, args: &Arguments) -> Option<Option<Packed>> {
    let answer = match name {
        "sayhi" => args
            .args::<(String,)>()
            .ok()
            .map(|(name,)| result(&format!("Hello {name} you live at {from}"))),
        "add" => args.args::<(i64, i64)>().ok().map(|(a, b)| result(&(a + b))),
        "echo" => Some(result(&args.args_values())),
        "nothing" => args.args::<()>().ok().map(|()| result(&())),
        "blob" => {
            args.args::<(usize,)>().ok().map(|(size,)| result(&bytes::Bytes::from(vec![0; size])))
        }
        "boom" => None,
        _ => return None,
    };
    Some(answer.map(Result::unwrap))
}

fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    seed
}
