//! `pseud peers`, `pseud kick`, `pseud call --to`: a server looked after from a shell.

use crate::run::{Demo, PATIENCE, Program, run};
use std::collections::BTreeSet;
use std::time::Instant;

/// A client of that server which is called: `pseud serve --connect`.
fn desk(demo: &Demo, name: &str) -> Program {
    let desk = Program::start(&["serve", "--name", name, "--demo", "--connect", &demo.endpoint]);
    demo.program.wait_for_log(&format!("joined: {name}"));
    desk
}

fn target<'a>(command: &'a str, demo: &'a Demo) -> Vec<&'a str> {
    vec![command, "--connect", &demo.endpoint, "--peer", "service", "--timeout", "15"]
}

fn arguments<'a>(command: &'a str, demo: &'a Demo, more: &[&'a str]) -> Vec<&'a str> {
    [target(command, demo), more.to_vec()].concat()
}

#[test]
fn a_client_is_listed_called_by_name_and_kicked() {
    let demo = Demo::with(&["--open-admin"]);
    let _desk = desk(&demo, "desk");
    let listed = run(&arguments("peers", &demo, &[]));
    assert_eq!((listed.code, listed.stderr.as_str()), (Some(0), ""), "{listed:?}");
    let mut lines = listed.stdout.lines();
    assert!(lines.next().unwrap().starts_with("SESSION    WHO"), "{}", listed.stdout);
    let row: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!((row[1], row[3]), ("desk", "NULL"), "{}", listed.stdout);
    assert!(row[2].starts_with("127.0.0.1:"), "{}", listed.stdout);
    let json = run(&arguments("peers", &demo, &["--json"]));
    let desk = json.stdout.lines().find(|line| line.contains("\"desk\"")).unwrap();
    for part in ["\"session\"", "\"heard_ago\"", "\"bytes_sent\"", "\"capabilities\""] {
        assert!(desk.contains(part), "{part}: {desk}");
    }
    let called = demo.call(&["--to", "desk", "hello", "Charly"]);
    assert_eq!(called.stdout, "\"Hello Charly\"\n", "{called:?}");
    let raised = demo.call(&["--to", "desk", "fail", "KeyError", "gone"]);
    assert_eq!(raised.code, Some(1));
    assert!(raised.stderr.contains("KeyError: gone"), "{raised:?}");
    let nobody = demo.call(&["--to", "nobody", "hello", "Charly"]);
    assert_eq!(nobody.code, Some(3), "{nobody:?}");
    assert!(nobody.stderr.contains("nobody of that name is there (a retry is safe)"), "{nobody:?}");
    let missing = demo.call(&["--to", "desk", "nosuch"]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stderr.contains("ServiceNotFoundError: nosuch"), "{missing:?}");
    let args = arguments("call", &demo, &["--to", "desk", "sleep", "3"]);
    let late =
        run(&args.iter().map(|arg| if *arg == "15" { "1" } else { arg }).collect::<Vec<_>>());
    assert_eq!(late.code, Some(3), "{late:?}");
    assert!(late.stderr.contains("a retry may run it twice"), "{late:?}");
    let kicked = run(&arguments("kick", &demo, &["desk"]));
    assert_eq!((kicked.code, kicked.stdout.as_str()), (Some(0), "1\n"), "{kicked:?}");
    let left = demo.program.log_with("left: desk");
    assert!(left.contains("no longer welcome"), "{left}");
    let missing = run(&arguments("kick", &demo, &["nobody"]));
    assert_eq!(missing.code, Some(1), "{missing:?}");
}

#[test]
fn a_watch_tells_first_who_is_there_and_then_who_comes_and_goes() {
    let demo = Demo::with(&["--open-admin"]);
    let _first = desk(&demo, "first");
    let watch = Program::start(&arguments("peers", &demo, &["--watch", "--json"]));
    let until = |event: &str, name: &str| {
        let since = Instant::now();
        loop {
            let line = watch.line();
            if line.contains(&format!("\"identity\":\"{name}\""))
                || line.contains(&format!("\"identity\": \"{name}\""))
            {
                assert!(line.contains(event), "{line}");
                return;
            }
            assert!(since.elapsed() < PATIENCE);
        }
    };
    until("joined", "first");
    let second = desk(&demo, "second");
    until("joined", "second");
    drop(second);
    until("left", "second");
    watch.signal("INT");
}

/// The next line of a watch: which event, of whom.
fn next_event(watch: &Program) -> (String, String) {
    let line = watch.line();
    let text = |name: &str| {
        let (_, rest) = line.split_once(&format!("\"{name}\"")).expect(&line);
        rest.trim_start_matches([':', ' ', '"']).split('"').next().unwrap().to_owned()
    };
    (text("event"), text("identity"))
}

#[test]
fn a_watch_outlives_a_restart_and_then_says_who_is_there() {
    let demo = Demo::with(&["--open-admin"]);
    let endpoint = demo.endpoint.clone();
    let gone = desk(&demo, "gone");
    let watch = Program::start(&arguments("peers", &demo, &["--watch", "--json"]));
    let mut there = BTreeSet::new();
    let mut until = |is_enough: &dyn Fn(&BTreeSet<String>) -> bool| {
        while !is_enough(&there) {
            let (event, identity) = next_event(&watch);
            let is_news = match event.as_str() {
                "joined" => there.insert(identity.clone()),
                _ => there.remove(&identity),
            };
            // The watch itself has no name, and may be there twice for a moment.
            assert!(is_news || !["gone", "stays"].contains(&&*identity), "{event} {identity}");
        }
    };
    until(&|there| there.contains("gone"));
    let _stays = desk(&demo, "stays");
    until(&|there| there.contains("stays"));
    drop((gone, demo));
    until(&|there| !there.contains("gone") && !there.contains("stays"));
    watch.wait_for_log("connection lost");
    let options = ["--name", "service", "--demo", "--open-admin", "--bind", &endpoint];
    let server = Program::start(&[&["serve"][..], &options].concat());
    until(&|there| there.contains("stays"));
    drop(server);
    until(&|there| !there.contains("stays"));
}

#[test]
fn a_watch_without_a_server_ends() {
    let demo = Demo::with(&["--open-admin"]);
    let args = arguments("peers", &demo, &["--watch", "--json"]);
    let args: Vec<_> = args.iter().map(|arg| if *arg == "15" { "1" } else { arg }).collect();
    let watch = Program::start(&args);
    watch.line();
    drop(demo);
    let ended = watch.end();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended.stderr.contains("connection lost") && ended.stderr.contains("no answer"),
        "{ended:?}"
    );
}

#[test]
fn a_server_that_is_watched_stops_at_once() {
    let demo = Demo::with(&["--open-admin"]);
    let watch = Program::start(&arguments("peers", &demo, &["--watch"]));
    assert!(watch.line().starts_with("joined"));
    demo.program.signal("TERM");
    let ended = demo.program.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("stopped before"), "{ended:?}");
    let ended = watch.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn k_10_without_the_right_nothing_is_told() {
    let demo = Demo::start();
    for command in ["peers", "kick"] {
        let who: &[&str] = if command == "kick" { &["desk"] } else { &[] };
        let ended = run(&arguments(command, &demo, who));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        let text = format!("ServiceNotFoundError: pseud.{command}");
        assert!(ended.stderr.contains(&text), "{ended:?}");
        assert!(ended.stderr.contains("permission `admin`"), "{ended:?}");
    }
    let ended = demo.call(&["--to", "desk", "hello", "Charly"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("ServiceNotFoundError: pseud.call"), "{ended:?}");
}
