//! Who is there, who is shown out, and who falls silent: between the nodes of every two adapters.

use crate::nodes::sockets::{Blocking, Smol, Tokio};
use crate::nodes::{Adapter, Peering};
use pseud::{
    CallError, Fault, HeartbeatBackends, Options, Presence, PresenceEvent, Reason, Role, Ticking,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

const BEAT: Duration = Duration::from_millis(50);
const SILENCE: Duration = Duration::from_millis(1_500);

/// A client that comes back soon, also where it was shown out.
fn quick(identity: &str) -> Options {
    let mut options = Options::client("service").identity(identity);
    options.retry.max = Duration::from_millis(50);
    options.call_timeout(Duration::from_secs(5))
}

fn serve(server: &impl Peering) {
    let registry = server.inner().registry();
    registry.register_sync("check", |_| Ok::<_, Fault>(7)).unwrap();
    registry
        .register("never", |_| async { std::future::pending::<Result<(), Fault>>().await })
        .unwrap();
}

fn check<C: Adapter>(client: &C::Client) -> Result<(), CallError> {
    C::wait(client.inner().call::<i32, _>("check", ())).map(|seven| assert_eq!(seven, 7))
}

fn joined<S: Adapter>(presence: &mut Presence, identity: &str) -> pseud::Peer {
    match S::wait(presence.next()) {
        Some(PresenceEvent::Joined { peer, info, .. }) => {
            assert_eq!(&info.identity[..], identity.as_bytes());
            peer
        }
        other => panic!("{other:?}"),
    }
}

fn left<S: Adapter>(presence: &mut Presence) -> Option<Reason> {
    match S::wait(presence.next()) {
        Some(PresenceEvent::Left { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

fn presence<S: Adapter, C: Adapter>(is_told: bool) {
    let server = S::server(Options::server("service"));
    serve(&server);
    let client = C::client(quick("charly"));
    client.connect_to(&server.listen_at("tcp://127.0.0.1:*").unwrap()).unwrap();
    check::<C>(&client).unwrap();
    let node = server.inner();
    let mut presence = node.presence();
    let peer = joined::<S>(&mut presence, "charly");
    let listed: Vec<_> = node.peers().collect();
    let [one] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((&one.identity()[..], Some(one.session)), (&b"charly"[..], peer.session()));
    assert!(one.bytes_received > 0 && one.bytes_sent > 0, "{one:?}");
    assert!(one.since <= one.last_message && one.last_message <= one.last_heard, "{one:?}");
    let calling = client.inner();
    let ended = std::thread::scope(|scope| {
        let call = scope.spawn(move || C::wait(calling.call::<(), _>("never", ())));
        while node.stats().requests_open == 0 {
            std::thread::yield_now();
        }
        assert!(peer.disconnect() && !peer.disconnect());
        assert_eq!(left::<S>(&mut presence), Some(Reason::Revoked));
        call.join().unwrap()
    });
    // Over libzmq nobody is told: the call ends with its link, or its time.
    assert!(matches!(ended, Err(CallError::Unknown(_))), "{ended:?}");
    assert!(!is_told || matches!(ended, Err(CallError::Unknown(Reason::Revoked))), "{ended:?}");
    while check::<C>(&client).is_err() {}
    joined::<S>(&mut presence, "charly");
}

/// Who beats lives; who only answers PINGs is out where messages are wanted.
fn heartbeats<S: Adapter, C: Adapter>() {
    let mut backends = HeartbeatBackends::default();
    for (role, timeout) in [(Role::Server, Some(SILENCE)), (Role::Client, None)] {
        backends.register(role, "own", Arc::new(Ticking::new(BEAT, timeout)));
    }
    let options = backends.configure(Role::Server, "own", Options::server("service")).unwrap();
    let server = S::server(options);
    serve(&server);
    let endpoint = server.listen_at("tcp://127.0.0.1:*").unwrap();
    let mut presence = server.inner().presence();
    let lively = C::client(backends.configure(Role::Client, "own", quick("lively")).unwrap());
    lively.connect_to(&endpoint).unwrap();
    check::<C>(&lively).unwrap();
    joined::<S>(&mut presence, "lively");
    let mute = C::client(quick("mute"));
    let began = Instant::now();
    mute.connect_to(&endpoint).unwrap();
    check::<C>(&mute).unwrap();
    let peer = joined::<S>(&mut presence, "mute");
    // It comes back, and is silent again.
    assert_eq!(left::<S>(&mut presence), Some(Reason::HeartbeatTimeout));
    assert!(began.elapsed() >= SILENCE && !peer.is_connected());
    assert!(server.inner().peer("lively").is_connected());
    assert!(server.inner().stats().heartbeats >= 3, "{:?}", server.inner().stats());
    check::<C>(&lively).unwrap();
}

macro_rules! pairs {
    ($is_told:literal; $($test:ident: $server:ident, $client:ident;)*) => {$(
        #[test]
        fn $test() {
            crate::bounded::hold(|| {
                presence::<$server, $client>($is_told);
                heartbeats::<$server, $client>();
            });
        }
    )*};
}

pairs! {
    true;
    presence_tokio_tokio: Tokio, Tokio;
    presence_tokio_smol: Tokio, Smol;
    presence_tokio_blocking: Tokio, Blocking;
    presence_smol_tokio: Smol, Tokio;
    presence_smol_smol: Smol, Smol;
    presence_smol_blocking: Smol, Blocking;
    presence_blocking_tokio: Blocking, Tokio;
    presence_blocking_smol: Blocking, Smol;
    presence_blocking_blocking: Blocking, Blocking;
}

#[cfg(feature = "zmq")]
mod over_libzmq {
    use super::{Blocking, Smol, Tokio, heartbeats, presence};
    use crate::nodes::sockets::Zmq;

    pairs! {
        false;
        presence_zmq_zmq: Zmq, Zmq;
        presence_zmq_tokio: Zmq, Tokio;
        presence_zmq_smol: Zmq, Smol;
        presence_zmq_blocking: Zmq, Blocking;
        presence_tokio_zmq: Tokio, Zmq;
        presence_smol_zmq: Smol, Zmq;
        presence_blocking_zmq: Blocking, Zmq;
    }
}
