//! `pseud serve`: endpoints, signals, and calls both ways.

use crate::run::{Demo, PATIENCE, Program, run};
use pseud::proto::Capabilities;
use pseud::{CallError, Client, Fault, Options, Reason, Server};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

#[test]
fn it_says_where_it_listens_and_stops_on_a_signal() {
    for signal in ["TERM", "INT"] {
        let demo = Demo::with(&["--bind", "tcp://[::1]:0"]);
        assert!(!demo.endpoint.ends_with(":0"), "{}", demo.endpoint);
        let second = demo.program.line();
        assert!(second.starts_with("listening on tcp://[::1]:"), "{second}");
        demo.program.signal(signal);
        let ended = demo.program.end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
        assert!(ended.stderr.contains(&format!("SIG{signal}: ")), "{}", ended.stderr);
    }
}

#[test]
fn endpoints_that_are_malformed_or_taken_are_named() {
    let serve = ["serve", "--name", "service", "--demo"];
    for endpoint in ["foo", "udp://h:1", "tcp://127.0.0.1", "tcp://127.0.0.1:65536", "ipc://"] {
        let ended = run(&[&serve[..], &["--bind", endpoint]].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
        assert!(ended.stderr.contains(endpoint), "{}", ended.stderr);
    }
    let demo = Demo::start();
    let ended = run(&[&serve[..], &["--bind", &demo.endpoint]].concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains(&format!("cannot bind {}", demo.endpoint)), "{}", ended.stderr);
    let ended = run(&serve);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--bind"), "{}", ended.stderr);
}

#[test]
fn whoever_serves_strangers_or_nothing_is_warned() {
    let program = Program::start(&["serve", "--name", "service", "--bind", "tcp://*:0"]);
    let line = program.line();
    assert!(line.starts_with("listening on tcp://0.0.0.0:"), "{line}");
    program.wait_for_log("--demo");
    program.wait_for_log("nothing is authenticated");
}

#[test]
fn a_unix_socket_is_gone_with_its_server() {
    let path = std::env::temp_dir().join(format!("pseud-cli-{}", std::process::id()));
    let endpoint = format!("ipc://{}", path.display());
    let program = Program::start(&["serve", "--name", "service", "--demo", "--bind", &endpoint]);
    assert_eq!(program.line(), format!("listening on {endpoint}"));
    let answer = run(&["call", "--connect", &endpoint, "--peer", "service", "hello", "Charly"]);
    assert_eq!(answer.stdout, "\"Hello Charly\"\n");
    program.signal("TERM");
    assert_eq!(program.end().code, Some(0));
    assert!(!path.exists());
}

#[tokio::test]
async fn its_methods_call_their_caller_back() {
    let demo = Demo::start();
    let client = Client::with_options(Options::client("service").call_timeout(PATIENCE)).unwrap();
    client
        .register_sync("repeat", |request| {
            let (text, count): (String, usize) = request.args()?;
            Ok::<_, Fault>(text.repeat(count))
        })
        .unwrap();
    client.connect(&demo.endpoint).unwrap();
    let told: String = client.call("callback", ("repeat", "ha", 3)).await.unwrap();
    assert_eq!(told, "hahaha");
}

#[tokio::test]
async fn it_is_called_over_a_connection_that_it_opened() {
    let server = Server::with_options(Options::server("hub").call_timeout(PATIENCE)).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let connect = ["serve", "--name", "desk", "--demo", "--connect", &endpoint];
    let _program = Program::start(&connect);
    let (desk, start) = (server.peer("desk"), Instant::now());
    let greeting: String = loop {
        // Each call waits a while for the name to appear.
        match desk.call("hello", ("Charly",)).await {
            Ok(greeting) => break greeting,
            Err(error) if error.is_retry_safe() && start.elapsed() < PATIENCE => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(greeting, "Hello Charly");
}

/// A client that passes for a Python one, connected.
async fn v1_client(endpoint: &str) -> Client {
    let mut options = Options::client("service").identity("old").call_timeout(PATIENCE);
    options.config.capabilities = Capabilities::NONE;
    let client = Client::with_options(options).unwrap();
    client.connect(endpoint).unwrap();
    client.ready().await;
    client
}

#[tokio::test]
async fn an_answer_that_is_withheld_is_warned_of_with_what_to_do() {
    let demo = Demo::with(&["--late-guard", "0.1"]);
    let client = v1_client(&demo.endpoint).await;
    let slow = client.call::<f64, _>("sleep", (0.3,)).timeout(Duration::from_secs(2)).await;
    assert!(matches!(slow, Err(CallError::Unknown(Reason::TimedOut))), "{slow:?}");
    let line = demo.program.log_with("withheld");
    for part in ["WARN", "method=\"sleep\"", "peer=old", "127.0.0.1:", "100ms", "--late-guard"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[tokio::test]
async fn without_a_late_guard_every_answer_leaves() {
    for guard in ["off", "60"] {
        let demo = Demo::with(&["--late-guard", guard]);
        let client = v1_client(&demo.endpoint).await;
        // Longer than the usual guard.
        assert_eq!(client.call::<f64, _>("sleep", (4.7,)).await.unwrap(), 4.7);
    }
    let ended = run(&["serve", "--name", "s", "--bind", "tcp://127.0.0.1:0", "--late-guard", "no"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--late-guard"), "{}", ended.stderr);
}

/// A server that is told to stop while a method of its own waits for its caller.
struct Stopping {
    program: Program,
    release: Arc<Notify>,
    calling: tokio::task::JoinHandle<Result<String, CallError>>,
}

impl Stopping {
    async fn start() -> Self {
        let Demo { program, endpoint } = Demo::start();
        let (reached, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let client =
            Client::with_options(Options::client("service").call_timeout(PATIENCE)).unwrap();
        let notes = (reached.clone(), release.clone());
        client
            .register("wait", move |_| {
                let (reached, release) = notes.clone();
                async move {
                    reached.notify_one();
                    release.notified().await;
                    Ok::<_, Fault>("waited")
                }
            })
            .unwrap();
        client.connect(&endpoint).unwrap();
        let calling = tokio::spawn(async move { client.call("callback", ("wait",)).await });
        reached.notified().await;
        program.signal("TERM");
        program.wait_for_log("SIGTERM: new calls are refused");
        Self { program, release, calling }
    }
}

#[tokio::test]
async fn open_calls_are_answered_before_it_stops() {
    let Stopping { program, release, calling } = Stopping::start().await;
    release.notify_one();
    assert_eq!(calling.await.unwrap().unwrap(), "waited");
    assert_eq!(program.end().code, Some(0));
}

#[tokio::test]
async fn a_second_signal_stops_it_at_once() {
    let Stopping { program, calling, .. } = Stopping::start().await;
    program.signal("TERM");
    assert_eq!(program.end().code, Some(0));
    let error = calling.await.unwrap().unwrap_err();
    assert!(!error.is_retry_safe(), "{error}");
}

/// More sleepers than a server runs handlers, each 1000 on a link that then goes.
#[test]
fn sleepers_whose_callers_left_keep_nobody_out() {
    let demo = Demo::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for _ in 0..17 {
            let client = Client::new("service").unwrap();
            client.connect(&demo.endpoint).unwrap();
            client.ready().await;
            let sleeper = || Box::pin(client.call::<f64, _>("sleep", (3600,)));
            let mut sleepers: Vec<_> = std::iter::repeat_with(sleeper).take(1000).collect();
            let mut cx = Context::from_waker(Waker::noop());
            sleepers.iter_mut().for_each(|call| assert!(call.as_mut().poll(&mut cx).is_pending()));
            // Behind the sleepers on the same link: they have begun once it is answered.
            let _ = client.call::<String, _>("hello", ("Charly",)).await;
            client.shutdown();
        }
    });
    let patience = Instant::now();
    while demo.call(&["hello", "Charly"]).code != Some(0) {
        assert!(patience.elapsed() < PATIENCE, "nobody else is served");
    }
}
