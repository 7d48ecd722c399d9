//! Registries, domains and predicates: the same table of ours and of the reference.

mod changes;
mod clients;
mod scenario;
mod servers;
mod table;

use std::sync::Arc;

use serde_json::{Value, json};

use self::clients::Clients;
use self::scenario::{By, Expected, Scenario, Step};
use self::servers::Servers;
use self::table::SCENARIOS;
use crate::live::{bounded, check_readers};
use crate::python::PythonPeer;
use crate::talk::bytes;

/// How a call ended: with a value as `peer.py` writes it, or with the class and message of a fault.
type Answer = Result<Value, (String, String)>;

#[tokio::test]
async fn rust_serves_rust() {
    bounded(async {
        let servers = Servers::rust().await;
        let clients = Clients::rust(&servers).await;
        act_all("rust_serves_rust", &servers, &clients).await;
    })
    .await;
}

#[tokio::test]
async fn rust_serves_python() {
    let Some(python) = start() else { return };
    bounded(async {
        let servers = Servers::rust().await;
        let clients = Clients::python(&python, &servers).await;
        act_all("rust_serves_python", &servers, &clients).await;
        check_readers(&python).await;
    })
    .await;
}

/// This is what proves the table.
#[tokio::test]
async fn python_serves_rust() {
    let Some(python) = start() else { return };
    bounded(async {
        let servers = Servers::python(&python).await;
        let clients = Clients::rust(&servers).await;
        act_all("python_serves_rust", &servers, &clients).await;
        check_readers(&python).await;
    })
    .await;
}

#[tokio::test]
async fn python_serves_python() {
    let Some(python) = start() else { return };
    bounded(async {
        let servers = Servers::python(&python).await;
        let clients = Clients::python(&python, &servers).await;
        act_all("python_serves_python", &servers, &clients).await;
        check_readers(&python).await;
    })
    .await;
}

fn start() -> Option<Arc<PythonPeer>> {
    PythonPeer::start().map(Arc::new)
}

/// Names begin with the way: a process has one global registry for all tests.
async fn act_all(way: &str, servers: &Servers, clients: &Clients) {
    let mut failed = Vec::new();
    for Scenario { name, steps } in SCENARIOS {
        for (index, &step) in steps.iter().enumerate() {
            if let Err(answer) = act(&format!("{way}.{name}"), step, servers, clients).await {
                failed.push(format!("{way}.{name}, step {index}: {step:?}, but {answer}"));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

async fn act(name: &str, step: Step, servers: &Servers, clients: &Clients) -> Result<(), String> {
    match step {
        Step::Offer(scope, domain, answer) => {
            servers.offer(scope, domain, name, Some(answer)).await;
        }
        Step::OfferWhoami(scope, domain) => servers.offer(scope, domain, name, None).await,
        Step::Withdraw(scope, domain) => {
            let was_served = servers.withdraw(scope, domain, name).await;
            return was_served.then_some(()).ok_or_else(|| "it was not served".to_owned());
        }
        Step::Call(by, expected) => return call(name, by, expected, servers, clients).await,
        Step::CallUnder(more, by, expected) => {
            return call(&format!("{name}{more}"), by, expected, servers, clients).await;
        }
    }
    Ok(())
}

async fn call(
    name: &str,
    by: By,
    expected: Expected,
    servers: &Servers,
    clients: &Clients,
) -> Result<(), String> {
    let missing = ("ServiceNotFoundError", name);
    let answer = clients.call(by, name).await;
    let is_met = match (expected, &answer) {
        (Expected::Told(text), Ok(value)) => value == text,
        (Expected::User(id), Ok(value)) => *value == bytes(id),
        (Expected::Raised(raised, _), Err((class, _))) if servers.are_python() => class == raised,
        (Expected::Raised(_, Some(text)), Ok(value)) => value == text && !servers.are_python(),
        (Expected::Missing | Expected::Raised(_, None), Err((class, message))) => {
            (class.as_str(), message.as_str()) == missing
        }
        _ => false,
    };
    is_met.then_some(()).ok_or_else(|| format!("{answer:?}"))
}

/// Names and passwords of those who log in.
fn logins() -> impl Iterator<Item = (&'static str, &'static str)> {
    By::ALL.into_iter().filter_map(|by| Some((by.name(), by.password()?)))
}

/// What a user may do: the one that `restricted` wants, each kind of server its own, or another.
fn permissions(user: &str) -> &'static [&'static str] {
    match user {
        "admin" => &["DoSomethingNasty", "restricted"],
        _ => &["read"],
    }
}

/// The `known` of `peer.py`: credentials, then user ids.
fn known() -> Value {
    logins().map(|(name, password)| json!([name, password, name])).collect()
}
