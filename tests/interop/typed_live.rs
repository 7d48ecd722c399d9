//! Typed handlers called by Python: `f(1)`, `f(a=1)`, and what Python's own functions would refuse.

use pseud::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::live::PythonCalls;
use crate::talk::error;

/// `def move(x, y, label=None, speed=7)`
#[derive(Deserialize)]
struct Move {
    x: i64,
    y: i64,
    label: Option<String>,
    #[serde(default = "seven")]
    speed: i64,
}

#[derive(Deserialize)]
struct Tail(i64, #[serde(default = "seven")] i64, #[serde(default)] Option<i64>);

fn seven() -> i64 {
    7
}

impl PythonCalls {
    /// Python's `client.method(*args, **kwargs)`.
    async fn call_with(&self, method: &str, args: Value, kwargs: Value) -> Value {
        let fields = json!({"name": "client", "method": method, "args": args, "kwargs": kwargs});
        self.python.ask("call", fields).await
    }
}

#[tokio::test]
async fn a_struct_is_called_as_a_python_function_is() {
    PythonCalls::hold(async |room| {
        let f = |Move { x, y, label, speed }: Move, _| async move {
            Ok::<_, Fault>((x, y, label, speed))
        };
        room.server.register_typed("move", f).expect("a free name");
        for (args, kwargs, result) in [
            (json!([1, 2]), json!({}), json!([1, 2, null, 7])),
            (json!([]), json!({"x": 1, "y": 2}), json!([1, 2, null, 7])),
            (json!([1]), json!({"y": 2, "label": "a"}), json!([1, 2, "a", 7])),
            (json!([1, 2, "a", 3]), json!({}), json!([1, 2, "a", 3])),
            (json!([1, 2, null]), json!({"speed": 3}), json!([1, 2, null, 3])),
        ] {
            let called = room.call_with("move", args, kwargs).await;
            assert_eq!(called["result"], json!({"$tuple": result}), "{called}");
        }
        for (args, kwargs, text) in [
            (json!([1]), json!({}), "`y` is missing"),
            (json!([1, 2]), json!({"z": 1}), "unexpected keyword argument `z`"),
            (json!([1, 2]), json!({"x": 1}), "`x` came twice"),
            (json!([1, 2, "a", 3, 4]), json!({}), "at most 4 arguments expected, 5 given"),
            (json!([1]), json!({"y": "2"}), "keyword argument `y`: expected i64, found str"),
        ] {
            let called = room.call_with("move", args, kwargs).await;
            assert_eq!(error(&called), ("TypeError", text), "{called}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_tuple_takes_no_keywords_and_its_tail_may_be_left_out() {
    PythonCalls::hold(async |room| {
        let pair = |(a, b): (i64, Option<i64>), _| async move { Ok::<_, Fault>((a, b)) };
        room.server.register_typed("pair", pair).expect("a free name");
        let tail = |Tail(a, b, c): Tail, _| async move { Ok::<_, Fault>((a, b, c)) };
        room.server.register_typed("tail", tail).expect("a free name");
        let one = |name: String, _| async move { Ok::<_, Fault>(name) };
        room.server.register_typed("one", one).expect("a free name");
        for (method, args, result) in [
            ("pair", json!([1]), json!({"$tuple": [1, null]})),
            ("pair", json!([1, 2]), json!({"$tuple": [1, 2]})),
            ("tail", json!([1]), json!({"$tuple": [1, 7, null]})),
            ("tail", json!([1, 2]), json!({"$tuple": [1, 2, null]})),
            ("tail", json!([1, 2, 3]), json!({"$tuple": [1, 2, 3]})),
            ("one", json!(["a"]), json!("a")),
        ] {
            let called = room.call(method, args).await;
            assert_eq!(called["result"], result, "{called}");
        }
        for method in ["pair", "tail", "one"] {
            let called = room.call_with(method, json!([]), json!({"a": 1})).await;
            let text = "unexpected keyword argument `a`";
            assert_eq!(error(&called), ("TypeError", text), "{method}: {called}");
        }
    })
    .await;
}
