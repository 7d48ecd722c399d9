//! The node under attack: a server of default limits, in a process of its own.

use cap::Cap;
use pseud::{Fault, Options, Server};
use std::alloc::System;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

#[global_allocator]
static BYTES: Cap<System> = Cap::new(System, usize::MAX);

pub(crate) const NAME: &str = "victim";

/// How long tokio keeps a thread that has nothing to do: 10 s by default, for which each round would wait twice.
const THREAD_KEPT: Duration = Duration::from_secs(1);
/// How many threads tokio's pool has at most by default.
const THREADS_MAX: usize = 512;
/// How long is waited for them to end.
pub(crate) const THREADS_END: Duration = Duration::from_secs(20);

/// Serves until the process is ended. `bounds_loopback`: who comes from this machine is a stranger as any other.
pub(crate) fn serve(bounds_loopback: bool) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).thread_keep_alive(THREAD_KEPT).enable_all();
    let runtime = runtime.build().expect("a runtime");
    let _in = runtime.enter();
    fill_pool(&runtime);
    let mut options = Options::server(NAME);
    options.admission.strangers.bounds_loopback = bounds_loopback;
    let server = Server::with_options(options).expect("a server");
    server.register_sync("echo", |request| request.args::<(u64,)>().map_err(Fault::from)).unwrap();
    server.register_sync("large", |_| Ok::<_, Fault>("x".repeat(1 << 20))).unwrap();
    server.register_sync("take", |_| Ok::<_, Fault>(())).unwrap();
    let turn = |_| {
        spin(Duration::from_micros(20));
        Ok::<_, Fault>(())
    };
    server.register_sync("spin", turn).unwrap();
    let block = |_| {
        std::thread::sleep(Duration::from_millis(500));
        Ok::<_, Fault>(())
    };
    server.register_blocking("block", block).unwrap();
    server
        .register_sync("held", |_| {
            Ok::<_, Fault>((BYTES.allocated(), BYTES.max_allocated(), threads()))
        })
        .unwrap();
    let endpoint = runtime.block_on(server.bind("tcp://127.0.0.1:0")).expect("a port");
    println!("{endpoint}");
    // Until whoever attacks is gone.
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// Tokio's tables of its blocking threads and of what waits for one (about 50 kB at 512) never shrink: they grow here,
/// once, so that what is left by an attack is the node's. Its threads themselves, 250 bytes each, go.
fn fill_pool(runtime: &Runtime) {
    let before = threads();
    let all = Arc::new(Barrier::new(THREADS_MAX));
    let wait = || {
        let all = all.clone();
        runtime.spawn_blocking(move || all.wait())
    };
    let waiting: Vec<_> = (0..THREADS_MAX).map(|_| wait()).collect();
    waiting.into_iter().for_each(|task| drop(runtime.block_on(task)));
    let begun = Instant::now();
    while threads() > before && begun.elapsed() < THREADS_END {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// How many threads this process has; where there is no `/proc`, none.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

fn spin(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// That process.
#[derive(Debug)]
pub(crate) struct Victim {
    child: Child,
    pub(crate) endpoint: String,
    pub(crate) address: String,
}

impl Victim {
    pub(crate) fn spawn(bounds_loopback: bool) -> Self {
        let this = std::env::current_exe().expect("this program");
        let mut command = Command::new(this);
        command.args(bounds_loopback.then_some("--bounds-loopback"));
        command.arg("--victim").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the node under attack");
        let mut endpoint = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut endpoint).expect("its endpoint");
        let endpoint = endpoint.trim().to_owned();
        let address = endpoint.trim_start_matches("tcp://").to_owned();
        Self { child, endpoint, address }
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
