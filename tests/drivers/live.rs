//! Python pseud 1.0 as a driver: `tests/interop/peer.py`, told what to do by the suite. One process for each
//! pair.

use crate::end::{Begun, Call, Driver, End, Failed, Outcome, Security, Setup, Whom};
use crate::nodes::key_pairs;
use crate::python::{Pending, PythonPeer};
use crate::tagged::tagged;
use crate::talk::bytes;
use pseud::Value;
use serde_json::{Value as Json, json};
use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many ends there were: each has a name of its own.
static ENDS: AtomicUsize = AtomicUsize::new(0);

/// What waits for an answer of Python's longer than its own calls do.
const PATIENCE: Duration = Duration::from_secs(60);

/// `None`, and a line that says so, where Python is not to be run.
pub(crate) fn driver() -> Option<Driver> {
    let peer = Arc::new(PythonPeer::start()?);
    let also = peer.clone();
    Some(Driver {
        name: "python",
        server: Box::new(move |setup| Python::end(&peer, "server", setup)),
        client: Box::new(move |setup| Python::end(&also, "client", setup)),
        side_by_side: true,
        not_as_server: NOT_AS_SERVER.to_vec(),
        not_as_client: NOT_AS_CLIENT.to_vec(),
    })
}

pub(crate) const NOT_AS_SERVER: &[(&str, &str)] = &[
    ("callbacks", "its reader waits for the handler, and does not hear the answer"),
    ("bound of requests", "it has no bounds"),
    ("events", "it tells nobody who connects"),
    ("drain", "it does not"),
];

pub(crate) const NOT_AS_CLIENT: &[(&str, &str)] = &[
    ("timeouts", "they are a client's, not a call's: `late guard` has them"),
    ("cancellation", "a call that began waits for its end"),
    ("bound of calls", "it has no bounds"),
    ("waiting for room", "it has no bounds"),
    ("shutdown", "its calls wait for their time-outs, whatever becomes of it"),
];

/// What its client has no means for where its server is Python, too.
pub(crate) const NOT_OF_ITS_OWN: &[(&str, &str)] = &[(
    "late guard",
    "its server answers however late, and its client's reader dies of that (`interop reference`)",
)];

/// A server or a client; made in Python when it is known where.
struct Python {
    peer: Arc<PythonPeer>,
    name: String,
    setup: Setup,
    is_server: bool,
    made: OnceCell<()>,
    is_over: Cell<bool>,
}

impl Python {
    fn end(peer: &Arc<PythonPeer>, role: &str, setup: Setup) -> Box<dyn End> {
        let number = ENDS.fetch_add(1, Ordering::Relaxed);
        // Its servers bind a ZAP handler each, and a process has one context.
        let peer = match role == "server" && setup.security != Security::Null {
            true => Arc::new(PythonPeer::start().expect("one runs already")),
            false => peer.clone(),
        };
        Box::new(Self {
            peer,
            name: format!("{role}-{number}"),
            setup,
            is_server: role == "server",
            made: OnceCell::new(),
            is_over: Cell::new(false),
        })
    }

    fn security(&self) -> Json {
        let [server, known, stranger] = key_pairs();
        let curve = |plugin: &str| json!({"security_plugin": plugin});
        match (self.setup.security, self.is_server) {
            (Security::Null, _) => json!(null),
            (Security::Plain | Security::PlainWrong, true) => json!({"security_plugin": "plain"}),
            (Security::Plain, false) => plain("secret"),
            (Security::PlainWrong, false) => plain("guess"),
            (_, true) => {
                let mut security = curve("trusted_curve");
                security["secret_key"] = json!(*server.secret().to_z85());
                security
            }
            (shown, false) => {
                let pair = if shown == Security::Curve { known } else { stranger };
                let mut security = curve("trusted_curve");
                security["peer_public_key"] = json!(server.public().to_string());
                security["public_key"] = json!(pair.public().to_string());
                security["secret_key"] = json!(*pair.secret().to_z85());
                security
            }
        }
    }

    fn known(&self) -> Json {
        let [_, known, _] = key_pairs();
        match self.setup.security {
            Security::Plain => json!([["charly", "secret", "charly"]]),
            Security::Curve => json!([[bytes(known.public().as_bytes()), "charly"]]),
            _ => json!([]),
        }
    }

    fn send(&self, to: Whom, (method, args): Call) -> Pending {
        let args: Vec<_> = args.iter().map(tagged).collect();
        let fields = json!({"name": self.name, "method": method, "args": args});
        let to_charly = |mut fields: Json| {
            fields["to"] = json!("charly");
            fields
        };
        match to {
            Whom::Server => self.peer.send("call", fields),
            Whom::Charly => self.peer.send("call", to_charly(fields)),
            Whom::UserCharly => self.peer.send("send_to", to_charly(fields)),
        }
    }
}

fn plain(password: &str) -> Json {
    json!({"security_plugin": "plain", "user_id": "charly", "password": password})
}

