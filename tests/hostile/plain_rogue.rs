//! Attacks on clients of PLAIN, by who says to be their server (ZMTP 3.1 §PLAIN).

use crate::rogue::{Rogue, catch};
use crate::secured::{PASSWORD, plain_client, plain_server};
use pseud_testkit::raw::{COMMAND, command, greeting_of};

/// Only 400 says that it need not try again: that it waits then is shown with the links.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_12_whoever_was_not_refused_for_good_comes_again() {
    let honest = plain_server([]).identity("honest");
    let rogue = Rogue::between(honest, plain_client("rogue")).await;
    let trap = rogue.trap().await;
    for last in [command("ERROR", b"\x03500"), command("ERROR", b"\x03300"), vec![]] {
        let mut wire = catch(&trap).await;
        wire.greeting().await;
        wire.send(&greeting_of("PLAIN")).await;
        let hello = wire.frame().await;
        let wanted = [&b"\x05HELLO\x06canary\x14"[..], PASSWORD.as_bytes()].concat();
        assert_eq!((hello.flags, hello.body), (COMMAND, wanted));
        wire.send(&last).await;
        assert_eq!(wire.finish().await, b"");
    }
    catch(&trap).await.greeting().await;
    rogue.over(&[]).await;
}
