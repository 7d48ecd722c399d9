//! PLAIN and CURVE between servers and clients: who comes in, who does not, and what is said.

use crate::guarded::{DENIED, UNAVAILABLE, calls_go_both_ways, connect, plain, refusal, serve};
use crate::{Client, Runtime, Tokio, conversations, new_client, new_server, soon, yield_now};
use pseud::proto::{Incompatible, PeerError};
use pseud::{Authenticator, EndpointError, KeyPair, Options, Secret, SetupError, Verdict};
use std::time::Duration;

conversations! { Tokio:
    plain_admits_whoever_knows_the_password,
    curve_admits_whoever_has_a_known_key,
    any_key_is_its_own_user,
    the_second_key_of_a_server_is_believed_at_the_second_attempt,
    an_authenticator_that_fails_admits_nobody,
    an_authenticator_may_take_its_time_and_is_told_whence,
    g_13_passwords_do_not_leave_the_machine_unless_allowed,
    settings_that_nobody_could_meet_are_refused,
    key_pairs_change_while_they_are_served,
}

fn passwords() -> Authenticator {
    Authenticator::passwords([("charly", Secret::new("open sesame"))])
}

pub(crate) fn keys<R: Runtime>() -> KeyPair {
    KeyPair::generate(R::current().unwrap().seed().unwrap())
}

async fn plain_admits_whoever_knows_the_password<R: Runtime>() {
    let (_server, endpoint) =
        serve::<R>(Options::server("service").plain_server(passwords())).await;
    calls_go_both_ways(&connect::<R>(plain("open sesame"), &endpoint), "charly").await;
    assert_eq!(refusal::<R>(plain("open says me"), &endpoint).await, DENIED);
    assert_eq!(refusal::<R>(plain(""), &endpoint).await, DENIED);
    let nobody = Options::client("service").plain_client("nobody", Secret::new(""));
    assert_eq!(refusal::<R>(nobody, &endpoint).await, DENIED);
    let without = refusal::<R>(Options::client("service"), &endpoint).await;
    assert_eq!(without, PeerError::Incompatible(Incompatible::MechanismMismatch));
}

async fn curve_admits_whoever_has_a_known_key<R: Runtime>() {
    let (ours, theirs) = (keys::<R>(), keys::<R>());
    let known = Authenticator::keys([(*theirs.public(), "charly")]);
    let (_server, endpoint) =
        serve::<R>(Options::server("service").curve_server([ours.clone()], known)).await;
    let client = |pair, key| Options::client("service").curve_client(pair, [key]);
    let options = client(theirs.clone(), *ours.public());
    calls_go_both_ways(&connect::<R>(options, &endpoint), "charly").await;
    assert_eq!(refusal::<R>(client(keys::<R>(), *ours.public()), &endpoint).await, DENIED);
    // Whoever believes in another key is not even told.
    let error = refusal::<R>(client(theirs, *keys::<R>().public()), &endpoint).await;
    assert_ne!(error, DENIED);
}

async fn any_key_is_its_own_user<R: Runtime>() {
    let (ours, theirs) = (keys::<R>(), keys::<R>());
    let options = Options::server("service").curve_server([ours.clone()], Authenticator::any_key());
    let (_server, endpoint) = serve::<R>(options).await;
    let user = theirs.public().to_string();
    let options = Options::client("service").curve_client(theirs, [*ours.public()]);
    calls_go_both_ways(&connect::<R>(options, &endpoint), &user).await;
}

async fn the_second_key_of_a_server_is_believed_at_the_second_attempt<R: Runtime>() {
    let (old, new) = (keys::<R>(), keys::<R>());
    let options = Options::server("service").curve_server([new.clone()], Authenticator::any_key());
    let (_server, endpoint) = serve::<R>(options).await;
    let mut options =
        Options::client("service").curve_client(keys::<R>(), [*old.public(), *new.public()]);
    options.retry.max = Duration::from_millis(100);
    options.connection.handshake_timeout = Duration::from_millis(500);
    options.config.call_timeout = crate::SOON;
    let client = connect::<R>(options, &endpoint);
    let _: String = soon(client.call("whoami", ())).await.unwrap();
}

async fn an_authenticator_that_fails_admits_nobody<R: Runtime>() {
    let panics = Authenticator::new(|_| async { panic!("on purpose") });
    let panics_late = Authenticator::new(|_| async {
        yield_now().await;
        panic!("on purpose")
    });
    let cannot_tell = Authenticator::new(|_| async { Verdict::Unavailable });
    for authenticator in [panics, panics_late, cannot_tell] {
        let options = Options::server("service").plain_server(authenticator);
        let (_server, endpoint) = serve::<R>(options).await;
        assert_eq!(refusal::<R>(plain("open sesame"), &endpoint).await, UNAVAILABLE);
    }
    let mut nobody = Options::server("service").plain_server(passwords());
    nobody.admission.authenticator = None;
    let (_server, endpoint) = serve::<R>(nobody).await;
    assert_eq!(refusal::<R>(plain("open sesame"), &endpoint).await, UNAVAILABLE);
}

