//! `serve --heartbeat`, `call --heartbeat`.

use crate::run::{Demo, Program, run};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

fn desk(demo: &Demo, name: &str, heartbeat: &str) -> Program {
    let connect = ["--connect", &demo.endpoint, "--heartbeat", heartbeat];
    let desk = Program::start(&[&["serve", "--name", name, "--demo"][..], &connect].concat());
    demo.program.wait_for_log(&format!("joined: {name}"));
    desk
}

#[test]
fn who_does_not_tick_is_out_where_ticks_are_wanted() {
    let demo = Demo::with(&["--open-admin", "--heartbeat", "ticking"]);
    let _mute = desk(&demo, "mute", "ping");
    let left = demo.program.log_with("left: mute");
    assert!(left.contains("heartbeat time-out"), "{left}");
    let _lively = desk(&demo, "lively", "ticking");
    demo.program.wait_for_log("left: mute");
    let called = demo.call(&["--heartbeat", "ticking", "--to", "lively", "hello", "Charly"]);
    assert_eq!(called.stdout, "\"Hello Charly\"\n", "{called:?}");
}

/// A server that was stopped itself has read nothing meanwhile: those who beat all the time stay.
#[test]
fn a_server_that_was_stopped_ends_nobody_who_has_beaten_meanwhile() {
    let demo = Demo::with(&["--open-admin", "--heartbeat", "ticking"]);
    let desks = ["one", "two", "three"].map(|name| desk(&demo, name, "ticking"));
    for _ in 0..2 {
        demo.program.signal("STOP");
        thread::sleep(Duration::from_millis(2_500));
        demo.program.signal("CONT");
        for name in ["one", "two", "three"] {
            let called = demo.call(&["--heartbeat", "ticking", "--to", name, "hello", "Charly"]);
            assert_eq!(called.stdout, "\"Hello Charly\"\n", "{called:?}");
        }
    }
    demo.program.signal("TERM");
    drop(desks);
    let ended = demo.program.end();
    let timed_out = |line: &&str| line.contains("heartbeat time-out");
    assert_eq!(ended.stderr.lines().find(timed_out), None);
}

/// A peer of ZMTP, written by hand, that PINGs all the time and wants to be heard within a second (its ttl).
/// What it gives is the way to end it.
fn pinging(demo: &Demo) -> (TcpStream, thread::JoinHandle<()>) {
    let mut socket = TcpStream::connect(demo.endpoint.strip_prefix("tcp://").unwrap()).unwrap();
    let mut greeting = [0; 64];
    (greeting[0], greeting[9], greeting[10], greeting[11]) = (0xff, 0x7f, 3, 1);
    greeting[12..16].copy_from_slice(b"NULL");
    let ready = b"\x04\x2c\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\x03raw";
    assert_eq!(usize::from(ready[1]), ready.len() - 2);
    socket.write_all(&[&greeting[..], ready].concat()).unwrap();
    let (mut read, other) = (socket.try_clone().unwrap(), socket.try_clone().unwrap());
    thread::spawn(move || while read.read(&mut [0; 4_096]).is_ok_and(|count| count > 0) {});
    let pings = thread::spawn(move || {
        while socket.write_all(b"\x04\x07\x04PING\0\x0a").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    demo.program.wait_for_log("joined: raw");
    (other, pings)
}

#[test]
fn a_server_that_was_stopped_reads_the_pings_that_came_before_it_misses_any() {
    let demo = Demo::start();
    let (socket, pings) = pinging(&demo);
    for _ in 0..3 {
        demo.program.signal("STOP");
        thread::sleep(Duration::from_millis(2_000));
        demo.program.signal("CONT");
        assert_eq!(demo.answer(&["hello", "Charly"]), "\"Hello Charly\"");
    }
    socket.shutdown(Shutdown::Both).unwrap();
    pings.join().unwrap();
    let left = demo.program.log_with("left: raw");
    assert!(!left.contains("heartbeat"), "{left}");
}

#[test]
fn without_heartbeats_calls_are_answered_and_unknown_ones_are_refused() {
    let demo = Demo::with(&["--heartbeat", "noop"]);
    let called = demo.call(&["--heartbeat", "noop", "hello", "Charly"]);
    assert_eq!(called.stdout, "\"Hello Charly\"\n", "{called:?}");
    let serve = ["serve", "--name", "x", "--bind", "tcp://127.0.0.1:0", "--heartbeat", "loud"];
    let ended = run(&serve);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.contains("ping, ticking, noop"), "{}", ended.stderr);
}
