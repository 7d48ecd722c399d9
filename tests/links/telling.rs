//! What operators are told: who, from where, and why, in one line each.

use crate::guarded::{DENIED, refused};
use crate::logged::Logged;
use crate::{
    Client, Runtime, SOON, Server, Tokio, client, conversations, hello, new_client, new_server,
    server, soon, spawn, until, yield_now,
};
use pseud::{
    Authenticator, CallError, Exception, Fault, Options, Reason, Secret, User, ValueLimits, Verdict,
};
use std::future::{Future, pending};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;

conversations! { Tokio:
    a_handler_that_panics_is_logged_with_its_method_peer_and_user,
    a_predicate_that_panics_is_logged_with_its_method_peer_and_user,
    a_request_in_another_s_name_is_logged_as_that_user_s,
    who_is_not_let_in_is_one_line_and_those_that_follow_are_counted,
    who_speaks_another_mechanism_is_told_apart,
    a_server_of_another_name_is_told_by_the_library,
    an_exception_without_a_message_is_its_class,
    an_answer_over_a_limit_is_logged_with_that_limit_and_not_as_malformed,
    what_an_operator_must_mend_is_said_once_a_minute,
    calls_of_one_who_is_denied_end_at_once_and_say_so,
    calls_of_one_who_is_denied_somewhere_wait_for_elsewhere,
}

/// A server of PLAIN that knows alice, who may speak for others.
async fn plain_server<R: Runtime>() -> (Server<R>, String) {
    let authenticator = Authenticator::new(|question| async move {
        match question {
            pseud::Question::Plain { username, password } if password.matches(b"secret") => {
                let user = User::new(username).with_permission(User::FORWARD);
                Verdict::Admit(user)
            }
            _ => Verdict::Deny,
        }
    });
    let server = new_server::<R>(Options::server("service").plain_server(authenticator));
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    (server, endpoint.into())
}

fn plain(user: &str, password: &str) -> Options {
    Options::client("service").plain_client(user, Secret::new(password))
}

fn named<R: Runtime>(name: &str, endpoint: &str) -> Client<R> {
    let client = new_client::<R>(plain("alice", "secret").identity(name));
    client.connect(endpoint).unwrap();
    client
}

async fn panics<R: Runtime>(client: &Client<R>, name: &str) -> CallError {
    soon(client.call::<(), _>(name, ())).await.unwrap_err()
}

/// Waits for ever, and panics as it is dropped.
struct Drops;

impl Future for Drops {
    type Output = Result<(), Fault>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Pending
    }
}

impl Drop for Drops {
    fn drop(&mut self) {
        panic!("on its way out");
    }
}

async fn a_handler_that_panics_is_logged_with_its_method_peer_and_user<R: Runtime>() {
    let logged = Logged::new();
    let (server, endpoint) = plain_server::<R>().await;
    let sync = |_: pseud::Request| -> Result<(), Fault> { panic!("in a function") };
    server.register_sync("a.sync", sync).unwrap();
    let first = |_: pseud::Request| -> std::future::Ready<Result<(), Fault>> { panic!("at once") };
    server.register("a.first", first).unwrap();
    let later = |_: pseud::Request| async {
        yield_now().await;
        panic!("later");
        #[allow(unreachable_code, reason = "it says what the future gives")]
        Ok::<(), Fault>(())
    };
    server.register("a.later", later).unwrap();
    server.register("a.drops", |_: pseud::Request| Drops).unwrap();
    let desk = named::<R>("desk", &endpoint);
    for (name, panic) in [("a.sync", "in a function"), ("a.first", "at once"), ("a.later", "later")]
    {
        let CallError::Fault(fault) = panics(&desk, name).await else { panic!("no fault") };
        assert_eq!(fault.message, "the handler panicked", "its text stays here");
        let line = logged.only(&format!("method={name} "));
        assert!(line.starts_with("ERROR a handler panicked"), "{line}");
        let who = [" peer=desk", " address=127.0.0.1:", " user=alice", &format!(" panic={panic}")];
        assert!(who.iter().all(|text| line.contains(text)), "{line}");
    }
    let dropping = spawn(desk.call_all::<(), _>([desk.peer("service")], "a.drops", ()));
    until(|| server.stats().requests_open > 0).await;
    desk.shutdown();
    soon(dropping).await.unwrap();
    let line = logged.wait_for("method=a.drops").await;
    assert!(line.contains("peer=desk") && line.contains("panic=on its way out"), "{line}");
}

