//! Types of users' own with Python at the other end: a `Serialize` that breaks serde's rules, and types
//! with a form for people and one for machines.

use std::net::{IpAddr, SocketAddr};

use pseud::proto::CallRefused;
use pseud::{CallError, Client, Fault, Request, Value};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

use crate::live::{PythonCalls, RustCalls, SERVICE};
use crate::talk::error;

/// Opens a sequence and takes no notice of its one element's failure: serde's rules say that it must.
struct Careless;

impl Serialize for Careless {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = serializer.serialize_seq(Some(1))?;
        let _ = items.serialize_element(&(u128::MAX,));
        items.end()
    }
}

/// A key without a value.
struct Lonely;

impl Serialize for Lonely {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pairs = serializer.serialize_map(Some(1))?;
        pairs.serialize_key("key")?;
        pairs.end()
    }
}

fn refused<T>(result: Result<T, CallError>) -> String {
    match result {
        Err(CallError::Refused(CallRefused::Arguments(text))) => text.into_owned(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was sent"),
    }
}

#[tokio::test]
async fn arguments_that_are_no_value_are_refused_and_a_python_server_lives_on_for_all() {
    RustCalls::hold(async |room| {
        let other = Client::new(SERVICE).expect("a runtime is there");
        other.connect(&room.endpoint).expect("Python's endpoints are well-formed");
        other.ready().await;
        let said = refused(room.client.call::<Value, _>("echo", (Careless,)).await);
        assert_eq!(said, "an integer that needs more than 64 bits");
        let said = refused(room.client.call::<Value, _>("echo", (1, [Lonely], "x")).await);
        assert_eq!(said, "a map is pairs of a key and a value");
        let keywords = room.client.call::<Value, _>("echo", ()).kwargs(Lonely);
        assert_eq!(refused(keywords.await), said);
        assert_eq!(room.client.stats().calls_made, 0);
        let greeting: String = other.call("hello", ("other",)).await.expect("it lives");
        assert_eq!(greeting, "Hello other");
    })
    .await;
}

#[tokio::test]
async fn a_result_that_is_no_value_is_a_type_error_and_its_python_caller_lives_on() {
    PythonCalls::hold(async |room| {
        let careless = |_: Request| Ok::<_, Fault>((1, Careless));
        room.server.register_sync("careless", careless).expect("a free name");
        room.server.register_sync("lonely", |_| Ok::<_, Fault>(Lonely)).expect("a free name");
        for (method, text) in [
            ("careless", "an integer that needs more than 64 bits"),
            ("lonely", "a map is pairs of a key and a value"),
        ] {
            let called = room.call(method, json!([])).await;
            assert_eq!(error(&called), ("TypeError", text), "{called}");
        }
    })
    .await;
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(untagged)]
enum Place {
    Socket(SocketAddr),
    Address(IpAddr),
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Route {
    from: IpAddr,
    to: Place,
}

#[tokio::test]
async fn python_sends_and_reads_addresses_as_text_wherever_they_stand() {
    let route = Route {
        from: IpAddr::from([127, 0, 0, 1]),
        to: Place::Socket(SocketAddr::from(([127, 0, 0, 1], 80))),
    };
    let pairs = [["from", "127.0.0.1"], ["to", "127.0.0.1:80"]];
    RustCalls::hold(async |room| {
        let echoed: ((Route, IpAddr), Value) =
            room.client.call("echo", (&route, route.from)).await.expect("an echo");
        assert_eq!(echoed.0, (route.clone(), route.from));
        let calls = room.python.ask("calls", json!({"name": "server"})).await;
        assert_eq!(calls[0]["args"], json!({"$tuple": [{"$map": pairs}, "127.0.0.1"]}));
    })
    .await;
    PythonCalls::hold(async |room| {
        let mirror = |request: Request| request.args::<(Route, Place)>().map_err(Fault::from);
        room.server.register_sync("mirror", mirror).expect("a free name");
        let called = room.call("mirror", json!([{"$map": pairs}, "::1"])).await;
        assert_eq!(called["result"], json!({"$tuple": [{"$map": pairs}, "::1"]}), "{called}");
    })
    .await;
}
