//! What libzmq and we refuse each other under PLAIN and CURVE.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pseud::proto::zmtp::{Connection, ConnectionConfig, KeyPair, MechanismConfig, Side, Verdict};
use pseud::proto::{Incompatible, Insecure, Misbehaved, PeerError};
use serde_json::{Value, json};

use crate::python::PythonPeer;
use crate::secured::{End, Link, Secured, admit, client_pair, server_pair};
use crate::talk::hex;

const BOTH: [Secured; 2] = [Secured::Plain, Secured::Curve];

/// A bound DEALER of that name; its endpoint. It has no monitor: with one, libzmq 4.3.5 does not close
/// a link whose nonce came again, it only reads no further.
fn bound(python: &PythonPeer, name: &str, options: Value) -> String {
    let fields = json!({
        "name": name, "type": "DEALER", "bind": "tcp://127.0.0.1:*", "options": options,
    });
    let bound = python.request("raw", fields);
    bound["endpoint"].as_str().expect("it is bound").to_owned()
}

/// A DEALER of that name that connects to us; the link to it.
fn connecting(python: &PythonPeer, name: &str, options: Value, config: ConnectionConfig) -> Link {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a port");
    let address = listener.local_addr().expect("it is bound");
    let fields = json!({
        "name": name, "type": "DEALER", "connect": format!("tcp://{address}"), "options": options,
        "monitor": true,
    });
    python.request("raw", fields);
    Link::accept(&listener, config)
}

/// The value of the first such event.
fn event(python: &PythonPeer, name: &str, event: &str) -> Value {
    let events = python.request("events", json!({"name": name, "event": event}));
    let found = events.as_array().and_then(|all| all.iter().find(|one| one["event"] == event));
    found.expect("it was waited for")["value"].clone()
}

#[test]
fn what_their_zap_handler_answers_is_what_we_hear() {
    let Some(python) = PythonPeer::start() else { return };
    for (secured, status) in
        BOTH.into_iter().flat_map(|one| ["300", "400", "500"].map(|s| (one, s)))
    {
        python.request("zap", json!({"name": "zap", "status": status}));
        let endpoint = bound(&python, "socket", secured.theirs(true));
        let mut config = secured.ours(false);
        config.handshake_timeout = Duration::from_secs(if status == "300" { 1 } else { 10 });
        let end = Link::connect(&endpoint, config).ready(&admit()).map(drop);
        let errors: &[PeerError] = match status {
            // Not a word; and now and then it closes.
            "300" => &[Misbehaved::HandshakeTimeout.into(), Misbehaved::HandshakeIncomplete.into()],
            "400" => &[Incompatible::Refused(400).into()],
            _ => &[Incompatible::Refused(500).into()],
        };
        assert!(errors.iter().any(|error| end == Err(End::Error(*error))), "{status}: {end:?}");
        let asked = python.request("asked", json!({"name": "zap", "count": 1}));
        assert_eq!(asked[0][0]["$bytes"], hex(format!("{secured:?}").to_uppercase().as_bytes()));
        if secured == Secured::Curve {
            assert_eq!(asked[0][1]["$bytes"], hex(client_pair().public().as_bytes()));
        }
        python.request("stop", json!({"name": "socket"}));
    }
}

#[test]
fn what_our_gate_answers_is_what_they_hear() {
    let Some(python) = PythonPeer::start() else { return };
    for secured in BOTH {
        for (verdict, code) in [(Verdict::Deny, 400), (Verdict::Unavailable, 500)] {
            let name = format!("{secured:?} {code}");
            let mut link = connecting(&python, &name, secured.theirs(false), secured.ours(true));
            let end = link.ready(&verdict).map(drop);
            assert_eq!(end, Err(End::Error(PeerError::Denied(code))));
            assert_eq!(event(&python, &name, "HANDSHAKE_FAILED_AUTH"), json!(code));
        }
    }
}

