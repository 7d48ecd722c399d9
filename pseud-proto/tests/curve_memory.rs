//! What a flood of HELLOs costs (D-04): one process, so that nobody else allocates.
#![cfg(feature = "_curve")]
#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

mod secured;

use peak_alloc::PeakAlloc;
use pseud_proto::zmtp::*;
use pseud_testkit::connection::*;
use pseud_testkit::raw::greeting_of;
use secured::*;
use std::time::Instant;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Links of the flood, all held open before INITIATE.
const LINKS: usize = 1_000;
/// Bytes that one of them may hold, itself included. Its output lies unwritten.
const WAITING_BYTES_MAX: usize = 2_048;
/// Bytes that the test harness may allocate meanwhile, on a thread of its own.
const HARNESS_BYTES_MAX: usize = 16 * 1_024;
/// Bytes that a link may hold that is ready and idle.
const IDLE_BYTES_MAX: usize = 2_048;

#[test]
fn d_04_a_link_before_initiate_and_an_idle_one_hold_little() {
    let now = Instant::now();
    let room = curve();
    let (mut client, _) = room.open(Side::Connecting, now);
    let mut hello = written(&mut client);
    feed(&mut client, &greeting_of("CURVE"), usize::MAX, now).unwrap();
    hello.extend(written(&mut client));

    let before = ALLOCATED.current_usage();
    let mut flood = Vec::with_capacity(LINKS);
    for _ in 0..LINKS {
        let mut server = Connection::new(room.server.clone(), Side::Accepting, [1; 32], now);
        server.handle_input(&mut hello.clone(), now).unwrap();
        assert!(server.backlog() < hello.len());
        flood.push(server);
    }
    let each = (ALLOCATED.current_usage() - before) / LINKS;
    assert!(each <= WAITING_BYTES_MAX, "{each}");
    drop(flood);
    assert!(ALLOCATED.current_usage() < before + HARNESS_BYTES_MAX);

    let (_, mut server) = room.ready(now);
    let due = server.poll_timeout().unwrap();
    server.handle_timeout(due).unwrap();
    written(&mut server);
    let held = ALLOCATED.current_usage();
    drop(server);
    let idle = held - ALLOCATED.current_usage() + size_of::<Connection>();
    println!("a link before INITIATE: {each} B, an idle one: {idle} B");
    assert!(idle <= IDLE_BYTES_MAX, "{idle}");
}
