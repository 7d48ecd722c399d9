//! PLAIN and CURVE between servers and clients: who comes in, who does not, and what is said.

use crate::guarded::{DENIED, UNAVAILABLE, calls_go_both_ways, connect, plain, refusal, serve};
use crate::soon;
use pseud::proto::{Incompatible, PeerError};
use pseud::tokio::files::new_key_pair;
use pseud::{Authenticator, Client, KeyPair, Options, Secret, Server, SetupError, Verdict};
use std::time::Duration;

fn passwords() -> Authenticator {
    Authenticator::passwords([("charly", Secret::new("open sesame"))])
}

fn keys() -> KeyPair {
    new_key_pair().unwrap()
}

#[tokio::test]
async fn plain_admits_whoever_knows_the_password() {
    let (_server, endpoint) = serve(Options::server("service").plain_server(passwords())).await;
    calls_go_both_ways(&connect(plain("open sesame"), &endpoint), "charly").await;
    assert_eq!(refusal(plain("open says me"), &endpoint).await, DENIED);
    assert_eq!(refusal(plain(""), &endpoint).await, DENIED);
    let nobody = Options::client("service").plain_client("nobody", Secret::new(""));
    assert_eq!(refusal(nobody, &endpoint).await, DENIED);
    let without = refusal(Options::client("service"), &endpoint).await;
    assert_eq!(without, PeerError::Incompatible(Incompatible::MechanismMismatch));
}

#[tokio::test]
async fn curve_admits_whoever_has_a_known_key() {
    let (ours, theirs) = (keys(), keys());
    let known = Authenticator::keys([(*theirs.public(), "charly")]);
    let (_server, endpoint) =
        serve(Options::server("service").curve_server([ours.clone()], known)).await;
    let client = |pair, key| Options::client("service").curve_client(pair, [key]);
    let options = client(theirs.clone(), *ours.public());
    calls_go_both_ways(&connect(options, &endpoint), "charly").await;
    assert_eq!(refusal(client(keys(), *ours.public()), &endpoint).await, DENIED);
    // Whoever believes in another key is not even told.
    let error = refusal(client(theirs, *keys().public()), &endpoint).await;
    assert_ne!(error, DENIED);
}

#[tokio::test]
async fn any_key_is_its_own_user() {
    let (ours, theirs) = (keys(), keys());
    let options = Options::server("service").curve_server([ours.clone()], Authenticator::any_key());
    let (_server, endpoint) = serve(options).await;
    let user = theirs.public().to_string();
    let options = Options::client("service").curve_client(theirs, [*ours.public()]);
    calls_go_both_ways(&connect(options, &endpoint), &user).await;
}

#[tokio::test]
async fn the_second_key_of_a_server_is_believed_at_the_second_attempt() {
    let (old, new) = (keys(), keys());
    let options = Options::server("service").curve_server([new.clone()], Authenticator::any_key());
    let (_server, endpoint) = serve(options).await;
    let mut options =
        Options::client("service").curve_client(keys(), [*old.public(), *new.public()]);
    options.retry.max = Duration::from_millis(100);
    options.connection.handshake_timeout = Duration::from_millis(500);
    options.config.call_timeout = crate::SOON;
    let client = connect(options, &endpoint);
    let _: String = soon(client.call("whoami", ())).await.unwrap();
}

#[tokio::test]
async fn an_authenticator_that_fails_admits_nobody() {
    let panics = Authenticator::new(|_| async { panic!("on purpose") });
    let panics_late = Authenticator::new(|_| async {
        tokio::task::yield_now().await;
        panic!("on purpose")
    });
    let cannot_tell = Authenticator::new(|_| async { Verdict::Unavailable });
    for authenticator in [panics, panics_late, cannot_tell] {
        let options = Options::server("service").plain_server(authenticator);
        let (_server, endpoint) = serve(options).await;
        assert_eq!(refusal(plain("open sesame"), &endpoint).await, UNAVAILABLE);
    }
    let mut nobody = Options::server("service").plain_server(passwords());
    nobody.admission.authenticator = None;
    let (_server, endpoint) = serve(nobody).await;
    assert_eq!(refusal(plain("open sesame"), &endpoint).await, UNAVAILABLE);
}

#[tokio::test]
async fn an_authenticator_may_take_its_time_and_is_told_whence() {
    let authenticator = Authenticator::with_source(|_, source| async move {
        tokio::task::yield_now().await;
        assert!(source.address.starts_with("127.0.0.1:"));
        Verdict::Admit("late".into())
    });
    let options = Options::server("service").plain_server(authenticator);
    let (_server, endpoint) = serve(options).await;
    calls_go_both_ways(&connect(plain("x"), &endpoint), "late").await;
}

#[tokio::test]
async fn g_13_passwords_do_not_leave_the_machine_unless_allowed() {
    let server = Options::server("service").plain_server(passwords());
    let refused =
        Server::with_options(server.clone()).unwrap().bind("tcp://*:0").await.unwrap_err();
    for text in ["tcp://*:0", "allow_plaintext"] {
        assert!(refused.to_string().contains(text), "{refused}");
    }
    let cause = refused.get_ref().unwrap().downcast_ref::<pseud::tokio::InClear>().unwrap();
    assert_eq!((cause.verb(), cause.endpoint()), ("bind", "tcp://*:0"));
    let allowed = Server::with_options(server.allow_plaintext(true)).unwrap();
    allowed.bind("tcp://*:0").await.unwrap();
    let client = Client::with_options(plain("x")).unwrap();
    let refused = client.connect("tcp://192.0.2.1:5555").unwrap_err();
    assert!(refused.to_string().contains("tcp://192.0.2.1:5555"), "{refused}");
    Client::with_options(plain("x").allow_plaintext(true))
        .unwrap()
        .connect("tcp://192.0.2.1:5555")
        .unwrap();
}

#[tokio::test]
async fn settings_that_nobody_could_meet_are_refused() {
    let long = "x".repeat(256);
    let any = Authenticator::any_key;
    for options in [
        plain(&long),
        Options::client("service").plain_client(&long, Secret::new("")),
        Options::client("service").curve_client(keys(), []),
        Options::server("service").curve_server([], any()),
        Options::server("service").curve_server([keys(), keys(), keys()], any()),
    ] {
        let error = Client::with_options(options).unwrap_err();
        assert!(matches!(error, SetupError::Mechanism(_)), "{error}");
    }
}

#[test]
fn options_do_not_show_their_secrets() {
    let pair = keys();
    let shown = format!("{:?}", plain("open sesame"));
    assert!(!shown.contains("sesame") && shown.contains("Secret(..)"), "{shown}");
    let curve = Options::client("service").curve_client(pair.clone(), [*pair.public()]);
    assert!(!format!("{curve:?}").contains(pair.secret().to_z85().as_str()));
    let server = Options::server("service").plain_server(passwords());
    assert!(!format!("{server:?}").contains("sesame"));
}
