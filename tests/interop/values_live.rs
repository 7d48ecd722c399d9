//! Every kind of value, to Python and back, and from Python and back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use pseud::proto::value::{Date, DateTime, TimeDelta, TimeZone};
use pseud::{CallError, Client, Fault, Reason, Request, Value};
use serde_json::{Value as Json, json};

use crate::live::{PythonCalls, RustCalls};
use crate::python::Failure;
use crate::random::Random;
use crate::tagged::{tagged, tuple};
use crate::talk::error;

/// How many random values one test takes.
const CASES: usize = 120;

#[tokio::test]
async fn scalars() {
    let ints = [
        i64::MIN,
        i64::MIN + 1,
        i32::MIN.into(),
        i64::from(i32::MIN) - 1,
        -32_769,
        -32_768,
        -129,
        -128,
        -33,
        -32,
        -1,
        0,
        127,
        128,
        255,
        256,
        65_535,
        65_536,
        i32::MAX.into(),
        u32::MAX.into(),
        1 << 32,
        i64::MAX,
    ];
    let naturals = [1 << 63, u64::MAX - 1, u64::MAX];
    let floats =
        [0.0, -0.0, 1.0, -2.5, 0.1, f64::MIN, f64::MAX, f64::MIN_POSITIVE, 5e-324, 1e16, 1e22];
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let mut values = vec![Value::Nil, Value::from(true), Value::from(false)];
    values.extend(ints.map(Value::from));
    values.extend(naturals.map(Value::from));
    values.extend(floats.map(Value::from));
    values.extend(odd.map(Value::from));
    both_ways(&values).await;
}

#[tokio::test]
async fn texts_and_bytes_of_every_form() {
    let lengths = [0, 1, 31, 32, 255, 256, 65_535, 65_536];
    let mut values: Vec<Value> =
        ["\0", "ü", "\u{7ff}\u{800}\u{ffff}", "🐍\u{10ffff}", "\"\\\n"].map(Value::from).to_vec();
    for length in lengths {
        values.push(Value::from("t".repeat(length)));
        values.push(Value::Bin(vec![0xff; length].into()));
    }
    both_ways(&values).await;
}

#[tokio::test]
async fn arrays_and_maps_with_any_key() {
    let array = |length: u32| (0..length).collect::<Vec<_>>();
    let map = |length: u32| (0..length).map(|key| (key, ())).collect();
    let point = Value::Array(vec![Value::from(1), Value::Array(vec![Value::Nil])]);
    let keys = Value::Map(vec![
        (Value::Nil, Value::from("nil")),
        (Value::from(true), Value::from("one, and not twice")),
        (Value::from(0.5), Value::from("float")),
        (Value::from(f64::NAN), Value::from("nan")),
        (Value::from(u64::MAX), Value::from("int")),
        (Value::from("b"), Value::from("str")),
        (Value::Bin(Bytes::from_static(b"b")), Value::from("bytes")),
        (point, Value::from("tuple")),
        (Value::Array(vec![]), Value::from("empty tuple")),
        (Value::Ext(5, Bytes::from_static(b"b")), Value::from("ext")),
        (Value::Date(date(2018, 4, 17)), Value::from("date")),
        (Value::TimeZone(TimeZone::UTC), Value::Map(vec![])),
    ]);
    let mut deep = keys.clone();
    for _ in 0..20 {
        deep = Value::Array(vec![Value::Map(vec![(Value::from("deeper"), deep)])]);
    }
    let mut values = vec![keys, deep];
    values.extend([0, 1, 15, 16, 65_535, 65_536].map(|length| Value::from(array(length))));
    values.extend([0, 1, 15, 16, 65_536].map(map));
    both_ways(&values).await;
}

#[tokio::test]
async fn exts_of_every_code() {
    let lengths = [0, 1, 2, 3, 4, 5, 8, 16, 17, 255, 256, 65_536];
    let sized = lengths.map(|length| Value::Ext(42, vec![7; length].into()));
    let codes = (0..=122).chain([127]);
    let mut values: Vec<_> =
        codes.map(|code| Value::Ext(code, Bytes::from_static(b"\x80\x05."))).collect();
    values.extend(sized);
    both_ways(&values).await;
}

