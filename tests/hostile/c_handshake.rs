//! What a handshake declares (pseud's `X-Pseud`). Handshakes that go wrong are in `attacks`.

use crate::bench::Bench;
use pseud::Reason;
use pseud::proto::PeerError;
use pseud_testkit::raw::{ERROR, WORK, command, envelope, greeting, property};

fn router() -> Vec<u8> {
    property("Socket-Type", b"ROUTER")
}

/// It is accepted, and can call.
async fn welcome(bench: &Bench, ready: &[u8]) {
    let mut wire = bench.connect().await;
    wire.shake_hands(&greeting(), ready).await;
    wire.spy().await;
    assert_eq!(wire.finish().await, b"");
}

/// How many items the ERROR has that a peer of that metadata is told.
async fn items(bench: &Bench, metadata: &[u8]) -> u8 {
    let mut wire = bench.connect().await;
    wire.shake_hands(&greeting(), &command("READY", metadata)).await;
    wire.send(&envelope(b"1", WORK, b"\xc0")).await;
    let (_, kind, body) = wire.answer().await;
    assert_eq!((kind, body[0] & 0xf0), (ERROR, 0x90));
    bench.canary().await;
    assert_eq!(wire.finish().await, b"");
    body[0] & 0x0f
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_13_properties_that_mean_nothing_here() {
    let bench = Bench::new().await;
    for garbage in [b"garbage".to_vec(), vec![b'x'; 2 << 10], b"9;caps=zz".to_vec()] {
        let declared = property("X-Pseud", &garbage);
        let data = [router(), declared].concat();
        welcome(&bench, &command("READY", &data)).await;
        assert_eq!(items(&bench, &data).await, 3, "a v1 peer");
    }
    let seven = property("x-PSEUD", b"1;caps=7;new=1");
    assert_eq!(items(&bench, &[router(), seven.clone()].concat()).await, 4);
    assert_eq!(items(&bench, &[router(), seven.repeat(2)].concat()).await, 3, "twice is garbage");
    let tiny = property("X-Pseud", b"1;caps=7;max=1");
    assert_eq!(items(&bench, &[router(), tiny].concat()).await, 3, "nobody's limit");
    let huge = [router(), property("X-Pseud", &[b'x'; 64 << 10])].concat();
    let mut wire = bench.connect().await;
    wire.send(&greeting()).await;
    wire.try_send(&command("READY", &huge)).await;
    wire.closed().await;
    let why = bench.end(&wire).await;
    assert!(matches!(why, Reason::PeerFault(PeerError::TooLarge { .. })), "{why:?}");
    bench.over(3, &[]).await;
}
