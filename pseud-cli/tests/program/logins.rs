//! `--security trusted-peer` and `untrusted-curve`: who is believed, and who logs in once it is there.

use crate::run::{Demo, Ended, PATIENCE, Program, run};
use crate::security::Place;
use crate::users::{WHO_IS_CHARLY, assert_failed, disconnected, done};
use pseud::proto::zmtp::Secret;
use pseud::tokio::files::load_key_pair;
use pseud::{CallError, Client, Options, Reason};
use std::time::{Duration, Instant};

#[test]
fn trusted_peer_believes_names() {
    let place = Place::new("trusted-peer");
    let (empty, any) = (place.password("empty", ""), place.password("any", "whatever\n"));
    let demo = Demo::with(&["--security", "trusted-peer"]);
    for password in [&empty, &any] {
        let call = ["--user", "charly", "--password-file", password, "whoami"];
        assert_eq!(demo.call(&call).stdout, WHO_IS_CHARLY);
    }
    // With a file only its names are, and they have their permissions.
    let file = place.path("users.toml");
    done(&["add", &file, "charly", "--password-file", &any, "--permission", "admin"]);
    let demo = Demo::with(&["--security", "trusted-peer", "--users", &file]);
    let as_user = |user| ["--user", user, "--password-file", &empty];
    let call = |user| demo.call(&[&as_user(user)[..], &["whoami"]].concat());
    assert_eq!(call("charly").stdout, WHO_IS_CHARLY);
    assert_failed(&call("alice"), 3, "no answer: refused (400)");
    let peers = demo.call(&[&as_user("charly")[..], &["pseud.peers"]].concat());
    assert!(peers.stdout.contains("charly"), "{peers:?}");
}

/// Keys and passwords, and a server of `untrusted-curve` that knows charly.
struct Logins {
    place: Place,
    file: String,
    right: String,
    demo: Demo,
    server_key: String,
}

impl Logins {
    fn new(name: &str) -> Self {
        let place = Place::new(name);
        let (file, right) = (place.path("users.toml"), place.password("right", "open sesame"));
        let (server, server_key) = place.key("server");
        done(&["add", &file, "charly", "--password-file", &right]);
        let serve = ["--security", "untrusted-curve", "--key", &server, "--users", &file];
        let demo = Demo::with(&serve);
        Self { place, file, right, demo, server_key }
    }

    /// Who we are by that key, and by that password where one is shown.
    fn whoami(&self, key: &str, login: &[&str]) -> Ended {
        let keys = ["--key", key, "--server-key", &self.server_key];
        self.demo.call(&[&keys[..], login, &["whoami"]].concat())
    }
}

#[test]
fn untrusted_curve_logs_in_by_password_and_then_by_key() {
    let logins = Logins::new("untrusted-curve");
    let (place, right) = (&logins.place, logins.right.as_str());
    let wrong = place.password("wrong", "open says me");
    let ((own, _), (other, _)) = (place.key("own"), place.key("other"));
    let unauthorized = "wants to know who we are first";
    assert_failed(&logins.whoami(&own, &[]), 3, unauthorized);
    for (user, password) in [("charly", wrong.as_str()), ("alice", right)] {
        let login = ["--user", user, "--password-file", password];
        assert_failed(&logins.whoami(&own, &login), 3, unauthorized);
    }
    let login = ["--user", "charly", "--password-file", right];
    assert_eq!(logins.whoami(&own, &login).stdout, WHO_IS_CHARLY);
    // That key is trusted from now on, and no other.
    assert_eq!(logins.whoami(&own, &[]).stdout, WHO_IS_CHARLY);
    assert_failed(&logins.whoami(&other, &[]), 3, unauthorized);
    // Another password, and none of its keys is trusted any more.
    let changed = place.password("changed", "open barley");
    done(&["add", &logins.file, "charly", "--password-file", &changed]);
    logins.demo.program.signal("HUP");
    logins.demo.program.wait_for_log("users reloaded");
    assert_failed(&logins.whoami(&own, &[]), 3, unauthorized);
    let login = ["--user", "charly", "--password-file", &changed];
    assert_eq!(logins.whoami(&own, &login).stdout, WHO_IS_CHARLY);
}

#[test]
fn one_user_needs_no_file_and_may_show_more_than_is_asked_for() {
    let place = Place::new("one-user");
    let ((server, server_key), (own, public)) = (place.key("server"), place.key("own"));
    let right = place.password("right", "open sesame");
    let user = ["--user", "charly", "--password-file", &right];
    let call = [&["--key", &own, "--server-key", &server_key], &user[..], &["whoami"]].concat();
    let untrusted = [&["--security", "untrusted-curve", "--key", &server], &user[..]].concat();
    assert_eq!(Demo::with(&untrusted).call(&call).stdout, WHO_IS_CHARLY);
    let allow = format!("charly={public}");
    let trusted = ["--security", "trusted-curve", "--key", &server, "--allow", &allow];
    assert_eq!(Demo::with(&trusted).call(&call).stdout, WHO_IS_CHARLY);
}

