//! Bodies of many values: large lists are ordinary, and what is over a limit is told with the limit.

use std::time::Duration;

use pseud::proto::CallRefused;
use pseud::{Bytes, CallError, Fault, LateGuard, Options, Reason, Request, Value, ValueLimits};
use serde_json::json;

use crate::live::{PythonCalls, RustCalls, SERVICE};
use crate::talk::{bytes, error};

/// A list such as people send: more values than fit what was the limit once.
const LIST: u32 = 300_000;

/// Where msgpack is pure Python, and the machine busy, such a list takes seconds.
const PATIENT: Duration = Duration::from_secs(40);

fn list() -> Vec<u32> {
    (0..LIST).collect()
}

fn values(max: u32) -> ValueLimits {
    let mut limits = ValueLimits::default();
    limits.nodes_max = max;
    limits
}

#[tokio::test]
async fn a_list_of_300_000_numbers_goes_to_python_and_comes_back() {
    RustCalls::hold(async |room| {
        let echo = room.client.call::<((Vec<u32>,), Value), _>("echo", (list(),)).timeout(PATIENT);
        let echoed = echo.await.expect("an ordinary list");
        assert!(echoed.0.0 == list());
    })
    .await;
}

#[tokio::test]
async fn a_list_of_300_000_numbers_comes_from_python_and_goes_back() {
    let options = Options::server(SERVICE).late_guard(LateGuard::Off);
    PythonCalls::with(options, PATIENT.as_secs_f64(), async |room| {
        let back = |request: Request| {
            let (numbers,): (Vec<u32>,) = request.args()?;
            Ok::<_, Fault>(numbers)
        };
        room.server.register_sync("back", back).expect("a free name");
        let called = room.call("back", json!([list()])).await;
        assert!(called["result"] == json!({"$tuple": list()}), "{:.300}", called.to_string());
    })
    .await;
}

/// In `[name, [[…]], {}]` what is behind the name counts: three values, and the list's.
#[tokio::test]
async fn a_call_over_our_limit_is_refused_with_the_limit_and_its_size() {
    let options = Options::client(SERVICE).value_limits(values(1_000));
    RustCalls::with(options, async |room| {
        let numbers = |count: u32| (0..count).collect::<Vec<_>>();
        let echoed = room.client.call::<((Vec<u32>,), Value), _>("echo", (numbers(996),)).await;
        assert_eq!(echoed.expect("the answer has 1 000").0.0.len(), 996);
        match room.client.call::<(), _>("echo", (numbers(998),)).await {
            Err(CallError::Refused(refused @ CallRefused::OverLimit { size: 1_001, max, .. })) => {
                assert_eq!(max, 1_000);
                assert_eq!(refused.to_string(), "1001 values exceed the limit of 1000");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(room.client.stats().calls_made, 1);
        // The call fits, its answer has one value more: it ran.
        let answer = room.client.call::<Value, _>("echo", (numbers(997),)).await;
        assert!(matches!(answer, Err(CallError::Executed(Reason::TooLarge))), "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn a_python_call_over_our_limit_is_told_the_limit() {
    let options = Options::server(SERVICE).value_limits(values(1_000));
    PythonCalls::with(options, 5.0, async |room| {
        let count = |request: Request| request.args::<(Vec<u32>,)>().map(|(list,)| list.len());
        room.server.register_sync("count", count).expect("a free name");
        room.server.register_sync("list", |_| Ok::<_, Fault>(list())).expect("a free name");
        let fits = room.call("count", json!([vec![7; 997]])).await;
        assert_eq!(fits["result"], 997);
        for over in [998, 100_000] {
            let over = room.call("count", json!([vec![7; over]])).await;
            assert_eq!(error(&over), ("Exception", "a request of more than 1000 values"));
            let message = over["error"]["message"].as_str().expect("the call failed");
            assert!(message.starts_with("TooLarge\n"), "{message}");
        }
        let over = room.call("list", json!([])).await;
        let text = "a result of 300001 values exceeds the limit of 1000";
        assert_eq!(error(&over), ("Exception", text));
    })
    .await;
}

/// `bytes` of Python's are a bin: a `Bytes` writes one, a `Vec<u8>` reads it and an array.
#[tokio::test]
async fn bytes_are_bytes_in_python() {
    RustCalls::hold(async |room| {
        let (sent, numbers) = (Bytes::from_static(b"\x00\xff"), [0u8, 255]);
        type Four = (Vec<u8>, Vec<u8>, Bytes, [u8; 2]);
        let echoed: (Four, Value) =
            room.client.call("echo", (&sent, numbers, &sent, &sent)).await.expect("an echo");
        assert_eq!(echoed.0, (sent.to_vec(), numbers.to_vec(), sent, numbers));
        let calls = room.python.ask("calls", json!({"name": "server"})).await;
        let two = bytes(&numbers);
        assert_eq!(calls[0]["args"], json!({"$tuple": [two, {"$tuple": numbers}, two, two]}));
    })
    .await;
}
