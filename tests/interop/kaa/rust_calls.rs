//! Ours calls a Python peer.

use super::{SECRET, connect, is_python3, packages, path, python_server, soon, text};
use pseud::proto::Insecure;
use pseud::tokio::kaa::{BigInt, Client, Complex, FrozenSet, Options, PickledObject, Server, Set};
use pseud::{CallError, ConnectionEvent, Exception, Reason, Value};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::test]
async fn arguments_keywords_and_results() {
    let Some((python, client, _)) = soon(python_server()).await else { return };
    assert_eq!(soon(client.call::<i64, _>("add", (1, 2))).await.unwrap(), 3);
    let keywords = BTreeMap::from([("b", 5)]);
    let sum: i64 = soon(client.call("add", (7,)).kwargs(keywords)).await.unwrap();
    assert_eq!(sum, 12);
    let bytes = pseud::Bytes::from_static(b"\xff");
    let args = ("é", 1, bytes, [1], 1.5, None::<i64>, true, u64::MAX);
    let types: Vec<String> = soon(client.call("types", args)).await.unwrap();
    let expected = match soon(is_python3(&python)).await {
        true => ["str", "int", "bytes", "list", "float", "NoneType", "bool", "int"],
        false => ["unicode", "int", "str", "list", "float", "NoneType", "bool", "long"],
    };
    assert_eq!(types, expected);
}

#[tokio::test]
async fn every_kind_of_value() {
    let Some((python, client, _)) = soon(python_server()).await else { return };
    let is_python3 = soon(is_python3(&python)).await;
    let kinds: Vec<Value> = soon(client.call("kinds", ())).await.unwrap();
    let typed = |at: usize| pseud::proto::value::Packed::result(&kinds[at]).unwrap();
    let plain = [Value::Nil, true.into(), 7.into(), (-7).into(), (1_i64 << 40).into()];
    assert_eq!(kinds[..5], plain);
    assert_eq!(typed(5).decode::<BigInt>().unwrap().to_i128(), Some(1 << 80));
    assert_eq!(typed(6).decode::<BigInt>().unwrap().to_i128(), Some(-(1 << 80)));
    assert_eq!(kinds[7..10], [1.5.into(), "text".into(), "é€".into()]);
    let ascii = if is_python3 { Value::Bin("ascii".into()) } else { "ascii".into() };
    assert_eq!(kinds[10], ascii);
    assert_eq!(kinds[11], Value::Bin(vec![0xff, 0].into()));
    assert_eq!(kinds[12], Value::Bin("ab".into()));
    assert_eq!(kinds[13], Value::Array(vec![1.into(), Value::Array(vec![2.into()])]));
    assert_eq!(kinds[14], Value::Map(vec![(1.into(), "one".into())]));
    assert_eq!(typed(15).decode::<Set<i64>>().unwrap().0, [1]);
    assert_eq!(typed(16).decode::<FrozenSet<i64>>().unwrap().0, [2]);
    let complex = Complex { real: 1.0, imaginary: 2.0 };
    assert_eq!(typed(17).decode::<Complex>().unwrap(), complex);
    assert!(matches!(kinds[18], Value::DateTime(_)) && matches!(kinds[19], Value::Date(_)));
    let (echoed, _): (Vec<Value>, Value) = soon(client.call("echo", &kinds)).await.unwrap();
    for (at, (sent, back)) in kinds.iter().zip(&echoed).enumerate() {
        // Bytes are a `str` of Python 2, and one that is ASCII is text here.
        let ascii = sent.as_bytes().filter(|bytes| bytes.is_ascii() && !is_python3);
        match ascii {
            Some(bytes) => assert_eq!(back.as_str().map(str::as_bytes), Some(bytes)),
            None => assert_eq!(sent, back, "number {at}"),
        }
    }
}

#[tokio::test]
async fn exceptions_and_objects() {
    let Some((_python, client, _)) = soon(python_server()).await else { return };
    for (method, class, message) in
        [("fail", "ValueError", "why"), ("fail", "MyOwn", "why"), ("fail_later", "KeyError", "é")]
    {
        let Err(CallError::Fault(fault)) =
            soon(client.call::<(), _>(method, (class, message))).await
        else {
            panic!("{class} was not raised")
        };
        let expected = if class == "MyOwn" { "CustomError" } else { class };
        assert_eq!((fault.class.as_str(), fault.message.as_str()), (expected, message));
        let traceback = fault.traceback.unwrap();
        assert!(traceback.contains("peer.py"), "{traceback}");
    }
    // Whatever was raised with is told so that people can read it.
    let args = ("MyOwn", vec![1, 2], Value::Nil);
    let Err(CallError::Fault(fault)) = soon(client.call::<(), _>("fail", args)).await else {
        panic!("it was not raised")
    };
    assert_eq!(fault.message, "([1, 2], None)");
    let missing = soon(client.call::<(), _>("nobody", ())).await;
    let Err(CallError::Fault(fault)) = missing else { panic!("{missing:?}") };
    assert_eq!((fault.exception(), &*fault.message), (Some(Exception::KeyError), "nobody"));
    let object: PickledObject = soon(client.call("opaque", ())).await.unwrap();
    assert_eq!(object.class, "__main__.CustomError");
}

