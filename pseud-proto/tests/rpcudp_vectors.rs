//! What Python's rpcudp 5.0.1 (on 3.11) and 4.0.2 (on 3.10) were recorded with: every datagram and body is
//! read as what it meant there and written to the same bytes, and a handler of the same names answers the
//! same requests with the same bytes, or not at all.

#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

mod meaning;

use meaning::{hex, means};
use pseud_proto::CallRefused;
use pseud_proto::rpcudp::{
    Action, CallOptions, Config, Dropped, Endpoint, Outcome, Request, Silence, arguments, result,
};
use pseud_proto::value::Packed;
use pseud_proto::value::{Date, EncodeError, TimeDelta, Value};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

#[derive(Deserialize)]
struct Vector {
    name: String,
    version: String,
    kind: String,
    #[serde(default)]
    hex: String,
    meaning: Json,
}

#[test]
fn every_vector() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("vectors/rpcudp.json")).unwrap();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for vector in &vectors {
        match vector.kind.as_str() {
            "datagram" => datagram(vector),
            "msgpack" => body(vector),
            "edge" => edge(vector),
            "limit" => limit(vector),
            "behaviour" => behaviour(vector),
            other => panic!("{}: what is {other}?", vector.name),
        }
        *counts.entry((&vector.version, &vector.kind)).or_default() += 1;
    }
    let each = [("behaviour", 1), ("datagram", 20), ("edge", 28), ("limit", 7), ("msgpack", 22)];
    let table = ["4.0.2", "5.0.1"]
        .into_iter()
        .flat_map(|version| each.map(|(kind, count)| ((version, kind), count)));
    assert_eq!(counts, table.collect());
}

fn here() -> SocketAddr {
    "192.0.2.1:4567".parse().unwrap()
}

fn there() -> SocketAddr {
    "192.0.2.2:1234".parse().unwrap()
}

fn endpoint(config: Config) -> Endpoint {
    Endpoint::new(config, [7; 32])
}

/// Whoever sends that request, and what came of it.
fn received(machine: &mut Endpoint, datagram: &[u8]) -> Result<Request, Dropped> {
    machine.handle_datagram(here(), datagram, Instant::now())?;
    match machine.poll_action() {
        Some(Action::Serve(request)) => Ok(request),
        other => panic!("{other:?}"),
    }
}

/// The datagram of a call.
fn called(machine: &mut Endpoint, name: &str, args: &Packed) -> Vec<u8> {
    machine.call(there(), name, args, &CallOptions::default(), Instant::now()).unwrap();
    machine.poll_transmit().unwrap().payload.to_vec()
}

/// What a call becomes that is answered with that body.
fn answered(body: &[u8]) -> Packed {
    let mut machine = endpoint(Config::default());
    let mut response = called(&mut machine, "echo", &arguments(&()).unwrap());
    response.truncate(21);
    response[0] = 1;
    response.extend_from_slice(body);
    machine.handle_datagram(there(), &response, Instant::now()).unwrap();
    match machine.poll_action() {
        Some(Action::Finish { outcome: Outcome::Value(value), .. }) => value,
        other => panic!("{other:?}"),
    }
}

/// The answer of a request: its datagram, or why it is silent.
fn replied(machine: &mut Endpoint, request: Request, result: &Packed) -> Result<Vec<u8>, Silence> {
    machine.reply(request.into_ticket(), result, Instant::now())?;
    Ok(machine.poll_transmit().unwrap().payload.to_vec())
}

fn datagram(vector: &Vector) {
    let bytes = hex(&vector.hex);
    let payload = &vector.meaning["payload"];
    assert_eq!(hex(vector.meaning["msg_id"].as_str().unwrap()), bytes[1..21], "{}", vector.name);
    let mut machine = endpoint(Config::like_the_reference());
    match vector.meaning["type"].as_str() {
        Some("request") => {
            let request = received(&mut machine, &bytes).unwrap();
            let args = request.arguments().args_values();
            assert_eq!(request.name(), format!("rpc_{}", payload[0].as_str().unwrap()));
            assert!(means(&Value::from(args.clone()), &payload[1]), "{}", vector.name);
            let name = payload[0].as_str().unwrap();
            let again = called(&mut machine, name, &arguments(&args).unwrap());
            assert_eq!((again[0], &again[21..]), (0, &bytes[21..]), "{}", vector.name);
        }
        Some("response") => {
            let value = answered(&bytes[21..]);
            assert!(means(&value.value(), payload), "{}", vector.name);
            let mut asked = bytes[..21].to_vec();
            asked[0] = 0;
            asked.extend_from_slice(b"\x92\xa1x\x90");
            let request = received(&mut machine, &asked).unwrap();
            let again = replied(&mut machine, request, &result(&value.value()).unwrap());
            assert_eq!(again.unwrap(), bytes, "{}", vector.name);
        }
        other => panic!("{}: what is {other:?}?", vector.name),
    }
}

