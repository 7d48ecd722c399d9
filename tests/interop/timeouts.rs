//! Answers that come too late, both ways. Python's reader dies of one; it must not get one.

use std::sync::Arc;
use std::time::Duration;

use pseud::proto::pseud::Dropped;
use pseud::{CallError, Fault, Node, Options, Reason};
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
    let mut options = Options::server(SERVICE);
    options.config.late_guard = Duration::from_millis(900).into();
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
    let mut options = Options::server(SERVICE);
    options.config.late_guard = Duration::from_millis(500).into();
    PythonCalls::with(options, 1.0, async |room| {
        let release = serve_held(&room.server);
        let late = room.call("held", json!([])).await;
        assert_eq!(error(&late), ("TimeoutError", ""));
        release.notify_one();
        check_withheld(room).await;
    })
    .await;
}

/// Others of the same caller are answered while one takes its time.
#[tokio::test]
async fn a_slow_handler_holds_up_nobody() {
    PythonCalls::hold(async |room| {
        let release = serve_held(&room.server);
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
    node.register("held", held).expect("a free name");
    release
}