#[tokio::test]
async fn dates_spans_and_zones() {
    let named = |offset, name: &str| zone(offset).with_name(name).expect("a short name");
    let zones = [
        TimeZone::UTC,
        zone(3_600),
        zone(-86_399),
        zone(86_399),
        named(0, "UTC"),
        named(3_600, "CET"),
        named(-1_800, ""),
        named(0, &"ü".repeat(TimeZone::NAME_BYTES_MAX / 2)),
        TimeZone::new(span(0, 3_600, 1)).expect("less than a day"),
        // The longest of all.
        TimeZone::new(span(-1, 65_536, 65_536))
            .and_then(|zone| zone.with_name("n".repeat(TimeZone::NAME_BYTES_MAX)))
            .expect("less than a day and a name that fits"),
    ];
    let mut moments = vec![
        moment(date(1, 1, 1), 0),
        moment(date(9999, 12, 31), 999_999),
        moment(date(2018, 10, 28), 1),
        moment(date(2018, 10, 28), 0).with_fold(true),
    ];
    let local = zones.clone().map(|zone| moment(date(2003, 9, 27), 521_290).with_zone(zone));
    let folded = local.clone().map(|moment| moment.with_fold(true));
    moments.extend(local.into_iter().chain(folded));
    let dates = [date(1, 1, 1), date(9999, 12, 31), date(2024, 2, 29)];
    let spans = [
        TimeDelta::ZERO,
        span(1, 2, 3),
        span(0, 0, -1),
        span(-1, -2, -3),
        span(0, 65_536, 0),
        span(-999_999_999, 0, 0),
        span(999_999_999, 86_399, 999_999),
    ];
    let mut values: Vec<_> =
        moments.into_iter().map(|moment| Value::DateTime(Box::new(moment))).collect();
    values.extend(dates.map(Value::Date));
    values.extend(spans.map(Value::TimeDelta));
    values.extend(zones.map(Value::TimeZone));
    both_ways(&values).await;
}

/// The types a handler or a caller asks for, with no `Value` between.
#[tokio::test]
async fn typed_dates() {
    type Dates = (DateTime, Date, TimeDelta, TimeZone);
    let zone = zone(-3_600).with_name("later").expect("a short name");
    let sent: Dates = (
        moment(date(2018, 10, 28), 7).with_zone(zone.clone()).with_fold(true),
        date(2018, 4, 17),
        span(-1, 2, 3),
        zone,
    );
    RustCalls::hold(async |room| {
        let echoed: (Dates, BTreeMap<String, Date>) = room
            .client
            .call("echo", &sent)
            .kwargs(BTreeMap::from([("day", sent.1)]))
            .await
            .expect("an echo");
        assert_eq!(echoed, (sent.clone(), BTreeMap::from([("day".to_owned(), sent.1)])));
    })
    .await;
    PythonCalls::hold(async |room| {
        let typed = |request: Request| request.args::<Dates>().map_err(Fault::from);
        room.server.register_sync("typed", typed).expect("a free name");
        let (moment, date, span, zone) = sent.clone();
        let args = [
            Value::DateTime(Box::new(moment)),
            Value::Date(date),
            Value::TimeDelta(span),
            Value::TimeZone(zone),
        ];
        let called = room.call("typed", json!(args.each_ref().map(tagged))).await;
        assert_eq!(called["result"], tuple(&args), "{called}");
    })
    .await;
}

/// Random values, nested; `PSEUD_SEED` replays those that a failure prints.
#[tokio::test]
async fn random_values() {
    let mut random = Random::seeded();
    let values: Vec<_> = (0..CASES).map(|_| random.value(4)).collect();
    both_ways(&values).await;
}

/// Of equal keys a dict has the first one's place and the last one's value; 1, 1.0 and True are.
#[tokio::test]
async fn keys_that_python_holds_equal_are_one() {
    let pairs = |keys: &[Value]| {
        Value::Map(keys.iter().zip(0..).map(|(key, nth)| (key.clone(), Value::from(nth))).collect())
    };
    let (one, twice) = (Value::from(1), Value::Array(vec![Value::from(true)]));
    let sent = pairs(&[one.clone(), Value::Nil, 1.0.into(), true.into(), twice.clone()]);
    let merged = Value::Map(vec![
        (one, Value::from(3)),
        (Value::Nil, Value::from(1)),
        (twice, Value::from(4)),
    ]);
    RustCalls::hold(async |room| {
        let echoed: (Vec<Value>, Value) = room.client.call("echo", (&sent,)).await.expect("echo");
        assert_eq!(echoed.0, [merged]);
    })
    .await;
}

