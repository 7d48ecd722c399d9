//! `pseud call`.

use crate::cli::CallArguments;
use crate::exit::{FAILED, NO_ANSWER, USAGE, fail, fail_at};
use crate::result::answer;
use crate::{kaa, rpcudp, terminal};
use pseud::proto::value::Value;
use pseud::proto::{Incompatible, PeerError};
use pseud::{CallError, Client, ConnectionEvent, Events, Fault, Node, Options, Reason, SetupError};
use std::ops::Deref;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

const MISMATCH: PeerError = PeerError::Incompatible(Incompatible::MechanismMismatch);
const REFUSED: &str = "no answer: refused (400): the server does not admit this user or key; \
                       nothing was sent (a retry with the same one is refused, too)";

pub(crate) async fn run(arguments: CallArguments) -> ExitCode {
    if let Some(at) = &arguments.rpcudp {
        return rpcudp::call(at, &arguments).await;
    }
    if let Some(key) = repeated(&arguments.keywords) {
        return fail(USAGE, &format!("--kw {key}=… is given twice"));
    }
    let client = match Either::new(&arguments) {
        Ok(client) => client,
        Err(code) => return code,
    };
    // To look back on.
    let mut events = client.events();
    if let Err(error) = client.connect(&arguments) {
        return fail_at(&error);
    }
    let CallArguments { method, arguments, keywords, traceback, peer, .. } = arguments;
    let keywords: Value = keywords.into_iter().collect();
    let outcome = client.call(&method, arguments).kwargs(keywords).await;
    match outcome {
        Ok(value) => answer(&value),
        Err(CallError::Fault(fault)) => raised(&fault, traceback),
        // One word for both: a peer that declares more says it by an outcome, Python by an exception.
        Err(error) if error.is_service_not_found() => {
            raised(&Fault::new("ServiceNotFoundError", method), traceback)
        }
        Err(CallError::Refused(refused)) => fail(USAGE, &refused.to_string()),
        // There is an answer: it ran, and what it gave is malformed or over a limit.
        Err(error @ (CallError::Executed(_) | CallError::Result(_))) => {
            fail(FAILED, &error.to_string())
        }
        Err(CallError::NotExecuted(Reason::Denied)) => {
            terminal::complain(REFUSED);
            ExitCode::from(NO_ANSWER)
        }
        Err(error) => {
            let code = unanswered(&error);
            if let CallError::NotExecuted(
                Reason::NotConnected | Reason::WrongName | Reason::PeerFault(_),
            ) = error
            {
                explain(&mut events, peer.as_deref().unwrap_or_default());
            }
            code
        }
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
enum Either {
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
                Client::with_options(identified(options, arguments)).map(Self::Zmtp)
            }
        };
        made.map_err(|error| match error {
            SetupError::Identity(_) | SetupError::Mechanism(_) => fail(USAGE, &error.to_string()),
            error => fail(FAILED, &error.to_string()),
        })
    }

    fn connect(&self, arguments: &CallArguments) -> std::io::Result<()> {
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
    terminal::complain(&terminal::escape(&format!("no answer: {error}")));
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
