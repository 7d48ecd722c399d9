//! Files of Unix sockets: their modes from birth, and several servers that want the same path.

use crate::{Tokio, client, hello, serve, soon};
use pseud::{Options, Server};
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

/// A directory of this test's own, gone with all that is in it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pseud-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("s")
    }

    fn endpoint(&self) -> String {
        format!("ipc://{}", self.socket().display())
    }

    /// What a dead process leaves.
    fn leave_stale(&self) {
        let _ = fs::remove_file(self.socket());
        drop(UnixListener::bind(self.socket()).unwrap());
    }

    /// What is in it, by name.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// While servers come and go, somebody looks at the path all the time.
#[test]
fn a_socket_has_its_mode_and_listens_from_birth() {
    const ROUNDS: usize = 300;
    let directory = Directory::new("birth");
    for mode in [0o600, 0o666] {
        let (path, over) = (directory.socket(), Arc::new(AtomicBool::new(false)));
        let (is_over, looks) = (over.clone(), Arc::new(AtomicUsize::new(0)));
        let looked = looks.clone();
        let watcher = std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                let Ok(found) = fs::symlink_metadata(&path) else { continue };
                assert!(found.file_type().is_socket());
                assert_eq!(found.permissions().mode() & 0o777, mode);
                looked.fetch_add(1, Ordering::Relaxed);
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for _ in 0..ROUNDS {
                let mut options = Options::server("service");
                options.ipc_mode = Some(mode);
                let server = Server::with_options(options).unwrap();
                server.bind(&directory.endpoint()).await.unwrap();
                // It listens: a connection is taken before anybody accepts it.
                UnixStream::connect(directory.socket()).unwrap();
                let before = looks.load(Ordering::Relaxed);
                soon(async {
                    while looks.load(Ordering::Relaxed) == before && !watcher.is_finished() {
                        tokio::task::yield_now().await;
                    }
                })
                .await;
                fs::remove_file(directory.socket()).unwrap();
            }
        });
        over.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
    }
    assert_eq!(directory.names(), Vec::<String>::new());
}

#[tokio::test]
async fn the_longest_path_that_a_socket_can_have() {
    let directory = Directory::new("long");
    let free = 107 - directory.0.as_os_str().len() - "//s".len();
    let inner = directory.0.join("d".repeat(free));
    fs::create_dir(&inner).unwrap();
    let endpoint = format!("ipc://{}/s", inner.display());
    assert_eq!(endpoint.len(), "ipc://".len() + 107);
    let server = Server::new("service").unwrap();
    serve(&server, &endpoint).await;
    assert_eq!(hello(&client::<Tokio>(&endpoint)).await, "Hello Charly");
    let names = fs::read_dir(&inner).unwrap();
    assert_eq!(names.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>(), ["s"]);
}

/// Each in a thread and a runtime of its own.
#[test]
fn of_many_threads_at_a_stale_file_one_gets_it() {
    const CONTENDERS: usize = 12;
    let directory = Directory::new("threads");
    let mut none = 0;
    for round in 0..60 {
        match round % 3 {
            0 => drop(fs::remove_file(directory.socket())),
            _ => directory.leave_stale(),
        }
        let ready = Arc::new(Barrier::new(CONTENDERS));
        let contenders: Vec<_> = (0..CONTENDERS)
            .map(|_| {
                let (ready, endpoint) = (ready.clone(), directory.endpoint());
                std::thread::spawn(move || {
                    let runtime =
                        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    let told = runtime.block_on(async {
                        let server = Server::new("service").unwrap();
                        ready.wait();
                        let told = server.bind(&endpoint).await.map_err(|error| {
                            assert!(error.to_string().contains(&endpoint), "{error}");
                            error.kind()
                        });
                        // Nobody leaves before all have tried.
                        ready.wait();
                        told.map(|_| server)
                    });
                    (told, runtime)
                })
            })
            .collect();
        let told: Vec<_> = contenders.into_iter().map(|one| one.join().unwrap()).collect();
        let winners = told.iter().filter(|(told, _)| told.is_ok()).count();
        assert!(winners <= 1, "{winners} of them in round {round}");
        none += usize::from(winners == 0);
        for (told, _) in &told {
            assert!(matches!(told, Ok(_) | Err(ErrorKind::AddrInUse)), "{told:?}");
        }
        if winners == 1 {
            UnixStream::connect(directory.socket()).unwrap();
        }
    }
    assert_eq!(none, 0, "rounds without anybody");
    assert!(directory.names().iter().all(|name| name == "s"), "{:?}", directory.names());
}

/// Set in the process of a contender: where it binds.
const CONTENDER: &str = "PSEUD_CONTENDER";

#[test]
fn of_many_processes_at_a_stale_file_one_gets_it() {
    if let Ok(endpoint) = std::env::var(CONTENDER) {
        return contend(&endpoint);
    }
    const CONTENDERS: usize = 8;
    let directory = Directory::new("processes");
    for round in 0..5 {
        directory.leave_stale();
        let mut contenders: Vec<_> =
            (0..CONTENDERS).map(|_| contender(&directory.endpoint())).collect();
        for (_, lines) in &mut contenders {
            assert_eq!(said(lines), "ready");
        }
        for (child, _) in &mut contenders {
            writeln!(child.stdin.as_mut().unwrap(), "go").unwrap();
        }
        let told: Vec<_> = contenders.iter_mut().map(|(_, lines)| said(lines)).collect();
        let bound = told.iter().filter(|told| *told == "bound").count();
        let in_use = told.iter().filter(|told| *told == "AddrInUse").count();
        assert_eq!((bound, in_use), (1, CONTENDERS - 1), "{told:?} in round {round}");
        UnixStream::connect(directory.socket()).unwrap();
        for (mut child, _) in contenders {
            // Killed as it listens, one leaves its file for the next round.
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert!(directory.socket().exists());
    }
}

type Lines = BufReader<std::process::ChildStdout>;

fn contender(endpoint: &str) -> (Child, Lines) {
    let this = "ipc::of_many_processes_at_a_stale_file_one_gets_it";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", this, "--nocapture"])
        .env(CONTENDER, endpoint)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, lines)
}

/// What a contender says next, among the words of its test harness.
fn said(lines: &mut Lines) -> String {
    loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it has ended");
        if let Some((_, said)) = line.split_once("contender: ") {
            return said.trim().to_owned();
        }
    }
}

fn contend(endpoint: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::new("service").unwrap();
        println!("contender: ready");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        match soon(server.bind(endpoint)).await {
            Ok(_) => println!("contender: bound"),
            Err(error) => println!("contender: {:?}", error.kind()),
        }
        // Until it is killed, or the test is gone.
        std::io::stdin().read_line(&mut line).unwrap();
    });
}
