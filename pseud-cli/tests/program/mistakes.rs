//! What people get wrong about security, and what they are told.

use crate::run::{Demo, Ended, run};
use crate::security::Place;
use std::net::TcpListener;

const SERVE: [&str; 5] = ["serve", "--name", "service", "--bind", "tcp://127.0.0.1:0"];
const NOBODY: [&str; 7] =
    ["call", "--connect", "tcp://127.0.0.1:1", "--peer", "service", "--timeout", "0.2"];

fn assert_usage(ended: &Ended, said: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
    assert!(ended.stderr.contains(said), "{said}: {ended:?}");
}

#[test]
fn flags_of_another_security_are_named() {
    let place = Place::new("flags");
    let password = place.password("password", "open sesame\n");
    let (key, public) = place.key("key");
    let allow = format!("charly={public}");
    let user = ["--user", "charly", "--password-file", &password];
    let keys = ["--key", &key, "--allow", &allow];
    for flags in [&user, &keys] {
        assert_usage(&run(&[&SERVE[..], flags].concat()), "nobody would be asked");
    }
    let keys = [&["--security", "trusted-curve"], &user[..]].concat();
    assert_eq!(run(&[&SERVE[..], &keys].concat()).code, Some(2));
}

#[test]
fn a_key_is_one_users() {
    let place = Place::new("ambiguous");
    let ((key, _), (_, public)) = (place.key("server"), place.key("charly"));
    let [charly, alice] = ["charly", "alice"].map(|user| format!("{user}={public}"));
    let curve = ["--security", "trusted-curve", "--key", &key, "--allow", &charly, "--allow"];
    assert_usage(&run(&[&SERVE[..], &curve, &[&alice]].concat()), "several users");
    // The same said twice is no contradiction.
    Demo::with(&[&curve[..], &[&charly]].concat());
}

#[test]
fn nobody_is_told_to_change_a_directory_or_a_device() {
    for file in ["/", "/dev/zero"] {
        let user = ["--user", "charly", "--password-file", file, "whoami"];
        let ended = run(&[&NOBODY[..], &user].concat());
        assert_usage(&ended, "not a file");
        assert!(!ended.stderr.contains("chmod"), "{ended:?}");
    }
}

#[test]
fn what_plain_cannot_carry_exits_2() {
    let place = Place::new("long");
    let long = "a".repeat(256);
    let fits = place.password("fits", &format!("{}\n", &long[1..]));
    let exceeds = place.password("exceeds", &format!("{long}\n"));
    for (user, file, said) in [
        ("charly", exceeds.as_str(), "255 bytes"),
        (&long, &fits, "255 bytes"),
        ("", &fits, "255 bytes"),
    ] {
        let user = ["--user", user, "--password-file", file];
        assert_usage(&run(&[&NOBODY[..], &user, &["whoami"]].concat()), said);
        assert_usage(&run(&[&SERVE[..], &["--security", "plain"], &user].concat()), said);
    }
    let user = ["--user", "charly", "--password-file", &fits, "whoami"];
    assert_eq!(run(&[&NOBODY[..], &user].concat()).code, Some(3));
}

#[test]
fn another_security_and_silence_are_told_apart() {
    let place = Place::new("apart");
    let password = place.password("password", "open sesame\n");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("tcp://{}", listener.local_addr().unwrap());
    let demo = Demo::start();
    for (endpoint, said) in [(&demo.endpoint, "another --security"), (&silent, "does not answer")] {
        let call = ["call", "--connect", endpoint, "--peer", "service", "--timeout", "0.5"];
        let user = ["--user", "charly", "--password-file", &password, "whoami"];
        let ended = run(&[&call[..], &user].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{ended:?}");
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
}

#[test]
fn a_negative_time_is_told_what_is_taken() {
    let (serve, call) = (&SERVE[..], &[&NOBODY[..5], &["hello"]].concat()[..]);
    for (command, option) in [(serve, "--late-guard"), (serve, "--timeout"), (call, "--timeout")] {
        assert_usage(&run(&[command, &[option, "-1"]].concat()), "more than 0 and at most 3600");
    }
}