fn body(vector: &Vector) {
    let refused = |value: Value| {
        let mut machine = endpoint(Config::like_the_reference());
        let request = received(&mut machine, &request_of(b"\x92\xa1x\x90")).unwrap();
        let silent = replied(&mut machine, request, &result(&value).unwrap()).unwrap_err();
        assert_eq!(silent, Silence::Unpackable, "{}", vector.name);
        assert_eq!(machine.stats().counts.silent(Silence::Unpackable), 1);
        let (args, options) = (arguments(&(value,)).unwrap(), CallOptions::default());
        let call = machine.call(there(), "echo", &args, &options, Instant::now());
        assert!(matches!(call, Err(CallRefused::Arguments(_))), "{}", vector.name);
    };
    let last = vector.name.rsplit('/').next().unwrap();
    match (vector.meaning.get("error"), last) {
        (None, _) => {
            let bytes = hex(&vector.hex);
            let value = answered(&bytes);
            assert!(means(&value.value(), &vector.meaning["decodes_to"]), "{}", vector.name);
            let mut machine = endpoint(Config::like_the_reference());
            let request = received(&mut machine, &request_of(b"\x92\xa1x\x90")).unwrap();
            let again = replied(&mut machine, request, &result(&value.value()).unwrap());
            assert_eq!(again.unwrap()[21..], bytes, "{}", vector.name);
            // As it came, and not decoded between.
            let request = received(&mut machine, &request_of(b"\x92\xa1y\x90")).unwrap();
            assert_eq!(replied(&mut machine, request, &value).unwrap()[21..], bytes);
        }
        (Some(_), "date") => refused(Value::Date(Date::new(2018, 4, 17).unwrap())),
        (Some(_), "timedelta") => refused(Value::TimeDelta(TimeDelta::new(1, 0, 0).unwrap())),
        (Some(_), "int65") => {
            assert_eq!(result(&(1u128 << 64)).unwrap_err(), EncodeError::Integer);
        }
        // Rust has no value that serde would call a set: it is an array.
        (Some(_), "set") => {}
        other => panic!("{}: {other:?}", vector.name),
    }
}

fn request_of(body: &[u8]) -> Vec<u8> {
    [&[0; 21], body].concat()
}

/// The recorded server's handlers.
fn serve(request: &Request) -> Option<Packed> {
    let args = request.arguments();
    let answer = match request.name() {
        "rpc_add" => {
            let (a, b): (i64, i64) = args.args().ok()?;
            result(&(a + b))
        }
        "rpc_echo" => result(&args.args_values()),
        "rpc_nothing" => args.args::<()>().ok().map(|()| result(&()))?,
        _ => return None,
    };
    Some(answer.unwrap())
}

fn edge(vector: &Vector) {
    let mut machine = endpoint(Config::like_the_reference());
    let bytes = hex(&vector.hex);
    let expected: Vec<_> = vector.meaning["answers"].as_array().unwrap().iter().collect();
    // What was sent twice there is sent twice here, and answered each time.
    let times = if vector.name.ends_with("/duplicate-request") { 2 } else { 1 };
    for _ in 0..times {
        let answer = match received(&mut machine, &bytes) {
            Ok(request) => match serve(&request) {
                Some(result) => Some(replied(&mut machine, request, &result).unwrap()),
                None => {
                    machine.abandon(request.into_ticket(), Silence::NoSuchService);
                    None
                }
            },
            Err(dropped) => {
                assert_eq!(machine.stats().counts.dropped(dropped), 1);
                None
            }
        };
        let expected = expected.first().map(|answer| hex(answer["hex"].as_str().unwrap()));
        assert_eq!(answer, expected, "{}", vector.name);
    }
    assert_eq!(machine.stats().requests_open, 0);
}

fn limit(vector: &Vector) {
    let name = vector.name.rsplit('/').next().unwrap();
    let (kind, size) = name.rsplit_once('-').unwrap();
    let size: usize = size.parse().unwrap();
    let mut machine = endpoint(Config::like_the_reference());
    match kind {
        "request" => {
            // `[`, the name, `[`, and a bin of more than 255 bytes.
            let filler = vec![0; size - (1 + 5 + 1 + 3)];
            let args = arguments(&(bytes::Bytes::from(filler),)).unwrap();
            let options = CallOptions::default();
            let call = machine.call(there(), "echo", &args, &options, Instant::now());
            match vector.meaning.get("error") {
                Some(_) => {
                    let refused = CallRefused::BodyTooLarge { size, max: 8_192 };
                    assert_eq!(call, Err(refused));
                    assert!(machine.poll_transmit().is_none() && machine.poll_timeout().is_none());
                }
                None => {
                    call.unwrap();
                    let sent = machine.poll_transmit().unwrap().payload.len();
                    assert_eq!(vector.meaning["datagram_len"], sent);
                }
            }
        }
        "response-blob" => {
            let request = received(&mut machine, &request_of(b"\x92\xa1x\x90")).unwrap();
            let blob = result(&bytes::Bytes::from(vec![0; size])).unwrap();
            let answer = replied(&mut machine, request, &blob);
            match vector.meaning["answered"].as_bool().unwrap() {
                true => assert_eq!(vector.meaning["datagram_len"], answer.unwrap().len()),
                false => assert_eq!(answer, Err(Silence::TooLarge)),
            }
        }
        other => panic!("what is {other}?"),
    }
}

/// The reference believes an answer from anywhere; here only where that is asked for.
fn behaviour(vector: &Vector) {
    assert!(vector.name.ends_with("/response-from-other-address"));
    let elsewhere: SocketAddr = "192.0.2.3:1234".parse().unwrap();
    for believed in [true, false] {
        let mut config = Config::default();
        config.any_source = believed;
        let mut machine = endpoint(config);
        let mut response = called(&mut machine, "echo", &arguments(&()).unwrap());
        response.truncate(21);
        response[0] = 1;
        response.extend_from_slice(b"\xa6forged");
        let handled = machine.handle_datagram(elsewhere, &response, Instant::now());
        if believed {
            let Some(Action::Finish { outcome, .. }) = machine.poll_action() else { panic!() };
            let (true, value) = outcome.into_pair() else { panic!() };
            assert_eq!(vector.meaning["result"], serde_json::json!([true, value.as_str()]));
        } else {
            assert_eq!(handled, Err(Dropped::WrongSource));
            assert!(machine.poll_action().is_none());
        }
    }
}
