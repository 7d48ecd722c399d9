//! Conversations with kaa-base 0.99.2dev: unmodified where there is a Python 2.7, else on Python 3.11.

mod core_alone;
mod packages;
mod python_calls;
mod rust_calls;

use crate::python::PythonPeer;
use pseud::tokio::kaa::{Client, Options, Server};
use pseud::{Fault, Value};
use serde_json::{Value as Json, json};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const SECRET: &str = "s3cret";

/// Long enough for anything that is not stuck.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it takes too long")
}

/// A path for a Unix socket that no other test has.
fn path() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("pseud-kaa-{}-{number}", std::process::id());
    std::env::temp_dir().join(name).to_str().expect("a path in ASCII").to_owned()
}

/// What both sides serve in these tests, in Rust.
fn serve(registry: &pseud::Registry, name: &'static str) {
    registry
        .register_typed("add", |(a, b): (i64, i64), _| async move { Ok::<_, Fault>(a + b) })
        .unwrap();
    registry.register("who", move |_| async move { Ok::<_, Fault>(name) }).unwrap();
    registry
        .register("echo", |request| async move {
            let kwargs = request.arguments().kwargs_values().into_iter();
            let kwargs = kwargs.map(|(name, value)| (name.into(), value)).collect();
            let args = Value::Array(request.arguments().args_values());
            Ok::<_, Fault>(Value::Array(vec![args, Value::Map(kwargs)]))
        })
        .unwrap();
    registry
        .register_typed("fail", |(class, message): (String, String), _| async move {
            Err::<(), _>(Fault::new(class, message))
        })
        .unwrap();
    registry
        .register_typed(
            "text",
            |(size,): (usize,), _| async move { Ok::<_, Fault>("x".repeat(size)) },
        )
        .unwrap();
    registry
        .register_typed("call_back", |(method,): (String,), request: pseud::Request| async move {
            let result: Value = request.caller().call(method, ()).await?;
            Ok::<_, Fault>(Value::Array(vec!["called back".into(), result]))
        })
        .unwrap();
}

/// A Python server, and a Rust client of it.
async fn python_server() -> Option<(PythonPeer, Client, String)> {
    let python = packages::start()?;
    let served = json!({"name": "python", "address": path(), "secret": SECRET});
    let served = python.ask("server", served).await;
    let address = text(&served["$map"][0][1]);
    let client =
        Client::with_options(Options::new(SECRET).retry(Duration::from_millis(50))).unwrap();
    serve(&client.registry(), "rust");
    client.connect(&address).unwrap();
    Some((python, client, address))
}

/// A Rust server, and a Python client of it by the name `python`.
async fn rust_server() -> Option<(PythonPeer, Server, String)> {
    let python = packages::start()?;
    let server = Server::new(SECRET).unwrap();
    serve(&server.registry(), "rust");
    let address = server.bind(&path()).await.unwrap();
    connect(&python, &address, SECRET, Json::Null).await;
    python.ask("open", json!({"name": "python"})).await;
    Some((python, server, address.to_string()))
}

async fn connect(python: &PythonPeer, address: &str, secret: &str, retry: Json) {
    let fields = json!({"name": "python", "address": address, "secret": secret, "retry": retry});
    python.ask("client", fields).await;
}

/// Whose `str` is text, and whose `bytes` are none.
async fn is_python3(python: &PythonPeer) -> bool {
    let about = python.ask("about", json!({})).await;
    about.to_string().contains("\"3.")
}

/// A `str` of Python 2, or a text.
fn text(told: &Json) -> String {
    match told["$bytes"].as_str() {
        Some(hex) => {
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            String::from_utf8((0..hex.len()).step_by(2).map(byte).collect()).unwrap()
        }
        None => told.as_str().unwrap().to_owned(),
    }
}

async fn calls(python: &PythonPeer, method: &str, args: Json) -> Json {
    python.ask("call", json!({"name": "python", "method": method, "args": args})).await
}
