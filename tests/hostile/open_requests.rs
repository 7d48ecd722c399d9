//! Requests that wait: as many and as large as they may be, of those who stay and of those who leave.

use crate::bench::Bench;
use pseud::OnDisconnect;
use pseud::proto::pseud::{Dropped, Stats};
use pseud_testkit::raw::RawPeer;
use pseud_testkit::raw::{ERROR, OK, WORK, envelope, fresh_id, work, works};

const MIB: usize = 1 << 20;

/// A call of that name with so many bytes.
fn large_work(id: &[u8], name: &str, size: usize) -> Vec<u8> {
    let head = [&[0x93, 0xa0 | name.len() as u8], name.as_bytes(), b"\x91\xc6"].concat();
    let size_bytes = (size as u32).to_be_bytes();
    envelope(id, WORK, &[&head, &size_bytes[..], &vec![0; size], b"\x80"].concat())
}

/// Lets all calls of `wait` return, also those whose handlers have only just begun.
async fn release_until(bench: &Bench, over: impl Fn(&Stats) -> bool) {
    let release = |stats: &Stats| {
        bench.release.notify_waiters();
        over(stats)
    };
    bench.until(release).await;
}

async fn overloaded(wire: &mut RawPeer, id: &[u8]) {
    let (to, kind, body) = wire.answer().await;
    assert_eq!((&to[..], kind), (id, ERROR));
    assert!(body.windows(10).any(|word| word == b"Overloaded"), "{body:x?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_08_requests_that_wait_take_no_more_bytes_than_they_may() {
    let bench = Bench::with(|options| {
        options.config.limits.requests_open_bytes_per_peer_max = 4 * MIB;
        options.config.limits.requests_open_bytes_max = 10 * MIB;
    })
    .await;
    let mut wires = Vec::new();
    // Of each peer three fit into its 4 MiB, and of all of them nine into 10.
    for served in [3, 3, 3, 0] {
        let mut wire = bench.peer().await;
        for count in 0..20 {
            let id = fresh_id();
            wire.send(&large_work(&id, "wait", MIB)).await;
            if count >= served {
                overloaded(&mut wire, &id).await;
            }
            assert!(bench.stats().requests_open_bytes <= 10 * MIB);
        }
        bench.canary().await;
        wire.spy().await;
        wires.push(wire);
    }
    assert_eq!(bench.stats().requests_shed, 80 - 9);
    assert_eq!(bench.stats().requests_open_bytes / MIB, 9);
    // One leaves, and its bytes with it.
    let first = wires.remove(0);
    first.reset();
    bench.until(|stats| stats.requests_open_bytes / MIB == 6).await;
    bench.until(|stats| stats.dropped(Dropped::CallerGone) == 3).await;
    let mut last = wires.pop().unwrap();
    let id = fresh_id();
    last.send(&large_work(&id, "wait", MIB)).await;
    bench.until_spied(14).await;
    wires.push(last);
    release_until(&bench, |stats| stats.requests_open_bytes == 0).await;
    for (wire, count) in wires.iter_mut().zip([3, 3, 1]) {
        for _ in 0..count {
            assert_eq!(wire.answer().await.1, OK);
        }
    }
    for mut wire in wires {
        assert_eq!(wire.finish().await, b"");
    }
    bench.over(14, &[(Dropped::CallerGone, 3)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l_06_who_calls_and_leaves_again_and_again_keeps_nobody_out() {
    let bench = Bench::with(|options| options.config.limits.requests_open_max = 200).await;
    for round in 1..=10 {
        let mut bob = bench.peer().await;
        bob.send(&works("wait", 100)).await;
        bench.until_spied(100 * round).await;
        bob.reset();
        bench.until(|stats| stats.dropped(Dropped::CallerGone) == 100 * round).await;
        bench.canary().await;
    }
    let mut alice = bench.peer().await;
    let id = fresh_id();
    alice.send(&work(&id, "wait")).await;
    bench.until_spied(1_001).await;
    release_until(&bench, |stats| stats.requests_open == 0).await;
    assert_eq!(alice.answer().await, (id, OK, vec![7]));
    assert_eq!(alice.finish().await, b"");
    bench.over(1_001, &[(Dropped::CallerGone, 1_000)]).await;
}

/// What the other choice costs: whoever makes it must see to it that its handlers end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l_06_orphans_that_are_to_finish_take_no_more_than_all_requests_may() {
    let bench = Bench::with(|options| {
        options.on_disconnect = OnDisconnect::Detach;
        options.config.limits.requests_open_bytes_max = 4 * MIB;
    })
    .await;
    for round in 0..3 {
        let mut bob = bench.peer().await;
        for _ in 0..3 {
            let id = fresh_id();
            bob.send(&large_work(&id, "wait", MIB)).await;
            if round > 0 {
                overloaded(&mut bob, &id).await;
            }
        }
        bob.spy().await;
        bob.reset();
        // What they hold they hold for as long as somebody works for it.
        bench.until(|stats| stats.sessions == 1 && stats.requests_open_bytes > 3 * MIB).await;
        bench.canary().await;
    }
    assert_eq!(bench.spied(), 3 + 3);
    release_until(&bench, |stats| stats.dropped(Dropped::CallerGone) == 3).await;
    let mut bob = bench.peer().await;
    bob.send(&large_work(b"", "wait", MIB)).await;
    bench.until_spied(7).await;
    release_until(&bench, |stats| stats.requests_open_bytes == 0).await;
    assert_eq!(bob.answer().await.1, OK);
    assert_eq!(bob.finish().await, b"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l_06_links_full_of_requests_that_wait_leave_room_for_those_with_few() {
    let bench = Bench::with(|options| {
        options.config.limits.requests_open_max = 400;
        options.config.limits.requests_open_per_peer_max = 100;
    })
    .await;
    let (mut wires, mut spied) = (Vec::new(), 0);
    // The last quarter is for those who have fewer than sixteen open.
    for served in [100, 100, 100, 16, 16, 16] {
        let mut wire = bench.peer().await;
        wire.send(&works("wait", 100)).await;
        for _ in served..100 {
            overloaded(&mut wire, b"").await;
        }
        spied += served;
        bench.until_spied(spied).await;
        bench.canary().await;
        wires.push(wire);
    }
    assert_eq!(bench.stats().requests_open, 348);
    release_until(&bench, |stats| stats.requests_open == 0).await;
    for mut wire in wires {
        wire.finish().await;
    }
    bench.over(348, &[]).await;
}
