//! The simulator: the same seed is the same run, and the world is one of sockets.

use super::*;
use pseud_async::adapter::{
    self, Listener as _, Reader, Runtime, SocketAddress, Stream as _, Writer,
};
use std::cell::Cell;
use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice};
use std::sync::{Arc, Mutex};

/// A connection between two halves of a test.
async fn connection() -> (Stream, Stream) {
    let runtime = world();
    let at = SocketAddress::Tcp("127.0.0.1:0".parse().unwrap());
    let listener = runtime.bind(&at, None).await.unwrap();
    let real = listener.tcp_address().unwrap().unwrap();
    let taken = runtime.bind(&SocketAddress::Tcp(real), None).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    let here = runtime.connect(&SocketAddress::Tcp(real)).await.unwrap();
    let there = poll_fn(|cx| listener.poll_accept(cx)).await.unwrap();
    assert_eq!(here.peer_address().unwrap(), real.to_string());
    drop(listener);
    let refused = runtime.connect(&SocketAddress::Tcp(real)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    (here, there)
}

async fn send(writer: &impl Writer, mut bytes: &[u8]) -> Result<(), ErrorKind> {
    while !bytes.is_empty() {
        match writer.try_write(&[IoSlice::new(bytes)]) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                poll_fn(|cx| writer.poll_write_ready(cx)).await.unwrap();
            }
            Err(error) => return Err(error.kind()),
        }
    }
    Ok(())
}

async fn receive(reader: &mut impl Reader) -> Result<Vec<u8>, ErrorKind> {
    let (mut all, mut buffer) = (Vec::new(), [0; 1_000]);
    loop {
        match poll_fn(|cx| reader.poll_read(cx, &mut buffer)).await {
            Ok(0) => return Ok(all),
            Ok(count) => all.extend(&buffer[..count]),
            Err(error) => return Err(error.kind()),
        }
    }
}

#[test]
fn bytes_arrive_whole_and_in_order_in_any_weather() {
    for seed in 0..30 {
        let mut sim = Sim::new(seed, Conditions { capacity: 1_000, ..Conditions::windy() });
        sim.run(async {
            let (here, there) = connection().await;
            let (_here, writer) = here.split().unwrap();
            let (mut reader, _there) = there.split().unwrap();
            let sent: Vec<u8> = (0..20_000_u32).map(|n| n as u8).collect();
            let got = spawn(async move { receive(&mut reader).await });
            send(&writer, &sent).await.unwrap();
            adapter::Reader::shut_down_writing(&_here).unwrap();
            assert_eq!(got.await.unwrap().unwrap(), sent);
        });
    }
}

/// As TCP does, and with it goes what the other side had not read.
#[test]
fn a_socket_closed_with_unread_input_is_reset() {
    Sim::new(1, Conditions::calm()).run(async {
        let (here, there) = connection().await;
        let (mut reader, writer) = here.split().unwrap();
        send(&writer, b"not read").await.unwrap();
        drop(there);
        assert_eq!(receive(&mut reader).await, Err(ErrorKind::ConnectionReset));
        let (here, there) = connection().await;
        let (mut reader, writer) = here.split().unwrap();
        drop(there);
        assert_eq!(receive(&mut reader).await, Ok(Vec::new()));
        send(&writer, b"into the void").await.unwrap();
        assert_eq!(send(&writer, b"again").await, Err(ErrorKind::ConnectionReset));
    });
}

#[test]
fn links_are_lost_at_their_byte_and_told_of_or_not() {
    let lost = Conditions { lost_after: Some(10..11), ..Conditions::calm() };
    Sim::new(1, lost.clone()).run(async {
        let (_here, there) = connection().await;
        let (mut reader, writer) = there.split().unwrap();
        assert_eq!(send(&writer, &[0; 11]).await, Err(ErrorKind::ConnectionReset));
        assert_eq!(receive(&mut reader).await, Err(ErrorKind::ConnectionReset));
    });
    Sim::new(1, Conditions { silent: 1_000, ..lost }).run(async {
        let (here, there) = connection().await;
        let (mut reader, _writer) = here.split().unwrap();
        let (_there, writer) = there.split().unwrap();
        send(&writer, &[0; 20]).await.unwrap();
        assert_eq!(timeout(Duration::from_secs(60), receive(&mut reader)).await, None);
    });
}

