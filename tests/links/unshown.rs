//! No secret is shown: by no type that can hold one, by no error, in no log, whatever happens to it.

use crate::logged::Logged;
use crate::soon;
use pseud::tokio::files::load_password;
use pseud::{
    AuthBackend, AuthBackends, Authenticator, CallError, Client, CurveLogins, KeyPair, Options,
    PeerInfo, Question, Role, Secret, Security, Server, TrustedKeys, UserStore, Verdict,
};
use std::fmt::{Debug, Display};
use std::sync::Arc;

const MARKER: &str = "marker-of-a-secret";

/// Its secret half is a marker, too.
fn pair() -> KeyPair {
    KeyPair::generate([0x5c; 32])
}

/// The ways in which bytes may show: as text, as a list, as hexadecimal, as Z85.
fn shapes() -> Vec<String> {
    let pair = pair();
    let mut shapes = vec![MARKER.to_owned(), pair.secret().to_z85().to_string()];
    for bytes in [MARKER.as_bytes(), pair.secret().expose()] {
        shapes.push(format!("{bytes:?}").trim_matches(['[', ']']).to_owned());
        shapes.push(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
    }
    shapes
}

fn check_text(shown: &str) {
    for shape in shapes() {
        assert!(!shown.contains(&shape), "{shown}");
        assert!(!shown.replace([' ', '\n'], "").contains(&shape.replace(' ', "")), "{shown}");
    }
}

fn check(value: &dyn Debug) {
    check_text(&format!("{value:?}"));
    check_text(&format!("{value:#?}"));
}

fn check_error(error: &(impl Debug + Display)) {
    check(error);
    check_text(&error.to_string());
}

fn secret() -> Secret {
    Secret::new(MARKER)
}

/// A plug-in whose every step panics with what it was given.
#[derive(Debug)]
struct Clumsy;

impl AuthBackend for Clumsy {
    fn configure(&self, options: Options) -> Options {
        let mut options = options.plain_server(Authenticator::passwords([("x", secret())]));
        options.allow_plaintext = true;
        options
    }

    fn authenticate(&self, question: Question, _: pseud::Source) -> pseud::Judging<'_> {
        match question {
            Question::Plain { password, .. } => {
                panic!("{}", String::from_utf8_lossy(password.expose()))
            }
            _ => Box::pin(std::future::ready(Verdict::Deny)),
        }
    }

    fn register_routing_id(&self, _: &PeerInfo) {
        panic!("{MARKER}");
    }

    fn stop(&self) {
        panic!("{MARKER}");
    }
}

fn security() -> Security {
    Security {
        user_id: "john".into(),
        password: secret(),
        key_pair: Some(pair()),
        peer_public_key: Some(*pair().public()),
        users: vec![("john".into(), secret())],
        keys: vec![(*pair().public(), "john".into())],
    }
}

#[test]
fn the_scan_would_find_them() {
    for shown in [&MARKER as &dyn Debug, &MARKER.as_bytes(), &pair().secret().expose()] {
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(shown)));
        assert!(found.is_err(), "{shown:?}");
    }
}

#[tokio::test]
async fn r_05_by_no_type_that_can_hold_one() {
    let named = AuthBackends::default();
    for name in ["noop", "plain", "trusted_peer", "trusted_curve", "untrusted_curve"] {
        for (role, options) in
            [(Role::Server, Options::server("s")), (Role::Client, Options::client("s"))]
        {
            let options = named.configure(role, name, security(), options).unwrap();
            let options = options.allow_plaintext(true).credentials("john", secret());
            check(&options);
            match role {
                Role::Server => check(&Server::with_options(options).unwrap()),
                Role::Client => check(&Client::with_options(options).unwrap()),
            }
        }
    }
    let (store, logins, mut trusted) = (UserStore::new(), CurveLogins::new(), TrustedKeys::new());
    store.set_password("john", secret());
    logins.set_password("john", secret());
    trusted.trust(*pair().public(), "john");
    let login = Question::Login { login: "john".into(), password: secret(), client_key: None };
    let plain = Question::Plain { username: "john".into(), password: secret() };
    for question in [&login, &plain] {
        check_text(&question.to_string());
    }
    let authenticator = Authenticator::passwords([("john", secret())]);
    let (pair, secret, security) = (pair(), secret(), security());
    let asks = logins.authenticator();
    let all: [&dyn Debug; 11] = [
        &security,
        &store,
        &logins,
        &trusted,
        &login,
        &plain,
        &authenticator,
        &secret,
        &pair,
        pair.secret(),
        &asks,
    ];
    all.into_iter().for_each(check);
    let mut backends = AuthBackends::default();
    backends.register(Role::Server, "clumsy", Arc::new(Clumsy));
    check(&backends);
}