#[tokio::test]
async fn g_14_who_has_logged_in_and_is_removed_goes_within_a_second() {
    let logins = Logins::new("removed");
    let (own, _) = logins.place.key("own");
    let options = Options::client("service")
        .curve_client(load_key_pair(&own).unwrap(), [logins.server_key.parse().unwrap()])
        .credentials("charly", Secret::new("open sesame"));
    let charly = Client::with_options(options.call_timeout(PATIENCE)).unwrap();
    let mut events = charly.events();
    charly.connect(&logins.demo.endpoint).unwrap();
    let _: String = charly.call("hello", ("x",)).await.unwrap();
    done(&["remove", &logins.file, "charly"]);
    logins.demo.program.signal("HUP");
    let start = Instant::now();
    disconnected(&mut events).await;
    // A second is what is promised; the rest is for a machine that is busy with other tests.
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    let back = charly.call::<String, _>("hello", ("x",)).await;
    assert!(matches!(back, Err(CallError::NotExecuted(Reason::Revoked))), "{back:?}");
}

/// A client that is called, and logs in where it connects: by what `call` would.
fn is_called_as_charly(demo: &Demo, proof: &[&str], admin: &[&str]) {
    let fixed = ["serve", "--name", "desk", "--demo", "--connect", &demo.endpoint];
    let _desk = Program::start(&[&fixed, proof].concat());
    let called = |to: &str| {
        let call = demo.call(&[admin, &["--to", to, "hello", "Desk"]].concat());
        (call.code == Some(0)).then_some(call.stdout)
    };
    demo.program.wait_for_log("joined: ");
    let start = Instant::now();
    let greeting = loop {
        match called("charly") {
            Some(greeting) => break greeting,
            None => assert!(start.elapsed() < PATIENCE),
        }
    };
    assert_eq!(greeting, "\"Hello Desk\"\n");
}

#[test]
fn who_is_called_logs_in_by_password() {
    let place = Place::new("called-plain");
    let (file, right) = (place.path("users.toml"), place.password("right", "open sesame"));
    done(&["add", &file, "charly", "--password-file", &right]);
    done(&["add", &file, "desk", "--password-file", &right, "--permission", "admin"]);
    let demo = Demo::with(&["--security", "plain", "--users", &file]);
    let as_user = |user| ["--user", user, "--password-file", &right];
    is_called_as_charly(&demo, &as_user("charly"), &as_user("desk"));
}

#[test]
fn who_is_called_proves_a_key() {
    let place = Place::new("called-key");
    let ((server, server_key), (own, public)) = (place.key("server"), place.key("own"));
    let (admin, admin_public) = place.key("admin");
    let (file, shown) = (place.path("users.toml"), place.path("server.public"));
    std::fs::write(&shown, &server_key).unwrap();
    done(&["add", &file, "charly", "--key", &public]);
    done(&["add", &file, "desk", "--key", &admin_public, "--permission", "admin"]);
    let demo = Demo::with(&["--security", "trusted-curve", "--key", &server, "--users", &file]);
    let by_key = |key| ["--key", key, "--server-key", &server_key];
    is_called_as_charly(&demo, &["--key", &own, "--server-key-file", &shown], &by_key(&admin));
}

#[test]
fn who_is_called_logs_in_once_it_is_there() {
    let logins = Logins::new("called-login");
    let right = logins.right.clone();
    let ((own, _), (other, _)) = (logins.place.key("own"), logins.place.key("other"));
    done(&["add", &logins.file, "desk", "--password-file", &right, "--permission", "admin"]);
    logins.demo.program.signal("HUP");
    logins.demo.program.wait_for_log("users reloaded");
    let login = |user, key| {
        let keys = ["--key", key, "--server-key", &logins.server_key];
        [&keys[..], &["--user", user, "--password-file", &right]].concat()
    };
    is_called_as_charly(&logins.demo, &login("charly", &own), &login("desk", &other));
}

#[test]
fn what_only_connects_asks_nobody() {
    let place = Place::new("called-mistakes");
    let ((own, public), allow) = (place.key("own"), "charly=");
    let allow = format!("{allow}{public}");
    let fixed = ["serve", "--name", "desk", "--demo", "--connect", "tcp://127.0.0.1:1"];
    for (wrong, text) in [
        (&["--key", &own][..], "--key needs --server-key"),
        (&["--users", "users.toml"], "nobody comes to us without --bind"),
        (&["--key", &own, "--allow", &allow], "nobody comes to us without --bind"),
        (&["--key", &own, "--key", &own, "--server-key", &public], "one --key is ours"),
        (&["--server-key", &public], "--key"),
        (&["--key", &own, "--server-key", &public, "--bind", "tcp://127.0.0.1:0"], "--bind"),
    ] {
        assert_failed(&run(&[&fixed[..], wrong].concat()), 2, text);
    }
    let right = place.password("right", "open sesame");
    let away = ["serve", "--name", "desk", "--demo", "--connect", "tcp://192.0.2.1:1"];
    let in_clear = [&away[..], &["--user", "charly", "--password-file", &right]].concat();
    assert_failed(&run(&in_clear), 2, "passwords");
}
