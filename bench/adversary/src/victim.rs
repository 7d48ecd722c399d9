//! The node under attack: a server of default limits, in a process of its own.

use cap::Cap;
use pseud::{Fault, Options, Server};
use std::alloc::System;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[global_allocator]
static BYTES: Cap<System> = Cap::new(System, usize::MAX);

pub(crate) const NAME: &str = "victim";

/// Serves until the process is ended. `bounds_loopback`: who comes from this machine is a stranger as any other.
pub(crate) fn serve(bounds_loopback: bool) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime");
    let _in = runtime.enter();
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
        .register_sync("held", |_| Ok::<_, Fault>((BYTES.allocated(), BYTES.max_allocated())))
        .unwrap();
    let endpoint = runtime.block_on(server.bind("tcp://127.0.0.1:0")).expect("a port");
    println!("{endpoint}");
    // Until whoever attacks is gone.
    let _ = std::io::stdin().read_line(&mut String::new());
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
