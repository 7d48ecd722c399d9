//! Datetimes in zones as Python programs have them: `zoneinfo`, pytz, dateutil.

use pseud::proto::CallRefused;
use pseud::proto::value::{Date, DateTime, TimeZone};
use pseud::{CallError, Fault, Options, Request, Value};
use serde_json::{Value as Json, json};

use crate::live::{PythonCalls, RustCalls, SERVICE};
use crate::talk::error;

const PARIS: &str = "Europe/Paris";

/// A clock that shows this twice that night in Paris.
fn clock(fold: bool) -> DateTime {
    let date = Date::new(2018, 10, 28).expect("a day that exists");
    DateTime::new(date, 2, 30, 0, 7).expect("a time of day").with_fold(fold)
}

fn paris() -> TimeZone {
    TimeZone::by_key(PARIS).expect("a key")
}

fn tagged(zone: Json, fold: bool) -> Json {
    json!({"$datetime": "2018-10-28T02:30:00.000007", "fold": i32::from(fold), "tz": zone})
}

/// Serves `moment`, which takes a datetime and gives it back, and `any`, which does so unread.
fn serve(room: &PythonCalls) {
    let moment = |(moment,): (DateTime,), _| async move { Ok::<_, Fault>(moment) };
    room.server.register_typed("moment", moment).expect("a free name");
    let any = |(value,): (Value,), _| async move { Ok::<_, Fault>(value) };
    room.server.register_typed("any", any).expect("a free name");
}

#[tokio::test]
async fn zoneinfo_comes_from_python_and_goes_back() {
    PythonCalls::hold(async |room| {
        serve(room);
        for fold in [false, true] {
            let sent = tagged(json!({"$zoneinfo": PARIS}), fold);
            for method in ["moment", "any"] {
                let called = room.call(method, json!([sent])).await;
                assert_eq!(called["result"], sent, "{called}");
            }
            let key = move |request: Request| {
                let (moment,): (DateTime,) = request.args()?;
                assert_eq!(moment, clock(fold).with_zone(paris()));
                Ok::<_, Fault>(moment.zone().and_then(TimeZone::key).map(str::to_owned))
            };
            room.server.register_sync("key", key).expect("a free name");
            assert_eq!(room.call("key", json!([sent])).await["result"], PARIS);
        }
        // The zone by itself, and any moment in a zone that this peer has named.
        let zone = json!({"$zoneinfo": PARIS});
        assert_eq!(room.call("any", json!([zone])).await["result"], zone);
        let noon = |_: Request| Ok::<_, Fault>(clock(false).with_zone(paris()));
        room.server.register_sync("noon", noon).expect("a free name");
        assert_eq!(room.call("noon", json!([])).await["result"], tagged(zone, false));
    })
    .await;
}

#[tokio::test]
async fn a_zone_that_a_python_peer_has_not_named_is_not_sent_to_it() {
    PythonCalls::hold(async |room| {
        let nowhere = |_: Request| {
            let zone = TimeZone::by_key("Nowhere/At_All").expect("it looks like a key");
            Ok::<_, Fault>(clock(false).with_zone(zone))
        };
        room.server.register_sync("nowhere", nowhere).expect("a free name");
        let called = room.call("nowhere", json!([])).await;
        let text = "the result holds a value that the caller cannot read: \
                    the zone `Nowhere/At_All`, which this peer may not have";
        assert_eq!(error(&called), ("TypeError", text), "{called}");
    })
    .await;
}

#[tokio::test]
async fn zoneinfo_goes_to_python_and_comes_back() {
    let sent = clock(true).with_zone(paris());
    RustCalls::with(Options::client(SERVICE).known_zones([PARIS]), async |room| {
        let echoed: ((DateTime,), Value) =
            room.client.call("echo", (&sent,)).await.expect("a known zone");
        assert_eq!(echoed.0.0, sent);
        let calls = room.python.ask("calls", json!({"name": "server"})).await;
        let seen = tagged(json!({"$zoneinfo": PARIS}), true);
        assert_eq!(calls[0]["args"], json!({"$tuple": [seen]}));
    })
    .await;
    RustCalls::hold(async |room| match room.client.call::<Value, _>("echo", (&sent,)).await {
        Err(CallError::Refused(CallRefused::Arguments(text))) => {
            assert!(text.contains("the zone `Europe/Paris`"), "{text}");
        }
        other => panic!("{other:?}"),
    })
    .await;
}

#[tokio::test]
async fn pytz_comes_with_its_offset_and_goes_back_as_the_same_instant() {
    PythonCalls::hold(async |room| {
        serve(room);
        for (is_dst, seconds) in [(true, 7_200), (false, 3_600)] {
            let sent = json!({"$pytz": ["2018-10-28T02:30:00.000007", PARIS, is_dst]});
            let zone = json!({"$timezone": [[0, seconds, 0], PARIS]});
            for method in ["moment", "any"] {
                let called = room.call(method, json!([sent])).await;
                assert_eq!(called["result"], tagged(zone.clone(), false), "{called}");
            }
        }
    })
    .await;
}

/// What cannot be written again goes back as the very bytes, to whom it came from.
#[tokio::test]
async fn what_stays_opaque_goes_back_to_the_peer_that_sent_it_and_to_no_other() {
    PythonCalls::hold(async |room| {
        serve(room);
        let kept = std::sync::Arc::new(std::sync::Mutex::new(Value::Nil));
        let keep = kept.clone();
        let store = move |request: Request| {
            let (value,): (Value,) = request.args()?;
            *keep.lock().expect("nobody panicked") = value;
            Ok::<_, Fault>(())
        };
        room.server.register_sync("store", store).expect("a free name");
        let load = move |_: Request| Ok::<_, Fault>(kept.lock().expect("nobody panicked").clone());
        room.server.register_sync("load", load).expect("a free name");
        let other = room.connect("other", 5.0, json!({})).await;
        for (zone, class) in [
            (json!({"$tzlocal": null}), "dateutil.tz.tz.tzlocal"),
            (json!({"$dateutil": PARIS}), "dateutil.tz.tz.tzfile"),
        ] {
            let sent = tagged(zone.clone(), false);
            let back = room.call("any", json!([sent])).await;
            assert!(back["result"]["tz"]["$repr"].as_str().is_some(), "{back}");
            room.call("store", json!([sent])).await;
            let back = room.call("load", json!([])).await;
            assert!(back["result"]["tz"]["$repr"].as_str().is_some(), "{back}");
            let fields = json!({"name": "other", "method": "load", "args": []});
            let refused = room.python.ask("call", fields).await;
            assert!(error(&refused).1.contains(class), "{refused}");
        }
        let called = room.call("moment", json!([tagged(json!({"$tzlocal": null}), false)])).await;
        let text =
            "argument 1: expected a datetime, found an ext of class `dateutil.tz.tz.tzlocal`";
        assert_eq!(error(&called), ("TypeError", text), "{called}");
        drop(other);
    })
    .await;
    RustCalls::hold(async |room| {
        let local = json!({"$tzlocal": null});
        let fields = json!({"name": "server", "method": "now", "value": tagged(local, false)});
        room.python.ask("serve_value", fields).await;
        let now: Value = room.client.call("now", ()).await.expect("a value");
        assert!(matches!(now, Value::Ext(125, _)), "{now:?}");
        let echoed: ((Value,), Value) = room.client.call("echo", (&now,)).await.expect("its own");
        assert_eq!(echoed.0.0, now);
    })
    .await;
}
