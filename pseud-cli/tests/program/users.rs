//! `pseud user`, and `pseud serve --users`: who is added comes in, who is removed goes.

use crate::run::{Demo, Ended, PATIENCE, Program, run};
use crate::security::Place;
use pseud::proto::value::Value;
use pseud::proto::zmtp::Secret;
use pseud::{CallError, Client, ConnectionEvent, Options, Reason};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};
use tokio::time::timeout;

fn user(arguments: &[&str]) -> Ended {
    run(&[&["user"], arguments].concat())
}

pub(crate) fn done(arguments: &[&str]) -> String {
    let ended = user(arguments);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    ended.stdout
}

pub(crate) fn assert_failed(ended: &Ended, code: i32, said: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{ended:?}");
    assert!(ended.stderr.contains(said), "{said}: {ended:?}");
}

pub(crate) const WHO_IS_CHARLY: &str = "{\"$bin\":\"636861726c79\"}\n";

#[test]
fn a_user_is_added_listed_and_removed() {
    let place = Place::new("user");
    let (file, password) = (place.path("users.toml"), place.password("password", "open sesame\n"));
    let (_, key) = place.key("key");
    let charly = ["add", &file, "charly", "--password-file", &password];
    assert_eq!(done(&charly), "charly: added\n");
    assert_eq!(
        done(&[&charly[..3], &["--key", &key, "--permission", "staff"]].concat()),
        "charly: changed\n"
    );
    assert_eq!(done(&["add", &file, "alice", "--password-file", &password]), "alice: added\n");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("$argon2id$") && !text.contains("sesame"), "{text}");
    let listed = format!("alice password\ncharly password key={key} permission=staff\n");
    assert_eq!(done(&["list", &file]), listed);
    assert_eq!(done(&["remove", &file, "alice"]), "alice: removed\n");
    assert_failed(&user(&["remove", &file, "alice"]), 1, "no user alice");
    assert_failed(&user(&["remove", &place.path("none"), "alice"]), 1, "no such file");
    assert_eq!(done(&["list", &file]).lines().count(), 1);
}

#[test]
fn what_makes_no_user_is_not_written() {
    let place = Place::new("no-user");
    let (file, (_, key)) = (place.path("users.toml"), place.key("key"));
    assert_failed(&user(&["add", &file, "charly", "--key", "short"]), 2, "40 characters");
    assert_failed(&user(&["add", &file, &key, "--key", &key]), 2, "cannot be a key");
    assert!(fs::metadata(&file).is_err(), "nothing was written");
    done(&["add", &file, "charly", "--key", &key]);
    assert_failed(&user(&["add", &file, "alice", "--key", &key]), 1, "several users");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    assert_failed(&user(&["add", &file, "alice", "--key", &key]), 1, "chmod 600");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(done(&["list", &file]).lines().count(), 1);
}

/// As in the seed's `trusted_peer`, whose client has no password.
#[test]
fn a_name_alone_is_for_who_is_believed() {
    let place = Place::new("name-alone");
    let file = place.path("users.toml");
    let ended = user(&["add", &file, "client1", "--permission", "restricted"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "client1: added\n"), "{ended:?}");
    assert!(ended.stderr.contains("--security trusted-peer alone"), "{ended:?}");
    assert_eq!(done(&["list", &file]), "client1 permission=restricted\n");
    let demo = Demo::with(&["--security", "trusted-peer", "--users", &file]);
    let empty = place.password("empty", "");
    let call = |user: &str| demo.call(&["--user", user, "--password-file", &empty, "whoami"]);
    assert_eq!(call("client1").stdout, "{\"$bin\":\"636c69656e7431\"}\n");
    assert_failed(&call("client2"), 3, "no answer: refused (400)");
}

