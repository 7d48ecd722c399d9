//! INITIATEs that are of another link (RFC 26 §INITIATE). What is wrong with others is in `attacks`.

use crate::curve::{Keyed, initiate, mallory};
use crate::secured::{keys, stranger_pair};
use pseud::proto::{Insecure, PeerError};
use pseud::{Authenticator, Reason, Verdict};
use pseud_testkit::raw::forger::Forger;
use pseud_testkit::raw::{command, metadata};
use std::time::Duration;

/// Is refused behind WELCOME with what `forge` makes of it.
async fn refused(keyed: &Keyed, why: impl Into<PeerError>, forge: impl Fn(&Forger) -> Vec<u8>) {
    let mut forger = mallory();
    let wire = keyed.welcomed(&mut forger).await;
    keyed.bench.refuses(wire, &forge(&forger), why).await;
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
    keyed.over(0, 0, &[]).await;
    other.over(0, 0, &[]).await;
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

/// The verdict comes from another task than the link's, which sleeps for the handshake's end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_admitted_late_and_says_nothing_is_not_waited_for_as_long() {
    let keyed = Keyed::with(|options| {
        let connection = &mut options.connection;
        connection.handshake_timeout = Duration::from_secs(30);
        connection.greeting_timeout = Duration::from_secs(30);
        connection.heartbeat.interval = Some(Duration::from_millis(100));
        connection.heartbeat.timeout = Duration::from_millis(300);
        options.admission.authenticator = Some(Authenticator::new(|_| async {
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
