//! What a call costs the core: allocations, writes and reads, instructions. Printed by
//! `cargo test --test costs -- --nocapture`; nothing here depends on how fast the machine is.
//!
//! The bounds that are asserted are far above what is measured: they catch a cost of another kind,
//! not a percent.

mod pipeline;

use allocation_counter::measure;
use pipeline::{Exchange, Pipeline};
use std::env;
use std::process::Command;

const WARM_UP: usize = 1_000;
const CALLS: usize = 1_000;

#[test]
fn allocations_per_call() {
    let mut exchange = Exchange::new();
    exchange.calls(WARM_UP);
    let before = exchange.allocated();
    exchange.calls(CALLS);
    let after = exchange.allocated();
    for (side, before, after) in
        [("client", before.client, after.client), ("server", before.server, after.server)]
    {
        let each = (after - before) as f64 / CALLS as f64;
        println!("allocations per call of 16 bytes, {side}: {each:.2}");
        assert!(each <= 8.0, "{side}: {each}");
    }
}

#[test]
fn an_idle_pair_holds_little() {
    let mut exchange = None;
    let held = measure(|| exchange = Some(Exchange::new())).bytes_current;
    println!("bytes held by two channels after their handshake: {held}");
    assert!(held <= 64 << 10, "{held}");
    drop(exchange);
}

#[test]
fn writes_and_reads_per_call() {
    for (in_flight, most) in [(1, 1.0), (256, 0.05)] {
        let mut pipeline = Pipeline::new(in_flight);
        pipeline.calls(WARM_UP);
        let before = pipeline.count;
        pipeline.calls(10 * CALLS);
        let each = |after: usize, before: usize| (after - before) as f64 / (10 * CALLS) as f64;
        let after = pipeline.count;
        let writes = [
            each(after.client_writes, before.client_writes),
            each(after.server_writes, before.server_writes),
        ];
        println!(
            "writes per call, {in_flight} in flight: client {:.3}, server {:.3}; \
                  each is one read on the other side",
            writes[0], writes[1]
        );
        assert!(writes.iter().all(|&writes| writes <= most), "{writes:?}");
    }
}

/// Runs the test below under callgrind twice, with different numbers of calls: the difference is
/// the calls' alone.
#[test]
fn instructions_per_call() {
    let [Some(few), Some(many)] = [1_000, 3_000].map(instructions) else { return };
    let each = (many - few) / 2_000;
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    println!("instructions per call of 16 bytes, both sides, {profile} build: {each}");
    assert!((500..1_000_000).contains(&each), "{each}");
}

/// The subject of callgrind: as many calls as the environment says, else a few.
#[test]
fn subject() {
    let calls = env::var(SUBJECT).map_or(10, |calls| calls.parse().expect("a number"));
    let mut exchange = Exchange::new();
    exchange.calls(calls);
    assert_eq!(exchange.served, calls);
}

const SUBJECT: &str = "PSEUD_COSTS_CALLS";

fn instructions(calls: usize) -> Option<u64> {
    let program = env::current_exe().expect("this very program");
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--exact", "subject", "--test-threads=1"])
        .env(SUBJECT, calls.to_string())
        .output();
    let Ok(output) = valgrind else {
        println!("NOT RUN: valgrind is not installed");
        return None;
    };
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected : "));
    let Some(number) = collected.and_then(|(_, number)| number.trim().parse().ok()) else {
        panic!("callgrind said: {text}");
    };
    Some(number)
}

/// The counter counts.
#[test]
fn an_allocation_is_seen() {
    let info = measure(|| drop(std::hint::black_box(Box::new(7))));
    assert_eq!((info.count_total, info.count_current), (1, 0));
}
