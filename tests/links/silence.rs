//! Peers that are silent, and peers that are gone without a word: with PINGs and without.

use crate::{Runtime, Server, Tokio, conversations, new_server, now, serve, soon, spawn, timeout};
use pseud::{CallError, ConnectionEvent, Events, Options, Reason};
use pseud_testkit::raw::{self, AnyStream, COMMAND, RawPeer};
use std::time::Duration;

conversations! { Tokio:
    a_zmtp_3_0_peer_that_only_waits_to_be_called_lives,
    a_silent_peer_lives_where_pings_are_off,
    a_peer_that_answers_pings_lives,
    a_call_to_a_peer_that_answers_no_pings_ends_as_a_heartbeat_time_out,
}

/// TCP counts in seconds: no bounds are shorter.
const INTERVAL: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(2);

/// A server of those bounds; its PINGs may be off.
async fn bounded<R: Runtime>(pings: bool) -> (Server<R>, String) {
    let mut options = Options::server("service");
    let heartbeat = &mut options.connection.heartbeat;
    heartbeat.interval = pings.then_some(INTERVAL);
    heartbeat.timeout = TIMEOUT;
    let server = new_server::<R>(options);
    let endpoint = serve(&server, "tcp://127.0.0.1:0").await;
    (server, endpoint)
}

/// A raw peer of that minor version whose session has begun.
async fn peer<R: Runtime>(
    events: &mut Events,
    endpoint: &str,
    minor: u8,
) -> (RawPeer<AnyStream<R>>, pseud::Peer) {
    let raw = RawPeer::open_on(endpoint, minor).await;
    (raw, begun(events).await)
}

/// The session that begins now.
async fn begun(events: &mut Events) -> pseud::Peer {
    let event = soon(events.next()).await.unwrap();
    let ConnectionEvent::Connected { peer, .. } = event else { panic!("{event:?}") };
    peer
}

/// Waits three time-outs, in which nothing happens to a link.
async fn quiet(events: &mut Events) {
    let event = timeout(3 * TIMEOUT, events.next()).await;
    assert!(event.is_none(), "{event:?}");
}

async fn a_zmtp_3_0_peer_that_only_waits_to_be_called_lives<R: Runtime>() {
    let (server, endpoint) = bounded::<R>(true).await;
    let mut events = server.events();
    let (mut raw, peer) = peer::<R>(&mut events, &endpoint, 0).await;
    quiet(&mut events).await;
    let call = spawn(async move { peer.call::<String, _>("name", ()).await });
    let answered = spawn(async move {
        let called = raw.message().await;
        assert_eq!((&*called[1], &*called[3]), (&b"v1"[..], &b"\x03"[..]));
        let answer = raw::message(&[b"", b"v1", &called[2], b"\x01", b"\xa3raw"]);
        raw.send(&answer).await;
        raw
    });
    assert_eq!(soon(call).await.unwrap().unwrap(), "raw");
    drop(soon(answered).await.unwrap());
}

async fn a_silent_peer_lives_where_pings_are_off<R: Runtime>() {
    let (server, endpoint) = bounded::<R>(false).await;
    let mut events = server.events();
    let (raw, _peer) = peer::<R>(&mut events, &endpoint, 1).await;
    quiet(&mut events).await;
    assert_eq!(server.stats().sessions, 1);
    drop(raw);
}

/// A peer that answers PINGs and says nothing else.
async fn a_peer_that_answers_pings_lives<R: Runtime>() {
    let (server, endpoint) = bounded::<R>(true).await;
    let mut events = server.events();
    let (mut raw, _peer) = peer::<R>(&mut events, &endpoint, 1).await;
    let pongs = spawn(async move {
        let began = now();
        let mut count = 0;
        while now() - began < 4 * TIMEOUT {
            let raw::RawFrame { flags, body } = raw.any_frame().await;
            assert!(flags & COMMAND != 0 && body.starts_with(b"\x04PING"), "{body:x?}");
            raw.send(&raw::command("PONG", b"")).await;
            count += 1;
        }
        count
    });
    quiet(&mut events).await;
    assert!(soon(pongs).await.unwrap() >= 3);
}

/// A peer that answers neither PINGs nor a call: the call is told what ended its link, as watchers are.
async fn a_call_to_a_peer_that_answers_no_pings_ends_as_a_heartbeat_time_out<R: Runtime>() {
    let (server, endpoint) = bounded::<R>(true).await;
    let mut events = server.events();
    let (_raw, peer) = peer::<R>(&mut events, &endpoint, 1).await;
    let error = soon(peer.call::<(), _>("name", ()).timeout(crate::SOON)).await.unwrap_err();
    assert!(matches!(error, CallError::Unknown(Reason::HeartbeatTimeout)), "{error:?}");
    assert!(error.is_transient() && !error.to_string().contains("protocol"), "{error}");
    let event = soon(events.next()).await.unwrap();
    let ConnectionEvent::Disconnected { reason, .. } = event else { panic!("{event:?}") };
    assert_eq!(reason, Reason::HeartbeatTimeout);
}

#[cfg(target_os = "linux")]
mod gone {
    use super::*;
    use socket2::{SockFilter, SockRef};
    use std::time::Instant;

    /// From now on the peer's kernel takes nothing that comes for it: its machine has lost power, as far
    /// as the other side can see.
    fn vanish(raw: &RawPeer) {
        // BPF_RET with 0 bytes.
        SockRef::from(&raw.stream).attach_filter(&[SockFilter::new(0x06, 0, 0, 0)]).unwrap();
    }

    async fn lost(events: &mut Events) {
        let event = soon(events.next()).await.unwrap();
        assert!(matches!(event, ConnectionEvent::Disconnected { .. }), "{event:?}");
    }

    /// TCP's clock has steps, and a machine under test may be busy.
    const LATE: Duration = Duration::from_secs(8);

    async fn is_missed(pings: bool, minor: u8) {
        let (server, endpoint) = bounded::<Tokio>(pings).await;
        let mut events = server.events();
        let raw = RawPeer::open(&endpoint, minor).await;
        begun(&mut events).await;
        vanish(&raw);
        let since = Instant::now();
        lost(&mut events).await;
        assert!(since.elapsed() < LATE, "{:?}", since.elapsed());
    }

    #[tokio::test]
    async fn a_zmtp_3_0_peer_that_is_gone_is_missed() {
        is_missed(true, 0).await;
    }

    #[tokio::test]
    async fn a_peer_that_is_gone_is_missed_where_pings_are_off() {
        is_missed(false, 1).await;
    }

    #[tokio::test]
    async fn a_peer_with_pings_that_is_gone_is_missed() {
        is_missed(true, 1).await;
    }

    /// Then something is not acknowledged, and TCP probes nothing.
    #[tokio::test]
    async fn a_zmtp_3_0_peer_that_is_gone_is_missed_by_a_call() {
        let (server, endpoint) = bounded::<Tokio>(true).await;
        let mut events = server.events();
        let raw = RawPeer::open(&endpoint, 0).await;
        let peer = begun(&mut events).await;
        vanish(&raw);
        let since = Instant::now();
        let call = peer.call::<(), _>("name", ()).timeout(crate::SOON);
        let error = soon(call).await.unwrap_err();
        assert!(matches!(error, CallError::Unknown(_)), "{error}");
        assert!(since.elapsed() < LATE, "{:?}", since.elapsed());
        lost(&mut events).await;
    }
}