#[test]
fn without_a_handler_libzmq_refuses_plain_and_admits_any_curve_key() {
    let Some(python) = PythonPeer::start() else { return };
    let endpoint = bound(&python, "plain", Secured::Plain.theirs(true));
    let end = Link::connect(&endpoint, Secured::Plain.ours(false)).ready(&admit()).map(drop);
    assert_eq!(end, Err(End::Error(Misbehaved::HandshakeIncomplete.into())));
    let endpoint = bound(&python, "curve", Secured::Curve.theirs(true));
    assert!(Link::connect(&endpoint, Secured::Curve.ours(false)).ready(&admit()).is_ok());
}

#[test]
fn a_wrong_server_key_ends_the_link_on_either_side() {
    let Some(python) = PythonPeer::start() else { return };
    let other = *KeyPair::generate([7; 32]).public();
    let endpoint = bound(&python, "server", Secured::Curve.theirs(true));
    let mut config = Secured::Curve.ours(false);
    let key_pair = client_pair();
    config.mechanism = MechanismConfig::CurveClient { server_keys: vec![other], key_pair };
    let end = Link::connect(&endpoint, config).end();
    assert_eq!(end, End::Error(Insecure::HelloRefused.into()));

    let mut options = Secured::Curve.theirs(false);
    options["CURVE_SERVERKEY"] = json!(other.to_string());
    let mut link = connecting(&python, "client", options, Secured::Curve.ours(true));
    assert_eq!(link.end(), End::Error(Insecure::Box.into()));
}

/// A CURVE link to a bound DEALER called `server`, ready.
fn curve(python: &PythonPeer) -> (String, Link) {
    let endpoint = bound(python, "server", Secured::Curve.theirs(true));
    let mut link = Link::connect(&endpoint, Secured::Curve.ours(false));
    link.ready(&admit()).expect("it is admitted");
    (endpoint, link)
}

fn sealed(link: &mut Link, part: &[u8]) -> Vec<u8> {
    link.send(&[part]);
    link.take_output()
}

fn received(python: &PythonPeer) -> Value {
    python.request("raw_recv", json!({"name": "server"}))["frames"].clone()
}

#[test]
fn numbers_repeated_and_lowered_end_the_link_over_there() {
    let Some(python) = PythonPeer::start() else { return };
    for is_repeated in [true, false] {
        let (_, mut link) = curve(&python);
        let [first, second] = [&b"first"[..], b"second"].map(|part| sealed(&mut link, part));
        let (good, bad) = if is_repeated { (&first, &first) } else { (&second, &first) };
        link.write(good);
        link.write(bad);
        let part: &[u8] = if is_repeated { b"first" } else { b"second" };
        assert_eq!(received(&python), json!([hex(part)]));
        assert_eq!(link.end(), End::Closed);
        let nothing = python.send("raw_recv", json!({"name": "server", "timeout": 0.2}));
        assert!(nothing.outcome(Duration::from_secs(5)).is_err());
        python.request("stop", json!({"name": "server"}));
    }
}

/// libzmq takes any higher number: that a frame to it was deleted on its way, only we would have seen.
#[test]
fn a_number_left_out_is_not_missed_over_there() {
    let Some(python) = PythonPeer::start() else { return };
    let (_, mut link) = curve(&python);
    let [_lost, second] = [&b"first"[..], b"second"].map(|part| sealed(&mut link, part));
    link.write(&second);
    assert_eq!(received(&python), json!([hex(b"second")]));
}

#[test]
fn a_recorded_session_ends_at_its_cookie_over_there() {
    let Some(python) = PythonPeer::start() else { return };
    let (endpoint, mut link) = curve(&python);
    let message = sealed(&mut link, b"pay 100");
    link.write(&message);
    assert_eq!(received(&python), json!([hex(b"pay 100")]));
    let recorded = std::mem::take(&mut link.wrote);
    drop(link);

    let mut replay = Link::connect(&endpoint, Secured::Curve.ours(false));
    replay.take_output();
    replay.write(&recorded);
    // Our own machine is at a loss about how it ends: it never spoke.
    assert!(matches!(replay.end(), End::Error(_)));
    let nothing = python.send("raw_recv", json!({"name": "server", "timeout": 0.2}));
    assert!(nothing.outcome(Duration::from_secs(5)).is_err());
}

