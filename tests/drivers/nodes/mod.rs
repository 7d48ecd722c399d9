//! The adapters' nodes: one end for all of them, whatever they run on.

pub(crate) mod simulated;
pub(crate) mod sockets;

use crate::end::{Begun, Call, End, Failed, Outcome, Security, Setup, Whom};
use pseud::proto::zmtp::{KeyPair, Secret};
use pseud::{
    Authenticator, CallError, ConnectionEvent, Drain, Events, Fault, Node, Options, Reason, Value,
    WhenFull,
};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// An adapter, by what the suite asks of one.
pub(crate) trait Adapter: 'static {
    type Server: Peering;
    type Client: Peering;

    fn server(options: Options) -> Self::Server;
    fn client(options: Options) -> Self::Client;
    /// Waits as this adapter's users do.
    fn wait<F: Future>(future: F) -> F::Output;
    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send;

    /// Calls from several threads.
    fn call_side_by_side(node: &Node, calls: Vec<Call>) -> Vec<Outcome> {
        let share = calls.len().div_ceil(16).max(1);
        let call_all = |calls: &[Call]| -> Vec<_> {
            let call = |(name, args): &Call| Self::wait(node.call(name, args.clone()));
            calls.iter().map(|one| call(one).map_err(failed)).collect()
        };
        std::thread::scope(|scope| {
            let shares: Vec<_> =
                calls.chunks(share).map(|share| scope.spawn(move || call_all(share))).collect();
            shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
        })
    }
}

/// A server or a client of an adapter's.
pub(crate) trait Peering: Send + Sync + 'static {
    fn inner(&self) -> &Node;
    fn listen_at(&self, endpoint: &str) -> io::Result<String>;
    fn connect_to(&self, endpoint: &str) -> io::Result<()>;
    fn end_within(&self, at_most: Duration) -> Drain;
}

/// An end of an adapter's.
pub(crate) struct Ours<A, P> {
    peering: P,
    events: RefCell<Events>,
    adapter: PhantomData<A>,
}

pub(crate) fn server<A: Adapter>(setup: Setup) -> Box<dyn End> {
    end::<A, _>(A::server(options(setup, Options::server("service"))))
}

pub(crate) fn client<A: Adapter>(setup: Setup) -> Box<dyn End> {
    end::<A, _>(A::client(options(setup, Options::client("service").identity("charly"))))
}

fn end<A: Adapter, P: Peering>(peering: P) -> Box<dyn End> {
    serve::<A>(peering.inner());
    let events = RefCell::new(peering.inner().events());
    Box::new(Ours::<A, P> { peering, events, adapter: PhantomData })
}

/// The key pairs of the server, of the client that it knows, and of another.
pub(crate) fn key_pairs() -> [KeyPair; 3] {
    [1, 2, 3].map(|seed| KeyPair::generate([seed; 32]))
}

fn options(setup: Setup, options: Options) -> Options {
    let is_client = options.config.server.is_some();
    let [server, known, stranger] = key_pairs();
    let mut options = match (setup.security, is_client) {
        (Security::Null, _) => options,
        (Security::PlainWrong, _) => options.plain_client("charly", Secret::new("guess")),
        (Security::Plain, true) => options.plain_client("charly", Secret::new("secret")),
        (Security::Plain, false) => {
            let users = Authenticator::passwords([("charly", Secret::new("secret"))]);
            options.plain_server(users)
        }
        (Security::CurveUnknown, _) => options.curve_client(stranger, [*server.public()]),
        (Security::Curve, true) => options.curve_client(known, [*server.public()]),
        (Security::Curve, false) => {
            options.curve_server([server], Authenticator::keys([(*known.public(), "charly")]))
        }
    };
    let limits = &mut options.config.limits;
    limits.calls_pending_max = setup.calls_max.unwrap_or(limits.calls_pending_max);
    limits.requests_open_per_peer_max =
        setup.requests_max.unwrap_or(limits.requests_open_per_peer_max);
    if setup.refuses {
        options = options.when_full(WhenFull::Refuse);
    }
    if let Some(guard) = setup.late_guard {
        options = options.late_guard(guard);
    }
    options.call_timeout(setup.call_timeout)
}

pub(crate) fn serve<A: Adapter>(node: &Node) {
    let registry = node.registry();
    let add = |(a, b): (i64, i64), _| async move { Ok::<_, Fault>(a + b) };
    registry.register_typed("add", add).unwrap();
    let hello = |(name,): (String,), _| async move { Ok::<_, Fault>(format!("Hello {name}")) };
    registry.register_typed("hello", hello).unwrap();
    let fail =
        |(class, why): (String, String), _| async move { Err::<(), _>(Fault::new(class, why)) };
    registry.register_typed("fail", fail).unwrap();
    let sleep = |(seconds,): (f64,), _| async move {
        A::sleep(Duration::from_secs_f64(seconds)).await;
        Ok::<_, Fault>(seconds)
    };
    registry.register_typed("sleep", sleep).unwrap();
    registry
        .register("echo", |request| async move {
            let args = Value::Array(request.arguments().args_values());
            let kwargs: Value = request.arguments().kwargs_values().into_iter().collect();
            Ok::<_, Fault>(Value::Array(vec![args, kwargs]))
        })
        .unwrap();
    registry
        .register("whoami", |request| async move {
            Ok::<_, Fault>(String::from_utf8_lossy(request.user().id()).into_owned())
        })
        .unwrap();
    registry
        .register("ask_back", |request| async move {
            request.caller().call::<String, _>("hello", ("back",)).await
        })
        .unwrap();
}