#[test]
fn a_handler_on_a_thread_that_panics_says_so_as_well() {
    let logged = Logged::new();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().on_thread_start(logged.on_other_threads()).build().unwrap();
    runtime.block_on(async {
        let (server, endpoint) = plain_server::<Tokio>().await;
        let blocks = |_: pseud::Request| -> Result<(), Fault> { panic!("on a thread") };
        server.register_blocking("blocks", blocks).unwrap();
        let error = panics(&named::<Tokio>("desk", &endpoint), "blocks").await;
        assert!(matches!(error, CallError::Fault(fault) if fault.class == "Internal"));
        let line = logged.only("method=blocks ");
        assert!(line.contains("user=alice") && line.contains("panic=on a thread"), "{line}");
    });
}

async fn a_predicate_that_panics_is_logged_with_its_method_peer_and_user<R: Runtime>() {
    let logged = Logged::new();
    let (server, endpoint) = plain_server::<R>().await;
    server.predicate("sync", |_| panic!("it cannot say"));
    server.predicate_async("async", |_| async {
        yield_now().await;
        panic!("it cannot say")
    });
    for domain in ["sync", "async"] {
        server.domain(domain).register_sync(domain, |_| Ok::<_, Fault>(())).unwrap();
    }
    let desk = named::<R>("desk", &endpoint);
    for domain in ["sync", "async"] {
        let error = panics(&desk, domain).await;
        assert!(matches!(error, CallError::NotExecuted(Reason::NoSuchService)), "{error}");
        let line = logged.only(&format!("method={domain} "));
        assert!(line.contains("the predicate of a domain panicked"), "{line}");
        assert!(line.contains(" peer=desk") && line.contains(" user=alice"), "{line}");
    }
}

async fn a_request_in_another_s_name_is_logged_as_that_user_s<R: Runtime>() {
    let logged = Logged::new();
    let (server, endpoint) = plain_server::<R>().await;
    let sync = |_: pseud::Request| -> Result<(), Fault> { panic!("for another") };
    server.register_sync("store", sync).unwrap();
    let gateway = named::<R>("admission", &endpoint);
    let (front, front_endpoint) = plain_server::<R>().await;
    front
        .register("store", move |request| gateway.call::<(), _>("store", ()).on_behalf_of(&request))
        .unwrap();
    let bob = new_client::<R>(plain("bob", "secret"));
    bob.connect(&front_endpoint).unwrap();
    panics(&bob, "store").await;
    let line = logged.only("method=store ");
    assert!(line.contains(" user=bob") && line.contains(" forwarded_by=alice"), "{line}");
}

async fn who_is_not_let_in_is_one_line_and_those_that_follow_are_counted<R: Runtime>() {
    let logged = Logged::new();
    let (server, endpoint) = plain_server::<R>().await;
    let mut options = plain("mallory", "guess");
    options.retry.max = Duration::from_millis(1);
    let mut events = server.events();
    let mallory = new_client::<R>(options);
    mallory.connect(&endpoint).unwrap();
    for _ in 0..5 {
        refused(&mut events).await;
    }
    let line = logged.only("a peer was not let in");
    assert!(line.starts_with("WARN authentication failed"), "{line}");
    for text in [
        " who=user mallory",
        " address=127.0.0.1:",
        " offered=PLAIN",
        " expected=PLAIN",
        " error=not admitted (ERROR 400)",
    ] {
        assert!(line.contains(text), "{text} in {line}");
    }
    assert!(!logged.with("guess").iter().any(|line| line.contains("guess")), "no password");
    // The client's own side says it, too, once.
    let line = logged.only("we were not let in");
    assert!(line.contains("expected=PLAIN"), "{line}");
    mallory.shutdown();
    server.shutdown();
    let lines = logged.with("a peer was not let in");
    assert!(lines.len() == 2 && lines[1].contains(" count="), "{lines:?}");
}

async fn who_speaks_another_mechanism_is_told_apart<R: Runtime>() {
    let logged = Logged::new();
    let (server, endpoint) = plain_server::<R>().await;
    let mut events = server.events();
    let _null = client::<R>(&endpoint);
    refused(&mut events).await;
    let line = logged.only("a peer was not let in");
    assert!(line.contains(" offered=NULL expected=PLAIN "), "{line}");
    assert!(line.contains("error=incompatible: mechanism mismatch"), "{line}");
}

