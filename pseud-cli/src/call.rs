//! `pseud call`.

use crate::cli::CallArguments;
use crate::credentials::Credentials;
use crate::exit::{FAILED, NO_ANSWER, USAGE, fail, fail_at};
use crate::json::Exts;
use crate::result::answer_of;
use crate::{kaa, rpcudp, terminal};
use pseud::proto::value::Value;
use pseud::proto::{Incompatible, PeerError};
use pseud::{
    Address, CallError, Client, ConnectionEvent, EndpointError, Events, Fault, Node, Options,
    Reason, Role, SetupError,
};
use serde::Deserialize;
use std::ops::Deref;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

/// What calls a server's client.
const THROUGH: &str = "pseud.call";

/// What that answers.
#[derive(Deserialize)]
struct Through {
    value: Option<Value>,
    no_answer: Option<String>,
}

/// By these names a server is looked after.
const RESERVED: &str = "pseud.";
const NO_RIGHT: &str = "the server must let us: a user with the permission `admin`, or one that serves \
                        with --open-admin";

const MISMATCH: PeerError = PeerError::Incompatible(Incompatible::MechanismMismatch);
const REFUSED: &str = "no answer: refused (400): the server does not admit this user or key; \
                       nothing was sent (a retry with the same one is refused, too)";

const UNAUTHORIZED: &str = "no answer: the server wants to know who we are first, and does not let this \
                            user in: see --user and --password-file, beside --key; nothing ran (with the same ones a \
                            retry is refused, too, until that has changed)";

/// A client, what it calls, and what happened to its links.
pub(crate) struct Calling {
    pub(crate) client: Either,
    events: Events,
    peer: String,
}

/// A client of the server of that name.
pub(crate) fn open(
    options: Options,
    credentials: &Credentials,
    connect: &[Address],
    peer: &str,
) -> Result<Calling, ExitCode> {
    let options = credentials.put_to(options).map_err(|error| fail(USAGE, &error.to_string()))?;
    let client = Client::with_options(options).map_err(|error| unmade(&error))?;
    let calling = Calling::of(Either::Zmtp(client.clone()), peer);
    let mut endpoints = connect.iter();
    endpoints.try_for_each(|at| client.connect(at)).map_err(|error| fail_at(&error))?;
    Ok(calling)
}

/// There is no client.
fn unmade(error: &SetupError) -> ExitCode {
    match error {
        SetupError::Identity(_) | SetupError::Mechanism(_) => fail(USAGE, &error.to_string()),
        error => fail(FAILED, &error.to_string()),
    }
}

impl Calling {
    fn new(arguments: &CallArguments) -> Result<Self, ExitCode> {
        let peer = arguments.peer.as_deref().unwrap_or_default();
        let calling = Self::of(Either::new(arguments)?, peer);
        calling.client.connect(arguments).map_err(|error| fail_at(&error))?;
        Ok(calling)
    }

    /// Before it connects: its events are to be looked back on.
    fn of(client: Either, peer: &str) -> Self {
        let events = client.events();
        Self { client, events, peer: peer.to_owned() }
    }

    /// Says why that call has no result.
    pub(crate) fn failed(mut self, error: CallError, method: &str, traceback: bool) -> ExitCode {
        match error {
            CallError::Fault(fault) => raised(&fault, traceback),
            // One word for both: a peer that declares more says it by an outcome, Python by an exception.
            error if error.is_service_not_found() => {
                let code = raised(&Fault::new("ServiceNotFoundError", method), traceback);
                if method.starts_with(RESERVED) {
                    terminal::complain(NO_RIGHT);
                }
                code
            }
            CallError::Refused(refused) => fail(USAGE, &refused.to_string()),
            // There is an answer: it ran, and what it gave is malformed or over a limit.
            error @ (CallError::Executed(_) | CallError::Result(_)) => {
                fail(FAILED, &error.to_string())
            }
            CallError::NotExecuted(Reason::Denied) => {
                terminal::complain(REFUSED);
                ExitCode::from(NO_ANSWER)
            }
            CallError::NotExecuted(Reason::Unauthorized) => {
                terminal::complain(UNAUTHORIZED);
                ExitCode::from(NO_ANSWER)
            }
            error => {
                let code = unanswered(&error);
                if let CallError::NotExecuted(
                    Reason::NotConnected | Reason::WrongName | Reason::PeerFault(_),
                ) = error
                {
                    explain(&mut self.events, &self.peer);
                }
                code
            }
        }
    }
}

