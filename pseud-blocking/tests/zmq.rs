//! Over libzmq: with each other, and with the other adapters.
#![cfg(feature = "zmq")]

use pseud_blocking::zmq::{Client, Context, Server};
use pseud_blocking::{
    Authenticator, CallError, ConnectionEvent, Drain, Node, Options, Wait, block_on,
};
use pseud_proto::zmtp::{Question, Secret, Verdict};
use pseud_proto::{Fault, Parting, Reason, User, UserSessions};
use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

fn serve(node: &Node) {
    node.registry()
        .register_blocking("add", |request| {
            let (a, b): (i64, i64) = request.args()?;
            Ok::<_, Fault>(a + b)
        })
        .unwrap();
    node.registry()
        .register_blocking("whoami", |request| {
            Ok::<_, Fault>(String::from_utf8_lossy(request.user().id()).into_owned())
        })
        .unwrap();
    node.registry()
        .register_blocking("ask_back", |request| {
            Ok::<String, Fault>(request.caller().call("name", ()).wait()?)
        })
        .unwrap();
}

fn server(options: Options) -> Server {
    let server = Server::with_options(options, Context::new()).unwrap();
    serve(&server);
    server
}

fn add(client: &Node, a: i64) {
    assert_eq!(client.call::<i64, _>("add", (a, 1)).wait().unwrap(), a + 1);
}

fn check_calls(client: &Node, server: &Node) {
    client.registry().register_sync("name", |_| Ok::<_, Fault>("Charly")).unwrap();
    for n in 0..50 {
        add(client, n);
    }
    let back: String = client.call("ask_back", ()).wait().unwrap();
    assert_eq!(back, "Charly");
    let name: String = server.peer("charly").call("name", ()).wait().unwrap();
    assert_eq!(name, "Charly");
    thread::scope(|scope| {
        for thread in 0..16 {
            scope.spawn(move || (0..20).for_each(|n| add(client, thread * 100 + n)));
        }
    });
    assert_eq!(client.stats().calls_pending, 0);
}

fn charly() -> Options {
    Options::client("service").identity("charly")
}

#[test]
fn calls_go_both_ways() {
    for endpoint in ["tcp://127.0.0.1:*", "ipc://*"] {
        let server = server(Options::server("service"));
        // libzmq knows `*` of ipc; we do not.
        let Ok(endpoint) = server.bind(endpoint) else {
            assert!(endpoint.starts_with("ipc"));
            continue;
        };
        let client = Client::with_options(charly(), Context::new()).unwrap();
        client.connect(&endpoint).unwrap();
        check_calls(&client, &server);
    }
}

#[test]
fn threads_of_one_context_call_each_other_without_a_socket() {
    let context = Context::new();
    let server = Server::with_options(Options::server("service"), context.clone()).unwrap();
    serve(&server);
    let client = Client::with_options(charly(), context.clone()).unwrap();
    server.bind("inproc://service").unwrap();
    client.connect("inproc://service").unwrap();
    check_calls(&client, &server);
}

#[test]
fn a_client_over_sockets_calls_a_server_over_libzmq() {
    let server = server(Options::server("service"));
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap();
    let client = pseud_blocking::Client::with_options(charly()).unwrap();
    client.connect(&endpoint).unwrap();
    check_calls(client.node(), &server);
}

#[test]
fn a_client_over_libzmq_calls_a_server_over_sockets() {
    let server = pseud_blocking::Server::new("service").unwrap();
    serve(server.node());
    let endpoint = server.bind("tcp://127.0.0.1:0").unwrap();
    let client = Client::with_options(charly(), Context::new()).unwrap();
    client.connect(&endpoint).unwrap();
    check_calls(&client, server.node());
}

fn plain(name: &str, password: &str) -> Options {
    Options::client("service").plain_client(name, Secret::new(password))
}

fn guarded() -> Options {
    Options::server("service").plain_server(Authenticator::passwords([
        ("charly", Secret::new("secret")),
        ("lucy", Secret::new("hidden")),
    ]))
}