impl End for Python {
    fn listen(&self, at: &str) -> Result<String, String> {
        self.made.set(()).map_err(|()| "it listens in one place, once".to_owned())?;
        let fields = json!({
            "name": self.name, "user_id": "service", "endpoint": at,
            "timeout": self.setup.call_timeout.as_secs_f64(),
            "security": self.security(), "known": self.known(),
        });
        let bound = self.peer.request("server", fields);
        Ok(bound["endpoint"].as_str().expect("a bound server says where").to_owned())
    }

    fn connect(&self, to: &str) {
        self.made.set(()).expect("it connects once");
        let is_named = self.setup.security == Security::Null;
        let options = if is_named { json!({"IDENTITY": "charly"}) } else { json!({}) };
        let fields = json!({
            "name": self.name, "peer_id": "service", "endpoint": to,
            "timeout": self.setup.call_timeout.as_secs_f64(),
            "security": self.security(), "options": options, "monitor": true,
        });
        self.peer.request("client", fields);
        // A v1 client drops what it cannot send within 400 ms.
        if !matches!(self.setup.security, Security::PlainWrong | Security::CurveUnknown) {
            let shaken = json!({"name": self.name, "event": "HANDSHAKE_SUCCEEDED"});
            self.peer.request("events", shaken);
        }
    }

    fn begin(&self, to: Whom, call: Call, _within: Option<Duration>) -> Box<dyn Begun + '_> {
        Box::new(Open(self.send(to, call)))
    }

    fn call_side_by_side(&self, calls: Vec<Call>) -> Vec<Outcome> {
        let fields = |(method, args): &Call| {
            let args: Vec<_> = args.iter().map(tagged).collect();
            json!({"method": method, "args": args})
        };
        let calls: Vec<_> = calls.iter().map(fields).collect();
        let outcomes = self.peer.request("call_many", json!({"name": self.name, "calls": calls}));
        outcomes.as_array().expect("one for each").iter().map(outcome_of).collect()
    }

    fn calls_pending(&self) -> Option<usize> {
        None
    }

    fn next_to_join(&self) -> Vec<u8> {
        unreachable!("it tells nobody who connects")
    }

    /// Its reader waits for each handler: a nap that reached the next server would be all that this one does,
    /// and its answer, that nobody waits for any more, the end of the client's reader.
    fn has_heard(&self, count: usize) {
        self.peer.request("calls", json!({"name": self.name, "count": count}));
    }

    fn shut_down(&self) {
        self.peer.request("stop", json!({"name": self.name}));
        self.is_over.set(true);
    }

    fn drain(&self, _at_most: Duration) -> bool {
        unreachable!("it does not drain")
    }
}

impl Drop for Python {
    /// Its reader lives: what the other end has sent was nothing that v1 dies of.
    fn drop(&mut self) {
        if self.is_over.get() || self.made.get().is_none() || std::thread::panicking() {
            return;
        }
        let readers = self.peer.request("alive", json!({}));
        assert_eq!(readers[&self.name]["reader"], "running", "{readers}");
        self.peer.request("stop", json!({"name": self.name}));
    }
}

struct Open(Pending);

impl Begun for Open {
    fn wait(self: Box<Self>) -> Outcome {
        outcome_of(&self.0.outcome(PATIENCE).expect("Python says how it ended"))
    }

    fn give_up(self: Box<Self>) {
        unreachable!("a call that began waits for its end")
    }
}

fn outcome_of(outcome: &Json) -> Outcome {
    let error = |field: &str| outcome["error"][field].as_str();
    match error("class") {
        None => Ok(value(&outcome["result"])),
        Some("TimeoutError") => Err(Failed::TimedOut),
        Some("ServiceNotFoundError") => Err(Failed::NoSuchService),
        // It makes a plain exception of a class that it does not know; the text names it.
        Some("Exception") if error("message").is_some_and(|text| text.contains("verloaded")) => {
            Err(Failed::Overloaded)
        }
        Some(class) => Err(Failed::Raised(class.to_owned())),
    }
}

/// The value behind the tagged JSON of `peer.py`: as many kinds as the suite's calls return.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::from(whole),
            None => Value::from(number.as_f64().expect("a float")),
        },
        Json::String(text) => Value::Str(text.as_str().into()),
        Json::Array(items) => Value::Array(items.iter().map(value).collect()),
        Json::Object(tagged) => {
            let (tag, inner) = tagged.iter().next().expect("a tag");
            match (tag.as_str(), inner) {
                ("$tuple", Json::Array(items)) => Value::Array(items.iter().map(value).collect()),
                ("$bytes", Json::String(digits)) => Value::Bin(from_hex(digits).into()),
                ("$map", Json::Array(pairs)) => {
                    pairs.iter().map(|pair| (value(&pair[0]), value(&pair[1]))).collect()
                }
                _ => panic!("{json} is none of what the suite returns"),
            }
        }
    }
}

fn from_hex(digits: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex");
    (0..digits.len()).step_by(2).map(pair).collect()
}