#[tokio::test]
async fn s_12_garbage_is_one_line_a_minute_with_a_count_and_few_events() {
    let logged = Logged::new();
    let (server, endpoint) = server::<Tokio>("tcp://127.0.0.1:0").await;
    let mut events = server.events();
    let count = std::env::var("PSEUD_STRANGERS").map_or(3_000, |count| count.parse().unwrap());
    let address = endpoint.strip_prefix("tcp://").unwrap().to_owned();
    let canary = client::<Tokio>(&endpoint);
    assert_eq!(hello(&canary).await, "Hello Charly");
    let garbage = tokio::task::spawn_blocking(move || {
        for _ in 0..count {
            let mut stranger = TcpStream::connect(&address).unwrap();
            stranger.write_all(b"GET / HTTP/1.1\r\nHost: me\r\n\r\n").unwrap();
            // Our greeting, then the end; unread bytes of its may make that a reset.
            let _ = stranger.read_to_end(&mut Vec::new());
        }
    });
    let mut garbage = std::pin::pin!(garbage);
    let still_served = async {
        while !garbage.is_finished() {
            assert_eq!(hello(&canary).await, "Hello Charly");
        }
        (&mut garbage).await.unwrap();
    };
    still_served.await;
    assert_eq!(logged.with("handshake failed").len(), 1);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    let lines = logged.wait_for_more("handshake failed", 1).await;
    let counted = format!(" count={}", count - 1);
    assert!(lines.len() == 2 && lines[1].starts_with("INFO"), "{lines:?}");
    assert!(lines[1].contains(&counted), "{lines:?}");
    assert!(lines[1].contains("not a ZMTP peer"), "{lines:?}");
    // The session that was there before all that is still among what a watcher has heard.
    server.shutdown();
    let (mut ready, mut refused, mut more) = (0, 0, 0);
    while let Some(event) = soon(events.next()).await {
        match event {
            pseud::ConnectionEvent::Connected { .. } => ready += 1,
            pseud::ConnectionEvent::HandshakeFailed { more: others, .. } => {
                refused += 1;
                more += others;
            }
            pseud::ConnectionEvent::Lagged(_) => panic!("strangers drove out what was told"),
            _ => {}
        }
    }
    assert_eq!((ready, refused, refused + more), (1, 129, count));
}

async fn a_server_of_another_name_is_told_by_the_library<R: Runtime>() {
    let logged = Logged::new();
    let (_server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let client = new_client::<R>(Options::client("desk"));
    client.connect(&endpoint).unwrap();
    let line = logged.wait_for("expected `desk`").await;
    assert!(line.starts_with("WARN connected to `service`, expected `desk` address="), "{line}");
    let call = client.call::<(), _>("hello", ()).timeout(Duration::from_millis(50));
    let error = soon(call).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(Reason::WrongName)), "{error}");
    let text = error.to_string();
    assert!(text.contains("not to a server of that name"), "{text}");
}

async fn an_exception_without_a_message_is_its_class<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    server.register_sync("fail", |_| Err::<(), _>(Fault::new(Exception::KeyError, ""))).unwrap();
    let error = soon(client::<R>(&endpoint).call::<(), _>("fail", ())).await.unwrap_err();
    assert_eq!(error.to_string(), "the peer raised KeyError");
}

/// Whoever looks which ports are open, and says nothing.
#[tokio::test]
async fn port_scanners_are_one_line_a_minute_with_a_count() {
    const COUNT: usize = 300;
    let logged = Logged::new();
    let (server, endpoint) = server::<Tokio>("tcp://127.0.0.1:0").await;
    let address = endpoint.strip_prefix("tcp://").unwrap().to_owned();
    let scan = tokio::task::spawn_blocking(move || {
        for _ in 0..COUNT {
            let mut scanner = TcpStream::connect(&address).unwrap();
            scanner.shutdown(Shutdown::Write).unwrap();
            // Until we are done with it.
            let _ = scanner.read_to_end(&mut Vec::new());
        }
    });
    tokio::time::timeout(SOON, scan).await.unwrap().unwrap();
    let line = logged.only("handshake failed");
    assert!(line.starts_with("INFO") && line.contains(" address=127.0.0.1:"), "{line}");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    let lines = logged.wait_for_more("handshake failed", 1).await;
    assert!(lines[1].contains(&format!(" count={}", COUNT - 1)), "{lines:?}");
    server.shutdown();
    assert_eq!(logged.with("handshake failed").len(), 2, "nothing more is said of them");
}