#[test]
fn zap_asks_the_nodes_own_authenticator() {
    let server = server(guarded());
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap();
    for (name, password) in [("charly", "secret"), ("lucy", "hidden")] {
        let over_libzmq = Client::with_options(plain(name, password), Context::new()).unwrap();
        over_libzmq.connect(&endpoint).unwrap();
        let who: String = over_libzmq.call("whoami", ()).wait().unwrap();
        assert_eq!(who, name);
        let over_sockets = pseud_blocking::Client::with_options(plain(name, password)).unwrap();
        over_sockets.connect(&endpoint).unwrap();
        let who: String = over_sockets.call("whoami", ()).wait().unwrap();
        assert_eq!(who, name);
    }
    let wrong = Client::with_options(plain("charly", "wrong"), Context::new()).unwrap();
    wrong.connect(&endpoint).unwrap();
    let denied = wrong.call::<String, _>("whoami", ()).wait();
    assert!(matches!(denied, Err(CallError::NotExecuted(Reason::Denied))), "{denied:?}");
}

#[test]
fn who_is_shown_out_over_libzmq_is_told_why() {
    let server = server(guarded());
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap();
    let (came, is_there) = std::sync::mpsc::channel();
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    let is_over = std::sync::Mutex::new(is_over);
    let waits = move |_| {
        came.send(()).unwrap();
        // Until the test has seen how the call ends.
        let _ = is_over.lock().unwrap().recv_timeout(Duration::from_secs(20));
        Ok::<_, Fault>(())
    };
    server.register("wait", waits).unwrap();
    let client = pseud_blocking::Client::with_options(plain("charly", "secret")).unwrap();
    client.connect(&endpoint).unwrap();
    let ended = thread::scope(|scope| {
        let call = scope.spawn(|| client.call::<(), _>("wait", ()).wait());
        is_there.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(server.disconnect_user("charly"), 1);
        call.join().unwrap()
    });
    drop(over);
    assert!(matches!(ended, Err(CallError::Unknown(Reason::Revoked))), "{ended:?}");
    let later = client.call::<String, _>("whoami", ()).wait();
    assert!(matches!(later, Err(CallError::NotExecuted(Reason::Revoked))), "{later:?}");
}

/// A server of logins, over NULL: whoever is there shows in clear who it is.
fn logging_in() -> Options {
    let mut options = Options::server("service").requires_login(true);
    let known = [("charly", Secret::new("secret"))];
    options.admission.authenticator = Some(Authenticator::passwords(known));
    // All are of one address here, who guesses and who knows.
    options.admission.strangers.user_failures_free = u32::MAX;
    options
}

fn login(password: &str) -> Options {
    let options = Options::client("service").credentials("charly", Secret::new(password));
    options.allow_plaintext(true)
}

fn whoami(client: &pseud_async::Node) -> Result<String, CallError> {
    client.call("whoami", ()).wait()
}

fn assert_unauthorized(client: &pseud_async::Node) {
    let refused = whoami(client);
    assert!(matches!(refused, Err(CallError::NotExecuted(Reason::Unauthorized))), "{refused:?}");
}

#[test]
fn sessions_over_libzmq_log_in() {
    let over_libzmq = server(logging_in());
    let over_sockets = pseud_blocking::Server::with_options(logging_in()).unwrap();
    serve(over_sockets.node());
    let endpoints = [
        over_libzmq.bind("tcp://127.0.0.1:*").unwrap(),
        over_sockets.bind("tcp://127.0.0.1:0").unwrap(),
    ];
    for endpoint in &endpoints {
        for password in ["secret", "wrong"] {
            let check = |client: &pseud_async::Node| match password {
                "secret" => assert_eq!(whoami(client).unwrap(), "charly"),
                _ => assert_unauthorized(client),
            };
            let client = Client::with_options(login(password), Context::new()).unwrap();
            client.connect(endpoint).unwrap();
            check(client.node());
            let client = pseud_blocking::Client::with_options(login(password)).unwrap();
            client.connect(endpoint).unwrap();
            check(client.node());
        }
    }
    // Who has said nothing is nobody, and who has is called by its user.
    let nobody = Client::with_options(Options::client("service"), Context::new()).unwrap();
    nobody.connect(&endpoints[0]).unwrap();
    assert_unauthorized(nobody.node());
    let client = Client::with_options(login("secret"), Context::new()).unwrap();
    client.register("name", |_| Ok::<_, Fault>("Charly")).unwrap();
    client.connect(&endpoints[0]).unwrap();
    assert_eq!(whoami(client.node()).unwrap(), "charly");
    let name: String = over_libzmq.user("charly").call("name", ()).wait().unwrap();
    assert_eq!(name, "Charly");
    assert!(over_libzmq.disconnect_user("charly") >= 1, "those that are gone may be known still");
    // libzmq cannot close its connection: it is there as nobody, until it connects again.
    assert_unauthorized(client.node());
    client.disconnect(&endpoints[0]).unwrap();
    client.connect(&endpoints[0]).unwrap();
    assert_eq!(whoami(client.node()).unwrap(), "charly");
}

