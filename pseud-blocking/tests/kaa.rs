//! Servers and clients of kaa.rpc on plain threads.

use pseud_blocking::kaa::{Client, Options, Server};
use pseud_blocking::{CallError, Wait};
use pseud_proto::{CallRefused, Fault, Reason};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const SECRET: &str = "s3cret";

/// Long enough for anything that is not stuck.
const PATIENCE: Duration = Duration::from_secs(20);

fn served() -> (Server, String) {
    let server = Server::new(SECRET).unwrap();
    server.register_typed("add", |(a, b): (i64, i64), _| Ok::<_, Fault>(a + b)).unwrap();
    server
        .register("name_of_caller", |request| {
            let name: String = request.caller().call("name", ()).wait()?;
            Ok::<_, Fault>(name.to_uppercase())
        })
        .unwrap();
    let address = server.bind("127.0.0.1:0").unwrap();
    (server, address.to_string())
}

fn connected(address: &str) -> Client {
    let client = Client::with_options(Options::new(SECRET).call_timeout(PATIENCE)).unwrap();
    client.register("name", |_| Ok::<_, Fault>("charly")).unwrap();
    client.connect(address).unwrap();
    client
}

#[test]
fn calls_both_ways_of_many_threads() {
    let (server, address) = served();
    let client = connected(&address);
    thread::scope(|scope| {
        for thread in 0..32_i64 {
            let client = &client;
            scope.spawn(move || {
                for number in 0..20 {
                    let sum: i64 = client.call("add", (thread, number)).wait().unwrap();
                    assert_eq!(sum, thread + number);
                }
                let name: String = client.call("name_of_caller", ()).wait().unwrap();
                assert_eq!(name, "CHARLY");
            });
        }
    });
    for session in server.all_sessions() {
        assert_eq!(session.call::<String, _>("name", ()).wait().unwrap(), "charly");
    }
    assert_eq!(client.stats().calls_pending, 0);
}

#[test]
fn over_a_unix_socket_with_small_buffers() {
    let path = std::env::temp_dir().join(format!("pseud-blocking-kaa-{}", std::process::id()));
    let options = Options::new(SECRET).buffer_size(8 << 10).call_timeout(PATIENCE);
    let server = Server::with_options(options.clone()).unwrap();
    server.register_typed("len", |(text,): (String,), _| Ok::<_, Fault>(text.len())).unwrap();
    let address = server.bind(path.to_str().unwrap()).unwrap();
    let client = Client::with_options(options).unwrap();
    client.connect(&address).unwrap();
    let len: usize = client.call("len", ("x".repeat(1_000_000),)).wait().unwrap();
    assert_eq!(len, 1_000_000);
    server.unbind(&address).unwrap();
    assert!(!path.exists());
}

#[test]
fn serving_lasts_until_it_is_closed_and_what_is_open_finishes() {
    let (server, address) = served();
    let (begins, begun) = mpsc::channel();
    let (goes, go) = mpsc::channel();
    let go = std::sync::Mutex::new(go);
    server
        .register("slow", move |_| {
            begins.send(()).unwrap();
            go.lock().unwrap().recv().unwrap();
            Ok::<_, Fault>("x".repeat(500_000))
        })
        .unwrap();
    let client = connected(&address);
    let serving = server.clone();
    let serving = thread::spawn(move || serving.serve());
    let call = thread::spawn(move || client.call::<String, _>("slow", ()).wait());
    begun.recv_timeout(PATIENCE).unwrap();
    let closing = thread::spawn(move || server.close(PATIENCE));
    goes.send(()).unwrap();
    assert_eq!(call.join().unwrap().unwrap().len(), 500_000);
    closing.join().unwrap().unwrap();
    serving.join().unwrap().unwrap();
}

#[test]
fn a_task_does_not_wait() {
    let (server, address) = served();
    server
        .registry()
        .register_sync("inline", |request| {
            let refused = request.caller().call::<String, _>("name", ()).wait();
            Ok::<_, Fault>(matches!(refused, Err(CallError::Refused(CallRefused::WouldBlock))))
        })
        .unwrap();
    let client = connected(&address);
    assert!(client.call::<bool, _>("inline", ()).wait().unwrap());
}

#[test]
fn a_call_ends_at_its_time_out_and_the_link_lives_on() {
    let (server, address) = served();
    let (goes, go) = mpsc::channel::<()>();
    let go = std::sync::Mutex::new(go);
    let slow = move |_| {
        go.lock().unwrap().recv().unwrap();
        Ok::<_, Fault>(())
    };
    server.register("slow", slow).unwrap();
    let client = connected(&address);
    client.ready().unwrap();
    let late = client.call::<(), _>("slow", ()).timeout(Duration::from_millis(50)).wait();
    assert!(matches!(late, Err(CallError::Unknown(Reason::TimedOut))), "{late:?}");
    goes.send(()).unwrap();
    assert_eq!(client.call::<i64, _>("add", (1, 2)).wait().unwrap(), 3);
}