#[test]
fn what_others_wrote_is_kept_or_told() {
    let place = Place::new("others");
    let (file, (_, key)) =
        (place.password("users.toml", "# Ours.\n[users.bob]\nnote = 1 # !\n"), place.key("key"));
    let ended = user(&["add", &file, "charly", "--key", &key]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "charly: added\n"));
    assert!(ended.stderr.contains("users.bob.note means nothing here"), "{ended:?}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# Ours.\n[users.bob]\nnote = 1 # !\n"), "{text}");
    let server = place.key("server").0;
    let serve = ["serve", "--name", "service", "--bind", "tcp://127.0.0.1:0", "--key", &server];
    let curve = ["--security", "trusted-curve", "--users", &file];
    assert_failed(&run(&[&serve[..], &curve].concat()), 2, "users.bob.note means nothing here");
    let ended = user(&["remove", &file, "bob"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "bob: removed\n"));
    assert_eq!(ended.stderr, "gone with bob: note\ngone with bob: # !\n");
    assert!(fs::read_to_string(&file).unwrap().contains("# Ours.\n"));
}

#[test]
fn who_are_added_at_the_same_time_are_all_there() {
    let place = Place::new("race");
    let file = place.path("users.toml");
    let keys: Vec<String> = (0..6).map(|n| place.key(&format!("key{n}")).1).collect();
    let names: Vec<String> = (0..6).map(|n| format!("user{n}")).collect();
    let adding = names.iter().zip(&keys);
    let adding: Vec<_> = adding
        .map(|(name, key)| Program::start(&["user", "add", &file, name, "--key", key]))
        .collect();
    for program in adding {
        let ended = program.end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    assert_eq!(done(&["list", &file]).lines().count(), 6);
    let left: Vec<_> =
        fs::read_dir(place.path("")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(left.len(), 7, "{left:?}");
}

#[test]
fn plain_admits_the_users_of_the_file() {
    let place = Place::new("users-plain");
    let file = place.path("users.toml");
    let (right, wrong) =
        (place.password("right", "open sesame"), place.password("wrong", "sesame"));
    done(&["add", &file, "charly", "--password-file", &right]);
    done(&["add", &file, "keyed", "--key", &place.key("key").1]);
    let demo = Demo::with(&["--security", "plain", "--users", &file]);
    demo.program.wait_for_log("users without a password cannot come in");
    let call = |user: &str, password: &str| {
        demo.call(&["--user", user, "--password-file", password, "whoami"])
    };
    assert_eq!(call("charly", &right).stdout, WHO_IS_CHARLY);
    for (user, password) in [("charly", &wrong), ("nobody", &right), ("keyed", &right)] {
        assert_failed(&call(user, password), 3, "no answer: refused (400)");
    }
}

#[test]
fn trusted_curve_admits_the_users_of_the_file() {
    let place = Place::new("users-curve");
    let (file, (server, server_key)) = (place.path("users.toml"), place.key("server"));
    let known = place.path("server.pub");
    fs::write(&known, format!("{server_key}\n")).unwrap();
    let ((charly, key), (stranger, _)) = (place.key("charly"), place.key("stranger"));
    done(&["add", &file, "charly", "--key", &key]);
    let demo = Demo::with(&["--security", "trusted-curve", "--key", &server, "--users", &file]);
    let call = |key: &str| demo.call(&["--key", key, "--server-key-file", &known, "whoami"]);
    assert_eq!(call(&charly).stdout, WHO_IS_CHARLY);
    assert_failed(&call(&stranger), 3, "no answer: refused (400)");
    let call = ["call", "--connect", &demo.endpoint, "--peer", "service", "--key", &charly];
    let with = |file: &str| run(&[&call[..], &["--server-key-file", file, "whoami"]].concat());
    assert_failed(&with(&charly), 2, &charly);
    assert_failed(&with(&place.path("none")), 2, "none");
    assert_failed(&run(&[&call[..], &["whoami"]].concat()), 2, "--server-key");
}

#[test]
fn flags_that_mean_nothing_are_told() {
    let place = Place::new("named");
    let file = place.path("users.toml");
    let serve = ["serve", "--name", "service", "--bind", "tcp://127.0.0.1:0"];
    let with = |flags: &[&str]| run(&[&serve[..], flags].concat());
    assert_failed(&with(&["--users", &file]), 2, "nobody would be asked");
    let empty = place.password("empty", "");
    let only_connects = ["serve", "--name", "service", "--connect", "tcp://127.0.0.1:1"];
    for security in ["plain", "trusted-peer", "trusted-curve", "untrusted-curve"] {
        let flags = ["--security", security, "--user", "charly", "--password-file", &empty];
        assert_failed(&run(&[&only_connects[..], &flags].concat()), 2, "without --bind");
    }
    assert_failed(&with(&["--security", "plain"]), 2, "--users");
    assert_failed(&with(&["--security", "plain", "--users", &file]), 2, &file);
    let (key, public) = place.key("key");
    assert_failed(&with(&["--security", "trusted-curve", "--key", &key]), 2, "--users");
    assert_failed(&with(&["--security", "untrusted-curve", "--users", &file]), 2, "--key");
    assert_failed(&with(&["--security", "untrusted-curve", "--key", &key]), 2, "--users");
    let allow = ["--security", "untrusted-curve", "--key", &key, "--allow", &format!("x={public}")];
    assert_failed(&with(&allow), 2, "--allow needs --security trusted-curve");
    assert_failed(&with(&["--security", "trusted-peer", "--key", &key]), 2, "believes names");
    // Where a password is asked for, an empty file is more likely a slip.
    let empty = place.password("empty", "");
    let plain = ["--security", "plain", "--user", "charly", "--password-file", &empty];
    assert_failed(&with(&plain), 2, "it is empty");
    let malformed = place.password("malformed", "users.charly.password = \"marker\"\n");
    let ended = with(&["--security", "plain", "--users", &malformed]);
    assert_failed(&ended, 2, "users.charly.password");
    assert!(!ended.stderr.contains("marker"), "{ended:?}");
}

/// A client that is in.
async fn client(demo: &Demo, user: &str) -> Client {
    let options = Options::client("service").plain_client(user, Secret::new("open sesame"));
    let client = Client::with_options(options.call_timeout(PATIENCE)).unwrap();
    client.connect(&demo.endpoint).unwrap();
    timeout(PATIENCE, client.ready()).await.unwrap();
    client
}

/// Waits until its link has ended.
pub(crate) async fn disconnected(events: &mut pseud::Events) {
    let ended = async {
        while !matches!(events.next().await.unwrap(), ConnectionEvent::Disconnected { .. }) {}
    };
    timeout(PATIENCE, ended).await.expect("its link ends");
}

#[tokio::test]
async fn g_14_who_is_removed_goes_within_a_second() {
    let place = Place::new("reload");
    let (file, password) = (place.path("users.toml"), place.password("password", "open sesame"));
    for name in ["charly", "alice", "staff", "other"] {
        done(&["add", &file, name, "--password-file", &password]);
    }
    let demo = Demo::with(&["--security", "plain", "--users", &file]);
    let (charly, alice) = (client(&demo, "charly").await, client(&demo, "alice").await);
    let (staff, other) = (client(&demo, "staff").await, client(&demo, "other").await);
    let (mut charlys, mut others) = (charly.events(), other.events());
    let mut stay = [alice.events(), staff.events()];
    // Not allowed before.
    let peers = staff.call::<Value, _>("pseud.peers", ()).await.unwrap_err();
    assert!(peers.is_service_not_found(), "{peers:?}");
    let open = charly.call::<f64, _>("sleep", (60.0,));
    let open = tokio::spawn(open);
    // It is there, and served, before it is removed.
    let _: String = charly.call("hello", ("x",)).await.unwrap();
    done(&["remove", &file, "charly"]);
    done(&["add", &file, "staff", "--permission", "admin"]);
    done(&["add", &file, "other", "--password-file", &place.password("another", "another")]);
    done(&["add", &file, "new", "--password-file", &password]);
    demo.program.signal("HUP");
    let start = Instant::now();
    disconnected(&mut charlys).await;
    disconnected(&mut others).await;
    // A second is what is promised; the rest is for a machine that is busy with other tests.
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    let cut = open.await.unwrap();
    assert!(matches!(cut, Err(CallError::Unknown(_))), "{cut:?}");
    let line = demo.program.log_with("users reloaded");
    for part in ["users=4", "gone=2", "changed=1", "sessions=2"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    let back = charly.call::<String, _>("hello", ("x",)).await;
    assert!(matches!(back, Err(CallError::NotExecuted(Reason::Revoked))), "{back:?}");
    // Whose permissions changed was never away, and has the new ones; who is new comes in.
    let _: Value = staff.call("pseud.peers", ()).await.unwrap();
    for stays in [&staff, &alice, &client(&demo, "new").await] {
        let greeting: String = stays.call("hello", ("x",)).await.unwrap();
        assert_eq!(greeting, "Hello x");
    }
    for events in &mut stay {
        let event = events.poll_next(&mut Context::from_waker(Waker::noop()));
        assert!(event.is_pending(), "nothing happened to that link: {event:?}");
    }
}

#[tokio::test]
async fn a_bad_file_changes_nothing() {
    let place = Place::new("bad-reload");
    let (file, password) = (place.path("users.toml"), place.password("password", "open sesame"));
    done(&["add", &file, "charly", "--password-file", &password]);
    let good = fs::read_to_string(&file).unwrap();
    let demo = Demo::with(&["--security", "plain", "--users", &file]);
    let charly = client(&demo, "charly").await;
    for bad in [
        "users = marker",
        "[users.charly]\npasword = 'x'\n",
        "users.charly.password = 'marker'",
        // One check of it would take years.
        "users.charly.password = '$argon2id$v=19$m=19456,t=4294967295,p=1$c29tZXNhbHQ$\
         CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'",
    ] {
        fs::write(&file, bad).unwrap();
        demo.program.signal("HUP");
        let line = demo.program.log_with("users are not reloaded");
        assert!(line.contains(&file) && !line.contains("marker"), "{line}");
        let _: String = charly.call("hello", ("x",)).await.unwrap();
        client(&demo, "charly").await;
    }
    fs::remove_file(&file).unwrap();
    demo.program.signal("HUP");
    demo.program.wait_for_log("users are not reloaded");
    place.password("users.toml", &good.replace("charly", "alice"));
    demo.program.signal("HUP");
    demo.program.wait_for_log("users reloaded");
    client(&demo, "alice").await;
}

/// What is in the file's place is never there to be read.
#[test]
fn signals_are_heard_while_the_file_is_read() {
    let place = Place::new("slow-reload");
    let (file, password) = (place.path("users.toml"), place.password("password", "open sesame"));
    done(&["add", &file, "charly", "--password-file", &password]);
    let demo = Demo::with(&["--security", "plain", "--users", &file]);
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").args(["-m", "600", &file]).status().unwrap().success());
    demo.program.signal("HUP");
    demo.program.signal("TERM");
    assert_eq!(demo.program.end().code, Some(0));
}

#[tokio::test]
async fn r_05_no_secret_is_logged() {
    let place = Place::new("unlogged");
    let (file, marker) = (place.path("users.toml"), "marker-of-a-password");
    let (right, wrong) =
        (place.password("right", marker), place.password("wrong", "marker-of-a-guess"));
    done(&["add", &file, "charly", "--password-file", &right]);
    let text = fs::read_to_string(&file).unwrap();
    let hash = text.split('$').next_back().unwrap().trim_end_matches("\"\n").to_owned();
    let salt = text.split('$').nth_back(1).unwrap().to_owned();
    let demo = Demo::with(&["-vv", "--security", "plain", "--users", &file]);
    let call = |password: &str| {
        demo.call(&["-vv", "--user", "charly", "--password-file", password, "whoami"])
    };
    let mut said = String::new();
    for (password, code) in [(&right, 0), (&wrong, 3)] {
        let ended = call(password);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        said += &ended.stderr;
    }
    // A file whose hash is cut short, and one that is no TOML at the hash.
    for bad in [text.replace(&hash, ""), text.replace('"', "")] {
        fs::write(&file, bad).unwrap();
        demo.program.signal("HUP");
        said += &demo.program.logs_until("users are not reloaded");
    }
    demo.program.signal("TERM");
    said += &demo.program.end().stderr;
    for secret in [marker, "marker-of-a-guess", &hash, &salt] {
        assert!(secret.len() > 10 && !said.contains(secret), "{secret}: {said}");
    }
    // It has read what it is about.
    for part in ["authentication failed: a peer was not let in", "users.charly.password", "line 2"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}
