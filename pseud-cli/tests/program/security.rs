//! `pseud keygen`, and who is admitted to `pseud serve --security …`.

use crate::run::{Demo, Ended, run};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A directory that goes when the test ends.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pseud-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn password(&self, name: &str, password: &str) -> String {
        let path = self.path(name);
        fs::write(&path, password).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A new key: its file, and the public half.
    fn key(&self, name: &str) -> (String, String) {
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
    assert!(again.stderr.contains(&path), "{again:?}");
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
    assert_refused(&demo.call(&[&user[..], &[&wrong, "whoami"]].concat()));
    let serve = ["serve", "--name", "service", "--bind", "tcp://*:0"];
    let ended = run(&[&serve[..], &plain].concat());
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("allow_plaintext"), "{ended:?}");
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
        assert!(ended.stderr.contains("not connected"), "{ended:?}");
    }
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
