//! Handlers that a peer may not reach: it is told nothing of them.

use crate::bench::Bench;
use pseud::Fault;
use pseud_testkit::raw::{ERROR, WORK, envelope, work};

const ID: [u8; 16] = *b"sixteen bytes...";

/// What a fresh peer is answered to that message.
async fn answer(bench: &Bench, work: &[u8]) -> (Vec<u8>, u8, Vec<u8>) {
    let mut wire = bench.peer().await;
    wire.send(work).await;
    let answer = wire.answer().await;
    assert!(wire.finish().await.is_empty(), "more was said");
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m_03_forbidden_is_missing_byte_for_byte() {
    let bench = Bench::new().await;
    bench.server.predicate("denies", |_| false);
    bench.server.predicate("panics", |_| panic!("on purpose"));
    bench.server.predicate_async("denies late", |_| async {
        tokio::task::yield_now().await;
        false
    });
    // What is no call is told so whatever its name is: so that says nothing of the name.
    let broken = envelope(&ID, WORK, &[&[0x93, 0xa6][..], b"secret", b"\x91\xc1\x80"].concat());
    let not_found = &b"\x93\xb4ServiceNotFoundError\xa6secret\xa0"[..];
    let no_call = &b"\x93\xa9TypeError\xbba reserved marker at byte 1\xa0"[..];
    for (work, body) in [(work(&ID, "secret"), not_found), (broken, no_call)] {
        let missing = answer(&bench, &work).await;
        assert_eq!(missing, (ID.to_vec(), ERROR, body.to_vec()));
        for domain in ["restricted", "denies", "panics", "denies late", "without a predicate"] {
            let registry = bench.server.domain(domain);
            registry.register_sync("secret", |_| Ok::<_, Fault>("told")).unwrap();
            assert_eq!(answer(&bench, &work).await, missing, "{domain}");
            assert!(registry.unregister("secret"));
            bench.canary().await;
        }
        assert_eq!(answer(&bench, &work).await, missing);
    }
    bench.until(|stats| stats.sessions == 1 && stats.requests_open == 0).await;
}