#[test]
fn the_clock_jumps_and_an_aborted_task_ends() {
    let mut sim = Sim::new(3, Conditions::calm());
    let began = std::time::Instant::now();
    sim.run(async {
        let dropped = Arc::new(());
        let held = dropped.clone();
        let task = spawn(async move {
            sleep(Duration::from_secs(3_600)).await;
            drop(held);
        });
        sleep(Duration::from_secs(1_800)).await;
        assert!(!task.is_finished());
        task.abort();
        assert_eq!(task.await, Err(Aborted));
        assert_eq!(Arc::strong_count(&dropped), 1);
        assert_eq!(spawn(async { 7 }).await, Ok(7));
    });
    assert!(sim.runtime().passed() >= Duration::from_secs(1_800));
    assert!(began.elapsed() < Duration::from_secs(60));
}

/// The order in which ten tasks had their turns, and the digest of the run.
fn order(seed: u64) -> (Vec<u32>, u64) {
    let mut sim = Sim::new(seed, Conditions::calm());
    let turns = Arc::new(Mutex::new(Vec::new()));
    let told = turns.clone();
    sim.run(async move {
        let tasks: Vec<_> = (0..10)
            .map(|number| {
                let told = told.clone();
                spawn(async move { told.lock().unwrap().push(number) })
            })
            .collect();
        join_all(tasks).await;
    });
    let turns = turns.lock().unwrap().clone();
    (turns, sim.digest())
}

#[test]
fn a_seed_is_one_order_and_another_seed_another() {
    assert_eq!(order(1), order(1));
    let orders: std::collections::BTreeSet<_> = (0..20).map(|seed| order(seed).0).collect();
    assert!(orders.len() > 15, "{orders:?}");
}

/// A call between two nodes in each kind of weather.
fn call(seed: u64, conditions: Conditions) -> (String, u64) {
    let mut sim = Sim::new(seed, conditions);
    let answer = sim.run(async {
        let server = Server::new("service").unwrap();
        let hello = |request: pseud_async::Request| async move {
            let (name,): (String,) = request.args()?;
            sleep(Duration::from_millis(7)).await;
            Ok::<_, pseud_proto::Fault>(format!("Hello {name}"))
        };
        server.register("hello", hello).unwrap();
        let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
        let client = Client::new("service").unwrap();
        client.connect(&endpoint).unwrap();
        client.call::<String, _>("hello", ("Charly",)).await.unwrap()
    });
    (answer, sim.digest())
}

#[test]
fn nodes_talk_and_a_seed_is_one_run() {
    for conditions in [Conditions::calm(), Conditions::windy()] {
        let first = call(5, conditions.clone());
        assert_eq!(first.0, "Hello Charly");
        assert_eq!(call(5, conditions.clone()), first);
        assert_ne!(call(6, conditions).1, first.1);
    }
}

#[test]
fn a_world_in_which_everybody_waits_is_no_success() {
    let waits = std::panic::catch_unwind(|| {
        Sim::new(1, Conditions::calm()).run(std::future::pending::<()>());
    });
    assert!(waits.is_err());
    // Nothing is left of it on this thread.
    assert!(SimRuntime::current().is_err());
}

#[test]
fn what_tasks_hold_goes_with_the_world() {
    let alive = Arc::new(());
    let ran = Cell::new(false);
    let mut sim = Sim::new(1, Conditions::calm());
    sim.run(async {
        let held = alive.clone();
        spawn(async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        yield_now().await;
        ran.set(true);
    });
    assert!(ran.get() && Arc::strong_count(&alive) == 2);
    drop(sim);
    assert_eq!(Arc::strong_count(&alive), 1);
}