pub(crate) async fn run(arguments: CallArguments) -> ExitCode {
    if let Some(at) = &arguments.rpcudp {
        return rpcudp::call(at, &arguments).await;
    }
    if let Some(key) = repeated(&arguments.keywords) {
        return fail(USAGE, &format!("--kw {key}=… is given twice"));
    }
    let calling = match Calling::new(&arguments) {
        Ok(calling) => calling,
        Err(code) => return code,
    };
    let CallArguments { method, arguments, keywords, traceback, to, timeout, .. } = arguments;
    let (client, keywords) = (&calling.client, keywords.into_iter().collect::<Value>());
    let (outcome, called) = match to {
        None => (client.call(&method, arguments).kwargs(keywords).await, method),
        Some(to) => {
            // Shorter than ours: why there is no answer is to arrive.
            let timeout = timeout.mul_f64(0.9).as_secs_f64();
            let through = (to, &method, arguments, keywords, timeout, true);
            let outcome = client.call::<Through, _>(THROUGH, through).await;
            // What is not served may be the method there, or calling through this server.
            let is_there = matches!(outcome, Err(CallError::Fault(_)));
            match outcome {
                Ok(Through { no_answer: Some(why), .. }) => return no_answer(&why),
                outcome => {
                    let value = outcome.map(|through| through.value.unwrap_or(Value::Nil));
                    (value, if is_there { method } else { THROUGH.to_owned() })
                }
            }
        }
    };
    match outcome {
        Ok(value) => answer_of(&value, client.exts()),
        Err(error) => calling.failed(error, &called, traceback),
    }
}

fn repeated(keywords: &[(String, Value)]) -> Option<&str> {
    let mut keys: Vec<&str> = keywords.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

fn identified(options: Options, arguments: &CallArguments) -> Options {
    match &arguments.identity {
        Some(identity) => options.identity(identity),
        None => options,
    }
}

/// A client of either wire.
pub(crate) enum Either {
    Zmtp(Client),
    Kaa(kaa::Client),
}

impl Deref for Either {
    type Target = Node;

    fn deref(&self) -> &Node {
        match self {
            Self::Zmtp(client) => client.node(),
            Self::Kaa(client) => client.node(),
        }
    }
}

impl Either {
    /// What exts of its wire mean.
    fn exts(&self) -> Exts {
        match self {
            Self::Zmtp(_) => Exts::Unknown,
            Self::Kaa(_) => Exts::KAA,
        }
    }

    fn new(arguments: &CallArguments) -> Result<Self, ExitCode> {
        let made = match &arguments.kaa {
            Some(_) => {
                let options = kaa::options(arguments.kaa_secret_file.as_deref());
                let options = options.map_err(|error| fail(USAGE, &error.to_string()))?;
                let options = options
                    .call_timeout(arguments.timeout)
                    .allow_plaintext(arguments.credentials.allow_plaintext);
                kaa::Client::with_options(options).map(Self::Kaa)
            }
            None => {
                let peer = arguments.peer.as_deref().unwrap_or_default();
                let options = Options::client(peer).call_timeout(arguments.timeout);
                let options = arguments.credentials.put_to(options);
                let options = options.map_err(|error| fail(USAGE, &error.to_string()))?;
                let options = identified(options, arguments);
                let options = arguments.heartbeat.put_to(Role::Client, options);
                options.and_then(Client::with_options).map(Self::Zmtp)
            }
        };
        made.map_err(|error| unmade(&error))
    }

    fn connect(&self, arguments: &CallArguments) -> Result<(), EndpointError> {
        match self {
            Self::Zmtp(client) => {
                arguments.connect.iter().try_for_each(|endpoint| client.connect(endpoint))
            }
            Self::Kaa(client) => {
                arguments.kaa.iter().try_for_each(|endpoint| client.connect(endpoint))
            }
        }
    }
}

fn raised(fault: &Fault, traceback: bool) -> ExitCode {
    terminal::complain(&terminal::escape(&fault.to_string()));
    if traceback {
        let lines = fault.traceback.iter().flat_map(|text| text.lines());
        lines.for_each(|line| terminal::complain(&terminal::escape(line)));
    }
    ExitCode::from(FAILED)
}

fn unanswered(error: &CallError) -> ExitCode {
    no_answer(&error.to_string())
}

fn no_answer(why: &str) -> ExitCode {
    terminal::complain(&terminal::escape(&format!("no answer: {why}")));
    ExitCode::from(NO_ANSWER)
}

/// Says what was found instead of the peer: a wrong port and a wrong name look alike to a call.
fn explain(events: &mut Events, peer: &str) {
    let (mut found, mut silent) = (None, None);
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(event)) = events.poll_next(&mut cx) {
        if let ConnectionEvent::Connecting { endpoint } = &event {
            silent = Some(format!("{endpoint} does not answer, or is not a pseud server"));
        }
        found = instead(event, peer).or(found);
    }
    if let Some(found) = found.or(silent) {
        terminal::complain(&terminal::escape(&found));
    }
}

fn instead(event: ConnectionEvent, peer: &str) -> Option<String> {
    match event {
        ConnectionEvent::ConnectFailed { error, .. } => Some(error),
        ConnectionEvent::HandshakeFailed { address, error: MISMATCH, .. } => Some(format!(
            "{address} has another --security than we: it asks for none, for a password (--user), or \
             for keys (--key, --server-key)"
        )),
        ConnectionEvent::HandshakeFailed { address, error, .. } => {
            Some(format!("no handshake with {address}: {error}"))
        }
        ConnectionEvent::Connected { identity, address, .. } if identity != peer.as_bytes() => {
            // What begins with a zero byte is made up for a peer that announces no name.
            Some(match identity.first() {
                None | Some(0) => {
                    format!("{address} has no name, so it is not {peer:?}: see --peer")
                }
                Some(_) => {
                    let name = String::from_utf8_lossy(&identity);
                    format!("{address} is named {name:?}, not {peer:?}: see --peer")
                }
            })
        }
        _ => None,
    }
}
