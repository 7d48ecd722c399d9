//! What a watcher sees.

use crate::{
    Runtime, Tokio, abandoned, conversations, eager_client, hello, new_client, new_server, server,
    soon, until,
};
use pseud::proto::{Incompatible, PeerError};
use pseud::{ConnectionEvent, Options, Reason};
use pseud_testkit::raw::{self, AnyStream, RawPeer};

conversations! { Tokio:
    a_link_from_its_first_try_to_its_loss,
    a_failure_to_connect_names_the_endpoint,
    a_stranger_that_speaks_something_else_is_refused,
    a_slow_watcher_is_told_how_much_it_missed,
    a_watcher_that_lagged_asks_what_is_there_and_misses_nothing_after_that,
}

async fn a_link_from_its_first_try_to_its_loss<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let client = new_client::<R>(Options::client("service"));
    let mut events = client.events();
    client.connect(&endpoint).unwrap();
    let first = soon(events.next()).await.unwrap();
    assert!(matches!(first, ConnectionEvent::Connecting { endpoint: e } if e == endpoint));
    let second = soon(events.next()).await.unwrap();
    let ConnectionEvent::Connected { peer, session, user, identity, address } = second else {
        panic!("{second:?}")
    };
    assert_eq!((&identity[..], &*address), (&b"service"[..], &endpoint["tcp://".len()..]));
    assert!(user.is_anonymous() && peer.session() == Some(session) && peer.is_connected());
    let greeting: String = soon(peer.call("hello", ("Ready",))).await.unwrap();
    assert_eq!(greeting, "Hello Ready");
    server.shutdown();
    let third = soon(events.next()).await.unwrap();
    let ConnectionEvent::Disconnected { session: lost, identity, address: was, reason, .. } = third
    else {
        panic!("{third:?}")
    };
    assert_eq!((lost, &identity[..], was), (session, &b"service"[..], address));
    assert_eq!(reason, Reason::PeerGone);
    // Who was told of it may still ask who it was.
    assert!(!peer.is_connected());
    assert_eq!(
        (peer.session(), &peer.info().unwrap().identity[..]),
        (Some(session), &b"service"[..])
    );
    client.shutdown();
    // What had happened before is still told; then the stream ends.
    soon(async { while events.next().await.is_some() {} }).await;
}

async fn a_failure_to_connect_names_the_endpoint<R: Runtime>() {
    let endpoint = abandoned::<R>().await;
    let client = new_client::<R>(Options::client("service"));
    let mut events = client.events();
    client.connect(&endpoint).unwrap();
    soon(events.next()).await.unwrap();
    let failed = soon(events.next()).await.unwrap();
    let ConnectionEvent::ConnectFailed { error, .. } = &failed else { panic!("{failed:?}") };
    assert!(error.contains(&endpoint), "{error}");
}

async fn a_stranger_that_speaks_something_else_is_refused<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let mut events = server.events();
    let mut stranger = RawPeer::<AnyStream<R>>::dial_on(&endpoint).await;
    stranger.send(&raw::greeting_of("GSSAP")).await;
    let refused = soon(events.next()).await.unwrap();
    let ConnectionEvent::HandshakeFailed { error, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(error, PeerError::Incompatible(Incompatible::MechanismMismatch));
    assert!(stranger.closed().await.len() >= 64, "it has seen our greeting");
}

async fn a_slow_watcher_is_told_how_much_it_missed<R: Runtime>() {
    let mut options = Options::server("service");
    options.connection.heartbeat.interval = None;
    let server = new_server::<R>(options);
    let endpoint = crate::serve(&server, "tcp://127.0.0.1:0").await;
    let mut events = server.events();
    for _ in 0..150 {
        assert_eq!(hello(&eager_client::<R>(&endpoint)).await, "Hello Charly");
    }
    until(|| server.stats().sessions == 0).await;
    let first = soon(events.next()).await.unwrap();
    assert!(matches!(first, ConnectionEvent::Lagged(44)), "300 events, 256 kept: {first:?}");
}

async fn a_watcher_that_lagged_asks_what_is_there_and_misses_nothing_after_that<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let mut events = server.events();
    let stays = eager_client::<R>(&endpoint);
    assert_eq!(hello(&stays).await, "Hello Charly");
    for _ in 0..150 {
        assert_eq!(hello(&eager_client::<R>(&endpoint)).await, "Hello Charly");
    }
    until(|| server.stats().sessions <= 1).await;
    assert!(matches!(soon(events.next()).await, Some(ConnectionEvent::Lagged(_))));
    let there = events.resync();
    let sessions: Vec<_> = there.iter().filter_map(|peer| peer.session()).collect();
    let all: Vec<_> = server.all_sessions().iter().filter_map(|peer| peer.session()).collect();
    assert_eq!((sessions.len(), &sessions), (1, &all));
    assert!(there[0].info().is_some() && there[0].is_connected());
    // Nothing of before is told again, and what follows is whole.
    let comes = eager_client::<R>(&endpoint);
    assert_eq!(hello(&comes).await, "Hello Charly");
    let ready = soon(events.next()).await.unwrap();
    let ConnectionEvent::Connected { session, .. } = ready else { panic!("{ready:?}") };
    assert!(!sessions.contains(&session));
    stays.shutdown();
    let lost = soon(events.next()).await.unwrap();
    assert!(
        matches!(lost, ConnectionEvent::Disconnected { session, .. } if session == sessions[0])
    );
}
