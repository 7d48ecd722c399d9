//! libzmq 4.1 under CURVE, in both roles. Its library is inside a wheel of pyzmq's for Python 3.6; a
//! small program loads it by ctypes (`libzmq41.py`).

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pseud::proto::zmtp::SocketType;

use crate::environment::{self, home, lock, named_by, run};
use crate::secured::{Link, Secured, admit, client_pair, server_pair};
use pseud_testkit::path::numbers;

const WHEEL: &str = include_str!("libzmq41.txt");
/// Messages that each side sends of its own; the other side sends ours back.
const COUNT: usize = 300;

/// Where the library is; it is downloaded once.
///
/// # Panics
///
/// When it cannot be had.
fn library(python: &Path) -> PathBuf {
    let wheel = home().join(named_by("libzmq41", WHEEL));
    let _lock = lock();
    if !wheel.exists() {
        download(python, &wheel);
    }
    let libraries = fs::read_dir(wheel.join("zmq/.libs")).expect("the wheel carries libraries");
    let mut found = libraries.flatten().map(|library| library.path());
    let is_libzmq = |path: &PathBuf| path.display().to_string().contains("/libzmq-");
    found.find(is_libzmq).expect("one of them is libzmq")
}

/// Downloads and unpacks aside and renames: a directory with the final name is always complete.
fn download(python: &Path, wheel: &Path) {
    let unfinished = wheel.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).expect("what a dead build left can be removed");
    }
    fs::create_dir(&unfinished).expect("the target directory is writable");
    let requirements = unfinished.join("requirements.txt");
    fs::write(&requirements, WHEEL).expect("the new directory is writable");
    run(Command::new(python)
        .args(["-m", "pip", "download", "--disable-pip-version-check", "-q", "--no-deps"])
        .args(["--only-binary=:all:", "--python-version", "3.6", "--implementation", "cp"])
        .args(["--abi", "cp36m", "--platform", "manylinux1_x86_64", "--dest"])
        .arg(&unfinished)
        .arg("-r")
        .arg(&requirements));
    let archives = fs::read_dir(&unfinished).expect("it was just filled").flatten();
    let mut archives = archives.map(|file| file.path());
    let archive =
        archives.find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    run(Command::new(python)
        .args(["-m", "zipfile", "-e"])
        .arg(archive.expect("a wheel was downloaded"))
        .arg(&unfinished));
    fs::rename(&unfinished, wheel).expect("a rename within one directory");
}

/// A running `libzmq41.py`. Dropping it kills the process.
struct OldSocket(Child);

impl OldSocket {
    /// Starts it in that role; `None`, and a line on stderr that no test harness captures, where it
    /// cannot run.
    fn start(side: &str, endpoint: &str) -> Option<Self> {
        let Some(python) = environment::python() else { return not_run("PSEUD_INTEROP=skip") };
        if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
            return not_run("the wheel with libzmq 4.1 is for Linux on x86-64");
        }
        let (server, client) = (server_pair(), client_pair());
        let ours = if side == "server" { &server } else { &client };
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/libzmq41.py");
        let child = Command::new(&python)
            .arg(program)
            .arg(library(&python))
            .args([side, &COUNT.to_string(), &ours.secret().to_z85(), &ours.public().to_string()])
            .args([&server.public().to_string(), endpoint])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Some(Self(child.expect("the environment's Python starts")))
    }

    /// The line in which it says where it is bound.
    fn endpoint(&mut self) -> String {
        let stdout = self.0.stdout.as_mut().expect("stdout is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("it prints text");
        line.trim_end().to_owned()
    }
}

impl Drop for OldSocket {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        if let (true, Some(mut stderr)) = (std::thread::panicking(), self.0.stderr.take()) {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            eprintln!("--- stderr of libzmq 4.1's program ---\n{text}--- end ---");
        }
    }
}

/// Written past the harness, which hides what a passing test prints.
fn not_run(why: &str) -> Option<OldSocket> {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "NOT RUN: {name} ({why})");
    None
}

/// Our messages and theirs, all of them, sent back as well; then the numbers of all frames.
fn talk(link: &mut Link) {
    let paddings = [0, 1, 222, 223, 4_096];
    let ours = |number: usize| {
        let padding = vec![b'x'; paddings[number % paddings.len()]];
        [b"ours".to_vec(), number.to_string().into_bytes(), padding]
    };
    let (mut sent, mut back, mut theirs) = (0, 0, 0);
    while back < COUNT || theirs < COUNT {
        // Not more on the way than sockets hold.
        while sent < COUNT && sent < back + 8 {
            link.send(&ours(sent).each_ref().map(Vec::as_slice));
            sent += 1;
        }
        let message = link.message().expect("the link is well");
        match &message[0][..] {
            b"ours" => {
                assert!(message == ours(back), "message {back} of ours came back changed");
                back += 1;
            }
            _ => {
                assert_eq!(message[..2], [b"theirs".to_vec(), theirs.to_string().into_bytes()]);
                theirs += 1;
            }
        }
    }
}

/// Each number is the one behind the last, from the first command of that side.
fn assert_counted(side: &str, bytes: &[u8], more_than: usize) {
    let all = numbers(bytes);
    let counted: Vec<u64> = all.iter().copied().flatten().collect();
    assert!(all.len() - counted.len() <= 1, "{side}: only WELCOME has none");
    assert!(counted.len() > more_than, "{side}: {}", counted.len());
    assert!(counted.iter().copied().eq(1..=counted.len() as u64), "{side}");
}

fn config(is_server: bool) -> pseud::proto::zmtp::ConnectionConfig {
    let mut config = Secured::Curve.ours(is_server);
    config.heartbeat.interval = Some(Duration::from_millis(20));
    config
}

#[test]
fn a_client_of_libzmq_4_1_counts_by_one() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a port");
    let address = listener.local_addr().expect("it is bound");
    let Some(_client) = OldSocket::start("client", &format!("tcp://{address}")) else { return };
    let mut link = Link::accept(&listener, config(true));
    let (ready, _) = link.ready(&admit()).expect("it is admitted");
    assert_eq!((ready.socket_type, ready.minor), (SocketType::Dealer, 0));
    talk(&mut link);
    assert_counted("libzmq 4.1", &link.heard, 2 * 3 * COUNT);
    assert_counted("ours", &link.wrote, 3 * COUNT);
}

#[test]
fn a_server_of_libzmq_4_1_counts_by_one() {
    let Some(mut server) = OldSocket::start("server", "") else { return };
    let mut link = Link::connect(&server.endpoint(), config(false));
    let (ready, _) = link.ready(&admit()).expect("we are admitted");
    assert_eq!((ready.socket_type, ready.minor), (SocketType::Router, 0));
    talk(&mut link);
    assert_counted("libzmq 4.1", &link.heard, 2 * 3 * COUNT);
    assert_counted("ours", &link.wrote, 3 * COUNT);
}