/// A DEALER called `client` that is admitted over CURVE.
fn admitted(python: &PythonPeer) -> Link {
    let mut link =
        connecting(python, "client", Secured::Curve.theirs(false), Secured::Curve.ours(true));
    link.ready(&admit()).expect("it is admitted");
    link
}

/// The frame in which libzmq sends that part.
fn heard(python: &PythonPeer, link: &mut Link, part: &[u8]) -> Vec<u8> {
    let before = link.heard.len();
    python.request("raw_send", json!({"name": "client", "frames": [hex(part)]}));
    assert_eq!(link.message().expect("it is sound"), [part]);
    link.heard[before..].to_vec()
}

#[test]
fn numbers_repeated_and_lowered_end_the_link_over_here() {
    let Some(python) = PythonPeer::start() else { return };
    for is_repeated in [true, false] {
        let mut link = admitted(&python);
        let [first, second] =
            [&b"first"[..], b"second"].map(|part| heard(&python, &mut link, part));
        let mut again = if is_repeated { second } else { first };
        let outcome = link.connection.handle_input(&mut again, Instant::now());
        assert_eq!(outcome, Err(Insecure::Replay.into()));
        assert!(link.connection.poll_event().is_none());
        python.request("stop", json!({"name": "client"}));
    }
}

#[test]
fn a_recorded_session_ends_at_its_cookie_over_here() {
    let Some(python) = PythonPeer::start() else { return };
    let mut link = admitted(&python);
    heard(&python, &mut link, b"pay 100");
    let mut recorded = std::mem::take(&mut link.heard);

    let (config, now) = (Arc::new(Secured::Curve.ours(true)), Instant::now());
    let mut replayed = Connection::new(config, Side::Accepting, [0x9e; 32], now);
    assert_eq!(replayed.handle_input(&mut recorded, now), Err(Insecure::Cookie.into()));
    assert!(replayed.poll_event().is_none(), "nobody was even asked");
}

#[test]
fn neither_side_speaks_less_than_it_was_told() {
    let Some(python) = PythonPeer::start() else { return };
    // Who sees it first closes first.
    let errors: [PeerError; 2] =
        [Incompatible::MechanismMismatch.into(), Misbehaved::HandshakeIncomplete.into()];
    let ends = errors.map(End::Error);
    for secured in BOTH {
        let name = format!("{secured:?} bound");
        let endpoint = bound(&python, &name, secured.theirs(true));
        let mut link = Link::connect(&endpoint, ConnectionConfig::default());
        assert!(ends.contains(&link.end()));

        let endpoint = bound(&python, "null", json!({}));
        let mut link = Link::connect(&endpoint, secured.ours(false));
        assert!(ends.contains(&link.end()));
        assert_eq!(link.wrote.len(), 64);
        python.request("stop", json!({"name": "null"}));

        let name = format!("{secured:?} connecting");
        let mut link = connecting(&python, &name, secured.theirs(false), Default::default());
        assert!(ends.contains(&link.end()));
        let mut link = connecting(&python, "null", json!({}), secured.ours(true));
        assert!(ends.contains(&link.end()));
        assert_eq!(link.wrote.len(), 64);
        python.request("stop", json!({"name": "null"}));
    }
}

#[test]
fn a_server_that_changes_its_keys_is_found_by_both() {
    let Some(python) = PythonPeer::start() else { return };
    let [old, new] = [server_pair(), KeyPair::generate([8; 32])];
    for (name, known) in [("old", &old), ("new", &new)] {
        let mut options = Secured::Curve.theirs(false);
        options["CURVE_SERVERKEY"] = json!(known.public().to_string());
        let mut config = ConnectionConfig::default();
        let key_pairs = vec![new.clone(), old.clone()];
        config.mechanism = MechanismConfig::CurveServer { key_pairs };
        let mut link = connecting(&python, name, options, config);
        assert!(link.ready(&admit()).is_ok(), "{name}");
    }
}
