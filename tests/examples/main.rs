//! The examples do what they say, and end by themselves.
//!
//! `cargo test` builds them; `cargo test --test examples` alone does not: `cargo build --examples`
//! goes before it.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Each of them takes milliseconds.
const LIMIT: Duration = Duration::from_secs(20);

/// Where cargo puts examples: beside the directory that this test itself is in.
fn path_of(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    profile.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// What the example prints, in sorted lines: some of them race.
fn run(name: &str) -> Vec<String> {
    let path = path_of(name);
    assert!(path.exists(), "{} is not there: cargo build --examples", path.display());
    let mut child = Command::new(path).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut stdout = child.stdout.take().expect("it is piped");
    let (done, output) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.read_to_string(&mut text);
        // Nobody listens any more if it took too long.
        let _ = done.send(read.map(|_| text));
    });
    let text: Option<io::Result<String>> = output.recv_timeout(LIMIT).ok();
    if text.is_none() {
        child.kill().expect("it can be killed");
    }
    let status = child.wait().expect("it ends");
    let text = text.unwrap_or_else(|| panic!("{name} did not end within {LIMIT:?}"));
    assert!(status.success(), "{name}: {status}");
    let mut lines: Vec<_> = text.expect("UTF-8").lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[cfg(feature = "zmq")]
#[test]
fn zmq() {
    assert_eq!(run("zmq"), ["Hello Charly"]);
}

#[cfg(feature = "blocking")]
#[test]
fn blocking() {
    assert_eq!(run("blocking"), ["Charly adds: 6", "Hello Charly"]);
}

#[test]
fn own_heartbeat() {
    assert_eq!(
        run("own_heartbeat"),
        [
            "1 left",
            "lively is there",
            "mute has missed three beats: out",
            "mute is there",
            "mute left: heartbeat time-out: nothing was heard from the peer for too long",
            "stopped"
        ]
    );
}

#[test]
fn hello() {
    assert_eq!(run("hello"), ["Hello Charly"]);
}

#[cfg(feature = "smol")]
#[test]
fn smol() {
    assert_eq!(run("smol"), ["Hello Charly"]);
}

#[cfg(feature = "rpcudp")]
#[test]
fn three_wires() {
    assert_eq!(
        run("three_wires"),
        [
            "Hello Charly, over ZMTP",
            "Hello Charly, over kaa.rpc",
            "over ZMTP: 1 + 2 = 3",
            "over datagrams: 1 + 2 = 3",
            "over kaa.rpc: 1 + 2 = 3",
        ]
    );
}

/// A web application that a browser's request goes through to a peer.
#[cfg(feature = "tokio")]
#[tokio::test]
async fn axum() {
    let mut app = Running::start("axum");
    let (peers, browsers) = (app.line("peers: "), app.line("browsers: http://"));
    let missing = http_get(&browsers, "/desk/hello/Charly").await;
    assert!(missing.starts_with("HTTP/1.1 404 "), "{missing}");

    let options = pseud::Options::client("service").identity("desk");
    let desk = pseud::Client::with_options(options).expect("a runtime is there");
    let hello = |(name,): (String,), _| async move {
        match name.as_str() {
            "nobody" => Err(pseud::Fault::new("ValueError", "nobody is there")),
            name => Ok(format!("Hello {name}")),
        }
    };
    desk.register_typed("hello", hello).expect("a free name");
    desk.connect(&peers).expect("a well-formed endpoint");
    tokio::time::timeout(LIMIT, desk.ready()).await.expect("it connects");
    let greeted = http_get(&browsers, "/desk/hello/Charly").await;
    assert!(greeted.starts_with("HTTP/1.1 200 ") && greeted.ends_with("Hello Charly"), "{greeted}");
    let failed = http_get(&browsers, "/desk/hello/nobody").await;
    assert!(failed.starts_with("HTTP/1.1 502 "), "{failed}");
}

/// The whole response.
#[cfg(feature = "tokio")]
async fn http_get(address: &str, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let talk = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await?;
        Ok::<_, io::Error>(response)
    };
    tokio::time::timeout(LIMIT, talk).await.expect("it responds").expect("a response")
}

