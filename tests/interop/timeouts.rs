//! Answers that come too late, both ways. Python's reader dies of one; it must not get one.

use std::sync::Arc;
use std::time::Duration;

use pseud::proto::pseud::Dropped;
use pseud::{BindOptions, CallError, Fault, LateGuard, Node, Options, Reason};
use serde_json::json;
use tokio::sync::Notify;

use crate::live::{PythonCalls, RustCalls, SERVICE, until};
use crate::talk::error;

#[tokio::test]
async fn a_rust_caller_gives_up_and_drops_the_late_answer() {
    RustCalls::hold(async |room| {
        let nap = room.client.call::<f64, _>("sleep", (0.6,)).timeout(Duration::from_millis(200));
        let nap = nap.await;
        assert!(matches!(nap, Err(CallError::Unknown(Reason::TimedOut))), "{nap:?}");
        // Python answers in turn: the late answer comes before this one.
        let hello: String = room.client.call("hello", ("later",)).await.expect("a greeting");
        assert_eq!(hello, "Hello later");
        let stats = room.client.stats();
        assert_eq!((stats.sessions, stats.dropped(Dropped::UnknownReply)), (1, 1));
        assert_eq!(stats.dropped_total(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_rust_call_that_is_dropped_leaves_the_link_in_order() {
    RustCalls::hold(async |room| {
        let nap = room.client.call::<f64, _>("sleep", (0.3,));
        let abandoned = tokio::time::timeout(Duration::from_millis(100), nap).await;
        assert!(abandoned.is_err());
        let hello: String = room.client.call("hello", ("later",)).await.expect("a greeting");
        assert_eq!(hello, "Hello later");
        assert_eq!(room.client.stats().dropped(Dropped::UnknownReply), 1);
    })
    .await;
}

/// The handler answers 1.5 s after it was called; its caller waits for 1 s.
#[tokio::test]
async fn a_late_answer_is_withheld_from_an_impatient_python_caller() {
    let options = Options::server(SERVICE).late_guard(Duration::from_millis(900));
    check_slow_handler(options, 1.0, Duration::from_millis(1_500)).await;
}

/// The same with Python's own time-out, 5 s, and nothing set.
#[tokio::test]
async fn a_late_answer_is_withheld_by_default() {
    check_slow_handler(Options::server(SERVICE), 5.0, Duration::from_secs(6)).await;
}

async fn check_slow_handler(options: Options, timeout: f64, nap: Duration) {
    PythonCalls::with(options, timeout, async |room| {
        let over = Arc::new(Notify::new());
        let ends = over.clone();
        let slow = move |_| {
            let ends = ends.clone();
            async move {
                tokio::time::sleep(nap).await;
                ends.notify_one();
                Ok::<_, Fault>(())
            }
        };
        room.server.register("slow", slow).expect("a free name");
        let late = room.call("slow", json!([])).await;
        assert_eq!(error(&late), ("TimeoutError", ""));
        over.notified().await;
        check_withheld(room).await;
    })
    .await;
}

/// The handler is over; its answer is made, and dropped, right after it.
async fn check_withheld(room: &PythonCalls) {
    until("a withheld answer", || room.server.stats().requests_open == 0).await;
    assert_eq!(room.server.stats().dropped(Dropped::LateReply), 1, "it has left");
}

/// The worst moment: right after the caller has given up.
#[tokio::test]
async fn an_answer_just_after_the_time_out_is_withheld() {
    let options = Options::server(SERVICE).late_guard(Duration::from_millis(500));
    PythonCalls::with(options, 1.0, async |room| {
        let release = serve_held(room.server.node());
        let late = room.call("held", json!([])).await;
        assert_eq!(error(&late), ("TimeoutError", ""));
        release.notify_one();
        check_withheld(room).await;
    })
    .await;
}

/// One that waits for 10 s is answered after 5, if the guard is longer than that, or off.
#[tokio::test]
async fn a_patient_python_caller_is_answered_beyond_the_usual_guard() {
    let guards = [LateGuard::Off, Duration::from_secs(9).into()];
    let rooms = guards.map(async |guard| {
        let options = Options::server(SERVICE).late_guard(guard);
        PythonCalls::with(options, 10.0, async |room| {
            let slept = room.call("sleep", json!([5.0])).await;
            assert_eq!(slept["result"], 5.0, "{slept}");
            assert_eq!(room.server.stats().dropped_total(), 0);
        })
        .await;
    });
    let [off, raised] = rooms;
    tokio::join!(off, raised);
}

/// Each listener has a guard of its own: patient callers come in by another one.
#[tokio::test]
async fn patient_python_callers_have_a_listener_of_their_own() {
    let options = Options::server(SERVICE).late_guard(Duration::from_millis(200));
    PythonCalls::with(options, 1.0, async |room| {
        let here = BindOptions::default().late_guard(LateGuard::Off);
        let patient = room.server.bind_with("tcp://127.0.0.1:0", here).await.expect("a port");
        let fields = json!({"name": "patient", "peer_id": SERVICE, "endpoint": patient});
        room.python.ask("client", fields).await;
        let call = |name| json!({"name": name, "method": "sleep", "args": [0.6]});
        let (patient, usual) = tokio::join!(
            room.python.ask("call", call("patient")),
            room.python.ask("call", call("client")),
        );
        assert_eq!(patient["result"], 0.6, "{patient}");
        assert_eq!(error(&usual), ("TimeoutError", ""));
        check_withheld(room).await;
    })
    .await;
}

/// Its REQ drops what it no longer waits for: nothing is withheld from it, and it lives on.
#[tokio::test]
async fn a_sync_client_gets_a_late_answer_and_one_that_it_gave_up_does_no_harm() {
    let options = Options::server(SERVICE).late_guard(Duration::from_millis(200));
    PythonCalls::with(options, 5.0, async |room| {
        for (name, seconds) in [("patient", 5.0), ("hasty", 0.3)] {
            let fields = json!({"name": name, "endpoint": room.endpoint, "timeout": seconds});
            room.python.ask("sync_client", fields).await;
        }
        let sleep = |name| json!({"name": name, "method": "sleep", "args": [0.6], "to": ""});
        let (patient, hasty) = tokio::join!(
            room.python.ask("call", sleep("patient")),
            room.python.ask("call", sleep("hasty")),
        );
        assert_eq!(patient["result"], 0.6, "{patient}");
        assert_eq!(error(&hasty).0, "TimeoutError", "{hasty}");
        until("both are answered", || room.server.stats().requests_open == 0).await;
        assert_eq!(room.server.stats().dropped(Dropped::LateReply), 0);
        let again = room.python.ask("hello", json!({"name": "patient", "to": ""})).await;
        assert_eq!(again["result"], "Hello again", "{again}");
        for name in ["patient", "hasty"] {
            room.python.ask("stop", json!({"name": name})).await;
        }
    })
    .await;
}

/// Others of the same caller are answered while one takes its time.
#[tokio::test]
async fn a_slow_handler_holds_up_nobody() {
    PythonCalls::hold(async |room| {
        let release = serve_held(room.server.node());
        let slow = room.python.send("call", json!({"name": "client", "method": "held"}));
        let hello = room.call("hello", json!(["meanwhile"])).await;
        assert_eq!(hello["result"], "Hello meanwhile");
        assert_eq!(room.server.stats().requests_open, 1, "the slow one is being served");
        release.notify_one();
        assert_eq!(slow.done().await["result"], "released");
    })
    .await;
}

/// Serves `held`, which answers when it is told to.
fn serve_held(node: &Node) -> Arc<Notify> {
    let release = Arc::new(Notify::new());
    let released = release.clone();
    let held = move |_| {
        let released = released.clone();
        async move {
            released.notified().await;
            Ok::<_, Fault>("released")
        }
    };
    node.registry().register("held", held).expect("a free name");
    release
}