/// Python's `untrusted_curve`, where libzmq has CURVE: the key is known by ZAP, and trusted once its user has
/// logged in.
#[cfg(feature = "curve")]
#[test]
fn sessions_over_libzmq_log_in_under_curve() {
    use pseud_async::CurveLogins;
    use pseud_proto::zmtp::KeyPair;
    if zmq::has("curve") != Some(true) {
        // The vendored libzmq has none, and says so.
        let options = Options::server("service")
            .curve_server([KeyPair::generate([1; 32])], Authenticator::any_key());
        assert!(Server::with_options(options, Context::new()).is_err());
        return;
    }
    let (ours, logins) = (KeyPair::generate([1; 32]), CurveLogins::new());
    logins.set_password("charly", Secret::new("secret"));
    let key = *ours.public();
    let options = Options::server("service").curve_server([ours], logins.authenticator());
    let server = server(options.requires_login(true));
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap();
    let by =
        |seed: u8| Options::client("service").curve_client(KeyPair::generate([seed; 32]), [key]);
    for (seed, options) in [
        (2, by(2).credentials("charly", Secret::new("secret"))),
        (3, by(3).credentials("charly", Secret::new("wrong"))),
        (2, by(2)),
        (3, by(3)),
    ] {
        let client = Client::with_options(options, Context::new()).unwrap();
        client.connect(&endpoint).unwrap();
        match seed {
            2 => assert_eq!(whoami(client.node()).unwrap(), "charly"),
            _ => assert_unauthorized(client.node()),
        }
    }
}

/// libzmq cannot close its connection: what it still sends there is from nobody.
#[test]
fn a_user_who_is_disconnected_is_nobody_until_it_logs_in_again() {
    let server = server(guarded());
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap();
    let client = Client::with_options(plain("charly", "secret"), Context::new()).unwrap();
    client.connect(&endpoint).unwrap();
    assert_eq!(client.call::<String, _>("whoami", ()).wait().unwrap(), "charly");
    assert_eq!(server.disconnect_user("charly"), 1);
    let ended = client.call::<String, _>("whoami", ()).timeout(Duration::from_millis(300)).wait();
    assert!(matches!(ended, Err(CallError::Unknown(Reason::TimedOut))), "{ended:?}");
    assert_eq!(server.all_sessions().len(), 0);
    client.disconnect(&endpoint).unwrap();
    client.connect(&endpoint).unwrap();
    assert_eq!(client.call::<String, _>("whoami", ()).wait().unwrap(), "charly");
}

/// What that client says is dropped.
fn assert_nobody(client: &Client) {
    let ended = client.call::<String, _>("whoami", ()).timeout(Duration::from_millis(300)).wait();
    assert!(matches!(ended, Err(CallError::Unknown(Reason::TimedOut))), "{ended:?}");
}

/// G-14: a connection outlives its sessions, and what let it in is believed no longer than its user is.
#[test]
fn a_connection_without_a_session_is_shown_out_with_its_user() {
    let server = server(guarded().user_sessions(UserSessions::Newest));
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap();
    let connected = || {
        let client = Client::with_options(plain("charly", "secret"), Context::new()).unwrap();
        client.connect(&endpoint).unwrap();
        assert_eq!(whoami(client.node()).unwrap(), "charly");
        client
    };
    // The newer session ends the older one, which may come again, as long as its user is welcome.
    let (older, newer) = (connected(), connected());
    assert_eq!(server.all_sessions().len(), 1);
    assert_eq!(whoami(older.node()).unwrap(), "charly");
    assert_eq!(whoami(newer.node()).unwrap(), "charly");
    // What its user may do has changed: both have to show again who they are.
    assert_eq!(server.disconnect_user_as("charly", Parting::Draining), 1);
    assert_nobody(&newer);
    assert_nobody(&older);
    let (older, newer) = (connected(), connected());
    assert_eq!(server.revoke_user("charly"), 1);
    assert_nobody(&older);
    assert_nobody(&newer);
    assert_eq!(server.all_sessions().len(), 0);
}

