//! kaa.rpc from a shell: `--kaa`.

use crate::run::{Program, run};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file for its owner alone, which goes with this.
struct Secret(PathBuf);

impl Secret {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pseud-cli-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn the_same_methods_over_kaa() {
    let (secret, wrong) = (Secret::new("right", "s3cret\n"), Secret::new("wrong", "other\n"));
    let program = Program::start(&[
        "serve",
        "--demo",
        "--kaa",
        "127.0.0.1:0",
        "--kaa-secret-file",
        secret.path(),
    ]);
    let line = program.line();
    let address = line.strip_prefix("listening on ").and_then(|rest| rest.split(' ').next());
    let address = address.unwrap_or_else(|| panic!("{line}"));
    let call = |secret: &Secret, arguments: &[&str]| {
        let to = ["call", "--kaa", address, "--kaa-secret-file", secret.path(), "--timeout", "3"];
        run(&[&to[..], arguments].concat())
    };
    let answer = call(&secret, &["hello", "Charly"]);
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), "\"Hello Charly\"\n"));
    assert_eq!(call(&secret, &["add", "1", "--kw", "b=2"]).stdout, "3\n");
    let missing = call(&secret, &["nobody"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("KeyError: nobody"), "{}", missing.stderr);
    let refused = call(&wrong, &["hello", "Charly"]);
    assert_eq!(refused.code, Some(3));
    assert!(refused.stderr.contains("secret"), "{}", refused.stderr);
    program.signal("TERM");
    assert_eq!(program.end().code, Some(0));
}

#[test]
fn both_wires_at_once() {
    let path = std::env::temp_dir().join(format!("pseud-cli-{}-both", std::process::id()));
    let path = path.to_str().unwrap();
    let program = Program::start(&[
        "serve",
        "--name",
        "service",
        "--demo",
        "--bind",
        "tcp://127.0.0.1:0",
        "--kaa",
        path,
    ]);
    let zmtp = program.line();
    let endpoint = zmtp.strip_prefix("listening on ").unwrap();
    assert_eq!(program.line(), format!("listening on {path} (kaa.rpc)"));
    program.wait_for_log("--kaa-secret-file");
    let over_zmtp = run(&["call", "--connect", endpoint, "--peer", "service", "add", "1", "2"]);
    let over_kaa = run(&["call", "--kaa", path, "add", "1", "2"]);
    assert_eq!((over_zmtp.stdout.as_str(), over_kaa.stdout.as_str()), ("3\n", "3\n"));
    program.signal("TERM");
    assert_eq!(program.end().code, Some(0));
    assert!(!Path::new(path).exists());
}

#[test]
fn mistakes_are_told_in_the_words_of_this_wire() {
    for (arguments, told) in [
        (&["serve", "--demo", "--kaa", "localhost"][..], "HOST:PORT"),
        (&["serve", "--demo", "--kaa", "pseud"], "unix:NAME"),
        (&["call", "--kaa", "localhost", "hello"], "HOST:PORT"),
        (&["call", "--kaa", "::1", "hello"], "::1"),
        (&["call", "--kaa", "127.0.0.1:0", "hello"], "a port is needed"),
        (&["call", "--kaa", "*:6000", "hello"], "name a host"),
        (
            &["call", "--kaa", "192.0.2.1:1", "hello"],
            "cannot connect to 192.0.2.1:1: all that kaa.rpc",
        ),
        (
            &["serve", "--demo", "--kaa", "0.0.0.0:0"],
            "cannot bind 0.0.0.0:0: all that kaa.rpc says",
        ),
    ] {
        let ended = run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains(told), "{arguments:?}: {}", ended.stderr);
        assert!(
            !ended.stderr.contains("tcp://") && !ended.stderr.contains("keygen"),
            "{}",
            ended.stderr
        );
    }
    // The help says both.
    for command in ["serve", "call"] {
        let help = run(&[command, "--help"]).stdout;
        assert!(help.contains("unix:NAME") && help.contains("with --kaa all calls"), "{help}");
    }
}

/// By its name in kaa's directory, and only where it is meant.
#[test]
fn a_socket_has_a_name() {
    let name = format!("unix:pseud-cli-{}", std::process::id());
    let program = Program::start(&["serve", "--demo", "--kaa", &name]);
    let line = program.line();
    let path = line.strip_prefix("listening on ").and_then(|at| at.strip_suffix(" (kaa.rpc)"));
    let path = path.unwrap_or_else(|| panic!("{line}"));
    assert!(path.starts_with('/') && Path::new(path).exists(), "{path}");
    assert_eq!(run(&["call", "--kaa", &name, "add", "1", "2"]).stdout, "3\n");
    // What only this wire has is shown, and said.
    let set = r#"{"$set":[1]}"#;
    let big = r#"{"$int":"36893488147419103232"}"#;
    let echo = run(&["call", "--kaa", path, "echo", set, big]);
    assert_eq!(echo.stdout, format!("[[{set},{big}],{{}}]\n"), "{}", echo.stderr);
    program.signal("TERM");
    assert_eq!(program.end().code, Some(0));
}

#[test]
fn what_does_not_go_together_is_a_usage_error() {
    for arguments in [
        &["call", "--kaa", "127.0.0.1:1", "--peer", "service", "hello"][..],
        &["call", "--kaa", "127.0.0.1:1", "--connect", "tcp://127.0.0.1:1", "hello"],
        &["call", "--connect", "tcp://127.0.0.1:1", "hello"],
        &[
            "call",
            "--kaa-secret-file",
            "x",
            "--connect",
            "tcp://127.0.0.1:1",
            "--peer",
            "s",
            "hello",
        ],
        &["serve", "--demo"],
    ] {
        assert_eq!(run(arguments).code, Some(2), "{arguments:?}");
    }
}
