//! Attacks on clients of PLAIN, by who says to be their server (ZMTP 3.1 §PLAIN).

use crate::rogue::{Rogue, catch};
use crate::secured::{PASSWORD, plain_client, plain_server};
use pseud::proto::{Incompatible, Malformed, Misbehaved};
use pseud_testkit::raw::RawPeer;
use pseud_testkit::raw::{COMMAND, command, frame, greeting_of, metadata, work};

async fn rogue() -> Rogue {
    Rogue::between(plain_server([]).identity("honest"), plain_client("rogue")).await
}

/// A link of the victim's that has shown its password.
async fn hello(rogue: &Rogue) -> RawPeer {
    let wire = rogue.greeted(&greeting_of("PLAIN")).await;
    shown(wire).await
}

async fn shown(mut wire: RawPeer) -> RawPeer {
    let hello = wire.frame().await;
    let wanted = [&b"\x05HELLO\x06canary\x14"[..], PASSWORD.as_bytes()].concat();
    assert_eq!((hello.flags, hello.body), (COMMAND, wanted));
    wire
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_10_commands_out_of_turn_to_a_client() {
    let rogue = rogue().await;
    let (welcome, ready) = (command("WELCOME", b""), command("READY", &metadata("ROUTER", "")));
    let unexpected = Misbehaved::UnexpectedCommand;
    for bytes in [ready.clone(), command("HELLO", b"\0\0"), command("INITIATE", b"")] {
        rogue.refuses(hello(&rogue).await, &bytes, unexpected).await;
    }
    for bytes in [welcome.clone(), command("INITIATE", b""), command("HELLO", b"\0\0")] {
        let mut wire = hello(&rogue).await;
        wire.send(&welcome).await;
        assert!(wire.frame().await.body.starts_with(b"\x08INITIATE"));
        rogue.refuses(wire, &bytes, unexpected).await;
    }
    let odd = command("WELCOME", b"\0");
    rogue.refuses(hello(&rogue).await, &odd, Malformed::BadCommand).await;
    let call = work(b"sixteen bytes...", "spy");
    rogue.refuses(hello(&rogue).await, &call, Misbehaved::EarlyMessage).await;
    rogue.over(&[]).await;
}

/// The reason is a number, or none: what else it says is shown nowhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_12_reasons_of_an_error() {
    let rogue = rogue().await;
    let escapes = [&[255][..], &b"\x1b[2J\x07"[..].repeat(51)].concat();
    for (reason, code) in
        [(&b"\x03400"[..], 400), (b"\x03500", 500), (b"\x03300", 300), (b"\0", 0), (&escapes, 0)]
    {
        let why = Incompatible::Refused(code);
        rogue.refuses(hello(&rogue).await, &command("ERROR", reason), why).await;
        if reason.len() < 90 {
            let spelled = frame(COMMAND, &[b"^RROR", reason].concat());
            rogue.refuses(hello(&rogue).await, &spelled, why).await;
        }
    }
    for data in [&b""[..], b"\x0440", b"\x03400x"] {
        let error = command("ERROR", data);
        rogue.refuses(hello(&rogue).await, &error, Malformed::BadCommand).await;
    }
    rogue.over(&[]).await;
}

/// Only 400 says that it need not try again: that it waits then is shown with the links.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_12_whoever_was_not_refused_for_good_comes_again() {
    let rogue = rogue().await;
    let trap = rogue.trap().await;
    for last in [command("ERROR", b"\x03500"), command("ERROR", b"\x03300"), vec![]] {
        let mut wire = catch(&trap).await;
        wire.greeting().await;
        wire.send(&greeting_of("PLAIN")).await;
        let mut wire = shown(wire).await;
        wire.send(&last).await;
        assert_eq!(wire.finish().await, b"");
    }
    catch(&trap).await.greeting().await;
    rogue.over(&[]).await;
}
