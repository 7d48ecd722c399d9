//! Handshakes with a server of PLAIN that go wrong (ZMTP 3.1 §PLAIN).

use crate::bench::Bench;
use crate::secured::{PASSWORD, plain_client, plain_server};
use pseud::Reason;
use pseud::proto::{Malformed, Misbehaved, PeerError};
use pseud_testkit::raw::RawPeer;
use pseud_testkit::raw::{COMMAND, command, frame, greeting_of, metadata, property, work};

type User = (&'static [u8], &'static [u8]);

const MALLORY: User = (b"mallory", b"a password");
/// Names and passwords that are no text.
const ODD: [User; 3] =
    [(&[b'u'; 255], &[b'p'; 255]), (b"nul\0nul", b"\0"), (b"\xff\xfe\x1b[2J", b"\x80\n")];

async fn bench() -> Bench {
    let [long, nul, bytes] = ODD;
    Bench::between(plain_server([MALLORY, long, nul, bytes]), plain_client("service")).await
}

/// A link whose greetings have been exchanged.
async fn greeted(bench: &Bench) -> RawPeer {
    let mut wire = bench.connect().await;
    wire.send(&greeting_of("PLAIN")).await;
    let theirs = wire.greeting().await;
    assert_eq!((&theirs[12..17], theirs[32]), (&b"PLAIN"[..], 1), "a server's");
    wire
}

fn hello((username, password): (&[u8], &[u8])) -> Vec<u8> {
    let (user_len, password_len) = (username.len() as u8, password.len() as u8);
    command("HELLO", &[&[user_len], username, &[password_len], password].concat())
}

/// A link that has got WELCOME.
async fn welcomed(bench: &Bench, user: User) -> RawPeer {
    let mut wire = greeted(bench).await;
    wire.send(&hello(user)).await;
    assert_eq!(wire.frame().await.body, b"\x07WELCOME");
    wire
}

fn initiate() -> Vec<u8> {
    command("INITIATE", &metadata("DEALER", ""))
}

/// A link that was let in.
async fn admitted(bench: &Bench, user: User) -> RawPeer {
    let mut wire = welcomed(bench, user).await;
    wire.send(&initiate()).await;
    assert!(wire.frame().await.body.starts_with(b"\x05READY"));
    wire
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_10_commands_before_hello() {
    let bench = bench().await;
    for bytes in [
        command("READY", &metadata("DEALER", "")),
        command("WELCOME", b""),
        command("ERROR", b"\x03400"),
        frame(COMMAND, b"^RROR\x03400"),
        command("HELLo", b"\x01u\x01p"),
        initiate(),
    ] {
        bench.refuses(greeted(&bench).await, &bytes, Misbehaved::UnexpectedCommand).await;
    }
    let call = work(b"sixteen bytes...", "spy");
    bench.refuses(greeted(&bench).await, &call, Misbehaved::EarlyMessage).await;
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_10_commands_behind_welcome() {
    let bench = bench().await;
    for bytes in
        [hello(MALLORY), command("READY", &metadata("DEALER", "")), command("ERROR", b"\x03400")]
    {
        let wire = welcomed(&bench, MALLORY).await;
        bench.refuses(wire, &bytes, Misbehaved::UnexpectedCommand).await;
    }
    let call = work(b"sixteen bytes...", "spy");
    let wire = welcomed(&bench, MALLORY).await;
    bench.refuses(wire, &call, Misbehaved::EarlyMessage).await;
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_10_commands_behind_the_handshake() {
    let bench = bench().await;
    let mut wire = admitted(&bench, MALLORY).await;
    let late = [command("READY", b""), hello(MALLORY), frame(COMMAND, b"^RROR"), initiate()];
    wire.send(&late.concat()).await;
    wire.spy().await;
    bench.canary().await;
    assert_eq!(wire.finish().await, b"");
    bench.over(1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_11_hello_is_any_bytes() {
    let bench = bench().await;
    for user in ODD {
        let mut wire = admitted(&bench, user).await;
        wire.spy().await;
        assert_eq!(wire.finish().await, b"");
    }
    bench.over(3, &[]).await;
}

/// It is told so in libzmq's spelling, whatever is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_11_hello_of_nobody() {
    let bench = bench().await;
    let [(long, _), (nul, _), (bytes, password)] = ODD;
    for wrong in [
        (&b""[..], &b""[..]),
        (b"mallory", b""),
        (b"mallory", b"a passwore"),
        (b"mallory", b"a password\0"),
        (b"mallory\0", b"a password"),
        (b"canary", b"a password"),
        (b"CANARY", PASSWORD.as_bytes()),
        (long, &[b'p'; 254]),
        (nul, b""),
        (nul, b"\0\0"),
        (&bytes[..2], password),
    ] {
        let denied = PeerError::Denied(400);
        let said = bench.refuses_aloud(greeted(&bench).await, &hello(wrong), denied).await;
        assert_eq!(said, frame(COMMAND, b"^RROR\x03400"), "{wrong:?}");
    }
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_11_hello_of_another_shape() {
    let bench = bench().await;
    let whole = [&b"\x07mallory\x0a"[..], MALLORY.1].concat();
    for data in
        [&whole[..0], &whole[..1], &whole[..8], &whole[..9], &whole[..18], b"\xffmallory\x01p"]
    {
        let hello = command("HELLO", data);
        bench.refuses(greeted(&bench).await, &hello, Malformed::BadCommand).await;
    }
    let more = command("HELLO", &[&whole[..], b"\0"].concat());
    bench.refuses(greeted(&bench).await, &more, Malformed::BadCommand).await;
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_03_c_04_c_05_c_09_metadata_of_initiate() {
    let bench = bench().await;
    let whole = metadata("DEALER", "me");
    let (bad, twice) = (Malformed::BadMetadata, Malformed::DuplicateProperty);
    for (more, why) in [
        (&b"\x00\0\0\0\0"[..], bad),
        (b"\xffname", bad),
        (b"\x01a\x7f\xff\xff\xff", bad),
        (b"\x01a\0\0", bad),
        (&property("IDENTITY", b"me"), twice),
    ] {
        let bytes = command("INITIATE", &[&whole[..], more].concat());
        bench.refuses(welcomed(&bench, MALLORY).await, &bytes, why).await;
    }
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_06_too_much() {
    let bench = bench().await;
    let many = command("INITIATE", &property("X-a", b"").repeat(100));
    let why = PeerError::TooLarge { what: "properties", size: 33, max: 32 };
    bench.refuses(welcomed(&bench, MALLORY).await, &many, why).await;
    for (name, size) in [("HELLO", 6 + (64 << 10)), ("INITIATE", 9 + (64 << 10))] {
        let huge = command(name, &[0; 64 << 10]);
        let why = PeerError::TooLarge { what: "command bytes", size, max: 4_096 };
        let wire = match name {
            "HELLO" => greeted(&bench).await,
            _ => welcomed(&bench, MALLORY).await,
        };
        bench.refuses(wire, &huge, why).await;
    }
    bench.over(0, &[]).await;
}

/// Half of a handshake, and then nothing more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_01_cut_behind_each_step() {
    let bench = bench().await;
    let incomplete = Reason::PeerFault(Misbehaved::HandshakeIncomplete.into());
    for mut wire in [greeted(&bench).await, welcomed(&bench, MALLORY).await] {
        bench.canary().await;
        assert_eq!(wire.finish().await, b"");
        assert_eq!(bench.end(&wire).await, incomplete);
    }
    bench.over(0, &[]).await;
}
