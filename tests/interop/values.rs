//! Values through an echo of the other side: each kind, and random nests of them.

use std::hash::{BuildHasher, RandomState};

use pseud::proto::value::{Date, DateTime, Packed, TimeDelta, TimeZone};
use pseud::{CallError, Fault, Node, Value as Wire};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::live::{PythonCalls, RustCalls};
use crate::tagged::{Random, tagged};

/// Random values each way.
const RANDOM: usize = 250;

/// Containers inside each other in a random value.
const DEPTH: usize = 5;

#[tokio::test]
async fn every_kind_goes_to_python_and_back() {
    RustCalls::hold(async |room| check_to_python(room, every_kind()).await).await;
}

#[tokio::test]
async fn every_kind_comes_from_python_and_goes_back() {
    PythonCalls::hold(async |room| check_from_python(room, every_kind()).await).await;
}

#[tokio::test]
async fn random_values_go_to_python_and_back() {
    RustCalls::hold(async |room| check_to_python(room, random_values()).await).await;
}

#[tokio::test]
async fn random_values_come_from_python_and_go_back() {
    PythonCalls::hold(async |room| check_from_python(room, random_values()).await).await;
}

#[tokio::test]
async fn lists_and_tuples_are_one_kind_on_the_wire() {
    PythonCalls::hold(async |room| {
        let echoed = room.call("echo", json!([[1, [2]], {"$tuple": [3]}])).await;
        let args = json!({"$tuple": [{"$tuple": [1, {"$tuple": [2]}]}, {"$tuple": [3]}]});
        assert_eq!(echoed["result"]["$tuple"][0], args);
    })
    .await;
}

/// Of keys that Python holds for equal, the first one's place and the last one's value.
#[tokio::test]
async fn equal_keys_are_one_on_both_sides() {
    RustCalls::hold(async |room| {
        let pairs: [(Wire, i64); 6] = [
            (1.into(), 1),
            ("a".into(), 2),
            (true.into(), 3),
            (1.0.into(), 4),
            (Wire::Bin("a".into()), 5),
            (vec![1.0].into(), 6),
        ];
        let map = Wire::Map(pairs.map(|(key, value)| (key, value.into())).into());
        let echoed = echo(room, &map).await;
        assert_eq!(echoed, canonical(&map));
        assert_eq!(echoed.as_map().map(<[_]>::len), Some(4));
        assert_eq!(echoed.as_map().and_then(|pairs| pairs[0].1.as_i64()), Some(4));
    })
    .await;
}

/// 64 containers inside each other may travel; the echo's own two are among them on the way back.
#[tokio::test]
async fn the_deepest_nest_goes_to_python_and_back() {
    RustCalls::hold(async |room| {
        let nest = |inner, _| Wire::Array(vec![inner]);
        let deepest = (0..62).fold(Wire::Nil, nest);
        assert_eq!(echo(room, &deepest).await, deepest);
        let deeper = (62..65).fold(deepest, nest);
        let refused = room.client.call::<Wire, _>("echo", (deeper,)).await;
        assert!(matches!(refused, Err(CallError::Refused(_))), "{refused:?}");
    })
    .await;
}

async fn check_to_python(room: &RustCalls, values: Vec<Wire>) {
    for (index, value) in values.iter().enumerate() {
        let (echoed, sent) = (echo(room, value).await, canonical(value));
        assert_eq!(bytes(&echoed), bytes(&sent), "value {index}: {sent:?} became {echoed:?}");
    }
    // What Python saw, not only what it sent back.
    let last = values.last().expect("there are values");
    let calls = room.python.ask("calls", json!({"name": "server"})).await;
    let seen = calls.as_array().and_then(|calls| calls.last()).expect("it was called");
    assert_eq!(seen["args"].to_string(), json!({"$tuple": [tagged(&canonical(last))]}).to_string());
}

async fn check_from_python(room: &PythonCalls, values: Vec<Wire>) {
    let mut seen = watch(&room.server);
    let values: Vec<Wire> = values.iter().map(canonical).collect();
    let call = |value| json!({"method": "watched", "args": [tagged(value)]});
    let calls: Vec<Value> = values.iter().map(call).collect();
    let echoes = room.python.ask("call_many", json!({"name": "client", "calls": calls})).await;
    for (index, value) in values.iter().enumerate() {
        let seen = seen.recv().await.expect("one for each call, in their order");
        assert_eq!(bytes(&seen), bytes(value), "value {index}: {value:?} came as {seen:?}");
        // As text: a JSON number's sign of zero is lost to `==`.
        assert_eq!(echoes[index]["result"].to_string(), tagged(value).to_string(), "{index}");
    }
}

