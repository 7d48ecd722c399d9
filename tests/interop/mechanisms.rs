//! PLAIN and CURVE against libzmq: both roles, connecting and binding, every kind of socket.

use std::net::TcpListener;
use std::time::Duration;

use pseud::proto::zmtp::{ConnectionConfig, SocketType};
use serde_json::{Value, json};

use crate::python::PythonPeer;
use crate::secured::{Link, Secured, admit};
use crate::talk::hex;

const BOTH: [Secured; 2] = [Secured::Plain, Secured::Curve];

/// Around the edge between short and long frames, in clear and sealed; and large ones.
const SIZES: [usize; 9] = [0, 1, 222, 223, 255, 256, 4_096, 65_537, 1 << 20];

#[test]
fn every_kind_of_socket_in_both_roles_connecting_and_binding() {
    let Some(python) = PythonPeer::start() else { return };
    let kinds = [SocketType::Router, SocketType::Dealer, SocketType::Req];
    for (secured, kind) in BOTH.into_iter().flat_map(|secured| kinds.map(|kind| (secured, kind))) {
        // libzmq's REQ loses every reply of a peer that its handler gave a user.
        let bob = if kind == SocketType::Req { "" } else { "bob" };
        python.request("zap", json!({"name": "zap", "status": "200", "user_id": bob}));
        for (is_server, connects) in [(true, true), (true, false), (false, true), (false, false)] {
            let name = format!("{secured:?} {kind:?}, server: {is_server}, connects: {connects}");
            let mut link = open(&python, &name, secured, kind, is_server, connects);
            let (ready, asked) = link.ready(&admit()).expect(&name);
            assert_eq!((ready.socket_type, ready.minor), (kind, 1), "{name}");
            assert_eq!(asked, is_server.then(|| secured.question()), "{name}");
            assert_eq!(&ready.user.id()[..], if is_server { &b"me"[..] } else { b"" }, "{name}");
            let user = if is_server { Value::Null } else { json!(bob) };
            exchange(&python, &mut link, &name, kind, &user);
            python.request("stop", json!({"name": name}));
        }
    }
}

/// A link of ours and a ZeroMQ socket of that name at its other end. We have the role `is_server`.
fn open(
    python: &PythonPeer,
    name: &str,
    secured: Secured,
    kind: SocketType,
    is_server: bool,
    connects: bool,
) -> Link {
    let (config, options) = (secured.ours(is_server), secured.theirs(!is_server));
    open_with(python, name, kind, config, options, connects)
}

fn open_with(
    python: &PythonPeer,
    name: &str,
    kind: SocketType,
    config: ConnectionConfig,
    options: Value,
    connects: bool,
) -> Link {
    let mut fields = json!({"name": name, "type": kind.as_str(), "options": options});
    if connects {
        fields["bind"] = json!("tcp://127.0.0.1:*");
        let bound = python.request("raw", fields);
        return Link::connect(bound["endpoint"].as_str().expect("it is bound"), config);
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a port");
    let address = listener.local_addr().expect("it is bound");
    fields["connect"] = json!(format!("tcp://{address}"));
    python.request("raw", fields);
    Link::accept(&listener, config)
}

/// Messages of all sizes both ways. `user`: what ours bear as `User-Id` over there.
fn exchange(python: &PythonPeer, link: &mut Link, name: &str, kind: SocketType, user: &Value) {
    let route: &[&[u8]] = if kind == SocketType::Router { &[b"rust"] } else { &[] };
    let delimiter: &[&[u8]] = if kind == SocketType::Req { &[b""] } else { &[] };
    for size in SIZES {
        let part = vec![size as u8; size];
        let (sent, bare) = ([delimiter, &[&part, b"end"]].concat(), [&part[..], b"end"]);
        if kind == SocketType::Req {
            python.request("raw_send", json!({"name": name, "frames": bare.map(hex)}));
            assert_eq!(link.message().expect(name), sent, "{name} {size}");
        }
        link.send(&sent);
        let asked = json!({"name": name, "metadata": ["User-Id"]});
        let received = python.send("raw_recv", asked);
        link.until(|connection| connection.backlog() == 0).expect(name);
        let received = received.wait();
        let frames: Vec<String> = [route, &bare].concat().into_iter().map(hex).collect();
        assert!(received["frames"] == json!(frames), "{name} {size}");
        assert_eq!(&received["metadata"]["User-Id"], user, "{name}");
        if kind != SocketType::Req {
            python.request("raw_send", json!({"name": name, "frames": frames}));
            assert!(link.message().expect(name) == bare, "{name} {size}");
        }
    }
}

#[test]
fn heartbeats_go_both_ways_inside_curve_and_plain() {
    let Some(python) = PythonPeer::start() else { return };
    python.request("zap", json!({"name": "zap", "status": "200"}));
    for (secured, is_server) in BOTH.into_iter().flat_map(|one| [(one, true), (one, false)]) {
        let name = format!("{secured:?} {is_server}");
        let mut config = secured.ours(is_server);
        config.heartbeat.interval = Some(Duration::from_millis(40));
        config.heartbeat.timeout = Duration::from_secs(5);
        let mut options = secured.theirs(!is_server);
        options["HEARTBEAT_IVL"] = json!(60);
        options["HEARTBEAT_TIMEOUT"] = json!(5_000);
        let mut link = open_with(&python, &name, SocketType::Dealer, config, options, is_server);
        link.ready(&admit()).expect(&name);
        link.until_stats(|stats| stats.pings >= 3 && stats.pongs >= 3).expect(&name);
        link.send(&[b"still here"]);
        let received = python.send("raw_recv", json!({"name": name}));
        link.until(|connection| connection.backlog() == 0).expect(&name);
        assert_eq!(received.wait()["frames"], json!([hex(b"still here")]));
        python.request("stop", json!({"name": name}));
    }
}
