//! `pseud call`: answers, faults, and no answer.

use crate::run::{Demo, run};
use pseud::proto::value::ValueLimits;
use pseud::{Fault, Options, Server};
use std::io::{Read, Write};
use std::net::TcpListener;

#[test]
fn the_demo_answers() {
    let demo = Demo::start();
    assert_eq!(demo.answer(&["hello", "Charly"]), r#""Hello Charly""#);
    assert_eq!(demo.answer(&["add", "2", "-3"]), "-1");
    assert_eq!(demo.answer(&["add", "2", "-0.5"]), "1.5");
    assert_eq!(demo.answer(&["add", "2", "--kw", "b=3"]), "5");
    assert_eq!(demo.answer(&["hello", "--kw", "name=Charly"]), r#""Hello Charly""#);
    assert_eq!(demo.answer(&["string.lower", "ÇA"]), r#""ça""#);
    assert_eq!(demo.answer(&["string.upper", "ça"]), r#""ÇA""#);
    assert_eq!(demo.answer(&["sleep", "0.01"]), "0.01");
    assert_eq!(demo.answer(&["whoami"]), r#"{"$bin":""}"#);
    let now = demo.answer(&["now"]);
    assert!(now.starts_with(r#"{"$datetime":"2"#) && now.ends_with(r#"+00:00"}"#), "{now}");
    let types = demo.answer(&["types"]);
    for kind in ["null", "$bin", "$map", "$datetime", "$date", "$timedelta", "$timezone"] {
        assert!(types.contains(kind), "{kind} in {types}");
    }
}

#[test]
fn a_fault_exits_1_and_is_one_line() {
    let demo = Demo::start();
    for (arguments, told) in [
        (&["fail", "KeyError", "no such key"][..], "KeyError: no such key\n"),
        (&["nosuch"], "ServiceNotFoundError: nosuch\n"),
        (&["fail", "KeyError", ""], "KeyError\n"),
        (&["fail", "E", r#""\u001b[31m\n\u009b""#], "E: \\u{1b}[31m\\n\\u{9b}\n"),
        (&["sleep", "-1"], "ValueError: 0 to 3600 seconds are slept\n"),
        (
            &["callback", "name"],
            "RuntimeError: a nested call failed: it was not executed: the peer serves nothing of that \
             name, or not to this user\n",
        ),
        (&["add", "18446744073709551615", "1"], "OverflowError: the sum is too large\n"),
    ] {
        let ended = demo.call(arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), told));
        assert_eq!(ended.stdout, "");
    }
    let ended = demo.call(&["hello"]);
    assert!(ended.code == Some(1) && ended.stderr.starts_with("TypeError: "), "{ended:?}");
    let ended = demo.call(&["hello", "3"]);
    assert_eq!(ended.stderr, "TypeError: argument 1: expected a string, found int\n");
    for (arguments, named) in
        [(&["add", "1", "--kw", "c=2"][..], "`c`"), (&["whoami", "--kw", "a=1"], "`a`")]
    {
        let ended = demo.call(arguments);
        assert!(ended.code == Some(1) && ended.stderr.contains(named), "{ended:?}");
    }
}

#[test]
fn tracebacks_are_shown_where_both_sides_want_them() {
    let traceback = "in `fail`, as it was asked to";
    let asked = ["--traceback", "fail", "E", "m"];
    let open = Demo::with(&["--expose-traceback"]);
    assert_eq!(open.call(&asked).stderr, format!("E: m\n{traceback}\n"));
    assert_eq!(open.call(&["fail", "E", "m"]).stderr, "E: m\n");
    assert_eq!(Demo::start().call(&asked).stderr, "E: m\n");
}

#[test]
fn nobody_there_exits_3_and_a_retry_is_safe() {
    // Bound and dropped: a port at which nobody listens.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("tcp://127.0.0.1:{port}");
    let call = ["call", "--connect", &endpoint, "--peer", "service", "--timeout", "0.3", "hello"];
    let ended = run(&call);
    assert_eq!(ended.code, Some(3));
    let told = "no answer: not executed: not connected (a retry is safe)\n";
    assert!(ended.stderr.starts_with(told), "{ended:?}");
    assert!(ended.stderr.contains(&format!("cannot connect to {endpoint}")), "{ended:?}");
    let verbose = run(&[&["-v"][..], &call].concat());
    assert!(verbose.stderr.contains(&format!("cannot connect to {endpoint}")), "{verbose:?}");
}

#[test]
fn a_server_of_another_name_is_nobody() {
    let demo = Demo::start();
    let call = ["call", "--connect", &demo.endpoint, "--peer", "else", "--timeout", "0.3", "hello"];
    let ended = run(&call);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let told = "no answer: not executed: connected, but not to a server of that name (a retry is safe, \
                but of no use until that has changed)\n";
    assert!(ended.stderr.starts_with(told), "{ended:?}");
    assert!(ended.stderr.contains("is named \"service\", not \"else\": see --peer"), "{ended:?}");
}

/// A bound ROUTER that announces no name (RFC 28), by hand: no server of this library is without one.
#[test]
fn a_server_without_a_name_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut greeting = [0; 64];
        (greeting[0], greeting[9], greeting[10]) = (0xff, 0x7f, 3);
        greeting[12..16].copy_from_slice(b"NULL");
        let ready = b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06ROUTER";
        stream.write_all(&[&greeting[..], ready].concat()).unwrap();
        // Until the program has left.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let ended =
        run(&["call", "--connect", &endpoint, "--peer", "else", "--timeout", "0.5", "hello"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("has no name, so it is not \"else\": see --peer"), "{ended:?}");
    server.join().unwrap();
}

#[test]
fn an_answer_too_late_exits_3_and_may_have_run() {
    let demo = Demo::start();
    let call = ["call", "--connect", &demo.endpoint, "--peer", "service", "--timeout", "2"];
    let ended = run(&[&call[..], &["sleep", "10"]].concat());
    assert_eq!(ended.code, Some(3));
    let told =
        "no answer: outcome unknown: timed out (it may have run: a retry may run it twice)\n";
    assert_eq!(ended.stderr, told);
}

/// It is an answer: nobody is told that there was none, or that it may not have run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_over_a_limit_exits_1_and_has_run() {
    let mut values = ValueLimits::default();
    values.nodes_max *= 2;
    let server = Server::with_options(Options::server("service").value_limits(values)).unwrap();
    server.register_sync("many", |_| Ok::<_, Fault>(vec![(); 1_100_000])).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let call = move || run(&["call", "--connect", &endpoint, "--peer", "service", "many"]);
    let ended = tokio::task::spawn_blocking(call).await.unwrap();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    let told = "it ran, but its result cannot be read: the reply is too large";
    assert!(ended.stderr.contains(told), "{ended:?}");
    assert!(!ended.stderr.contains("no answer"), "{ended:?}");
}

#[test]
fn what_makes_no_sense_exits_2_before_anything_is_sent() {
    let far = ["call", "--connect", "tcp://127.0.0.1:1", "--peer", "service"];
    for (arguments, named) in [
        (&["echo", "18446744073709551616"][..], "18446744073709551616"),
        (&["echo", r#"{"$bin": "0"}"#], "hex digits"),
        (&["echo", "--timout", "3"], "--timout"),
        (&["echo", "--kw", "x"], "KEY=VALUE"),
        (&["echo", "--kw", "x=1", "--kw", "x=2"], "x"),
        (&["echo", "--timeout", "0"], "0"),
        (&["echo", r#"{"$map": [[{"a": 1}, 2]]}"#], "pseud:"),
        (&[], "METHOD"),
    ] {
        let ended = run(&[&far, arguments].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?} {ended:?}");
        assert!(ended.stderr.contains(named), "{named}: {}", ended.stderr);
    }
    for endpoint in ["foo", "udp://h:1", "tcp://127.0.0.1:0", "tcp://*:1", "tcp://h:65536"] {
        let ended = run(&["call", "--connect", endpoint, "--peer", "service", "hello"]);
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains(endpoint), "{}", ended.stderr);
    }
}

#[test]
fn help_names_examples_and_exit_codes() {
    for command in ["serve", "call", "keygen"] {
        let ended = run(&[command, "--help"]);
        assert_eq!(ended.code, Some(0));
        for text in ["Example", "Exit codes:", "Usage: pseud"] {
            assert!(ended.stdout.contains(text), "{text} in {}", ended.stdout);
        }
    }
    assert!(run(&["--help"]).stdout.contains("Charly"));
    assert_eq!(run(&["--version"]).stdout, concat!("pseud ", env!("CARGO_PKG_VERSION"), "\n"));
}