/// Those who have not logged in are many peers, not many connections of one user.
#[test]
fn many_who_have_said_nothing_do_not_push_each_other_out() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let mut options = Options::server("service").requires_login(true);
    options = options.plain_server(Authenticator::new(move |question| {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::ready(match question {
            Question::Plain { .. } => Verdict::Admit(User::default()),
            _ => Verdict::Deny,
        })
    }));
    let server = server(options);
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap();
    let context = Context::new();
    let stranger = || {
        let socket = context.socket(zmq::DEALER).unwrap();
        socket.set_plain_username(Some("anybody")).unwrap();
        socket.set_plain_password(Some("x")).unwrap();
        socket.set_linger(0).unwrap();
        socket.set_rcvtimeo(20_000).unwrap();
        socket.connect(&endpoint).unwrap();
        socket
    };
    let is_challenged = |socket: &zmq::Socket| {
        let work: [&[u8]; 5] = [b"", b"v1", &[7; 16], b"\x03", b"\x93\xa6whoami\x90\x80"];
        socket.send_multipart(work, 0).unwrap();
        let answer = socket.recv_multipart(0).expect("an answer");
        assert_eq!(answer[3], b"\x11", "UNAUTHORIZED");
    };
    let first = stranger();
    while asked.load(Ordering::Relaxed) == 0 {
        thread::yield_now();
    }
    let others: Vec<_> = (0..270).map(|_| stranger()).collect();
    others.iter().for_each(is_challenged);
    is_challenged(&first);
    assert_eq!(server.stats().sessions_unnamed, 271);
}

/// P-05: EHOSTUNREACH is an outcome, after as many attempts as Python makes.
#[test]
fn a_call_to_nobody_has_not_run() {
    let server = server(Options::server("service"));
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap();
    let client = Client::with_options(charly(), Context::new()).unwrap();
    client.registry().register_sync("name", |_| Ok::<_, Fault>("Charly")).unwrap();
    client.connect(&endpoint).unwrap();
    add(&client, 1);
    client.disconnect(&endpoint).unwrap();
    let mut events = server.events();
    let began = Instant::now();
    let ended = loop {
        // Until libzmq has noticed, it takes what it is given.
        let call = server.peer("charly").call::<String, _>("name", ());
        match call.timeout(Duration::from_secs(2)).wait() {
            Err(CallError::Unknown(Reason::TimedOut))
                if began.elapsed() < Duration::from_secs(30) => {}
            ended => break ended,
        }
    };
    assert!(matches!(ended, Err(CallError::NotExecuted(Reason::PeerGone))), "{ended:?}");
    let lost = block_on(events.next()).unwrap();
    assert!(
        matches!(lost, Some(ConnectionEvent::Disconnected { reason: Reason::PeerGone, .. })),
        "{lost:?}"
    );
}

/// The endpoint is free: at once, or after the moment for which Linux was seen to call the port in use though nothing
/// listens there.
fn bind_again(server: &Server, endpoint: &str) {
    let began = Instant::now();
    while let Err(error) = server.bind(endpoint) {
        assert!(began.elapsed() < Duration::from_secs(20), "{error}");
        thread::yield_now();
    }
}