/// Python refuses before it sends: nothing reaches us.
#[tokio::test]
async fn what_python_cannot_pack_never_leaves_it() {
    PythonCalls::hold(async |room| {
        let huge = room.call("echo", json!([{"$int": "18446744073709551616"}])).await;
        assert_eq!(error(&huge).0, "TypeError", "{huge}");
        assert_eq!(room.server.stats().requests_served, 0);
    })
    .await;
}

/// The Python server's reader dies of its own result: the call has no answer and ends in time, and
/// nothing else of that process is harmed.
#[tokio::test]
async fn a_result_that_python_cannot_pack_is_a_call_without_an_answer() {
    RustCalls::hold(async |room| {
        let fields =
            json!({"name": "doomed", "user_id": "doomed", "endpoint": "tcp://127.0.0.1:*"});
        let bound = room.python.ask("server", fields).await;
        let doomed = Client::new("doomed").expect("a runtime is there");
        let endpoint = bound["endpoint"].as_str().expect("a bound server says where");
        doomed.connect(endpoint).expect("Python's endpoints are well-formed");
        doomed.ready().await;
        let sum = doomed.call::<Value, _>("add", (u64::MAX, 1));
        let sum = sum.timeout(Duration::from_millis(500)).await;
        assert!(matches!(sum, Err(CallError::Unknown(Reason::TimedOut))), "{sum:?}");
        let reader = room.python.ask("dead", json!({"name": "doomed"})).await;
        assert_eq!(
            (&reader["reader"], &reader["error"]["class"]),
            (&json!("dead"), &json!("TypeError"))
        );
        assert_eq!((doomed.stats().calls_pending, doomed.stats().sessions), (0, 1));
        let stopped = room.python.send("stop", json!({"name": "doomed"}));
        let stopped = stopped.outcome(Duration::from_secs(10));
        assert!(matches!(stopped, Err(Failure::Raised { .. })), "it says again what killed it");
    })
    .await;
}

/// Sends each by itself, from either side; both sides must see exactly it.
async fn both_ways(values: &[Value]) {
    from_rust(values).await;
    from_python(values).await;
}

async fn from_rust(values: &[Value]) {
    RustCalls::hold(async |room| {
        for value in values {
            let echoed: (Vec<Value>, Value) = room
                .client
                .call("echo", (value,))
                .await
                .unwrap_or_else(|why| panic!("{why}: {value:?}"));
            let sent = (vec![value.clone()], Value::Map(vec![]));
            // As text: NaN is NaN there, and -0.0 is not 0.0.
            assert_eq!(format!("{echoed:?}"), format!("{sent:?}"));
        }
        let calls = room.python.ask("calls", json!({"name": "server"})).await;
        let calls = calls.as_array().expect("a list");
        assert_eq!(calls.len(), values.len());
        for (call, value) in calls.iter().zip(values) {
            check_json(&call["args"], &tuple(std::slice::from_ref(value)));
        }
    })
    .await;
}

async fn from_python(values: &[Value]) {
    PythonCalls::hold(async |room| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sees = seen.clone();
        let mirror = move |request: Request| {
            let args = request.arguments().args_values();
            sees.lock().expect("no handler panicked").extend(args.clone());
            Ok::<_, Fault>(Value::Array(args))
        };
        room.server.register_sync("mirror", mirror).expect("a free name");
        for value in values {
            let called = room.call("mirror", json!([tagged(value)])).await;
            check_json(&called["result"], &tuple(std::slice::from_ref(value)));
        }
        let seen = seen.lock().expect("no handler panicked");
        assert_eq!(format!("{seen:?}"), format!("{values:?}"));
    })
    .await;
}

/// As text: to JSON 0.0 and -0.0 are equal.
#[track_caller]
fn check_json(found: &Json, expected: &Json) {
    assert_eq!(found.to_string(), expected.to_string());
}

fn date(year: u16, month: u8, day: u8) -> Date {
    Date::new(year, month, day).expect("a day that exists")
}

fn moment(date: Date, microsecond: u32) -> DateTime {
    DateTime::new(date, 2, 30, 59, microsecond).expect("a time of day")
}

fn span(days: i64, seconds: i64, microseconds: i64) -> TimeDelta {
    TimeDelta::new(days, seconds, microseconds).expect("within Python's bounds")
}

fn zone(offset: i64) -> TimeZone {
    TimeZone::new(span(0, offset, 0)).expect("less than a day")
}
