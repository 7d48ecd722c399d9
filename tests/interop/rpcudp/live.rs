//! An unchanged Python node and the machine on a plain socket: calls both ways, values, limits, silence.

use super::own_loop::Own;
use super::packages;
use crate::python::PythonPeer;
use crate::random::Random;
use crate::tagged::{tagged, tuple};
use pseud::Value;
use pseud::proto::rpcudp::{Config, Dropped, Outcome, Silence};
use pseud::proto::value::{Date, DateTime, TimeDelta, TimeZone};
use pseud::proto::{CallRefused, Reason};
use serde_json::json;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Both versions, where there are Pythons for them.
fn pythons() -> impl Iterator<Item = PythonPeer> {
    [packages::start("peer.py"), packages::start_4_0("peer.py")].into_iter().flatten()
}

fn node(python: &PythonPeer, wait_timeout: f64) -> SocketAddr {
    let fields = json!({"name": "node", "wait_timeout": wait_timeout});
    python.request("node", fields).as_str().unwrap().parse().unwrap()
}

/// Has a Python node call, and serves meanwhile.
fn called(python: &PythonPeer, own: &mut Own, method: &str, args: &[Value]) -> serde_json::Value {
    let args: Vec<_> = args.iter().map(tagged).collect();
    let to = own.address().to_string();
    let pending =
        python.send("call", json!({"name": "node", "to": to, "method": method, "args": args}));
    let (done, outcome) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || done.send(pending.wait()));
        let mut found = None;
        own.serve_until(|_| {
            found = outcome.try_recv().ok();
            found.is_some()
        });
        found.unwrap()
    })
}

fn patient() -> Config {
    let mut config = Config::default();
    config.wait_timeout = Duration::from_secs(20);
    config
}

/// One of each kind that u-msgpack has.
fn values() -> Vec<Value> {
    let date = Date::new(2018, 4, 17).unwrap();
    let moment =
        |microsecond| DateTime::new(date, 1, 2, 3, microsecond).unwrap().with_zone(TimeZone::UTC);
    let old = DateTime::new(Date::new(1960, 1, 1).unwrap(), 0, 0, 0, 0).unwrap();
    let far = DateTime::new(Date::new(9999, 12, 31).unwrap(), 23, 59, 59, 999_999).unwrap();
    vec![
        Value::Nil,
        true.into(),
        (-7).into(),
        u64::MAX.into(),
        i64::MIN.into(),
        1.5.into(),
        f64::INFINITY.into(),
        "hé".into(),
        "x".repeat(300).into(),
        bytes::Bytes::from_static(b"\0\xff").into(),
        Value::Array(vec![1.into(), Value::Array(vec![])]),
        [(Value::from(1), Value::from(2)), (Value::from("a"), Value::Nil)].into_iter().collect(),
        [(Value::Array(vec![1.into()]), Value::from(2))].into_iter().collect(),
        Value::Ext(5, bytes::Bytes::from_static(b"abc")),
        Value::Ext(-128, bytes::Bytes::from_static(b"a")),
        Value::Ext(-2, bytes::Bytes::new()),
        moment(0).into(),
        moment(4).into(),
        old.with_zone(TimeZone::UTC).into(),
        far.with_zone(TimeZone::UTC).into(),
    ]
}

/// What u-msgpack has of it: no dates, spans or zones, and moments in UTC alone.
fn plain(value: Value) -> Value {
    match value {
        Value::Date(date) => format!("{date:?}").into(),
        Value::TimeDelta(_) | Value::TimeZone(_) => Value::Nil,
        Value::DateTime(moment) => {
            let [hour, minute, second] = [moment.hour(), moment.minute(), moment.second()];
            let clock = DateTime::new(moment.date(), hour, minute, second, moment.microsecond());
            clock.unwrap().with_zone(TimeZone::UTC).into()
        }
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Map(pairs) => {
            pairs.into_iter().map(|(key, value)| (plain(key), plain(value))).collect()
        }
        other => other,
    }
}

