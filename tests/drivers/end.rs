//! What the suite asks of one end of a link, whoever drives it.

use pseud::Value;
use std::time::Duration;

/// What must happen soon, and what a scenario waits for at most.
pub(crate) const SOON: Duration = Duration::from_secs(20);

type Make = Box<dyn Fn(Setup) -> Box<dyn End> + Send + Sync>;

/// A way to have servers and clients.
pub(crate) struct Driver {
    /// As the README calls it.
    pub(crate) name: &'static str,
    pub(crate) server: Make,
    pub(crate) client: Make,
    /// Whether scenarios may run at the same time, on threads.
    pub(crate) side_by_side: bool,
    /// Scenarios that it has no means for in that role, and why.
    pub(crate) not_as_server: Vec<(&'static str, &'static str)>,
    pub(crate) not_as_client: Vec<(&'static str, &'static str)>,
}

impl Driver {
    /// Why it is not in that scenario, where it is not.
    pub(crate) fn cannot(&self, scenario: &str, as_server: bool) -> Option<&'static str> {
        let list = if as_server { &self.not_as_server } else { &self.not_as_client };
        list.iter().find(|(name, _)| *name == scenario).map(|&(_, why)| why)
    }

    pub(crate) fn left_out(&self) -> Vec<(&'static str, &'static str)> {
        [self.not_as_server.as_slice(), &self.not_as_client].concat()
    }
}

/// How an end is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) security: Security,
    /// How long calls wait, unless told otherwise.
    pub(crate) call_timeout: Duration,
    /// How late v1 peers are still answered.
    pub(crate) late_guard: Option<Duration>,
    /// How many calls may wait for their answers.
    pub(crate) calls_max: Option<usize>,
    /// Whether one more is refused, or waits.
    pub(crate) refuses: bool,
    /// How many requests of one peer may be open.
    pub(crate) requests_max: Option<usize>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            security: Security::Null,
            call_timeout: SOON,
            late_guard: None,
            calls_max: None,
            refuses: false,
            requests_max: None,
        }
    }
}

/// Who may come in to a server, and what a client shows. The one that is known is `charly`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    Null,
    Plain,
    /// A client's, of a wrong password.
    PlainWrong,
    Curve,
    /// A client's, of a key that nobody knows.
    CurveUnknown,
}

/// Whom a server calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// A client's server.
    Server,
    /// Whoever has the identity `charly`.
    Charly,
    /// Whoever is the user `charly`.
    UserCharly,
}

/// What became of a call.
pub(crate) type Outcome = Result<Value, Failed>;

/// Why a call has no result, as far as every driver can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failed {
    /// The far handler raised that class.
    Raised(String),
    /// Nothing of that name is served.
    NoSuchService,
    TimedOut,
    /// The server does not let us in.
    Denied,
    /// The far side had no room.
    Overloaded,
    /// It certainly did not run, for another reason.
    NotExecuted(String),
    /// It may have run.
    Unknown(String),
    /// A limit of this side's.
    Refused,
    /// This side shut down.
    Closed,
    Other(String),
}

/// What is called on the other end: a name, and its arguments.
pub(crate) type Call = (&'static str, Vec<Value>);

/// A server or a client. Each serves `add(a, b)`, `hello(name)`, `echo(*args)` (the arguments and the
/// keywords), `fail(class, message)`, `sleep(seconds)`, `whoami()` (the user), and `ask_back()`, which
/// calls the caller's `hello`.
pub(crate) trait End {
    /// Listens there: `tcp://127.0.0.1:*`, or what that has returned before.
    fn listen(&self, at: &str) -> Result<String, String>;
    /// Connects, and again when that is lost.
    fn connect(&self, to: &str);
    /// Begins a call. It has left, or is about to, when this returns.
    fn begin(&self, to: Whom, call: Call, within: Option<Duration>) -> Box<dyn Begun + '_>;
    /// Calls all at the same time: from several threads, where that means anything.
    fn call_side_by_side(&self, calls: Vec<Call>) -> Vec<Outcome>;
    /// How many calls wait for their answers; `None` where nobody counts them.
    fn calls_pending(&self) -> Option<usize>;
    /// The identity of whoever connects next.
    fn next_to_join(&self) -> Vec<u8>;
    /// Returns once that many requests have reached it, those that are answered, too. Asked only where it
    /// matters: of whom a request that comes too late would hold up, not of who serves others beside it.
    fn has_heard(&self, _count: usize) {}
    /// Ends everything now.
    fn shut_down(&self);
    /// Takes no more requests, and ends when those that run are answered; whether they were.
    fn drain(&self, at_most: Duration) -> bool;
}

/// A call that has begun.
pub(crate) trait Begun {
    fn wait(self: Box<Self>) -> Outcome;
    /// Nobody waits for it any more.
    fn give_up(self: Box<Self>);
}

impl dyn End {
    pub(crate) fn call(&self, name: &'static str, args: impl Into<Vec<Value>>) -> Outcome {
        self.begin(Whom::Server, (name, args.into()), None).wait()
    }

    pub(crate) fn call_to(&self, to: Whom, name: &'static str, args: Vec<Value>) -> Outcome {
        self.begin(to, (name, args), None).wait()
    }

    /// One call that shows that all is well.
    pub(crate) fn check(&self) {
        assert_eq!(self.call("add", [Value::from(2), Value::from(4)]), Ok(Value::from(6)));
    }
}
