//! `--rpcudp`: calls over datagrams.

use crate::run::{PATIENCE, Program, run};
use pseud::Fault;
use pseud::rpcudp::Endpoint;
use std::time::Duration;

/// `pseud serve --rpcudp --demo`, and where it is.
fn demo(options: &[&str]) -> (Program, String) {
    let serve = ["serve", "--demo", "--rpcudp", "127.0.0.1:0"];
    let program = Program::start(&[&serve, options].concat());
    let mut line = program.line();
    loop {
        let address =
            line.strip_prefix("listening on ").and_then(|at| at.strip_suffix(" (rpcudp)"));
        if let Some(address) = address {
            let address = address.to_owned();
            return (program, address);
        }
        line = program.line();
    }
}

#[test]
fn a_method_is_called_over_datagrams() {
    let (program, address) = demo(&[]);
    let call = |arguments: &[&str]| run(&[&["call", "--rpcudp", &address], arguments].concat());
    let answer = call(&["hello", "Charly"]);
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), "\"Hello Charly\"\n"));
    assert_eq!(call(&["add", "1", "2"]).stdout, "3\n");
    // No errors on this wire: a failure and an unknown name are no answer.
    for method in [&["fail", "ValueError", "no"][..], &["nothing"]] {
        let silent = call(&[&["--timeout", "0.3"], method].concat());
        assert_eq!((silent.code, silent.stdout.as_str()), (Some(3), ""));
        assert!(silent.stderr.contains("tells no errors"), "{}", silent.stderr);
    }
    program.wait_for_log("its handler failed");
    program.signal("TERM");
    assert_eq!(program.end().code, Some(0));
}

#[test]
fn the_same_methods_are_served_over_both_wires() {
    let (program, address) = demo(&["--name", "service", "--bind", "tcp://127.0.0.1:0"]);
    assert_eq!(run(&["call", "--rpcudp", &address, "add", "1", "2"]).stdout, "3\n");
    drop(program);
}

#[tokio::test]
async fn its_methods_call_their_caller_back() {
    let (_program, address) = demo(&[]);
    let caller = Endpoint::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let repeat =
        |(text, count): (String, usize), _| async move { Ok::<_, Fault>(text.repeat(count)) };
    caller.register_typed("repeat", repeat).unwrap();
    let call = caller.call(address.parse().unwrap(), "callback", ("repeat", "ha", 3));
    let told: String = call.timeout(PATIENCE).await.unwrap();
    assert_eq!(told, "hahaha");
}

/// What is open when it is told to stop is answered; what comes then is not.
#[tokio::test]
async fn it_is_drained() {
    let (program, address) = demo(&[]);
    let to = address.parse().unwrap();
    let caller = Endpoint::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let slow = tokio::spawn(caller.call::<f64, _>(to, "sleep", (4.0,)).timeout(PATIENCE));
    // Datagrams of one socket come in their order: once this is answered the other is open.
    while caller.stats().calls_pending == 0 {
        tokio::task::yield_now().await;
    }
    let _: String = caller.call(to, "hello", ("x",)).timeout(PATIENCE).await.unwrap();
    program.signal("TERM");
    program.wait_for_log("SIGTERM");
    // It says so before it does so.
    let late = || caller.call::<String, _>(to, "hello", ("x",)).timeout(Duration::from_millis(300));
    while late().await.is_ok() {}
    assert!(!slow.is_finished());
    assert_eq!(slow.await.unwrap().unwrap(), 4.0);
    assert_eq!(program.end().code, Some(0));
}

#[test]
fn mistakes() {
    for (arguments, word) in [
        (&["call", "--rpcudp", "nowhere", "x"][..], "HOST:PORT"),
        (&["call", "--rpcudp", "127.0.0.1:1", "--kw", "a=1", "x"], "--kw"),
        (&["call", "--rpcudp", "127.0.0.1:1", "--peer", "s", "x"], "--peer"),
        (&["call", "--rpcudp", "127.0.0.1:0", "x"], "nobody can answer from 127.0.0.1:0"),
        (&["call", "--rpcudp", "0.0.0.0:5", "x"], "nobody can answer from 0.0.0.0:5"),
        (&["serve", "--rpcudp", "127.0.0.1"], "HOST:PORT"),
        (&["serve", "--rpcudp", "127.0.0.1:0", "--bind", "tcp://127.0.0.1:0"], "--name"),
        (&["serve", "--demo"], "--rpcudp"),
        (
            &[
                "serve",
                "--rpcudp",
                "127.0.0.1:0",
                "--kaa",
                "127.0.0.1:0",
                "--kaa-secret-file",
                "/none",
            ],
            "/none",
        ),
    ] {
        let ended = run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains(word), "{arguments:?}: {}", ended.stderr);
    }
    let nowhere = run(&["call", "--rpcudp", "no.such.host.invalid:1", "x"]);
    assert_eq!(nowhere.code, Some(3), "{}", nowhere.stderr);
    let (_program, address) = demo(&[]);
    let ended = run(&["serve", "--demo", "--rpcudp", &address]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(&format!("cannot bind {address}")), "{}", ended.stderr);
    let big = format!("\"{}\"", "x".repeat(9_000));
    let ended = run(&["call", "--rpcudp", &address, "echo", &big]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("exceeds the limit of 8192"), "{}", ended.stderr);
}