#[test]
fn a_server_that_comes_back_is_found_again() {
    let first = server(Options::server("service"));
    let endpoint = first.bind("tcp://127.0.0.1:*").unwrap();
    let client = Client::with_options(charly(), Context::new()).unwrap();
    client.connect(&endpoint).unwrap();
    add(&client, 1);
    first.shutdown();
    let second = server(Options::server("service"));
    bind_again(&second, &endpoint);
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not connect again");
        match client.call::<i64, _>("add", (2, 2)).wait() {
            Ok(sum) => break assert_eq!(sum, 4),
            Err(CallError::Unknown(Reason::PeerGone) | CallError::NotExecuted(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn what_libzmq_cannot_do_is_said_at_once() {
    let context = Context::new();
    let _first = Server::with_options(guarded(), context.clone()).unwrap();
    let second = Error::from(Server::with_options(guarded(), context).unwrap_err());
    assert_eq!(second.kind(), ErrorKind::AddrInUse);
    assert!(second.to_string().contains("ZAP"), "{second}");
    let server = server(Options::server("service"));
    let bound = server.bind("tcp://127.0.0.1:*").unwrap();
    let taken = Server::new("other").unwrap().bind(&bound).unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    for bad in ["tcp://127.0.0.1", "udp://127.0.0.1:1", "nonsense"] {
        assert_eq!(server.bind(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad}");
    }
    // P-06.
    assert_eq!(server.bind("inproc://a\0b").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(server.unbind("tcp://127.0.0.1:1").unwrap_err().kind(), ErrorKind::NotFound);
    server.unbind(&bound).unwrap();
    let name = Client::with_options(plain("a\0b", "secret"), Context::new()).unwrap_err();
    assert_eq!(Error::from(name).kind(), ErrorKind::Unsupported);
}

#[cfg(feature = "_curve")]
#[test]
fn curve_is_there_or_its_absence_is_said() {
    use pseud_proto::zmtp::KeyPair;
    let pairs = [KeyPair::generate([1; 32]), KeyPair::generate([2; 32])];
    let [ours, theirs] = pairs;
    let keys = Authenticator::keys([(*theirs.public(), User::new("charly"))]);
    let options = Options::server("service").curve_server([ours.clone()], keys);
    let server = match Server::with_options(options, Context::new()) {
        Ok(server) => server,
        Err(error) => {
            assert_eq!(zmq::has("curve"), Some(false));
            let error = Error::from(error);
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("CURVE"), "{error}");
            return;
        }
    };
    assert_eq!(zmq::has("curve"), Some(true));
    serve(&server);
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap();
    let options = Options::client("service").curve_client(theirs, [*ours.public()]);
    let over_libzmq = Client::with_options(options.clone(), Context::new()).unwrap();
    over_libzmq.connect(&endpoint).unwrap();
    assert_eq!(over_libzmq.call::<String, _>("whoami", ()).wait().unwrap(), "charly");
    let over_sockets = pseud_blocking::Client::with_options(options).unwrap();
    over_sockets.connect(&endpoint).unwrap();
    assert_eq!(over_sockets.call::<String, _>("whoami", ()).wait().unwrap(), "charly");
}

#[test]
fn a_drained_server_answers_what_is_open_and_ends() {
    let server = server(Options::server("service"));
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap();
    let client = Client::new("service").unwrap();
    client.connect(&endpoint).unwrap();
    add(&client, 1);
    let serving = server.clone();
    let serving = thread::spawn(move || serving.serve());
    assert_eq!(server.drain(Duration::from_secs(5)).unwrap(), Drain::Complete);
    serving.join().unwrap().unwrap();
    assert!(server.bind(&endpoint).is_err(), "it has ended");
    bind_again(&Server::new("service").unwrap(), &endpoint);
}

/// libzmq frees endpoints in a thread of its own: what has returned has happened nevertheless.
#[test]
fn endpoints_are_free_when_that_returns() {
    let context = Context::new();
    let mut endpoint = "tcp://127.0.0.1:*".to_owned();
    for _ in 0..50 {
        let server = Server::with_options(Options::server("service"), context.clone()).unwrap();
        endpoint = server.bind(&endpoint).unwrap().into();
        server.unbind(&endpoint).unwrap();
        assert_eq!(server.bind(&endpoint).unwrap(), endpoint);
        server.shutdown();
    }
}

/// P-05: whoever ends the context ends the node; calls have an outcome.
#[test]
fn a_context_that_ends_ends_its_nodes() {
    let mut context = Context::new();
    let server = Server::with_options(Options::server("service"), context.clone()).unwrap();
    server
        .register("never", |request| {
            let _ = block_on(request.cancelled());
            Ok::<_, Fault>(())
        })
        .unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap();
    let client = Client::with_options(charly(), context.clone()).unwrap();
    client.connect(&endpoint).unwrap();
    thread::scope(|scope| {
        let call = scope
            .spawn(|| client.call::<(), _>("never", ()).timeout(Duration::from_secs(60)).wait());
        while server.stats().requests_open == 0 {
            thread::yield_now();
        }
        context.destroy().unwrap();
        let ended = call.join().unwrap();
        assert!(
            matches!(ended, Err(CallError::Closed { .. } | CallError::Unknown(_))),
            "{ended:?}"
        );
    });
}