#[tokio::test]
async fn answers_in_any_order() {
    let Some((_python, client, _)) = soon(python_server()).await else { return };
    soon(client.ready()).await;
    let held: Vec<_> =
        (0..50_i64).map(|key| tokio::spawn(client.call::<i64, _>("held_until", (key,)))).collect();
    for key in (0..50_i64).rev() {
        soon(client.call::<(), _>("let_go", (key,))).await.unwrap();
    }
    for (key, call) in (0..).zip(held) {
        assert_eq!(soon(call).await.unwrap().unwrap(), key);
    }
}

#[tokio::test]
async fn nested_calls() {
    let Some((_python, client, _)) = soon(python_server()).await else { return };
    let told: Vec<String> = soon(client.call("call_back", ("who",))).await.unwrap();
    assert_eq!(told, ["called back", "rust"]);
    // It calls us, who call it, who calls us.
    let told: (String, (String, String)) =
        soon(client.call("call_back", ("call_back", "who"))).await.unwrap();
    assert_eq!(told.1, ("called back".to_owned(), "python".to_owned()));
}

#[tokio::test]
async fn large_values() {
    let Some((_python, client, _)) = soon(python_server()).await else { return };
    let text: String = soon(client.call("text", (1_000_000,))).await.unwrap();
    assert_eq!(text.len(), 1_000_000);
    let large = "y".repeat(1_000_000);
    let (echoed, _): (Vec<String>, Value) = soon(client.call("echo", (&large,))).await.unwrap();
    assert_eq!(echoed, [large]);
}

#[tokio::test]
async fn what_python_cannot_answer_ends_at_the_time_out() {
    let Some((_python, client, _)) = soon(python_server()).await else { return };
    // Over the reference's own limit it says nothing.
    let call = client.call::<String, _>("text", (2 << 20,)).timeout(Duration::from_millis(500));
    assert!(matches!(soon(call).await, Err(CallError::Unknown(Reason::TimedOut))));
    assert_eq!(soon(client.call::<i64, _>("add", (1, 2))).await.unwrap(), 3);
}

#[tokio::test]
async fn a_wrong_secret_is_told_here() {
    let Some(python) = packages::start() else { return };
    let served = json!({"name": "python", "address": path(), "secret": SECRET});
    let served = soon(python.ask("server", served)).await;
    let client =
        Client::with_options(Options::new("another").retry(Duration::from_millis(50))).unwrap();
    let mut events = client.events();
    client.connect(&text(&served["$map"][0][1])).unwrap();
    let error = loop {
        match soon(events.next()).await {
            Some(ConnectionEvent::ConnectFailed { error, .. }) => break error,
            Some(ConnectionEvent::HandshakeFailed { error, .. }) => break error.to_string(),
            _ => {}
        }
    };
    assert_eq!(error, pseud::PeerError::Insecure(Insecure::SecretRefused).to_string());
}

#[tokio::test]
async fn a_server_that_comes_back_is_found_again() {
    let Some((python, client, address)) = soon(python_server()).await else { return };
    let mut events = client.events();
    soon(client.call::<i64, _>("add", (1, 2))).await.unwrap();
    soon(python.ask("stop", json!({"name": "python"}))).await;
    while !matches!(soon(events.next()).await, Some(ConnectionEvent::Disconnected { .. })) {}
    let served = json!({"name": "python", "address": address, "secret": SECRET});
    soon(python.ask("server", served)).await;
    let sum: i64 = soon(client.call("add", (1, 2)).timeout(Duration::from_secs(20))).await.unwrap();
    assert_eq!(sum, 3);
}

#[tokio::test]
async fn a_client_that_closes_ends_our_calls() {
    let Some(python) = packages::start() else { return };
    let server = Server::new(SECRET).unwrap();
    let mut events = server.events();
    let address = server.bind(&path()).await.unwrap();
    soon(connect(&python, &address, SECRET, json!(null))).await;
    while !matches!(soon(events.next()).await, Some(ConnectionEvent::Connected { .. })) {}
    let session = server.all_sessions().remove(0);
    let who: String = soon(session.call("who", ())).await.unwrap();
    assert_eq!(who, "python");
    let held = tokio::spawn(session.call::<(), _>("held_until", ("never",)));
    soon(session.call::<String, _>("who", ())).await.unwrap();
    soon(python.ask("close", json!({"name": "python"}))).await;
    let ended = soon(held).await.unwrap();
    assert!(matches!(ended, Err(CallError::Unknown(Reason::PeerGone))), "{ended:?}");
}