#[tokio::test]
async fn r_05_by_no_error() {
    let long = Secret::new(MARKER.repeat(100));
    let options = Options::client("s").plain_client("john", long.clone());
    check_error(&Client::with_options(options).map(drop).unwrap_err());
    let options = Options::client("s").credentials("john", long).allow_plaintext(true);
    check_error(&Client::with_options(options).map(drop).unwrap_err());
    let options = Options::client("s").credentials("john", secret());
    check_error(&Client::with_options(options).map(drop).unwrap_err());
    let in_clear = Client::with_options(Options::client("s").plain_client("john", secret()));
    check_error(&in_clear.unwrap().connect("tcp://192.0.2.1:1").unwrap_err());
    let path = std::env::temp_dir().join(format!("pseud-unshown-{}", std::process::id()));
    std::fs::write(&path, MARKER).unwrap();
    let readable_by_all = load_password(&path);
    std::fs::remove_file(&path).unwrap();
    check_error(&readable_by_all.map(drop).unwrap_err());
    let mangled = pair().to_text().replace("secret", "sekret");
    check_error(&KeyPair::from_text(&mangled).map(drop).unwrap_err());
}

async fn refused(options: Options, endpoint: &str) -> CallError {
    let client = Client::with_options(options).unwrap();
    client.connect(endpoint).unwrap();
    let called = soon(client.call::<(), _>("nothing", ()).into_future()).await;
    let error = called.unwrap_err();
    check_error(&error);
    error
}

/// And who is refused a login is a line, with its name: those that follow are counted.
#[tokio::test]
async fn r_05_in_no_log() {
    let logged = Logged::new();
    let mut options = Options::server("service").requires_login(true);
    options.admission.authenticator = Some(Authenticator::passwords([("john", Secret::new("x"))]));
    let server = Server::with_options(options).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let login = || Options::client("service").credentials("john", secret()).allow_plaintext(true);
    for _ in 0..2 {
        refused(login(), &endpoint).await;
    }
    let line = logged.only("authentication failed: a peer was not let in");
    assert!(line.contains("user john") && line.contains("a login"), "{line}");
    assert_eq!(server.stats().logins_refused, 4);
    let options =
        Options::server("service").plain_server(Authenticator::passwords([("john", secret())]));
    let server = Server::with_options(options).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let wrong = Secret::new(format!("{MARKER}?"));
    refused(Options::client("service").plain_client("john", wrong), &endpoint).await;
    refused(Options::client("service").plain_client("john", secret()), &endpoint).await;
    let mut backends = AuthBackends::default();
    backends.register(Role::Server, "clumsy", Arc::new(Clumsy));
    let options = Options::server("service");
    let options = backends.configure(Role::Server, "clumsy", security(), options).unwrap();
    let clumsy = Server::with_options(options).unwrap();
    let endpoint = clumsy.bind("tcp://127.0.0.1:0").await.unwrap();
    let plain = Options::client("service").plain_client("john", secret());
    refused(plain.call_timeout(std::time::Duration::from_millis(500)), &endpoint).await;
    logged.only("an authenticator panicked");
    clumsy.shutdown();
    let lines = logged.with("");
    assert!(lines.len() > 5, "{lines:#?}");
    lines.iter().for_each(|line| check_text(line));
}
