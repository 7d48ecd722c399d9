//! Calls, both ways, and how they end.

use super::{joined, pair};
use crate::end::{Driver, Failed, SOON, Setup, Whom};
use pseud::Value;
use std::time::Duration;

fn sum(a: i64, b: i64) -> (&'static str, Vec<Value>) {
    ("add", vec![a.into(), b.into()])
}

fn text(text: &str) -> Value {
    Value::Str(text.into())
}

fn nap(millis: u32) -> (&'static str, Vec<Value>) {
    ("sleep", vec![Value::from(f64::from(millis) / 1_000.0)])
}

pub(crate) fn calls(server: &Driver, client: &Driver) {
    let (_server, client) = joined(server, client);
    for a in 0..100 {
        let (name, args) = sum(a, 1);
        assert_eq!(client.call(name, args), Ok(Value::from(a + 1)));
    }
    assert_eq!(client.calls_pending().unwrap_or(0), 0);
}

pub(crate) fn side_by_side(server: &Driver, client: &Driver) {
    let (_server, client) = joined(server, client);
    let outcomes = client.call_side_by_side((0..320).map(|a| sum(a, 1)).collect());
    let sums: Vec<_> = (0..320).map(|a| Ok(Value::from(a + 1))).collect();
    assert_eq!(outcomes, sums);
    assert_eq!(client.calls_pending().unwrap_or(0), 0);
}

pub(crate) fn of_the_server(server: &Driver, client: &Driver) {
    let (server, client) = joined(server, client);
    for _ in 0..20 {
        let greeting = server.call_to(Whom::Charly, "hello", vec![text("back")]);
        assert_eq!(greeting, Ok(text("Hello back")));
        client.check();
    }
}

pub(crate) fn callbacks(server: &Driver, client: &Driver) {
    let (_server, client) = joined(server, client);
    for _ in 0..20 {
        assert_eq!(client.call("ask_back", []), Ok(text("Hello back")));
    }
}

pub(crate) fn values(server: &Driver, client: &Driver) {
    let (_server, client) = joined(server, client);
    let pairs = [(text("key"), Value::from(1)), (text("other"), Value::Nil)];
    let values = [
        Value::Nil,
        Value::from(true),
        Value::from(-7),
        Value::from(i64::MAX),
        Value::from(1.5),
        text("ĥello ☃"),
        Value::Bin(vec![0, 255, 128].into()),
        Value::Array(vec![Value::from(1), Value::Array(vec![text("two")])]),
        Value::Map(pairs.into_iter().collect()),
        Value::Str("x".repeat(300_000)),
    ];
    for value in values {
        let echoed = Value::Array(vec![
            Value::Array(vec![value.clone()]),
            Value::Map(Vec::new().into_iter().collect()),
        ]);
        assert_eq!(client.call("echo", [value]), Ok(echoed));
    }
}

pub(crate) fn errors(server: &Driver, client: &Driver) {
    let (_server, client) = joined(server, client);
    let raised = client.call("fail", [text("ValueError"), text("why")]);
    assert_eq!(raised, Err(Failed::Raised("ValueError".into())));
    assert_eq!(client.call("nothing", []), Err(Failed::NoSuchService));
    let arguments = client.call("add", [text("one"), Value::from(2)]);
    assert_eq!(arguments, Err(Failed::Raised("TypeError".into())));
    client.check();
}

/// The answer that comes later is for nobody, and does no harm.
pub(crate) fn timeouts(server: &Driver, client: &Driver) {
    let (_server, client) = joined(server, client);
    let within = Some(Duration::from_millis(100));
    let ended = client.begin(Whom::Server, nap(400), within).wait();
    assert_eq!(ended, Err(Failed::TimedOut));
    client.check();
    assert_eq!(client.calls_pending().unwrap_or(0), 0);
    let (name, args) = nap(400);
    assert_eq!(client.call(name, args), Ok(Value::from(0.4)));
    client.check();
}

pub(crate) fn cancellation(server: &Driver, client: &Driver) {
    let (_server, client) = joined(server, client);
    let call = client.begin(Whom::Server, nap(100), None);
    assert_eq!(client.calls_pending(), Some(1));
    call.give_up();
    assert_eq!(client.calls_pending().unwrap_or(0), 0);
    client.check();
}

/// A caller has given up when the answer is there. A v1 peer's reader would die of it, so such a peer is
/// sent none; others are, and drop it. Either way it calls on.
pub(crate) fn late_guard(server: &Driver, client: &Driver) {
    let guarded = Setup { late_guard: Some(Duration::from_millis(700)), ..Setup::default() };
    let impatient = Setup { call_timeout: Duration::from_millis(1_500), ..Setup::default() };
    let (server, client) = pair(server, client, [guarded, impatient]);
    client.check();
    let (name, args) = nap(2_200);
    assert_eq!(client.call(name, args), Err(Failed::TimedOut));
    // Longer than what is left of the nap: what there is of its answer comes meanwhile, or never will.
    let slept = server.call_to(Whom::Charly, "sleep", nap(1_000).1);
    assert_eq!(slept, Ok(Value::from(1.0)));
    for _ in 0..3 {
        client.check();
    }
}

/// What is over a limit is refused at once, and leaves the others alone.
pub(crate) fn bound_of_calls(server: &Driver, client: &Driver) {
    let bounded = Setup { calls_max: Some(1), refuses: true, ..Setup::default() };
    let (_server, client) = pair(server, client, [Setup::default(), bounded]);
    client.check();
    let call = client.begin(Whom::Server, nap(300), None);
    let (name, args) = sum(1, 1);
    assert_eq!(client.call(name, args), Err(Failed::Refused));
    assert_eq!(call.wait(), Ok(Value::from(0.3)));
    client.check();
}

/// What is over a limit waits until there is room.
pub(crate) fn waiting_for_room(server: &Driver, client: &Driver) {
    let bounded = Setup { calls_max: Some(8), ..Setup::default() };
    let (_server, client) = pair(server, client, [Setup::default(), bounded]);
    client.check();
    let outcomes = client.call_side_by_side((0..320).map(|a| sum(a, 1)).collect());
    assert!(outcomes.into_iter().eq((0..320).map(|a| Ok(Value::from(a + 1)))));
    assert_eq!(client.calls_pending().unwrap_or(0), 0);
    client.check();
}

/// A server that has no room says so.
pub(crate) fn bound_of_requests(server: &Driver, client: &Driver) {
    let bounded = Setup { requests_max: Some(1), ..Setup::default() };
    let (_server, client) = pair(server, client, [bounded, Setup::default()]);
    client.check();
    let call = client.begin(Whom::Server, nap(1_000), Some(SOON));
    let (name, args) = sum(1, 1);
    assert_eq!(client.call(name, args), Err(Failed::Overloaded));
    assert_eq!(call.wait(), Ok(Value::from(1.0)));
    client.check();
}