impl<A: Adapter, P: Peering> End for Ours<A, P> {
    fn listen(&self, at: &str) -> Result<String, String> {
        self.peering.listen_at(at).map_err(|error| error.to_string())
    }

    fn connect(&self, to: &str) {
        self.peering.connect_to(to).unwrap();
    }

    fn begin(&self, to: Whom, (name, args): Call, within: Option<Duration>) -> Box<dyn Begun + '_> {
        let node = self.peering.inner();
        let call = match to {
            Whom::Server => node.call(name, args),
            Whom::Charly => node.peer("charly").call(name, args),
            Whom::UserCharly => node.user("charly").call(name, args),
        };
        let call = match within {
            Some(within) => call.timeout(within),
            None => call,
        };
        let mut call: Waited<'_> = Box::pin(async move { call.await.map_err(failed) });
        let once = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx)));
        match A::wait(once) {
            Poll::Ready(over) => Box::new(Over(over)),
            Poll::Pending => Box::new(Open::<A>(call, PhantomData)),
        }
    }

    fn call_side_by_side(&self, calls: Vec<Call>) -> Vec<Outcome> {
        A::call_side_by_side(self.peering.inner(), calls)
    }

    fn calls_pending(&self) -> Option<usize> {
        Some(self.peering.inner().stats().calls_pending)
    }

    fn next_to_join(&self) -> Vec<u8> {
        let mut events = self.events.borrow_mut();
        loop {
            match A::wait(events.next()) {
                Some(ConnectionEvent::Connected { identity, .. }) => return identity.to_vec(),
                Some(_) => {}
                None => panic!("this end is over"),
            }
        }
    }

    fn shut_down(&self) {
        self.peering.inner().shutdown();
    }

    fn drain(&self, at_most: Duration) -> bool {
        self.peering.end_within(at_most) == Drain::Complete
    }
}

type Waited<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// A call that waits for its answer.
struct Open<'a, A>(Waited<'a>, PhantomData<A>);

impl<A: Adapter> Begun for Open<'_, A> {
    fn wait(self: Box<Self>) -> Outcome {
        A::wait(self.0)
    }

    fn give_up(self: Box<Self>) {}
}

/// A call that was over at once.
struct Over(Outcome);

impl Begun for Over {
    fn wait(self: Box<Self>) -> Outcome {
        self.0
    }

    fn give_up(self: Box<Self>) {
        panic!("over already: {:?}", self.0);
    }
}

fn failed(error: CallError) -> Failed {
    match error {
        error if error.is_service_not_found() => Failed::NoSuchService,
        CallError::Fault(fault) if fault.class == "Overloaded" => Failed::Overloaded,
        CallError::Fault(fault) => Failed::Raised(fault.class.to_string()),
        CallError::NotExecuted(reason) => not_executed(reason),
        CallError::Unknown(reason) => unknown(reason),
        CallError::Refused(_) => Failed::Refused,
        CallError::Closed { .. } => Failed::Closed,
        error => Failed::Other(error.to_string()),
    }
}

pub(crate) fn not_executed(reason: Reason) -> Failed {
    match reason {
        Reason::Denied => Failed::Denied,
        Reason::Overloaded => Failed::Overloaded,
        Reason::NoSuchService => Failed::NoSuchService,
        reason => Failed::NotExecuted(reason.to_string()),
    }
}

pub(crate) fn unknown(reason: Reason) -> Failed {
    match reason {
        Reason::TimedOut => Failed::TimedOut,
        reason => Failed::Unknown(reason.to_string()),
    }
}

/// Peerings whose binding and draining are futures.
macro_rules! asynchronous {
    ($adapter:ident, $($peering:ty),*) => {$(
        impl Peering for $peering {
            fn inner(&self) -> &Node {
                self.node()
            }

            fn listen_at(&self, endpoint: &str) -> io::Result<String> {
                Ok($adapter::wait(self.bind(endpoint))?.into())
            }

            fn connect_to(&self, endpoint: &str) -> io::Result<()> {
                Ok(self.connect(endpoint)?)
            }

            fn end_within(&self, at_most: Duration) -> Drain {
                $adapter::wait(self.drain(at_most))
            }
        }
    )*};
}

/// Peerings whose binding and draining block.
macro_rules! blocking {
    ($($peering:ty),*) => {$(
        impl Peering for $peering {
            fn inner(&self) -> &Node {
                self.node()
            }

            fn listen_at(&self, endpoint: &str) -> io::Result<String> {
                Ok(self.bind(endpoint)?.into())
            }

            fn connect_to(&self, endpoint: &str) -> io::Result<()> {
                Ok(self.connect(endpoint)?)
            }

            fn end_within(&self, at_most: Duration) -> Drain {
                self.drain(at_most).unwrap()
            }
        }
    )*};
}

use {asynchronous, blocking};
