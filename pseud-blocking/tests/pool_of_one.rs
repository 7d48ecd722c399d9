//! Calls from inside handlers where one thread runs them all: they work, or end as errors that say so; nothing
//! waits for ever, and what comes later is served.

use pseud_blocking::{CallError, Client, Node, Options, Server, Threads, Wait};
use pseud_proto::Fault;
use std::time::{Duration, Instant};

/// What a call may wait for a thread that never comes free.
const NESTED: Duration = Duration::from_secs(2);
/// Longer than what it is asked to wait for.
const OUTER: Duration = Duration::from_secs(20);

fn one_thread() -> Threads {
    Threads::new(1).unwrap()
}

fn options(options: Options) -> Options {
    options.call_timeout(OUTER)
}

/// `ask_back` calls the caller's `name`, `hold` its `ask_back`, both on the pool.
fn serve(node: &Node) {
    let registry = node.registry();
    registry.register_blocking("name", |_| Ok::<_, Fault>("Charly")).unwrap();
    for (method, asked) in [("ask_back", "name"), ("circle", "ask_back")] {
        registry
            .register_blocking(method, move |request| {
                let name = request.caller().call::<String, _>(asked, ()).timeout(NESTED).wait();
                Ok::<_, Fault>(name?)
            })
            .unwrap();
    }
}

/// A call's answer, and that no call has waited longer than it may.
fn ask(client: &Node, method: &str) -> Result<String, CallError> {
    let began = Instant::now();
    let answer = client.call(method, ()).wait();
    assert!(began.elapsed() < OUTER, "{method}: {:?}", began.elapsed());
    answer
}

fn assert_timed_out(answer: Result<String, CallError>) {
    match answer {
        Err(CallError::Fault(fault)) => assert_eq!(fault.class, "TimeoutError", "{fault}"),
        other => panic!("{other:?}"),
    }
}

/// Each side has a thread: it is free where its caller is no handler.
fn check_of_their_own(server: &Node, client: &Node) {
    for _ in 0..20 {
        assert_eq!(ask(client, "ask_back").unwrap(), "Charly");
        let name = server.peer("charly").call::<String, _>("ask_back", ()).wait();
        assert_eq!(name.unwrap(), "Charly");
    }
    // The server's only thread waits for a client, which waits for the server's only thread.
    assert_timed_out(ask(client, "circle"));
    assert_eq!(ask(client, "ask_back").unwrap(), "Charly");
    // A handler of the client's that is run where it arrives needs no thread.
    client.registry().register_sync("hello", |_| Ok::<_, Fault>("Hello")).unwrap();
    let hello: String = server.peer("charly").call("hello", ()).wait().unwrap();
    assert_eq!(hello, "Hello");
}

/// Both sides have the same one.
fn check_shared(client: &Node) {
    assert_timed_out(ask(client, "ask_back"));
    assert_eq!(ask(client, "name").unwrap(), "Charly");
    // Many at once: each waits its turn.
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(|| ask(client, "name"))).collect();
        asking.into_iter().for_each(|name| assert_eq!(name.join().unwrap().unwrap(), "Charly"));
    });
}

macro_rules! checks {
    ($server:expr, $client:expr) => {{
        let ends = |of_server: Threads, of_client: Threads| {
            let server = of_server.enter(|| $server(options(Options::server("service")))).unwrap();
            let charly = options(Options::client("service").identity("charly"));
            let client = of_client.enter(|| $client(charly)).unwrap();
            serve(server.node());
            serve(client.node());
            client.connect(&server.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
            (server, client)
        };
        let (server, client) = ends(one_thread(), one_thread());
        check_of_their_own(server.node(), client.node());
        let shared = one_thread();
        let (_server, client) = ends(shared.clone(), shared);
        check_shared(client.node());
    }};
}

#[test]
fn over_sockets() {
    checks!(Server::with_options, Client::with_options);
}

#[cfg(feature = "zmq")]
#[test]
fn over_libzmq() {
    use pseud_blocking::zmq::{Client, Context, Server};
    checks!(|options| Server::with_options(options, Context::new()), |options| {
        Client::with_options(options, Context::new())
    });
}
