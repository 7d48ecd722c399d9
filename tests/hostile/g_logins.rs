//! Attackers at a server where one logs in (HOSTILE G, and of F what is about logins): beside a canary that
//! has.

use crate::bench::Bench;
use crate::secured::PASSWORD;
use crate::strangers::{bounded, connect_from, loopback};
use pseud::proto::Misbehaved;
use pseud::proto::pseud::Dropped;
use pseud::{Authenticator, Options, Question, Reason, Secret, Verdict};
use pseud_testkit::raw::{
    AUTHENTICATED, ERROR, HEARTBEAT, HELLO, OK, RawPeer, UNAUTHORIZED, envelope, greeting, message,
    ready, work,
};
use std::net::Ipv4Addr;
use std::time::Duration;

const ID: &[u8] = b"sixteen bytes...";

/// A server of logins in clear, who knows the canary and mallory.
pub(crate) fn login_server() -> Options {
    let known = [("canary", PASSWORD), ("mallory", "own")];
    let known = known.map(|(user, password)| (user, Secret::new(password)));
    let mut options = Options::server("service").requires_login(true);
    options.admission.authenticator = Some(Authenticator::passwords(known));
    options
}

pub(crate) async fn bench(change: impl FnOnce(&mut Options)) -> Bench {
    let mut server = login_server();
    change(&mut server);
    let canary = Options::client("service").credentials("canary", Secret::new(PASSWORD));
    let bench = Bench::between(server, canary.allow_plaintext(true)).await;
    assert_eq!(bench.stats().sessions_unnamed, 0, "the canary is in");
    bench
}

/// A HELLO of that login.
pub(crate) fn hello(login: &str, password: &str) -> Vec<u8> {
    let bin = |text: &str| [&[0xc4, text.len() as u8], text.as_bytes()].concat();
    envelope(ID, HELLO, &[vec![0x92], bin(login), bin(password)].concat())
}

