//! Bodies at and over the limit: the call ends, the connection stays.

use bytes::Bytes;
use pseud::proto::CallRefused;
use pseud::{CallError, Fault, Limits, Reason, Value as Wire};
use serde_json::json;

use crate::live::{PythonCalls, RustCalls};
use crate::talk::{bytes, error};

/// What msgpack adds to a result of that many bytes.
const BIN_HEAD: usize = 5;

/// What it adds to a call of `size` with that many bytes: `[name, [bytes], {}]`.
const CALL_HEAD: usize = 1 + 5 + 1 + BIN_HEAD + 1;

#[tokio::test]
async fn a_python_request_over_the_limit_is_answered_with_a_fault() {
    PythonCalls::hold(async |room| {
        let size = |request: pseud::Request| {
            let (bytes,): (Wire,) = request.args()?;
            Ok::<_, Fault>(bytes.as_bytes().map(<[u8]>::len))
        };
        room.server.register_sync("size", size).expect("a free name");
        let most = limit() - CALL_HEAD;
        let fits = room.call("size", json!([bytes(&vec![0; most])])).await;
        assert_eq!(fits["result"], most);
        let over = room.call("size", json!([bytes(&vec![0; most + 1])])).await;
        assert_too_large(&over, "request");
        let stats = room.server.stats();
        assert_eq!((stats.requests_served, stats.requests_refused, stats.sessions), (1, 1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_rust_result_over_the_limit_is_a_fault() {
    PythonCalls::hold(async |room| {
        let over = room.call("big", json!([limit() - BIN_HEAD + 1])).await;
        assert_too_large(&over, "result");
        assert_eq!(room.server.stats().sessions, 1);
    })
    .await;
}

#[tokio::test]
async fn a_rust_request_over_the_limit_never_leaves() {
    RustCalls::hold(async |room| {
        let over = Wire::Bin(Bytes::from(vec![0; limit() + 1]));
        match room.client.call::<Wire, _>("echo", (over,)).await {
            Err(CallError::Refused(CallRefused::BodyTooLarge { size, max })) => {
                assert!(size > max && max == limit());
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(room.client.stats().calls_made, 0);
    })
    .await;
}

#[tokio::test]
async fn a_python_result_over_the_limit_ends_its_call_alone() {
    RustCalls::hold(async |room| {
        let most = limit() - BIN_HEAD;
        let fits: Wire = room.client.call("big", (most,)).await.expect("it fits");
        assert_eq!(fits.as_bytes().map(<[u8]>::len), Some(most));
        let over = room.client.call::<Wire, _>("big", (most + 1,)).await;
        assert!(matches!(over, Err(CallError::Executed(Reason::TooLarge))), "{over:?}");
        let stats = room.client.stats();
        assert_eq!((stats.sessions, stats.dropped_total()), (1, 0));
    })
    .await;
}

/// More than a frame may have: it is never held, and its link lives.
#[tokio::test]
async fn a_python_result_over_the_limit_of_frames_ends_its_call_alone() {
    RustCalls::hold(async |room| {
        let huge = 4 * limit();
        let stays = room.client.call::<f64, _>("sleep", (0.2,));
        let over = room.client.call::<Wire, _>("big", (huge,));
        let (stays, over) = tokio::join!(stays, over);
        assert!(matches!(over, Err(CallError::Executed(Reason::TooLarge))), "{over:?}");
        assert_eq!(stays.expect("it is well"), 0.2);
        let stats = room.client.stats();
        assert_eq!((stats.sessions, stats.dropped_total()), (1, 0));
    })
    .await;
}

fn limit() -> usize {
    Limits::default().body_bytes_max
}

fn assert_too_large(outcome: &serde_json::Value, what: &str) {
    let text = format!("a {what} of {} bytes exceeds the limit of {}", limit() + 1, limit());
    assert_eq!(error(outcome), ("Exception", text.as_str()));
    let message = outcome["error"]["message"].as_str().expect("the call failed");
    assert!(message.starts_with("TooLarge\n"), "{message}");
}
