//! INITIATEs that prove nothing, and what comes in the wrong place (RFC 26 §INITIATE).

use crate::curve::{Keyed, initiate, mallory};
use crate::secured::{keys, server_pair, stranger_pair};
use pseud::proto::{Insecure, Malformed, Misbehaved, PeerError};
use pseud::{Authenticator, Reason, Verdict};
use pseud_testkit::raw::forger::{Forger, weak_keys};
use pseud_testkit::raw::{command, metadata, property};
use std::time::Duration;

/// Is refused behind WELCOME with what `forge` makes of it.
async fn refused(keyed: &Keyed, why: impl Into<PeerError>, forge: impl Fn(&Forger) -> Vec<u8>) {
    let mut forger = mallory();
    let wire = keyed.welcomed(&mut forger).await;
    keyed.bench.refuses(wire, &forge(&forger), why).await;
}

fn good(forger: &Forger) -> Vec<u8> {
    forger.initiate(&forger.good_vouch(), &metadata("DEALER", ""))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_03_a_weak_permanent_key() {
    let keyed = Keyed::new().await;
    for weak in weak_keys() {
        refused(&keyed, Insecure::WeakKey, |forger| {
            let data = forger.initiate_as(&weak, &forger.good_vouch(), &metadata("DEALER", ""));
            command("INITIATE", &data)
        })
        .await;
    }
    keyed.over(0, 0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_06_initiate_out_of_shape() {
    let keyed = Keyed::new().await;
    for (len, why) in [
        (0, Malformed::BadCommand.into()),
        (103, Malformed::BadCommand.into()),
        (104, PeerError::from(Insecure::Box)),
        (247, Insecure::Box.into()),
    ] {
        refused(&keyed, why, |forger| command("INITIATE", &good(forger)[..len])).await;
    }
    for name in ["INITIATe", "MESSAGE", "READY", "ERROR"] {
        let why = Misbehaved::UnexpectedCommand;
        refused(&keyed, why, |forger| command(name, &good(forger))).await;
    }
    refused(&keyed, Misbehaved::EarlyMessage, |_| pseud_testkit::raw::work(b"id", "spy")).await;
    keyed.over(0, 0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_07_initiate_with_64_kib_of_metadata() {
    let keyed = Keyed::new().await;
    let huge = |forger: &Forger| {
        command("INITIATE", &forger.initiate(&forger.good_vouch(), &[0; 64 << 10]))
    };
    let size = huge(&mallory()).len() as u64 - 9;
    let why = PeerError::TooLarge { what: "command bytes", size, max: 4_096 };
    refused(&keyed, why, huge).await;
    let many = property("X-a", b"").repeat(100);
    let why = PeerError::TooLarge { what: "properties", size: 33, max: 32 };
    refused(&keyed, why, |forger| {
        command("INITIATE", &forger.initiate(&forger.good_vouch(), &many))
    })
    .await;
    keyed.over(0, 0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_07_metadata_that_lies() {
    let keyed = Keyed::new().await;
    let twice = [metadata("DEALER", "a"), property("IDENTITY", b"b")].concat();
    for (block, why) in [
        (&b"\x00\0\0\0\0"[..], Malformed::BadMetadata),
        (b"\x01a\xff\xff\xff\xff", Malformed::BadMetadata),
        (b"\x01a\0", Malformed::BadMetadata),
        (&twice, Malformed::DuplicateProperty),
    ] {
        refused(&keyed, why, |forger| {
            command("INITIATE", &forger.initiate(&forger.good_vouch(), block))
        })
        .await;
    }
    keyed.over(0, 0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_11_a_number_that_is_not_the_next() {
    let keyed = Keyed::new().await;
    for (number, why) in [
        (0, Insecure::Replay),
        (1, Insecure::Replay),
        (3, Insecure::Gap),
        (u64::MAX, Insecure::Gap),
    ] {
        refused(&keyed, why, |forger| {
            let (vouch, block) = (forger.good_vouch(), metadata("DEALER", ""));
            command("INITIATE", &forger.initiate_numbered(number, &vouch, &block))
        })
        .await;
    }
    keyed.over(0, 0, &[]).await;
}

/// One that is older than 60 s is shown beside the core.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_08_a_cookie_that_is_not_of_this_link() {
    let (keyed, other) = (Keyed::new().await, Keyed::new().await);
    for from in [&keyed, &other] {
        let mut elsewhere = mallory();
        let _held = from.welcomed(&mut elsewhere).await;
        refused(&keyed, Insecure::Cookie, |forger| {
            initiate(&Forger { cookie: elsewhere.cookie.clone(), ..forger.clone() })
        })
        .await;
        // All of that link, its key included.
        refused(&keyed, Insecure::Cookie, |_| initiate(&elsewhere)).await;
    }
    for at in [0, 15, 16, 95] {
        refused(&keyed, Insecure::Cookie, |forger| {
            let mut data = good(forger);
            data[at] ^= 0x10;
            command("INITIATE", &data)
        })
        .await;
    }
    keyed.over(0, 0, &[]).await;
    other.over(0, 0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_09_vouches_that_prove_nothing() {
    let keyed = Keyed::new().await;
    let (stranger, server) = (keys(&stranger_pair()), keys(&server_pair()));
    type Vouch<'a> = &'a dyn Fn(&Forger) -> Vec<u8>;
    let vouches: [Vouch<'_>; 5] = [
        &|own| own.vouch(&own.transient.public, &stranger.public, &own.key_pair),
        &|own| own.vouch(&stranger.public, &server.public, &own.key_pair),
        &|own| own.vouch(&own.transient.public, &server.public, &stranger),
        &|own| {
            let mut flipped = own.good_vouch();
            flipped[50] ^= 1;
            flipped
        },
        &|_| vec![0; 96],
    ];
    for vouch in vouches {
        refused(&keyed, Insecure::Vouch, |forger| {
            command("INITIATE", &forger.initiate(&vouch(forger), &metadata("DEALER", "")))
        })
        .await;
    }
    keyed.over(0, 0, &[]).await;
}

/// A vouch that is good on one link, by whoever overheard it, on another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_09_a_stolen_vouch() {
    let keyed = Keyed::new().await;
    let mut owner = mallory();
    let _held = keyed.welcomed(&mut owner).await;
    let mut thief =
        Forger { transient: keys(&stranger_pair()), key_pair: keys(&stranger_pair()), ..mallory() };
    let wire = keyed.welcomed(&mut thief).await;
    let block = metadata("DEALER", "");
    let stolen = thief.initiate_as(&owner.key_pair.public, &owner.good_vouch(), &block);
    keyed.bench.refuses(wire, &command("INITIATE", &stolen), Insecure::Vouch).await;
    keyed.over(0, 0, &[]).await;
}

/// It is told so, and let in nowhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_09_a_key_that_nobody_knows() {
    let keyed = Keyed::new().await;
    let mut forger = Forger { key_pair: keys(&stranger_pair()), ..mallory() };
    let mut wire = keyed.welcomed(&mut forger).await;
    wire.send(&initiate(&forger)).await;
    assert_eq!(wire.closed().await, command("ERROR", b"\x03400"));
    assert_eq!(keyed.bench.end(&wire).await, Reason::PeerFault(PeerError::Denied(400)));
    keyed.over(1, 0, &[]).await;
}

/// The verdict comes from another task than the link's, which sleeps for the handshake's end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_admitted_late_and_says_nothing_is_not_waited_for_as_long() {
    let keyed = Keyed::with(|options| {
        let connection = &mut options.connection;
        connection.handshake_timeout = Duration::from_secs(30);
        connection.greeting_timeout = Duration::from_secs(30);
        connection.heartbeat.interval = Some(Duration::from_millis(100));
        connection.heartbeat.timeout = Duration::from_millis(300);
        options.gate.authenticator = Some(Authenticator::new(|_| async {
            tokio::task::yield_now().await;
            Verdict::Admit("late".into())
        }));
    })
    .await;
    let mut wire = keyed.admitted().await.wire;
    wire.closed().await;
    assert_eq!(keyed.bench.end(&wire).await, Reason::HeartbeatTimeout);
    keyed.over(0, 0, &[]).await;
}