/// What it is answered.
pub(crate) async fn says(wire: &mut RawPeer, bytes: &[u8]) -> u8 {
    wire.send(bytes).await;
    wire.answer().await.1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g_02_f_08_f_09_a_stranger_reaches_nothing() {
    let bench = bench(|_| {}).await;
    let mut wire = bench.peer_named("canary").await;
    // None of these is answered, and none makes it somebody.
    for kind in [OK, ERROR, AUTHENTICATED, UNAUTHORIZED, HEARTBEAT] {
        wire.send(&envelope(ID, kind, b"\xc0")).await;
    }
    wire.send(&message(&[b""])).await;
    // Its arguments are not looked at: they would be refused as malformed.
    assert_eq!(says(&mut wire, &envelope(ID, 3, b"\xc1")).await, UNAUTHORIZED);
    assert_eq!(says(&mut wire, &work(ID, "spy")).await, UNAUTHORIZED);
    bench.canary().await;
    assert_eq!(bench.stats().sessions_unnamed, 1);
    assert_eq!(wire.finish().await, b"");
    bench.over(0, &[(Dropped::Unsolicited, 4)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g_03_a_flood_of_works() {
    let bench = bench(|options| {
        options.config.limits.unauthorized.burst = 10;
        options.config.limits.unauthorized.per_second = 0;
    })
    .await;
    // The canary's first call may have overtaken its login.
    let before = bench.stats().requests_challenged;
    let mut wire = bench.peer().await;
    for _ in 0..10 {
        assert_eq!(says(&mut wire, &work(ID, "spy")).await, UNAUTHORIZED);
    }
    bench.refuses(wire, &work(ID, "spy"), Misbehaved::AuthFlood).await;
    assert_eq!(bench.stats().requests_challenged, before + 10);
    bench.over(0, &[]).await;
}

async fn peer_from(bench: &Bench, source: Ipv4Addr) -> RawPeer {
    let mut wire = RawPeer::over(connect_from(source, bench.address).await.unwrap());
    wire.shake_hands(&greeting(), &ready("DEALER", "")).await;
    wire
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g_04_one_source_guesses_by_hello() {
    let bench = bench(|options| {
        options.admission.strangers = bounded(|limits| {
            limits.source_failures_free = 5;
            limits.user_failures_free = u32::MAX;
            limits.backoff_first = Duration::from_secs(600);
        });
    })
    .await;
    let mallory = loopback(1);
    for n in 0..2 {
        let mut wire = peer_from(&bench, mallory).await;
        for guess in ["a", "b", "c"] {
            assert_eq!(says(&mut wire, &hello(&format!("user{n}"), guess)).await, UNAUTHORIZED);
        }
        // Three are wrong, and the link is over whatever comes then (G-10).
        bench.refuses(wire, &hello("mallory", "own"), Misbehaved::LoginTries).await;
    }
    let mut wire = RawPeer::over(connect_from(mallory, bench.address).await.unwrap());
    wire.try_send(&greeting()).await;
    assert_eq!(wire.closed().await, b"", "it is not even let through to a handshake");
    let stats = bench.stats();
    assert!(stats.strangers.dropped_source_waits >= 1 && stats.logins_refused == 6, "{stats:?}");
    // Who knows a password, elsewhere, logs in at once.
    let mut wire = peer_from(&bench, loopback(2)).await;
    assert_eq!(says(&mut wire, &hello("mallory", "own")).await, AUTHENTICATED);
    wire.spy().await;
    drop(wire);
    bench.over(1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g_04_many_sources_guess_one_name_by_hello() {
    let bench = bench(|options| {
        options.admission.strangers =
            bounded(|limits| limits.backoff_first = Duration::from_secs(600));
    })
    .await;
    for n in 1..=6 {
        let mut wire = peer_from(&bench, loopback(n)).await;
        assert_eq!(says(&mut wire, &hello("mallory", "guess")).await, UNAUTHORIZED);
    }
    // Who has failed is not asked about any more, even where it would be right now.
    let mut wire = peer_from(&bench, loopback(1)).await;
    assert_eq!(says(&mut wire, &hello("mallory", "own")).await, UNAUTHORIZED);
    assert_eq!(bench.stats().strangers.questions_refused, 1);
    drop(wire);
    // From where nobody failed it is.
    let mut wire = peer_from(&bench, loopback(7)).await;
    assert_eq!(says(&mut wire, &hello("mallory", "own")).await, AUTHENTICATED);
    bench.canary().await;
    drop(wire);
    bench.over(0, &[]).await;
}

/// Who logs in as himself in between is no more welcome for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g_04_who_has_an_account_guesses_at_anothers_by_hello() {
    let bench = bench(|options| {
        options.admission.strangers =
            bounded(|limits| limits.backoff_first = Duration::from_secs(600));
    })
    .await;
    let mallory = loopback(1);
    for n in 0..20 {
        let mut wire = peer_from(&bench, mallory).await;
        assert_eq!(says(&mut wire, &hello("canary", &format!("guess{n}"))).await, UNAUTHORIZED);
        assert_eq!(says(&mut wire, &hello("mallory", "own")).await, AUTHENTICATED);
    }
    // Of 20 guesses those were asked about that are free, and the one that made him wait.
    assert_eq!(bench.stats().strangers.questions_refused, 16);
    bench.canary().await;
    bench.over(0, &[]).await;
}

/// An authenticator that takes long of all but the canary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g_12_one_source_keeps_nobody_elses_logins_out() {
    let bench = bench(|options| {
        options.admission.strangers = bounded(|_| {});
        options.admission.authenticator = Some(Authenticator::new(|question| async move {
            match question {
                Question::Login { login, .. } if login != "slow" => Verdict::Admit(login.into()),
                _ => std::future::pending().await,
            }
        }));
    })
    .await;
    let mut wires = Vec::new();
    for _ in 0..300 {
        let mut wire = peer_from(&bench, loopback(1)).await;
        wire.send(&hello("slow", "guess")).await;
        wires.push(wire);
    }
    bench.until(|stats| stats.strangers.questions_refused == 300 - 16).await;
    // Who comes from elsewhere is asked about.
    let mut wire = peer_from(&bench, loopback(2)).await;
    assert_eq!(says(&mut wire, &hello("mallory", "own")).await, AUTHENTICATED);
    bench.canary().await;
    drop((wire, wires));
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g_06_g_07_a_session_is_one_user() {
    let bench = bench(|_| {}).await;
    let mut wire = bench.peer().await;
    assert_eq!(says(&mut wire, &hello("mallory", "own")).await, AUTHENTICATED);
    assert_eq!(says(&mut wire, &hello("canary", PASSWORD)).await, UNAUTHORIZED);
    assert_eq!(says(&mut wire, &hello("mallory", "own")).await, AUTHENTICATED);
    wire.spy().await;
    assert_eq!(
        (bench.server.sessions("canary").len(), bench.server.sessions("mallory").len()),
        (1, 1)
    );
    bench.canary().await;
    drop(wire);
    bench.over(1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g_08_what_is_no_hello() {
    let bench = bench(|options| options.config.limits.login_tries_max = 100).await;
    let mut wire = bench.peer().await;
    let long = [&b"\x92\xa7mallory\xc5\x04\x01"[..], &[b'x'; 1_025]].concat();
    let huge = [&b"\x92\xa7mallory\xc6\0\x80\0\0"[..], &vec![b'x'; 8 << 20]].concat();
    let deep = vec![0x91; 100_000];
    let bodies: [&[u8]; 9] = [
        b"",
        b"\xc1",
        b"\x91\xa7mallory",
        b"\x93\xa7mallory\xa3own\xc0",
        b"\x92\x01\x02",
        b"\x92\xc7\x03\x7dabc\xa3own",
        &long,
        &huge[..1 << 20],
        &deep,
    ];
    for body in bodies {
        assert_eq!(says(&mut wire, &envelope(ID, HELLO, body)).await, UNAUTHORIZED);
        bench.canary().await;
    }
    assert_eq!(says(&mut wire, &hello("mallory", "own")).await, AUTHENTICATED);
    drop(wire);
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_07_heartbeats_do_not_keep_a_stranger_there() {
    let bench =
        bench(|options| options.config.limits.login_timeout = Duration::from_millis(300)).await;
    let (mut logs_in, mut wire) = (bench.peer().await, bench.peer().await);
    let mut silent = bench.peer().await;
    assert_eq!(says(&mut logs_in, &hello("mallory", "own")).await, AUTHENTICATED);
    let beat = envelope(b"", HEARTBEAT, b"");
    while wire.try_send(&beat).await && bench.stats().sessions_unnamed > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    wire.closed().await;
    assert_eq!(bench.end(&wire).await, Reason::PeerFault(Misbehaved::NotLoggedIn.into()));
    silent.closed().await;
    assert_eq!(bench.end(&silent).await, Reason::PeerFault(Misbehaved::NotLoggedIn.into()));
    assert_eq!(bench.stats().logins_missed, 2);
    logs_in.spy().await;
    bench.canary().await;
    drop(logs_in);
    bench.over(1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_stay_keep_nobody_out() {
    let bench = bench(|options| options.config.limits.sessions_unnamed_max = 8).await;
    let mut all = Vec::new();
    for n in 0..40 {
        all.push(bench.peer().await);
        assert!(bench.stats().sessions_unnamed <= 8, "{n}");
    }
    let mut honest = bench.peer().await;
    assert_eq!(says(&mut honest, &hello("mallory", "own")).await, AUTHENTICATED);
    honest.spy().await;
    for mut gone in all.drain(..33) {
        gone.closed().await;
    }
    bench.canary().await;
    drop((all, honest));
    bench.over(1, &[]).await;
}
