//! Endpoints of any two runtimes: either end calls the other.

use crate::runtimes::{OnRuntime, all_pairs};
use crate::{PATIENCE, add};
use pseud::rpcudp::{Datagrams, Options, Silence};
use pseud::{Bytes, CallError, Executed, Fault, Reason, Request, Value};
use pseud_async::rpcudp::Endpoint;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn endpoint<D: OnRuntime<Runtime: Datagrams>>() -> Endpoint<D::Runtime> {
    let at = "127.0.0.1:0".parse().unwrap();
    let end = D::make(|| Endpoint::bind_with(at, Options::default())).unwrap();
    end.register_typed("add", add).unwrap();
    end.register("ask_back", |request: Request| async move {
        let sender = request.caller().rpcudp().unwrap().clone();
        let sum: i64 = sender.call("add", request.args::<(i64, i64)>()?).await?;
        Ok::<_, Fault>((sum, sender.address().to_string()))
    })
    .unwrap();
    end.register_blocking("on_a_thread", |request| {
        std::thread::sleep(Duration::from_millis(2));
        Ok::<_, Fault>(request.args::<(i64,)>()?.0)
    })
    .unwrap();
    end.register("never", |_| std::future::pending::<Result<(), Fault>>()).unwrap();
    end.register_sync("boom", |_| Err::<(), _>(Fault::new("ValueError", "no"))).unwrap();
    end
}

/// Waits until that is so.
fn until(so: impl Fn() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "it takes too long");
        std::thread::yield_now();
    }
}

/// What holds of one who calls another.
fn calls<A, B>(one: &Endpoint<A::Runtime>, other: &Endpoint<B::Runtime>)
where
    A: OnRuntime<Runtime: Datagrams>,
    B: OnRuntime<Runtime: Datagrams>,
{
    let to = other.local_addr();
    let sum: i64 = A::wait(one.call(to, "add", (1, 2))).unwrap();
    assert_eq!(sum, 3);
    let back: (i64, String) = A::wait(one.call(to, "ask_back", (2, 4))).unwrap();
    assert_eq!(back, (6, one.local_addr().to_string()));
    assert_eq!(A::wait(one.call::<i64, _>(to, "on_a_thread", (7,))).unwrap(), 7);

    let late = one.call::<(), _>(to, "never", ()).timeout(Duration::from_millis(50));
    assert!(matches!(A::wait(late), Err(CallError::Unknown(Reason::TimedOut))));
    let silent = other.stats().counts.silent(Silence::Fault);
    let nothing = one.call::<(), _>(to, "boom", ()).timeout(Duration::from_millis(50));
    assert_eq!(A::wait(nothing.answered()), (false, Value::Nil));
    assert_eq!(other.stats().counts.silent(Silence::Fault), silent + 1);

    // As large as a request may be, and an answer to one who has answered us.
    let text = "x".repeat(8_000);
    other.register_typed("same", |(text,): (String,), _| async { Ok::<_, Fault>(text) }).unwrap();
    assert_eq!(A::wait(one.call::<String, _>(to, "same", (&text,))).unwrap(), text);
    other.register_sync("large", |_| Ok::<_, Fault>(Bytes::from(vec![7; 60_000]))).unwrap();
    assert_eq!(A::wait(one.call::<Bytes, _>(to, "large", ())).unwrap().len(), 60_000);
}

/// From many threads at once, and what is lost on the way is sent again and runs once.
fn many_threads<A, B>(one: &Endpoint<A::Runtime>, other: &Endpoint<B::Runtime>)
where
    A: OnRuntime<Runtime: Datagrams>,
    B: OnRuntime<Runtime: Datagrams>,
{
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    other
        .register_blocking("count", move |request| {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Fault>(request.args::<(i64,)>()?.0)
        })
        .unwrap();
    std::thread::scope(|scope| {
        for thread in 0..16 {
            scope.spawn(move || {
                for at in 0..20 {
                    let number = thread * 100 + at;
                    let call = one.call::<i64, _>(other.local_addr(), "count", (number,));
                    let call = call.resend_every(Duration::from_secs(1)).timeout(PATIENCE);
                    assert_eq!(A::wait(call).unwrap(), number);
                }
            });
        }
    });
    assert_eq!(runs.load(Ordering::Relaxed), 16 * 20);
    // The one that is never answered is still open.
    assert_eq!((one.stats().calls_pending, other.stats().requests_open), (0, 1));
}

/// A request that comes again is not run again, whatever its runtime.
fn repeated<B: OnRuntime<Runtime: Datagrams>>(other: &Endpoint<B::Runtime>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    other
        .register_sync("once", move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Fault>(())
        })
        .unwrap();
    let raw = UdpSocket::bind("127.0.0.1:0").unwrap();
    raw.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = [&[0; 1][..], &[9; 20], b"\x92\xa4once\x90"].concat();
    for _ in 0..5 {
        raw.send_to(&request, other.local_addr()).unwrap();
        // It is answered again: the first answer may have been lost.
        let (size, _) = raw.recv_from(&mut [0; 64]).unwrap();
        assert_eq!(size, 22);
    }
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

/// Pending calls end with their endpoint, and its port is free.
fn closes<A: OnRuntime<Runtime: Datagrams>>(one: Endpoint<A::Runtime>) {
    let black_hole = UdpSocket::bind("127.0.0.1:0").unwrap();
    black_hole.set_read_timeout(Some(PATIENCE)).unwrap();
    let (local, to) = (one.local_addr(), black_hole.local_addr().unwrap());
    let call = one.call::<(), _>(to, "x", ()).timeout(PATIENCE);
    let waits = one.clone();
    std::thread::scope(|scope| {
        let ended = scope.spawn(|| A::wait(call));
        let closed = scope.spawn(|| A::wait(waits.closed()));
        black_hole.recv_from(&mut [0; 64]).unwrap();
        one.close();
        let ended = ended.join().unwrap();
        assert!(matches!(ended, Err(CallError::Closed { executed: Executed::Maybe })), "{ended:?}");
        closed.join().unwrap();
    });
    drop((one, waits));
    until(|| UdpSocket::bind(local).is_ok());
}

fn hold<A, B>()
where
    A: OnRuntime<Runtime: Datagrams>,
    B: OnRuntime<Runtime: Datagrams>,
{
    println!("{} and {}", A::NAME, B::NAME);
    let (one, other) = (endpoint::<A>(), endpoint::<B>());
    calls::<A, B>(&one, &other);
    calls::<B, A>(&other, &one);
    many_threads::<A, B>(&one, &other);
    repeated::<B>(&other);
    closes::<A>(one);
}

all_pairs!(hold);
