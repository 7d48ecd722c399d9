//! `serve --heartbeat`, `call --heartbeat`.

use crate::run::{Demo, Program, run};

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
