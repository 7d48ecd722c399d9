//! Clients that log in behind their handshake, where that goes wrong at first, and where they have much to say
//! before it is answered.

use crate::guarded::serve;
use crate::{
    Client, Runtime, SOON, Tokio, conversations, eager, join_all, new_client, sleep, soon, spawn,
    until,
};
use pseud::{
    Authenticator, Bytes, CallError, ConnectionEvent, Options, Reason, Secret, UserStore, Verdict,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

conversations! { Tokio:
    who_nobody_could_tell_of_gets_in_once_somebody_can,
    who_was_denied_comes_again_and_gets_in_once_it_is_known,
    one_typing_error_is_asked_about_once,
    as_many_first_calls_as_may_be_pending_are_answered,
    large_first_calls_are_answered_all,
}

fn login_server(authenticator: Authenticator) -> Options {
    let mut options = Options::server("service").requires_login(true);
    options.admission.authenticator = Some(authenticator);
    options
}

fn client_of(password: &str) -> Options {
    let options = Options::client("service").credentials("charly", Secret::new(password));
    eager(options.allow_plaintext(true))
}

fn connected<R: Runtime>(options: Options, endpoint: &str) -> Client<R> {
    let client = new_client::<R>(options);
    client.connect(endpoint).unwrap();
    client
}

async fn whoami<R: Runtime>(client: &Client<R>) -> Result<String, CallError> {
    soon(client.call("whoami", ())).await
}

/// Until it gets in; what ends before that was not run.
async fn gets_in<R: Runtime>(client: &Client<R>) {
    loop {
        match whoami(client).await {
            Ok(told) => return assert_eq!(told, "charly"),
            Err(error) => assert!(error.is_retry_safe(), "{error:?}"),
        }
        sleep(Duration::from_millis(10)).await;
    }
}

async fn who_nobody_could_tell_of_gets_in_once_somebody_can<R: Runtime>() {
    let (is_down, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let (store, count) = (is_down.clone(), asked.clone());
    let authenticator = Authenticator::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        let is_down = store.load(Ordering::Relaxed);
        std::future::ready(if is_down {
            Verdict::Unavailable
        } else {
            Verdict::Admit("charly".into())
        })
    });
    let (server, endpoint) = serve::<R>(login_server(authenticator)).await;
    let client = connected::<R>(client_of("right"), &endpoint);
    soon(until(|| asked.load(Ordering::Relaxed) >= 3)).await;
    is_down.store(false, Ordering::Relaxed);
    soon(gets_in(&client)).await;
    assert_eq!(server.stats().sessions_unnamed, 0);
}

async fn who_was_denied_comes_again_and_gets_in_once_it_is_known<R: Runtime>() {
    let store = UserStore::new();
    let (_server, endpoint) = serve::<R>(login_server(Authenticator::users(&store))).await;
    let client = new_client::<R>(client_of("right"));
    let mut events = client.events();
    client.connect(&endpoint).unwrap();
    loop {
        if let ConnectionEvent::Disconnected { reason, .. } = soon(events.next()).await.unwrap() {
            assert_eq!(reason, Reason::Unauthorized);
            break;
        }
    }
    let told = whoami(&client).await;
    assert!(matches!(told, Err(CallError::NotExecuted(Reason::Unauthorized))), "{told:?}");
    store.set_password("charly", Secret::new("right"));
    soon(gets_in(&client)).await;
}

/// Shown twice it is one failure of its name and its source.
async fn one_typing_error_is_asked_about_once<R: Runtime>() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let authenticator = Authenticator::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Verdict::Deny)
    });
    let (server, endpoint) = serve::<R>(login_server(authenticator)).await;
    let mut options = client_of("wrong");
    options.retry.max = SOON;
    let client = connected::<R>(options, &endpoint);
    let told = whoami(&client).await;
    assert!(matches!(told, Err(CallError::NotExecuted(Reason::Unauthorized))), "{told:?}");
    assert_eq!((asked.load(Ordering::Relaxed), server.stats().logins_refused), (1, 2));
}

/// An authenticator that takes a while.
fn slow() -> Authenticator {
    Authenticator::new(|_| async {
        sleep(Duration::from_millis(200)).await;
        Verdict::Admit("charly".into())
    })
}

async fn as_many_first_calls_as_may_be_pending_are_answered<R: Runtime>() {
    let (server, endpoint) = serve::<R>(login_server(slow())).await;
    let options = client_of("right");
    let calls = options.config.limits.calls_pending_per_peer_max;
    let client = connected::<R>(options, &endpoint);
    soon(client.ready()).await;
    let calls = (0..calls).map(|_| {
        let client = client.clone();
        spawn(async move { client.call::<String, _>("whoami", ()).await })
    });
    for told in soon(join_all(calls)).await {
        assert_eq!(told.unwrap(), "charly");
    }
    let stats = server.stats();
    assert!(stats.requests_challenged <= stats.requests_served, "{stats:?}");
}

async fn large_first_calls_are_answered_all<R: Runtime>() {
    let (server, endpoint) = serve::<R>(login_server(slow())).await;
    server
        .register_sync("len", |request| {
            let (bytes,): (Bytes,) = request.args()?;
            Ok::<_, pseud::Fault>(bytes.len())
        })
        .unwrap();
    let client = connected::<R>(client_of("right"), &endpoint);
    soon(client.ready()).await;
    let calls = (0..10).map(|_| {
        let (client, body) = (client.clone(), Bytes::from(vec![7; 1_500_000]));
        spawn(async move { client.call::<usize, _>("len", (body,)).await })
    });
    for told in soon(join_all(calls)).await {
        assert_eq!(told.unwrap(), 1_500_000);
    }
}
