//! Endpoints of `rpcudp` on tokio: calls both ways, one registry for two wires, what is silent, and ends.

mod drains;
mod ends;
#[path = "../logged/mod.rs"]
mod logged;
#[cfg(unix)]
mod pairs;
#[cfg(unix)]
#[path = "../runtimes/mod.rs"]
mod runtimes;
mod telling;
mod wires;

use pseud::rpcudp::{Config, Endpoint, Options, Silence, Stats};
use pseud::{Bytes, CallError, CallRefused, Fault, Reason, Request, Value};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::sleep;

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(20);

fn endpoint() -> Endpoint {
    Endpoint::bind("127.0.0.1:0".parse().unwrap()).unwrap()
}

/// Waits until that is so of an endpoint's numbers.
async fn until(endpoint: &Endpoint, so: impl Fn(&Stats) -> bool) {
    let start = Instant::now();
    while !so(&endpoint.stats()) {
        assert!(start.elapsed() < PATIENCE, "{:?}", endpoint.stats());
        sleep(Duration::from_millis(1)).await;
    }
}

async fn add((a, b): (i64, i64), _: Request) -> Result<i64, Fault> {
    Ok(a + b)
}

#[tokio::test]
async fn either_end_calls_the_other() {
    let [one, other] = [endpoint(), endpoint()];
    for end in [&one, &other] {
        end.register_typed("add", add).unwrap();
        end.register("ask_back", |request: Request| async move {
            let (a, b): (i64, i64) = request.args()?;
            let sender = request.caller().rpcudp().unwrap().clone();
            let sum: i64 = sender.call("add", (a, b)).await?;
            Ok::<_, Fault>((sum, sender.address().to_string()))
        })
        .unwrap();
    }
    for (from, to) in [(&one, &other), (&other, &one)] {
        let answer: (i64, String) = from.call(to.local_addr(), "ask_back", (2, 4)).await.unwrap();
        assert_eq!(answer, (6, from.local_addr().to_string()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_from_many_tasks() {
    let [server, client] = [endpoint(), endpoint()];
    server.register_typed("add", add).unwrap();
    server
        .register_typed("late", |(a,): (i64,), _| async move {
            tokio::task::yield_now().await;
            Ok::<_, Fault>(a)
        })
        .unwrap();
    let tasks = (0..8).map(|task| {
        let (client, to) = (client.clone(), server.local_addr());
        tokio::spawn(async move {
            for at in 0..100i64 {
                // A socket's buffer may overflow.
                let call = client.call(to, "add", (at, task)).resend_every(Duration::from_secs(1));
                let sum: i64 = call.timeout(PATIENCE).await.unwrap();
                assert_eq!(sum, at + task);
                let call =
                    client.call::<i64, _>(to, "late", (at,)).resend_every(Duration::from_secs(1));
                assert_eq!(call.timeout(PATIENCE).await.unwrap(), at);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!((client.stats().calls_pending, server.stats().requests_open), (0, 0));
}

#[tokio::test]
async fn exts_of_any_code_and_moments_go_through_handlers() {
    let [server, client] = [endpoint(), endpoint()];
    server
        .register("echo", |request: Request| async move {
            Ok::<_, Fault>(request.arguments().args_values())
        })
        .unwrap();
    for code in [-128, -2, 0, 5, 127] {
        let ext = Value::Ext(code, Bytes::from_static(b"abc"));
        let echo: Vec<Value> = client.call(server.local_addr(), "echo", (&ext,)).await.unwrap();
        assert_eq!(echo, [ext]);
    }
}

#[tokio::test]
async fn what_is_wrong_is_silence_and_has_a_reason() {
    let [server, client] = [endpoint(), endpoint()];
    server.register_typed("add", add).unwrap();
    server.register_sync("boom", |_| Err::<(), _>(Fault::new("ValueError", "no"))).unwrap();
    server.register_sync("panic", |_| -> Result<(), Fault> { panic!("on purpose") }).unwrap();
    let day = pseud::proto::value::Date::new(2024, 2, 29).unwrap();
    server.register_sync("date", move |_| Ok::<_, Fault>(day)).unwrap();
    server.register_sync("big", |_| Ok::<_, Fault>(Bytes::from(vec![0; 70_000]))).unwrap();
    server.register_sync("large", |_| Ok::<_, Fault>(Bytes::from(vec![0; 5_000]))).unwrap();
    let to = server.local_addr();
    for (name, why) in [
        ("nothing", Silence::NoSuchService),
        ("boom", Silence::Fault),
        ("panic", Silence::Fault),
        ("add", Silence::Fault),
        ("date", Silence::Unpackable),
        ("big", Silence::TooLarge),
        ("large", Silence::Amplification),
    ] {
        let before = server.stats().counts.silent(why);
        let call = client.call::<Value, _>(to, name, ()).timeout(Duration::from_millis(100));
        let error = call.await.unwrap_err();
        assert!(matches!(error, CallError::Unknown(Reason::TimedOut)), "{name}: {error}");
        assert!(!error.is_retry_safe() && error.is_transient());
        until(&server, |stats| stats.counts.silent(why) == before + 1).await;
    }
    assert_eq!(server.stats().requests_open, 0);
    // The same as the reference has it.
    let call = client.call::<Value, _>(to, "nothing", ()).timeout(Duration::from_millis(50));
    assert_eq!(call.answered().await, (false, Value::Nil));
    assert_eq!(client.call::<Value, _>(to, "add", (1, 2)).answered().await, (true, 3.into()));
    // Whose fault is ours is told at once.
    let refused = client.call::<Value, _>(to, "add", (Bytes::from(vec![0; 9_000]),)).await;
    assert!(matches!(refused, Err(CallError::Refused(CallRefused::BodyTooLarge { .. }))));
    let refused = client.call::<Value, _>(to, "add", (day,)).await;
    assert!(matches!(refused, Err(CallError::Refused(CallRefused::Arguments(_)))));
    let other = client.call::<String, _>(to, "add", (1, 2)).await;
    assert!(matches!(other, Err(CallError::Result(_))));
}

/// A newcomer that is called first may be sent a large answer, in the very same request.
#[tokio::test]
async fn a_handler_pings_before_a_large_answer() {
    let [server, client] = [endpoint(), endpoint()];
    client.register_sync("ping", |_| Ok::<_, Fault>(())).unwrap();
    server
        .register("large", |request: Request| async move {
            let sender = request.caller().rpcudp().unwrap().clone();
            if !sender.is_proven() {
                sender.call::<(), _>("ping", ()).await?;
            }
            assert!(sender.is_proven());
            Ok::<_, Fault>(Bytes::from(vec![0; 60_000]))
        })
        .unwrap();
    let large: Bytes = client.call(server.local_addr(), "large", ()).await.unwrap();
    assert_eq!(large.len(), 60_000);
}

/// A call that is sent again runs once at an endpoint of this library, and gets its answer.
#[tokio::test]
async fn o_10_a_call_that_is_sent_again_runs_once() {
    let [server, client] = [endpoint(), endpoint()];
    let (runs, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, waits) = (runs.clone(), go.clone());
    server
        .register("slow", move |_| {
            let (counted, waits) = (counted.clone(), waits.clone());
            async move {
                let run = counted.fetch_add(1, Ordering::Relaxed);
                waits.notified().await;
                Ok::<_, Fault>(run)
            }
        })
        .unwrap();
    let call = client.call::<usize, _>(server.local_addr(), "slow", ());
    let call =
        tokio::spawn(
            async move { call.resend_every(Duration::from_millis(5)).timeout(PATIENCE).await },
        );
    let duplicate = pseud::rpcudp::Dropped::Duplicate;
    until(&server, |stats| stats.counts.dropped(duplicate) >= 3).await;
    go.notify_one();
    assert_eq!(call.await.unwrap().unwrap(), 0);
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

/// O-11 and noise: datagrams from and to nobody end nothing else.
#[tokio::test]
async fn o_11_nobody_there_and_garbage() {
    let [server, client] = [endpoint(), endpoint()];
    server.register_typed("add", add).unwrap();
    let gone: SocketAddr = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let raw = UdpSocket::bind("127.0.0.1:0").unwrap();
    for at in 0..50u8 {
        let garbage: Vec<u8> = (0..at).map(|byte| byte.wrapping_mul(at)).collect();
        raw.send_to(&garbage, server.local_addr()).unwrap();
        raw.send_to(&garbage, client.local_addr()).unwrap();
    }
    let nobody = client.call::<(), _>(gone, "add", (1, 2)).timeout(Duration::from_millis(100));
    let (nobody, sum) =
        tokio::join!(nobody, client.call::<i64, _>(server.local_addr(), "add", (1, 2)));
    assert!(matches!(nobody, Err(CallError::Unknown(Reason::TimedOut))));
    assert_eq!(sum.unwrap(), 3);
}

/// The reference's ways, where all senders are known.
#[tokio::test]
async fn like_the_reference() {
    let options = Options::default().config(Config::like_the_reference());
    let server = Endpoint::bind_with("127.0.0.1:0".parse().unwrap(), options).unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    server
        .registry()
        .register_sync("rpc_count", move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Fault>(Bytes::from(vec![0; 5_000]))
        })
        .unwrap();
    let client = endpoint();
    let large: Bytes = client.call(server.local_addr(), "count", ()).await.unwrap();
    assert_eq!((large.len(), runs.load(Ordering::Relaxed)), (5_000, 1));
}