/// An example that goes on until it is killed.
struct Running {
    child: std::process::Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    fn start(name: &str) -> Self {
        let path = path_of(name);
        assert!(path.exists(), "{} is not there: cargo build --examples", path.display());
        let mut child = Command::new(path).stdout(Stdio::piped()).spawn().expect("it starts");
        let stdout = io::BufReader::new(child.stdout.take().expect("it is piped"));
        let (said, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = io::BufRead::lines(stdout).map_while(Result::ok);
            // Until nobody listens any more.
            lines.all(|line| said.send(line).is_ok())
        });
        Self { child, lines }
    }

    /// What the next line says behind that.
    fn line(&mut self, before: &str) -> String {
        let line = self.lines.recv_timeout(LIMIT).expect("it says something");
        line.strip_prefix(before).unwrap_or_else(|| panic!("{line}")).to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn call_back() {
    assert_eq!(
        run("call_back"),
        [
            "the client, called by its name: 2 + 4 = 6",
            "the server, called back by its own handler: Hello Charly",
        ]
    );
}

#[cfg(feature = "_curve")]
#[test]
fn own_auth() {
    let lines = [
        "john is there",
        "john: service believes us",
        "john: HELLO JOHN",
        "whoever shouts: john",
        "stopped",
        "nobody: Unauthorized",
    ];
    let mut lines = lines.map(str::to_owned).to_vec();
    lines.sort();
    assert_eq!(run("own_auth"), lines);
}

#[test]
fn send_to() {
    assert_eq!(run("send_to"), ["Hello Me", "client1: addition(2, 4) = 6"]);
}

#[test]
fn small_power() {
    assert_eq!(run("small_power"), ["admin: great power", "lambda: small power"]);
}

#[test]
fn string_service() {
    let lines = ["lower: abc, upper: DEF", "string.lower: abc, string.upper: DEF"];
    assert_eq!(run("string_service"), lines);
}

#[test]
fn own_loop() {
    assert_eq!(
        run("own_loop"),
        [
            "Hello anne, 3 of you are here",
            "Hello bert, 3 of you are here",
            "Hello charly, 3 of you are here",
            "a link is closed: malformed: not a ZMTP peer",
            "anne, called back: 2 + 4 = 6",
            "bert, called back: 2 + 4 = 6",
            "charly, called back: 2 + 4 = 6",
        ]
    );
}

#[test]
fn embedded() {
    let lines = run("embedded");
    for line in [
        "client: the answer is \"Hello Charly\"",
        "server: the answer is \"Charly\"",
        "server: charly may come in",
        "server: charlys-desk is there",
        "client: it ended as Unknown(TimedOut)",
    ] {
        assert!(lines.iter().any(|printed| printed == line), "{line}: {lines:#?}");
    }
}

#[cfg(all(feature = "rpcudp", feature = "tokio"))]
#[test]
fn sayhi() {
    assert_eq!(run("sayhi"), ["Hello Snake Plissken you live at home"]);
}

#[cfg(all(feature = "rpcudp", feature = "smol"))]
#[test]
fn sayhi_smol() {
    assert_eq!(run("sayhi_smol"), ["Hello Snake Plissken you live at home"]);
}

#[cfg(all(feature = "rpcudp", feature = "blocking"))]
#[test]
fn sayhi_blocking() {
    assert_eq!(run("sayhi_blocking"), ["Hello Snake Plissken you live at home"]);
}

#[cfg(all(feature = "kaa", feature = "blocking"))]
#[test]
fn kaa_blocking() {
    assert_eq!(run("kaa_blocking"), ["Charly has 6"]);
}

#[cfg(all(feature = "rpcudp", feature = "tokio"))]
#[test]
fn dht_node() {
    assert_eq!(
        run("dht_node"),
        ["each keeps [1, 1, 1]", "found Some(Str(\"a value\"))", "stored on 3 nodes",]
    );
}
