//! What a call costs the core: allocations, writes and reads, instructions. Printed by
//! `cargo test --test costs -- --nocapture`; nothing here depends on how fast the machine is.
//!
//! The bounds that are asserted are far above what is measured: they catch a cost of another kind,
//! not a percent.

mod pipeline;

use allocation_counter::measure;
use pipeline::{Exchange, Pipeline};
use pseud::proto::{Packed, Unchecked, ValueLimits};
use std::env;
use std::hint::black_box;
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

/// Goals of a release build: encode at most 300, decode at most 550, a call at most
/// 3 000 for each side. Printed, not judged: a debug build is many times over them.
#[test]
fn instructions_each() {
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    for (subject, goal) in [("call", 2 * 3_000), ("encode", 300), ("decode", 550)] {
        let [Some(few), Some(many)] = [1_000, 3_000].map(|times| instructions(subject, times))
        else {
            return;
        };
        let each = (many - few) / 2_000;
        let what = match subject {
            "call" => "a call of 16 bytes, both sides, bodies included",
            _ => "the body of a WORK of 16 bytes",
        };
        println!("instructions, {subject}: {each} ({what}; {profile} build; release goal {goal})");
        assert!((50..1_000_000).contains(&each), "{subject}: {each}");
    }
}

/// A subject of callgrind: as many calls as the environment says, else a few.
#[test]
fn call() {
    let mut exchange = Exchange::new();
    exchange.calls(times());
    assert_eq!(exchange.served, times());
}

const ARGUMENT: &str = "0123456789abcdef";

#[test]
fn encode() {
    for _ in 0..times() {
        let packed = Packed::call(&(black_box(ARGUMENT),), &()).expect("a str");
        assert_eq!(black_box(packed).as_bytes().len(), 19);
    }
}

#[test]
fn decode() {
    let body = Packed::call(&(ARGUMENT,), &()).expect("a str").into_bytes();
    let limits = ValueLimits::default();
    for _ in 0..times() {
        let arguments = Unchecked::new(black_box(body.clone())).check_call(&limits).expect("sound");
        let (argument,): (&str,) = arguments.args().expect("a str");
        assert_eq!(black_box(argument).len(), 16);
    }
}

const TIMES: &str = "PSEUD_COSTS_TIMES";

fn times() -> usize {
    env::var(TIMES).map_or(10, |times| times.parse().expect("a number"))
}

/// What that test of this program takes when it does its thing so often. The difference between two
/// numbers of times is the thing's alone.
fn instructions(subject: &str, times: usize) -> Option<u64> {
    let program = env::current_exe().expect("this very program");
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--exact", subject, "--test-threads=1"])
        .env(TIMES, times.to_string())
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
    let info = measure(|| drop(black_box(Box::new(7))));
    assert_eq!((info.count_total, info.count_current), (1, 0));
}