#[test]
fn rust_calls_python() {
    for python in pythons() {
        let (there, mut own) = (node(&python, 5.0), Own::new(patient()));
        let call = own.call(there, "sayhi", &("Snake",));
        let expected = format!("Hello Snake you live at {}", own.address());
        assert_eq!(own.end_of(call).into_pair(), (true, expected.into()));
        let call = own.call(there, "nothing", &());
        assert_eq!(own.end_of(call).into_pair(), (true, Value::Nil));
        for value in values() {
            let call = own.call(there, "echo", &(&value,));
            let (true, back) = own.end_of(call).into_pair() else { panic!("{value:?}") };
            assert_eq!(tagged(&back), tuple(&[value]));
        }
        // A moment in another zone, and one without: the same moment, in UTC.
        let zone = TimeZone::new(TimeDelta::new(0, 7_200, 0).unwrap()).unwrap();
        let date = Date::new(2018, 4, 17).unwrap();
        let moment = DateTime::new(date, 1, 2, 3, 0).unwrap();
        for (sent, hour, day) in [(moment.clone(), 1, 17), (moment.with_zone(zone), 23, 16)] {
            let call = own.call(there, "echo", &(sent,));
            let Outcome::Value(back) = own.end_of(call) else { panic!() };
            let (back,): (DateTime,) = back.decode().unwrap();
            assert_eq!(
                (back.hour(), back.date().day(), back.zone()),
                (hour, day, Some(&TimeZone::UTC))
            );
        }
    }
}

#[test]
fn python_calls_rust() {
    for python in pythons() {
        let (there, mut own) = (node(&python, 10.0), Own::new(Config::default()));
        let answer = called(&python, &mut own, "sayhi", &["Snake".into()]);
        assert_eq!(answer, json!([true, format!("Hello Snake you live at {there}")]));
        for value in values() {
            let answer = called(&python, &mut own, "echo", std::slice::from_ref(&value));
            assert_eq!(answer, json!([true, tuple(&[value])]));
        }
    }
}

#[test]
fn random_values_both_ways() {
    for python in pythons() {
        let (there, mut own) = (node(&python, 10.0), Own::new(patient()));
        let mut random = Random::seeded();
        for _ in 0..100 {
            // What another dialect has besides is left out.
            let value = plain(random.value(3));
            if pseud::proto::rpcudp::arguments(&(&value,)).unwrap().as_bytes().len() > 2_000 {
                continue;
            }
            let call = own.call(there, "echo", &(&value,));
            let (true, back) = own.end_of(call).into_pair() else { panic!("{value:?}") };
            assert_eq!(tagged(&back), tuple(std::slice::from_ref(&value)));
            let answer = called(&python, &mut own, "echo", std::slice::from_ref(&value));
            assert_eq!(answer, json!([true, tuple(&[value])]));
        }
    }
}

#[test]
fn each_asks_the_other_back() {
    for python in pythons() {
        let (there, mut own) = (node(&python, 10.0), Own::new(patient()));
        let call = own.call(there, "ask_back", &("add", 2, 4));
        let expected: Value = [Value::from(true), Value::from(6)].into_iter().collect();
        assert_eq!(own.end_of(call).into_pair(), (true, expected));
        let answer = called(&python, &mut own, "ask_back", &["add".into(), 3.into(), 4.into()]);
        assert_eq!(answer, json!([true, {"$tuple": [true, 7]}]));
    }
}

#[test]
fn sizes() {
    for python in pythons() {
        let (there, mut own) = (node(&python, 10.0), Own::new(patient()));
        // `[`, the name, `[`, and a bin of more than 255 bytes.
        let largest = 8_192 - (1 + 5 + 1 + 3);
        let blob = |size| bytes::Bytes::from(vec![0; size]);
        let call = own.call(there, "echo", &(blob(largest),));
        assert!(own.end_of(call).into_pair().0);
        let args = pseud::proto::rpcudp::arguments(&(blob(largest + 1),)).unwrap();
        let refused = own.endpoint.call(there, "echo", &args, &Default::default(), Instant::now());
        assert_eq!(refused, Err(CallRefused::BodyTooLarge { size: 8_193, max: 8_192 }));
        let call = own.call(there, "blob", &(65_483,));
        assert!(matches!(own.end_of(call), Outcome::Value(v) if v.as_bytes().len() == 65_486));
        // That Python has answered a call: it may be sent as much as it likes.
        let answer = called(&python, &mut own, "blob", &[65_483.into()]);
        assert_eq!(answer[0], true);
    }
}

