//! Calls both ways.

use crate::{SECRET, client, client_with, server, soon};
use pseud::tokio::kaa::{BigInt, Complex, Options, Server, Set};
use pseud::{CallError, Exception, Fault};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

#[derive(Serialize, Deserialize)]
struct Add {
    a: i64,
    b: i64,
}

#[tokio::test]
async fn arguments_and_keywords() {
    let (server, address) = server().await;
    server.register_typed("typed", |Add { a, b }, _| async move { Ok::<_, Fault>(a - b) }).unwrap();
    let client = client(&address);
    let sum: i64 = soon(client.call("add", (2, 4))).await.unwrap();
    assert_eq!(sum, 6);
    let difference: i64 =
        soon(client.call("typed", (7,)).kwargs(BTreeMap::from([("b", 5)]))).await.unwrap();
    assert_eq!(difference, 2);
    assert!(client.is_connected());
}

#[tokio::test]
async fn faults_and_names_that_nobody_serves() {
    let (server, address) = server().await;
    let sold_out = |_| async { Err::<(), _>(Fault::new(Exception::ValueError, "sold out")) };
    server.register("sell", sold_out).unwrap();
    let client = client(&address);
    let raised = |name: &'static str| {
        let call = client.call::<(), _>(name, ());
        async move {
            match soon(call).await {
                Err(CallError::Fault(fault)) => fault,
                other => panic!("{other:?}"),
            }
        }
    };
    let fault = raised("sell").await;
    assert_eq!((fault.exception(), &*fault.message), (Some(Exception::ValueError), "sold out"));
    let fault = raised("nobody").await;
    assert_eq!((fault.exception(), &*fault.message), (Some(Exception::KeyError), "nobody"));
    let fault = raised("add").await;
    assert_eq!(fault.exception(), Some(Exception::TypeError));
}

#[tokio::test]
async fn a_handler_calls_its_caller_back() {
    let (server, address) = server().await;
    server
        .register("name_of_caller", |request| async move {
            let name: String = request.caller().call("name", ()).await?;
            Ok::<_, Fault>(name.to_uppercase())
        })
        .unwrap();
    let client = client(&address);
    client.register("name", |_| async { Ok::<_, Fault>("charly") }).unwrap();
    let name: String = soon(client.call("name_of_caller", ())).await.unwrap();
    assert_eq!(name, "CHARLY");
}

