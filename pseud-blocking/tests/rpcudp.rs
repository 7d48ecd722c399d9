//! Calls over datagrams on plain threads.

use pseud_blocking::rpcudp::{Endpoint, Options};
use pseud_blocking::{CallError, Drain, Registry, Threads, Wait, block_on};
use pseud_proto::value::Value;
use pseud_proto::{CallRefused, Fault, Reason};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(20);

fn endpoint() -> Endpoint {
    Endpoint::bind("127.0.0.1:0".parse().unwrap()).unwrap()
}

#[test]
fn either_end_calls_the_other_from_its_handlers() {
    let [one, other] = [endpoint(), endpoint()];
    for end in [&one, &other] {
        end.register_typed("add", |(a, b): (i64, i64), _| Ok::<_, Fault>(a + b)).unwrap();
        end.register("ask_back", |request| {
            let sender = request.caller().rpcudp().unwrap();
            let sum: i64 = sender.call("add", request.args::<(i64, i64)>()?).wait()?;
            Ok::<_, Fault>(sum)
        })
        .unwrap();
    }
    for (from, to) in [(&one, &other), (&other, &one)] {
        let sum: i64 = from.call(to.local_addr(), "ask_back", (2, 4)).wait().unwrap();
        assert_eq!(sum, 6);
    }
}

/// P-07: as many as there are callers, and handlers that block do not stop each other: each waits for all.
#[test]
fn sixty_four_threads_call_at_once() {
    let [server, client] = [endpoint(), endpoint()];
    let all = Barrier::new(64);
    server
        .register_typed("meet", move |(number,): (i64,), _| {
            all.wait();
            Ok::<_, Fault>(number)
        })
        .unwrap();
    thread::scope(|scope| {
        for number in 0..64_i64 {
            let (client, to) = (&client, server.local_addr());
            scope.spawn(move || {
                for turn in 0..5 {
                    let call = client.call::<i64, _>(to, "meet", (number * 10 + turn,));
                    let call = call.resend_every(Duration::from_secs(1)).timeout(PATIENCE);
                    assert_eq!(call.wait().unwrap(), number * 10 + turn);
                }
            });
        }
    });
    assert_eq!((client.stats().calls_pending, server.stats().requests_open), (0, 0));
}

#[test]
fn a_call_ends_at_its_time_out_and_as_python_has_it() {
    let [server, client] = [endpoint(), endpoint()];
    let call = || client.call::<Value, _>(server.local_addr(), "nothing", ());
    let began = Instant::now();
    let error = call().timeout(Duration::from_millis(50)).wait().unwrap_err();
    assert!(matches!(error, CallError::Unknown(Reason::TimedOut)), "{error}");
    assert!(began.elapsed() >= Duration::from_millis(50));
    let told = block_on(call().timeout(Duration::from_millis(50)).answered()).unwrap();
    assert_eq!(told, (false, Value::Nil));
}

#[test]
fn serving_lasts_until_another_clone_closes_it() {
    let [server, client] = [endpoint(), endpoint()];
    server.register("one", |_| Ok::<_, Fault>(1)).unwrap();
    let (serving, to) = (server.clone(), server.local_addr());
    let (ended, ends) = mpsc::channel();
    thread::spawn(move || ended.send(serving.serve().is_ok()).unwrap());
    assert_eq!(client.call::<i64, _>(to, "one", ()).wait().unwrap(), 1);
    assert!(ends.try_recv().is_err());
    server.close();
    assert!(ends.recv_timeout(PATIENCE).unwrap());
    assert!(matches!(
        client.call::<i64, _>(client.local_addr(), "one", ()).wait(),
        Err(CallError::Refused(_))
    ));
}

#[test]
fn draining_answers_what_is_open() {
    let [server, client] = [endpoint(), endpoint()];
    let (go, goes) = mpsc::channel();
    let goes = std::sync::Mutex::new(goes);
    server
        .register("waits", move |_| {
            goes.lock().unwrap().recv().unwrap();
            Ok::<_, Fault>(7)
        })
        .unwrap();
    let to = server.local_addr();
    thread::scope(|scope| {
        let call = scope.spawn(|| client.call::<i64, _>(to, "waits", ()).timeout(PATIENCE).wait());
        while server.stats().requests_open == 0 {
            thread::yield_now();
        }
        let drain = scope.spawn(|| server.drain(PATIENCE).unwrap());
        go.send(()).unwrap();
        assert_eq!(call.join().unwrap().unwrap(), 7);
        assert_eq!(drain.join().unwrap(), Drain::Complete);
    });
    server.serve().unwrap();
    assert_eq!(endpoint().drain(Duration::ZERO).unwrap(), Drain::Complete);
}

/// P-07: who must not block is told so, and nothing is sent.
#[test]
fn a_task_does_not_wait() {
    let [server, client] = [endpoint(), endpoint()];
    server
        .registry()
        .register_sync("inline", |request| {
            let sender = request.caller().rpcudp().unwrap();
            let refused = sender.call::<(), _>("x", ()).wait();
            Ok::<_, Fault>(matches!(refused, Err(CallError::Refused(CallRefused::WouldBlock))))
        })
        .unwrap();
    assert!(client.call::<bool, _>(server.local_addr(), "inline", ()).wait().unwrap());
}

/// One registry, and one set of threads, for datagrams and for a server of pseud's.
#[test]
fn a_registry_and_threads_may_be_shared() {
    let threads = Threads::new(2).unwrap();
    let registry = Registry::new();
    registry.register_blocking("hello", |_| Ok::<_, Fault>("hello")).unwrap();
    let options = Options::default().registry(registry.clone());
    let at = "127.0.0.1:0".parse().unwrap();
    let datagrams = threads.enter(|| Endpoint::bind_with(at, options)).unwrap();
    let options = pseud_blocking::Options::server("service").registry(registry);
    let server = threads.enter(|| pseud_blocking::Server::with_options(options)).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").unwrap();

    let client = pseud_blocking::Client::new("service").unwrap();
    client.connect(&endpoint).unwrap();
    assert_eq!(client.call::<String, _>("hello", ()).wait().unwrap(), "hello");
    let client = self::endpoint();
    let told: String = client.call(datagrams.local_addr(), "hello", ()).wait().unwrap();
    assert_eq!(told, "hello");
}
