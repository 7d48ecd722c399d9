//! Registries that change while calls are served, and functions under their own names.

use std::sync::Arc;

use pseud::{CallError, Fault, Registry, Request, register};
use serde_json::json;
use tokio::sync::Notify;

use crate::live::{PythonCalls, RustCalls};
use crate::talk::error;

#[tokio::test]
async fn a_call_that_rust_serves_outlives_its_registration() {
    PythonCalls::hold(async |room| {
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (begin, waiting) = (begun.clone(), go.clone());
        let held = move |_| {
            let go = waiting.clone();
            begin.notify_one();
            async move {
                go.notified().await;
                Ok::<_, Fault>("still served")
            }
        };
        room.server.register("held", held).expect("a fair name");
        let call = room.python.send("call", json!({"name": "client", "method": "held"}));
        begun.notified().await;
        assert!(room.server.unregister("held") && !room.server.unregister("held"));
        let missing = room.call("held", json!([])).await;
        assert_eq!(error(&missing), ("ServiceNotFoundError", "held"));
        go.notify_one();
        assert_eq!(call.done().await["result"], "still served");
    })
    .await;
}

#[tokio::test]
async fn a_call_that_python_serves_outlives_its_registration() {
    RustCalls::hold(async |room| {
        let nap = json!({"name": "server", "method": "nap", "handler": "sleep"});
        room.python.ask("register", nap).await;
        let withdrawn = async {
            room.python.ask("calls", json!({"name": "server", "count": 1})).await;
            let nap = json!({"registry": "server", "method": "nap"});
            assert_eq!(room.python.ask("withdraw", nap.clone()).await, json!(true));
            assert_eq!(room.python.ask("withdraw", nap).await, json!(false));
        };
        let (served, ()) = tokio::join!(room.client.call::<f64, _>("nap", (0.3,)), withdrawn);
        assert!(matches!(served, Ok(0.3)), "{served:?}");
        let missing = room.client.call::<f64, _>("nap", (0.3,)).await;
        let Err(CallError::Fault(fault)) = missing else { panic!("{missing:?}") };
        assert_eq!((&*fault.class, &*fault.message), ("ServiceNotFoundError", "nap"));
    })
    .await;
}

/// As `register_rpc` does without a name; and a registry that is given to nobody serves nobody.
#[tokio::test]
async fn functions_are_served_under_their_own_names() {
    PythonCalls::hold(async |room| {
        register!(room.server, lower, string::upper).expect("fair names");
        assert_eq!(room.call("lower", json!(["SCREAM"])).await["result"], "scream");
        assert_eq!(room.call("upper", json!(["hello"])).await["result"], "HELLO");
        register!(room.server.domain("restricted"), lower).expect("a fair name");
        assert_eq!(room.call("lower", json!(["SCREAM"])).await["result"], "scream");
        let elsewhere = Registry::new();
        elsewhere.register("elsewhere", |_| async { Ok::<_, Fault>(()) }).expect("a fair name");
        let missing = room.call("elsewhere", json!([])).await;
        assert_eq!(error(&missing), ("ServiceNotFoundError", "elsewhere"));
    })
    .await;
}

async fn lower((text,): (String,), _: Request) -> Result<String, Fault> {
    Ok(text.to_lowercase())
}

mod string {
    use pseud::{Fault, Request};

    pub(super) async fn upper((text,): (String,), _: Request) -> Result<String, Fault> {
        Ok(text.to_uppercase())
    }
}