#[tokio::test]
async fn a_server_calls_all_its_clients() {
    let (server, address) = server().await;
    let clients = [1, 2, 3].map(|number| {
        let client = client(&address);
        client.register("number", move |_| async move { Ok::<_, Fault>(number) }).unwrap();
        client
    });
    for client in &clients {
        soon(client.ready()).await;
        soon(client.call::<i64, _>("add", (1, 2))).await.unwrap();
    }
    let mut numbers = Vec::new();
    for session in server.all_sessions() {
        numbers.push(soon(session.call::<i64, _>("number", ())).await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test]
async fn answers_come_when_they_are_there() {
    let (server, address) = server().await;
    let admission = Arc::new(Notify::new());
    let waited_for = admission.clone();
    server
        .register("slow", move |_| {
            let admission = waited_for.clone();
            async move {
                admission.notified().await;
                Ok::<_, Fault>("at last")
            }
        })
        .unwrap();
    let client = client(&address);
    let slow = tokio::spawn(client.call::<String, _>("slow", ()));
    for number in 0..10 {
        let sum: i64 = soon(client.call("add", (number, 1))).await.unwrap();
        assert_eq!(sum, number + 1);
    }
    admission.notify_one();
    assert_eq!(soon(slow).await.unwrap().unwrap(), "at last");
}

#[tokio::test]
async fn values_that_only_this_wire_has() {
    let (server, address) = server().await;
    server
        .register_typed("same", |(value,): (pseud::Value,), _| async move { Ok::<_, Fault>(value) })
        .unwrap();
    let client = client(&address);
    let big = BigInt::from(i128::MAX);
    assert_eq!(soon(client.call::<BigInt, _>("same", (&big,))).await.unwrap(), big);
    let set: Set<i64> = [1, 2, 3].into_iter().collect();
    assert_eq!(soon(client.call::<Set<i64>, _>("same", (&set,))).await.unwrap(), set);
    let complex = Complex { real: 1.0, imaginary: -2.5 };
    assert_eq!(soon(client.call::<Complex, _>("same", (complex,))).await.unwrap(), complex);
}

#[tokio::test]
async fn what_is_larger_than_a_packet_is_a_fault_or_refused() {
    let (server, address) = server().await;
    server
        .register_typed("big", |(len,): (usize,), _| async move { Ok::<_, Fault>("x".repeat(len)) })
        .unwrap();
    let client = client(&address);
    let fits: String = soon(client.call("big", (1_000_000,))).await.unwrap();
    assert_eq!(fits.len(), 1_000_000);
    let Err(CallError::Fault(fault)) = soon(client.call::<String, _>("big", (1 << 20,))).await
    else {
        panic!("no fault")
    };
    assert!(fault.message.contains("TooLarge"), "{fault}");
    let large = "x".repeat(1 << 20);
    let refused = soon(client.call::<i64, _>("add", (large, 1))).await.unwrap_err();
    assert!(refused.is_retry_safe(), "{refused:?}");
    let sum: i64 = soon(client.call("add", (1, 2))).await.unwrap();
    assert_eq!(sum, 3, "the link lives on");
}

#[tokio::test]
async fn packets_may_be_larger_where_both_sides_say_so() {
    let mut options = Options::new(SECRET);
    options.config.packet_bytes_max = 6 << 20;
    options = options.buffer_size(64 << 10);
    let server = Server::with_options(options.clone()).unwrap();
    server
        .register_typed("len", |(text,): (String,), _| async move { Ok::<_, Fault>(text.len()) })
        .unwrap();
    let address = server.bind("127.0.0.1:0").await.unwrap();
    let client = client_with(options, &address);
    let len: usize = soon(client.call("len", ("x".repeat(5 << 20),))).await.unwrap();
    assert_eq!(len, 5 << 20);
}

#[tokio::test]
async fn what_no_pickle_says_is_told_to_who_said_it() {
    let (server, address) = server().await;
    let zone = pseud::proto::value::TimeZone::by_key("Europe/Paris").unwrap();
    let answer = pseud::Value::TimeZone(zone.clone());
    server
        .register("zone", move |_| {
            let answer = answer.clone();
            async move { Ok::<_, Fault>(answer) }
        })
        .unwrap();
    let client = client(&address);
    let Err(CallError::Fault(fault)) = soon(client.call::<(), _>("zone", ())).await else {
        panic!("no fault")
    };
    assert_eq!(fault.exception(), Some(Exception::TypeError), "{fault}");
    let error = soon(client.call::<(), _>("add", (pseud::Value::TimeZone(zone), 1))).await;
    assert!(error.as_ref().unwrap_err().is_retry_safe(), "{error:?}");
    soon(client.call::<i64, _>("add", (1, 2))).await.unwrap();
}

#[tokio::test]
async fn handlers_come_and_go_while_links_stand() {
    let (server, address) = server().await;
    let client = client(&address);
    soon(client.call::<i64, _>("add", (1, 2))).await.unwrap();
    server.register("late", |_| async { Ok::<_, Fault>(1) }).unwrap();
    assert_eq!(soon(client.call::<i64, _>("late", ())).await.unwrap(), 1);
    server.unregister("late");
    assert!(soon(client.call::<i64, _>("late", ())).await.is_err());
}

#[tokio::test]
async fn calls_end_at_their_time_out_and_late_answers_are_dropped() {
    let (server, address) = server().await;
    let admission = Arc::new(Notify::new());
    let waited_for = admission.clone();
    server
        .register("slow", move |_| {
            let admission = waited_for.clone();
            async move {
                admission.notified().await;
                Ok::<_, Fault>(())
            }
        })
        .unwrap();
    let client = client(&address);
    soon(client.ready()).await;
    let call = client.call::<(), _>("slow", ()).timeout(Duration::from_millis(50));
    assert!(matches!(soon(call).await, Err(CallError::Unknown(_))));
    admission.notify_one();
    let sum: i64 = soon(client.call("add", (1, 2))).await.unwrap();
    assert_eq!(sum, 3);
}
