//! Many who say HELLO and nothing more: each costs little, and the canary does not notice.

use crate::alone::alone;
use crate::curve::{Keyed, mallory};
use crate::memory::{reserved, worked};
use pseud::Reason;
use pseud::proto::Misbehaved;
use pseud_testkit::raw::RawPeer;
use pseud_testkit::raw::{command, greeting_of};
use std::time::Duration;

/// Links of the flood, all open at the same time; both ends are in this process.
const LINKS: usize = 400;
/// Bytes that one of them may add to this process: its task, its buffers and the attacker's end. What
/// a link itself holds is measured beside the core.
const BYTES_MAX: usize = 8 << 10;
/// Work for one of them, the attacker's and the system's share included.
const WORK_MAX: Duration = Duration::from_millis(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_04_many_that_say_hello_and_nothing_more() {
    alone("curve_flood::d_04_many_that_say_hello_and_nothing_more", 1_024, flood).await;
}

async fn flood() {
    let limit = Duration::from_secs(3);
    let keyed = Keyed::with(|options| {
        options.connection.handshake_timeout = limit;
        // What those cost who are let through: who is not is told of in `strangers`.
        let strangers = &mut options.admission.strangers;
        (strangers.handshakes_drop_from, strangers.handshakes_max) = (LINKS + 1, LINKS + 1);
    })
    .await;
    // Whoever floods makes one HELLO and says it everywhere.
    let opening = [greeting_of("CURVE"), command("HELLO", &mallory().hello())].concat();
    let (memory, work) = (reserved(), worked());
    let mut wires = Vec::with_capacity(LINKS);
    for index in 0..LINKS {
        wires.push(said_hello(&keyed, &opening).await);
        if index % 20 == 0 {
            keyed.bench.canary().await;
        }
    }
    if let (Some((before, began)), Some((now, ended))) =
        (memory.zip(work), reserved().zip(worked()))
    {
        let (bytes, work) = (now.saturating_sub(before) / LINKS, (ended - began) / LINKS as u32);
        println!("a link before INITIATE: {bytes} B, {work:?} of work");
        assert!(bytes <= BYTES_MAX && work <= WORK_MAX, "{bytes} B, {work:?}");
    }
    keyed.bench.canary().await;
    for wire in &mut wires {
        assert_eq!(wire.closed().await, b"");
    }
    let late = Reason::PeerFault(Misbehaved::HandshakeTimeout.into());
    assert_eq!(keyed.bench.end(&wires[0]).await, late);
    keyed.over(0, 0, &[]).await;
}

/// A link that has got WELCOME.
async fn said_hello(keyed: &Keyed, opening: &[u8]) -> RawPeer {
    let mut wire = keyed.bench.connect().await;
    wire.send(opening).await;
    wire.greeting().await;
    assert!(wire.frame().await.body.starts_with(b"\x07WELCOME"));
    wire
}