/// Serves `watched`: the one argument goes back to the caller, and here.
fn watch(node: &Node) -> UnboundedReceiver<Wire> {
    let (saw, seen) = unbounded_channel();
    let watched = move |request: pseud::Request| {
        let (value,): (Wire,) = request.args()?;
        saw.send(value.clone()).map_err(|_| Fault::new("RuntimeError", "nobody watches"))?;
        Ok::<_, Fault>(value)
    };
    node.register_sync("watched", watched).expect("a free name");
    seen
}

/// The value that Python's echo gives back.
async fn echo(room: &RustCalls, value: &Wire) -> Wire {
    let echoed: Wire = room.client.call("echo", (value,)).await.expect("an echo");
    match echoed.as_array() {
        Some([Wire::Array(args), Wire::Map(kwargs)]) if kwargs.is_empty() => match &args[..] {
            [value] => value.clone(),
            other => panic!("{other:?} instead of one argument"),
        },
        _ => panic!("{echoed:?} is no echo"),
    }
}

/// The same with equal keys made one.
fn canonical(value: &Wire) -> Wire {
    Packed::result(value).expect("it can be encoded").value()
}

/// Compared as bytes NaN is NaN, and zeros have signs.
fn bytes(value: &Wire) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes).expect("it can be encoded");
    bytes
}

fn random_values() -> Vec<Wire> {
    let seed = std::env::var("PSEUD_INTEROP_SEED").ok().map(|seed| seed.parse());
    let seed = seed.unwrap_or_else(|| Ok(RandomState::new().hash_one(()))).expect("a number");
    println!("PSEUD_INTEROP_SEED={seed}");
    let mut random = Random(ChaCha8Rng::seed_from_u64(seed));
    (0..RANDOM).map(|_| random.value(DEPTH)).collect()
}

fn every_kind() -> Vec<Wire> {
    let mut values = [Vec::from(plain()), integers(), floats(), dates()].concat();
    let keys = values.iter().filter(|value| value.as_map().is_none());
    let map = keys.cloned().zip(values.iter().rev().cloned()).collect();
    values.push(map);
    values.push(Wire::Array(values.clone()));
    values
}

fn plain() -> [Wire; 14] {
    [
        Wire::Nil,
        true.into(),
        false.into(),
        "".into(),
        "ü\0\u{2028}€🦀\u{10ffff}".into(),
        "x".repeat(70_000).into(),
        Wire::Bin("".into()),
        Wire::Bin(vec![0, 255].into()),
        Wire::Bin(vec![7; 70_000].into()),
        Wire::Array(Vec::new()),
        (0..70_000).collect(),
        Wire::Map(Vec::new()),
        Wire::Ext(0, "".into()),
        Wire::Ext(127, "any".into()),
    ]
}

/// Both ends of each of msgpack's forms.
fn integers() -> Vec<Wire> {
    let unsigned = [0, 127, 128, 255, 256, 65_535, 65_536, u64::from(u32::MAX), 1 << 32];
    let signed = [-1, -32, -33, -128, -129, -32_768, -32_769, i64::from(i32::MIN), -(1 << 40)];
    let ends = [i64::MAX.into(), u64::MAX.into(), i64::MIN.into()];
    let unsigned = unsigned.into_iter().map(Wire::from);
    unsigned.chain(signed.map(Wire::from)).chain(ends).collect()
}

fn floats() -> Vec<Wire> {
    let around = [0.1, -0.0, 1.0, 1e16, f64::MAX, f64::MIN_POSITIVE, 5e-324];
    let beyond = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    around.into_iter().chain(beyond).map(Wire::F64).collect()
}

fn dates() -> Vec<Wire> {
    let delta = |days, seconds, micros| TimeDelta::new(days, seconds, micros).expect("in range");
    let date = |year, month, day| Date::new(year, month, day).expect("it exists");
    let utc = TimeZone::new(TimeDelta::ZERO).expect("less than a day");
    let cet = TimeZone::new(delta(0, 3_600, 0)).expect("less than a day");
    let named = cet.clone().with_name("CET").expect("a short name");
    let west = TimeZone::new(delta(0, -86_399, 0)).expect("less than a day");
    let noon = DateTime::new(date(2_003, 9, 27), 9, 40, 1, 521_290).expect("it exists");
    let folded = DateTime::new(date(2_018, 10, 28), 2, 30, 0, 0).expect("it exists");
    let zones = [utc, cet, named, west];
    let zoned = zones.clone().map(|zone| noon.clone().with_zone(zone));
    let moments = [noon.clone(), folded.with_fold(true)].into_iter().chain(zoned);
    let days = [date(1, 1, 1), date(2_018, 4, 17), date(9_999, 12, 31)];
    let deltas = [delta(1, 2, 3), delta(-1, 86_399, 999_999), delta(-999_999_999, 0, 0)];
    let all = moments.map(|moment| Wire::DateTime(Box::new(moment)));
    let all = all.chain(days.map(Wire::Date)).chain(deltas.map(Wire::TimeDelta));
    all.chain(zones.map(Wire::TimeZone)).collect()
}
