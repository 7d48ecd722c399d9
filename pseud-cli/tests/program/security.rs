//! `pseud keygen`, and who is admitted to `pseud serve --security …`.

use crate::run::{Demo, Ended, run};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A directory that goes when the test ends.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pseud-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    pub(crate) fn password(&self, name: &str, password: &str) -> String {
        let path = self.path(name);
        fs::write(&path, password).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A new key: its file, and the public half.
    pub(crate) fn key(&self, name: &str) -> (String, String) {
        let path = self.path(name);
        let ended = run(&["keygen", "--output", &path]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        (path, ended.stdout.trim_end().to_owned())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn assert_refused(ended: &Ended) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{ended:?}");
    assert!(ended.stderr.contains("no answer: refused (400)"), "{ended:?}");
}

#[test]
fn a_key_is_for_its_owner_and_is_not_overwritten() {
    let place = Place::new("keygen");
    let (path, public) = place.key("a.key");
    assert_eq!(public.len(), 40);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(&public) && text.contains("secret = "));
    let again = run(&["keygen", "--output", &path]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(1), ""));
    for text in [&path, "left alone", "--output"] {
        assert!(again.stderr.contains(text), "{again:?}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn plain_admits_by_password() {
    let place = Place::new("plain");
    let right = place.password("right", "open sesame\n");
    let wrong = place.password("wrong", "open says me\n");
    let plain = ["--security", "plain", "--user", "charly", "--password-file", &right];
    let demo = Demo::with(&plain);
    let user = ["--user", "charly", "--password-file"];
    let answer = demo.answer(&[&user[..], &[&right, "whoami"]].concat());
    assert_eq!(answer, r#"{"$bin":"636861726c79"}"#);
    demo.program.wait_for_log("user=charly");
    assert_refused(&demo.call(&[&user[..], &[&wrong, "whoami"]].concat()));
}

#[test]
fn passwords_leave_the_machine_only_by_a_flag() {
    let place = Place::new("clear");
    let file = place.password("password", "open sesame\n");
    let user = ["--user", "charly", "--password-file", &file];
    let serve = ["serve", "--name", "service", "--bind", "tcp://*:0", "--security", "plain"];
    let call = ["call", "--connect", "tcp://192.0.2.1:5555", "--peer", "service"];
    let serve = run(&[&serve[..], &user].concat());
    let call = run(&[&call[..], &user, &["whoami"]].concat());
    for (ended, endpoint) in [(serve, "bind tcp://*:0"), (call, "connect to tcp://192.0.2.1:5555")]
    {
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        for text in [endpoint, "--allow-plaintext"] {
            assert!(ended.stderr.contains(text), "{ended:?}");
        }
    }
    let fixed = ["--security", "plain", "--allow-plaintext"];
    let demo = Demo::with(&[&fixed[..], &user, &["--bind", "tcp://*:0"]].concat());
    assert!(demo.program.line().starts_with("listening on tcp://0.0.0.0:"));
}

#[test]
fn trusted_curve_admits_by_key() {
    let place = Place::new("curve");
    let ((server, server_key), (charly, charly_key)) = (place.key("server"), place.key("charly"));
    let (stranger, _) = place.key("stranger");
    let allow = format!("charly={charly_key}");
    let demo = Demo::with(&["--security", "trusted-curve", "--key", &server, "--allow", &allow]);
    let call = |key: &str, server_key: &str| {
        demo.call(&["--key", key, "--server-key", server_key, "whoami"])
    };
    let ended = call(&charly, &server_key);
    assert_eq!(ended.stdout, "{\"$bin\":\"636861726c79\"}\n", "{ended:?}");
    assert_refused(&call(&stranger, &server_key));
    let fixed = ["call", "--connect", &demo.endpoint, "--peer", "service", "--timeout", "0.5"];
    // Nothing in Z85 keeps a key from beginning with a hyphen.
    let hyphen = format!("-{}", &charly_key[1..]);
    for other in [&charly_key, &hyphen] {
        let call = ["--key", &charly, "--server-key", other, "whoami"];
        let ended = run(&[&fixed[..], &call].concat());
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.stderr.contains("is its key the one we know?"), "{ended:?}");
    }
}

#[test]
fn a_servers_key_changes_without_a_gap() {
    let place = Place::new("rotation");
    let ((old, old_key), (new, new_key)) = (place.key("old"), place.key("new"));
    let (charly, charly_key) = place.key("charly");
    let allow = format!("charly={charly_key}");
    let serve = |keys: &[&str]| {
        let keys: Vec<&str> = keys.iter().flat_map(|key| ["--key", key]).collect();
        Demo::with(&[&["--security", "trusted-curve", "--allow", &allow], &keys[..]].concat())
    };
    let whoami = |demo: &Demo, known: &[&str]| {
        let known: Vec<&str> = known.iter().flat_map(|key| ["--server-key", key]).collect();
        demo.call(&[&["--key", &charly], &known[..], &["whoami"]].concat()).stdout
    };
    let told = "{\"$bin\":\"636861726c79\"}\n";
    let both = serve(&[&new, &old]);
    for known in [&[old_key.as_str()][..], &[&new_key], &[&old_key, &new_key]] {
        assert_eq!(whoami(&both, known), told, "{known:?}");
    }
    // A client that knows both finds the server before and after.
    for server in [&old, &new] {
        assert_eq!(whoami(&serve(&[server]), &[&old_key, &new_key]), told, "{server}");
    }
    let three = ["--security", "trusted-curve", "--allow", &allow, "--key", &old, "--key", &new];
    let serve = ["serve", "--name", "service", "--bind", "tcp://127.0.0.1:0", "--key", &charly];
    let ended = run(&[&serve[..], &three].concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
    assert!(ended.stderr.contains("two --key"), "{ended:?}");
}

#[test]
fn a_key_that_begins_with_a_hyphen_is_a_key() {
    let place = Place::new("hyphen");
    let (key, _) = place.key("key");
    let call = ["call", "--connect", "tcp://127.0.0.1:1", "--peer", "service", "--timeout", "0.2"];
    let hyphen = "-4Wg{RTxcJTRk.PjQ=dZWLguP*]Y1(y?9]nKsrp$";
    let ended = run(&[&call[..], &["--key", &key, "--server-key", hyphen, "whoami"]].concat());
    assert_eq!(ended.code, Some(3), "{ended:?}");
}

#[test]
fn bad_keys_and_files_exit_2() {
    let place = Place::new("bad");
    let (key, public) = place.key("key");
    let call = ["call", "--connect", "tcp://127.0.0.1:1", "--peer", "service", "--key"];
    let with = |key: &str, server_key: &str| {
        run(&[&call[..], &[key, "--server-key", server_key, "whoami"]].concat())
    };
    for (key, server_key, named) in [
        (key.as_str(), "short", "40 characters"),
        (&place.path("none"), &public, "none"),
        (&place.password("garbage", "garbage"), &public, "garbage"),
    ] {
        let ended = with(key, server_key);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert!(ended.stderr.contains(named), "{ended:?}");
    }
    fs::set_permissions(Path::new(&key), Permissions::from_mode(0o644)).unwrap();
    let ended = with(&key, &public);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("chmod 600"), "{ended:?}");
    let serve = ["serve", "--name", "service", "--bind", "tcp://127.0.0.1:0"];
    for flags in [
        &["--security", "plain"][..],
        &["--security", "trusted-curve"],
        &["--user", "charly", "--password-file", &key],
    ] {
        let ended = run(&[&serve[..], flags].concat());
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
}

#[test]
fn a_servers_key_changes_while_it_serves() {
    let place = Place::new("rotated");
    let ((server, old), (own, public)) = (place.key("server"), place.key("own"));
    let (next, new) = place.key("next");
    let allow = format!("charly={public}");
    let demo = Demo::with(&["--security", "trusted-curve", "--key", &server, "--allow", &allow]);
    let call = |key: &str| {
        let fixed = ["call", "--connect", &demo.endpoint, "--peer", "service", "--timeout", "3"];
        run(&[&fixed[..], &["--key", &own, "--server-key", key, "whoami"]].concat()).code
    };
    assert_eq!(call(&old), Some(0));
    // A bad file changes nothing.
    let kept = fs::read_to_string(&server).unwrap();
    fs::write(&server, "secret = none of mine").unwrap();
    demo.program.signal("HUP");
    let logs = demo.program.logs_until("keys are not reloaded");
    assert!(!logs.contains("none of mine"), "{logs}");
    assert_eq!(call(&old), Some(0));
    fs::write(&server, kept).unwrap();
    fs::rename(&next, &server).unwrap();
    demo.program.signal("HUP");
    demo.program.wait_for_log("keys reloaded");
    assert_eq!((call(&new), call(&old)), (Some(0), Some(3)));
    let both = demo.call(&["--key", &own, "--server-key", &old, "--server-key", &new, "whoami"]);
    assert_eq!(both.code, Some(0), "{both:?}");
}