async fn an_authenticator_may_take_its_time_and_is_told_whence<R: Runtime>() {
    let authenticator = Authenticator::with_source(|_, source| async move {
        yield_now().await;
        assert!(source.address.starts_with("127.0.0.1:"));
        Verdict::Admit("late".into())
    });
    let options = Options::server("service").plain_server(authenticator);
    let (_server, endpoint) = serve::<R>(options).await;
    calls_go_both_ways(&connect::<R>(plain("x"), &endpoint), "late").await;
}

async fn g_13_passwords_do_not_leave_the_machine_unless_allowed<R: Runtime>() {
    let server = Options::server("service").plain_server(passwords());
    let refused = new_server::<R>(server.clone()).bind("tcp://*:0").await.unwrap_err();
    for text in ["tcp://*:0", "allow_plaintext"] {
        assert!(refused.to_string().contains(text), "{refused}");
    }
    let EndpointError::InClear(cause) = &refused else { panic!("{refused:?}") };
    assert_eq!((cause.verb(), cause.endpoint()), ("bind", "tcp://*:0"));
    let allowed = new_server::<R>(server.allow_plaintext(true));
    allowed.bind("tcp://*:0").await.unwrap();
    let client = new_client::<R>(plain("x"));
    let refused = client.connect("tcp://192.0.2.1:5555").unwrap_err();
    assert!(refused.to_string().contains("tcp://192.0.2.1:5555"), "{refused}");
    new_client::<R>(plain("x").allow_plaintext(true)).connect("tcp://192.0.2.1:5555").unwrap();
}

async fn settings_that_nobody_could_meet_are_refused<R: Runtime>() {
    let long = "x".repeat(256);
    let any = Authenticator::any_key;
    for options in [
        plain(&long),
        Options::client("service").plain_client(&long, Secret::new("")),
        Options::client("service").curve_client(keys::<R>(), []),
        Options::server("service").curve_server([], any()),
        Options::server("service").curve_server([keys::<R>(), keys::<R>(), keys::<R>()], any()),
    ] {
        let error = Client::<R>::with_options(options).unwrap_err();
        assert!(matches!(error, SetupError::Mechanism(_)), "{error}");
    }
}

#[test]
fn options_do_not_show_their_secrets() {
    let pair = KeyPair::generate([7; 32]);
    let shown = format!("{:?}", plain("open sesame"));
    assert!(!shown.contains("sesame") && shown.contains("Secret(..)"), "{shown}");
    let curve = Options::client("service").curve_client(pair.clone(), [*pair.public()]);
    assert!(!format!("{curve:?}").contains(pair.secret().to_z85().as_str()));
    let server = Options::server("service").plain_server(passwords());
    assert!(!format!("{server:?}").contains("sesame"));
}

/// The server's keys change while it serves: who knows the old one alone is let in as long as both are
/// there, and links go on with those that they began with.
async fn key_pairs_change_while_they_are_served<R: Runtime>() {
    let (old, new) = (keys::<R>(), keys::<R>());
    let options = Options::server("service").curve_server([old.clone()], Authenticator::any_key());
    let (server, endpoint) = serve::<R>(options).await;
    let knows = |pair: &KeyPair| {
        let mut options = Options::client("service").curve_client(keys::<R>(), [*pair.public()]);
        options.connection.handshake_timeout = Duration::from_millis(500);
        options.call_timeout(crate::SOON)
    };
    let first = connect::<R>(knows(&old), &endpoint);
    let _: String = soon(first.call("whoami", ())).await.unwrap();
    assert!(matches!(server.set_key_pairs([]), Err(SetupError::Mechanism(_))));
    let three = [&old, &new, &old].map(KeyPair::clone);
    assert!(matches!(server.set_key_pairs(three), Err(SetupError::Mechanism(_))));
    server.set_key_pairs([new.clone(), old.clone()]).unwrap();
    for pair in [&old, &new] {
        let client = connect::<R>(knows(pair), &endpoint);
        let _: String = soon(client.call("whoami", ())).await.unwrap();
    }
    server.set_key_pairs([new.clone()]).unwrap();
    // Where it listens since then, too.
    let later = server.bind("tcp://127.0.0.1:0").await.unwrap().to_string();
    for endpoint in [&endpoint, &later] {
        let client = connect::<R>(knows(&new), endpoint);
        let _: String = soon(client.call("whoami", ())).await.unwrap();
        assert_ne!(refusal::<R>(knows(&old), endpoint).await, DENIED, "it is not even told");
    }
    let _: String = soon(first.call("whoami", ())).await.unwrap();
    let (plain, _) = serve::<R>(Options::server("service").plain_server(passwords())).await;
    assert!(matches!(plain.set_key_pairs([new]), Err(SetupError::Mechanism(_))));
}
