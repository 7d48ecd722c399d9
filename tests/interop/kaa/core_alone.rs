//! The core's channel over a blocking socket: no runtime.

use super::{SECRET, packages, path, text};
use pseud::proto::kaa::{Channel, Config};
use pseud::proto::value::Packed;
use pseud::proto::zmtp::Side;
use pseud::proto::{Action, CallId, CallOptions, Outcome};
use serde_json::json;
use std::io::{IoSlice, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A channel and its socket.
struct Loop {
    channel: Channel,
    stream: UnixStream,
}

impl Loop {
    fn new(stream: UnixStream, side: Side) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let config = Arc::new(Config::new(SECRET));
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).unwrap();
        Self { channel: Channel::new(config, side, seed, Instant::now()), stream }
    }

    fn call(&mut self, name: &str, args: (i64, i64)) -> CallId {
        let arguments = Packed::call(&args, &()).unwrap();
        let options = CallOptions::default();
        self.channel.call(name, arguments, options, Instant::now()).unwrap()
    }

    /// Until that call is over.
    fn finish(&mut self, call: CallId) -> Outcome {
        loop {
            while let Some(action) = self.channel.poll_action() {
                match action {
                    Action::Finish { call: over, outcome } if over == call => return outcome,
                    _ => {}
                }
            }
            self.write();
            self.read();
        }
    }

    /// Until a call of Python's has come, and its answer is written.
    fn serve_one(&mut self) {
        loop {
            while let Some(action) = self.channel.poll_action() {
                if let Action::Serve(request) = action {
                    let result = Packed::result("core").unwrap();
                    self.channel.reply(request.into_ticket(), Ok(result), Instant::now());
                    return self.write();
                }
            }
            self.read();
        }
    }

    fn read(&mut self) {
        let mut buffer = [0; 4_096];
        let count = self.stream.read(&mut buffer).unwrap();
        assert_ne!(count, 0, "Python is gone");
        self.channel.handle_input(&mut buffer[..count], Instant::now()).unwrap();
    }

    fn write(&mut self) {
        loop {
            let mut slices = [IoSlice::new(&[]); 4];
            let count = self.channel.slices(&mut slices);
            if count == 0 {
                return;
            }
            let written = self.stream.write_vectored(&slices[..count]).unwrap();
            self.channel.advance(written, Instant::now());
        }
    }
}

fn sum(outcome: Outcome) -> i64 {
    let Outcome::Value(body) = outcome else { panic!("{outcome:?}") };
    body.check(&Config::default().limits.values).unwrap().decode().unwrap()
}

#[test]
fn as_a_client() {
    let Some(python) = packages::start() else { return };
    let served = json!({"name": "python", "address": path(), "secret": SECRET});
    let served = python.request("server", served);
    let stream = UnixStream::connect(text(&served["$map"][0][1])).unwrap();
    let mut client = Loop::new(stream, Side::Connecting);
    let call = client.call("add", (1, 2));
    assert_eq!(sum(client.finish(call)), 3);
}

#[test]
fn as_a_server() {
    let Some(python) = packages::start() else { return };
    let path = path();
    let listener = UnixListener::bind(&path).unwrap();
    python.request("client", json!({"name": "python", "address": path, "secret": SECRET}));
    let (stream, _) = listener.accept().unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut server = Loop::new(stream, Side::Accepting);
    let call = server.call("add", (3, 4));
    assert_eq!(sum(server.finish(call)), 7);
    let asked = python.send("call", json!({"name": "python", "method": "who"}));
    server.serve_one();
    assert_eq!(asked.wait(), "core");
}