/// A list that is longer than we take breaks no rule: the log says which limit of ours it is over.
async fn an_answer_over_a_limit_is_logged_with_that_limit_and_not_as_malformed<R: Runtime>() {
    let logged = Logged::new();
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    server.register_sync("many", |_| Ok::<_, Fault>(vec![(); 20])).unwrap();
    let mut limits = ValueLimits::default();
    limits.nodes_max = 10;
    let client = new_client::<R>(Options::client("service").value_limits(limits));
    client.connect(&endpoint).unwrap();
    let error = soon(client.call::<Vec<()>, _>("many", ())).await.unwrap_err();
    assert!(matches!(error, CallError::Executed(Reason::TooLarge)), "{error:?}");
    let line = logged.only("a reply is");
    assert!(line.starts_with("WARN a reply is over a limit of ours"), "{line}");
    assert!(line.contains(" limit=10 what=values"), "{line}");
}

/// Nobody is there to be asked, too many ask, or who is asked panics: one line, however many come.
async fn what_an_operator_must_mend_is_said_once_a_minute<R: Runtime>() {
    let checks = [
        (Authenticator::new(|_| async { panic!("cannot say") }), 8, "an authenticator panicked"),
        (
            Authenticator::new(|_| pending::<Verdict>()),
            0,
            "too many peers wait to be authenticated",
        ),
    ];
    for (authenticator, max, text) in checks {
        let logged = Logged::new();
        let mut options = Options::server("service").plain_server(authenticator);
        options.admission.questions_parked_max = max;
        let server = new_server::<R>(options);
        let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
        let mut events = server.events();
        let mut options = plain("me", "me");
        options.retry.max = Duration::from_millis(1);
        let client = new_client::<R>(options);
        client.connect(&endpoint).unwrap();
        for _ in 0..4 {
            refused(&mut events).await;
        }
        let line = logged.only(text);
        assert!(line.contains(" address=127.0.0.1:"), "{line}");
        server.shutdown();
        let lines = logged.with(text);
        assert!(lines.len() == 2 && lines[1].contains(" count="), "{lines:?}");
    }
}

async fn calls_of_one_who_is_denied_end_at_once_and_say_so<R: Runtime>() {
    let (_server, endpoint) = plain_server::<R>().await;
    let mut options = plain("mallory", "guess");
    options.config.call_timeout = 2 * SOON;
    let mallory = new_client::<R>(options);
    let mut events = mallory.events();
    let waiting = spawn(mallory.call::<(), _>("hello", ()).into_future());
    // It is made before anything is known.
    until(|| mallory.stats().calls_pending == 1).await;
    mallory.connect(&endpoint).unwrap();
    let error = soon(waiting).await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(Reason::Denied)), "{error}");
    assert!(error.is_retry_safe() && !error.is_transient());
    assert_eq!(refused(&mut events).await, DENIED);
    let error = soon(mallory.call::<(), _>("hello", ())).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(Reason::Denied)), "{error}");
}

/// One door that is shut does not speak for another, where somebody still thinks about it.
async fn calls_of_one_who_is_denied_somewhere_wait_for_elsewhere<R: Runtime>() {
    let (_shut, shut) = plain_server::<R>().await;
    let thought = Arc::new(Notify::new());
    let think = thought.clone();
    let authenticator = Authenticator::new(move |_| {
        let think = think.clone();
        async move {
            think.notified().await;
            Verdict::Admit("bob".into())
        }
    });
    let open = new_server::<R>(Options::server("service").plain_server(authenticator));
    open.register_sync("hello", |_| Ok::<_, Fault>("Hello Bob")).unwrap();
    let bob = new_client::<R>(plain("bob", "b"));
    let mut events = bob.events();
    bob.connect(open.bind("tcp://127.0.0.1:0").await.unwrap()).unwrap();
    bob.connect(&shut).unwrap();
    assert_eq!(refused(&mut events).await, DENIED);
    let call = bob.call::<String, _>("hello", ()).timeout(SOON);
    let calling = spawn(call.into_future());
    until(|| bob.stats().calls_pending == 1).await;
    thought.notify_one();
    assert_eq!(soon(calling).await.unwrap().unwrap(), "Hello Bob");
}

/// A handler that blocks where its request arrived is named: meanwhile nothing else of its link goes on.
#[tokio::test]
async fn a_handler_that_keeps_its_link_busy_is_named() {
    let logged = Logged::new();
    let (server, endpoint) = server::<Tokio>("tcp://127.0.0.1:0").await;
    server
        .register("blocks", |_| async {
            std::thread::sleep(Duration::from_millis(1_100));
            Ok::<_, Fault>(())
        })
        .unwrap();
    let client = client::<Tokio>(&endpoint);
    hello(&client).await;
    soon(client.call::<(), _>("blocks", ())).await.unwrap();
    let line = logged.only("kept its link busy");
    assert!(line.starts_with("WARN") && line.contains("method=blocks"), "{line}");
    assert!(line.contains("seconds=1."), "{line}");
}
