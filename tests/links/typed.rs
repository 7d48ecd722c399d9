//! Typed handlers: what does not fit is told before they run.

use crate::{Client, Runtime, Tokio, client, conversations, server, soon};
use pseud::proto::value::{Date, DateTime, TimeZone};
use pseud::{CallError, Fault};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

conversations! { Tokio:
    arguments_that_do_not_fit_are_named_before_the_handler_runs,
    a_zone_by_its_key_travels_between_peers_of_this_library,
}

async fn fault<R: Runtime>(
    client: &Client<R>,
    args: impl serde::Serialize,
    kwargs: impl serde::Serialize,
) -> Fault {
    match soon(client.call::<i64, _>("math.add", args).kwargs(kwargs)).await {
        Err(CallError::Fault(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

async fn arguments_that_do_not_fit_are_named_before_the_handler_runs<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let runs = Arc::new(AtomicUsize::new(0));
    let count = runs.clone();
    server
        .register_typed("math.add", move |(a, b): (i64, i64), request| {
            count.fetch_add(1, Ordering::Relaxed);
            let name = request.name().to_owned();
            async move {
                assert_eq!(name, "math.add");
                Ok::<_, Fault>(a + b)
            }
        })
        .unwrap();
    let client = client::<R>(&endpoint);
    let sum: i64 = soon(client.call("math.add", (2, 4))).await.unwrap();
    assert_eq!((sum, runs.load(Ordering::Relaxed)), (6, 1));
    let none = std::collections::BTreeMap::<&str, i64>::new();
    let one = std::collections::BTreeMap::from([("b", 4)]);
    for (fault, said) in [
        (fault(&client, (2,), &none).await, "argument"),
        (fault(&client, (2, 4, 6), &none).await, "argument"),
        (fault(&client, (2, "four"), &none).await, "argument 2"),
        (fault(&client, (2, 4), &one).await, "unexpected keyword argument `b`"),
    ] {
        assert_eq!(fault.class, "TypeError");
        assert!(fault.message.contains(said), "{}", fault.message);
    }
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

/// A peer of this library looks no zone up: any key goes to it and comes back.
async fn a_zone_by_its_key_travels_between_peers_of_this_library<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let same = |(moment,): (DateTime,), _| async move { Ok::<_, Fault>(moment) };
    server.register_typed("same", same).unwrap();
    let client = client::<R>(&endpoint);
    let zone = TimeZone::by_key("Nowhere/At_All").unwrap();
    let moment = DateTime::new(Date::new(2018, 10, 28).unwrap(), 2, 30, 0, 0).unwrap();
    let moment = moment.with_fold(true).with_zone(zone);
    let back: DateTime = soon(client.call("same", (&moment,))).await.unwrap();
    assert_eq!(back, moment);
}
