//! NULL handshakes gone wrong (ZMTP 3.1 §metadata): the link ends for the right reason, beside a canary.
//! Each row stands byte by byte beside the core, too.

use crate::bench::Bench;
use pseud::Reason;
use pseud::proto::{Incompatible, Malformed, Misbehaved, PeerError};
use pseud_testkit::raw::RawPeer;
use pseud_testkit::raw::{
    COMMAND, ERROR, WORK, command, envelope, frame, greeting, property, ready,
};

fn router() -> Vec<u8> {
    property("Socket-Type", b"ROUTER")
}

async fn refused(bench: &Bench, handshake: &[u8], why: PeerError) {
    let mut wire = bench.connect().await;
    wire.send(&greeting()).await;
    wire.greeting().await;
    wire.try_send(handshake).await;
    wire.closed().await;
    assert_eq!(bench.end(&wire).await, Reason::PeerFault(why), "{:x?}", &handshake[..8]);
    bench.canary().await;
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
async fn c_01_c_02_commands_cut_short() {
    let bench = Bench::new().await;
    for body in [&b""[..], b"\x05", b"\x05READ", b"\xffREADY"] {
        refused(&bench, &frame(COMMAND, body), Malformed::BadCommand.into()).await;
    }
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_03_c_04_c_05_metadata_that_lies() {
    let bench = Bench::new().await;
    let whole = router();
    let lies = [
        [&whole[..], b"\x00\0\0\0\0"].concat(),
        [&whole[..], b"\xffname"].concat(),
        [&whole[..], b"\x01a\x7f\xff\xff\xff"].concat(),
        [&whole[..], b"\x01a\xff\xff\xff\xff"].concat(),
        [&whole[..], b"\x01"].concat(),
        [&whole[..], b"\x01a\0\0"].concat(),
    ];
    for data in lies {
        refused(&bench, &command("READY", &data), Malformed::BadMetadata.into()).await;
    }
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_06_too_much_metadata() {
    let bench = Bench::new().await;
    let many = property("X-a", b"").repeat(500);
    let command = command("READY", &[router(), many].concat());
    let mut wire = bench.connect().await;
    wire.send(&greeting()).await;
    wire.try_send(&command).await;
    wire.closed().await;
    let why = bench.end(&wire).await;
    assert!(matches!(why, Reason::PeerFault(PeerError::TooLarge { .. })), "{why:?}");
    bench.canary().await;
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_07_c_08_identities_and_socket_types() {
    let bench = Bench::new().await;
    welcome(&bench, &command("READY", &router())).await;
    for socket_type in ["ROUTER", "DEALER", "REQ"] {
        welcome(&bench, &ready(socket_type, "")).await;
    }
    for socket_type in ["PUB", "REP", "", "router\0"] {
        refused(&bench, &ready(socket_type, ""), Incompatible::SocketType.into()).await;
    }
    let missing = command("READY", &property("Identity", b"me"));
    refused(&bench, &missing, Incompatible::SocketType.into()).await;
    let twice = command("READY", &router().repeat(2));
    refused(&bench, &twice, Malformed::DuplicateProperty.into()).await;
    bench.over(4, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_09_an_identity_twice() {
    let bench = Bench::new().await;
    let twice = [router(), property("Identity", b"a"), property("IDENTITY", b"b")].concat();
    refused(&bench, &command("READY", &twice), Malformed::DuplicateProperty.into()).await;
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_10_commands_at_the_wrong_moment() {
    let bench = Bench::new().await;
    let error = command("ERROR", b"\x03400");
    refused(&bench, &error, Misbehaved::UnexpectedCommand.into()).await;
    refused(&bench, &command("HELLO", b""), Misbehaved::UnexpectedCommand.into()).await;
    let mut wire: RawPeer = bench.peer().await;
    wire.send(&[ready("DEALER", ""), error].concat()).await;
    wire.spy().await;
    assert_eq!(wire.finish().await, b"");
    bench.over(1, &[]).await;
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