#[test]
fn silence() {
    for python in pythons() {
        let (there, mut own) = (node(&python, 0.5), Own::new(Config::default()));
        let options = pseud::proto::rpcudp::CallOptions::default();
        let args = pseud::proto::rpcudp::arguments(&()).unwrap();
        let calls = ["boom", "no_such", "unpackable", "add"].map(|name| {
            let options = options.clone().timeout(Duration::from_millis(500));
            own.endpoint.call(there, name, &args, &options, Instant::now()).unwrap()
        });
        for call in calls {
            assert!(matches!(own.end_of(call), Outcome::Unknown(Reason::TimedOut)));
        }
        for (name, args) in [("boom", vec![]), ("no_such", vec![]), ("add", vec![1.into()])] {
            let answer = called(&python, &mut own, name, &args);
            assert_eq!(answer, json!([false, null]));
        }
        let counts = own.endpoint.stats().counts;
        assert_eq!(counts.silent(Silence::Fault), 2);
        assert_eq!(counts.silent(Silence::NoSuchService), 1);
    }
}

/// A large answer to an address that has proved nothing is silence, until it has answered a call.
#[test]
fn a_newcomer_is_pinged_before_a_large_answer() {
    for python in pythons() {
        let (there, mut own) = (node(&python, 1.0), Own::new(patient()));
        let answer = called(&python, &mut own, "blob", &[2_000.into()]);
        assert_eq!(answer, json!([false, null]));
        assert_eq!(own.endpoint.stats().counts.silent(Silence::Amplification), 1);
        let ping = own.call(there, "nothing", &());
        assert!(own.end_of(ping).into_pair().0);
        let answer = called(&python, &mut own, "blob", &[2_000.into()]);
        assert_eq!(answer[0], true);
    }
}

#[test]
fn many_at_once() {
    for python in pythons() {
        let (there, mut own) = (node(&python, 10.0), Own::new(patient()));
        let calls: Vec<_> = (0..200).map(|at| (at, own.call(there, "add", &(at, 1)))).collect();
        for (at, call) in calls {
            assert_eq!(own.end_of(call).into_pair(), (true, (at + 1).into()));
        }
        assert_eq!(own.endpoint.stats().calls_pending, 0);
    }
}

/// O-07 and the reference's way, by a socket that sends one datagram twice.
#[test]
fn o_07_the_same_request_twice() {
    let raw = UdpSocket::bind("127.0.0.1:0").unwrap();
    raw.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let request = [&[0; 21][..], b"\x92\xa7nothing\x90"].concat();
    let mut own = Own::new(Config::default());
    for _ in 0..3 {
        raw.send_to(&request, own.address()).unwrap();
    }
    own.serve_until(|own| {
        own.endpoint.stats().counts.dropped(Dropped::Duplicate) + own.runs as u64 >= 1
    });
    // Each is answered, by the one run.
    for _ in 0..3 {
        let mut answer = [0; 64];
        own.serve_until(|_| raw.peek(&mut answer).is_ok());
        let size = raw.recv(&mut answer).unwrap();
        assert_eq!((size, answer[0], answer[21]), (22, 1, 0xc0));
    }
    assert_eq!(own.runs, 1);
    for python in pythons() {
        let there = node(&python, 5.0);
        for _ in 0..3 {
            raw.send_to(&request, there).unwrap();
            let mut answer = [0; 64];
            assert_eq!(raw.recv(&mut answer).unwrap(), 22);
        }
        assert_eq!(python.request("runs", json!({"name": "node"})), 3);
    }
}
