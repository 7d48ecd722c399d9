//! SIGPIPE: hosts that are not Rust's leave it at its default, which ends the process. Each case is a
//! process of its own, whose disposition is reset. (Not among the tests of links: a process that is being
//! started holds all files of its parent for a moment, so what was closed there is not free.)

#![cfg(unix)]
#![allow(missing_docs, reason = "tests")]

use pseud::{Client, Fault, Server};
use pseud_testkit::raw::{self, RawPeer};
use socket2::SockRef;
use std::io::{IoSlice, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// No test waits longer than this for anything.
const SOON: Duration = Duration::from_secs(20);

/// Set in that process.
const INSIDE: &str = "PSEUD_SIGPIPE";
const SIGPIPE: i32 = 13;

fn is_inside() -> bool {
    let inside = std::env::var_os(INSIDE).is_some();
    if inside {
        sigpipe::reset();
    }
    inside
}

fn alone(test: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(INSIDE, "1").output().unwrap()
}

/// The signal does end such a process.
#[test]
fn a_write_to_nobody_ends_a_process_whose_sigpipe_is_at_its_default() {
    const THIS: &str = "a_write_to_nobody_ends_a_process_whose_sigpipe_is_at_its_default";
    if is_inside() {
        let (mut one, other) = UnixStream::pair().unwrap();
        drop(other);
        let _ = one.write_vectored(&[IoSlice::new(b"a"), IoSlice::new(b"b")]);
        return;
    }
    assert_eq!(alone(THIS).status.signal(), Some(SIGPIPE));
}

#[test]
fn peers_that_leave_in_mid_answer_do_not_end_such_a_process() {
    const THIS: &str = "peers_that_leave_in_mid_answer_do_not_end_such_a_process";
    if is_inside() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(leave_in_mid_answer());
    }
    let output = alone(THIS);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{}: {said}", output.status);
}

/// Handlers run in their links' tasks, which hear of the end only when they have written the answer.
async fn leave_in_mid_answer() {
    let server = Server::new("service").unwrap();
    server.register_sync("hello", |_| Ok::<_, Fault>("Hello Charly")).unwrap();
    let tcp = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let (begin, begun) = mpsc::channel();
    let (leave, left) = mpsc::channel();
    let left = Arc::new(Mutex::new(left));
    let answer = move |size: usize| {
        begin.send(()).unwrap();
        left.lock().unwrap().recv_timeout(SOON).unwrap();
        Ok::<_, Fault>("x".repeat(size))
    };
    // One slice, and several.
    let (small, large) = (answer.clone(), answer);
    server.register_sync("small", move |_| small(1)).unwrap();
    server.register_sync("large", move |_| large(4 << 20)).unwrap();
    let file = std::env::temp_dir().join(format!("pseud-sigpipe-{}", std::process::id()));
    let ipc = server.bind(&format!("ipc://{}", file.display())).await.unwrap();
    let address = tcp.clone();
    let runtime = Handle::current();
    let leaving = spawn_blocking(move || {
        for name in ["small", "large"].repeat(5) {
            let raw = runtime.block_on(async {
                let mut raw = RawPeer::open(&address, 1).await;
                raw.call(name).await;
                raw.stream.into_std().unwrap()
            });
            begun.recv_timeout(SOON).unwrap();
            // An end, and then a reset: what is written now is an EPIPE.
            raw.shutdown(Shutdown::Write).unwrap();
            SockRef::from(&raw).set_linger(Some(Duration::ZERO)).unwrap();
            drop(raw);
            leave.send(()).unwrap();

            let mut unix = UnixStream::connect(&file).unwrap();
            unix.write_all(&[raw::handshake(), raw::work(&[7; 16], name)].concat()).unwrap();
            begun.recv_timeout(SOON).unwrap();
            drop(unix);
            leave.send(()).unwrap();
        }
    });
    timeout(SOON, leaving).await.unwrap().unwrap();
    for endpoint in [&tcp, &ipc] {
        let client = Client::new("service").unwrap();
        client.connect(endpoint).unwrap();
        let greeting = client.call::<String, _>("hello", ()).timeout(SOON);
        assert_eq!(greeting.await.unwrap(), "Hello Charly");
    }
    server.drain(SOON).await;
}
