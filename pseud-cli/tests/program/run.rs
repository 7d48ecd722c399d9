//! The real binary as a child process: bounded in time, killed when dropped.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// Far more than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running program whose lines are read as they come.
pub(crate) struct Program {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

/// What a program left when it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pseud"))
            .args(arguments)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// The next line on stdout.
    pub(crate) fn line(&self) -> String {
        self.stdout.recv_timeout(PATIENCE).expect("a line on stdout")
    }

    /// Waits for a line on stderr that holds this text.
    pub(crate) fn wait_for_log(&self, text: &str) {
        self.log_with(text);
    }

    /// The same, and that line.
    pub(crate) fn log_with(&self, text: &str) -> String {
        let logs = self.logs_until(text);
        logs.lines().next_back().unwrap_or_default().to_owned()
    }

    /// All lines on stderr up to one that holds this text.
    pub(crate) fn logs_until(&self, text: &str) -> String {
        let mut logs = String::new();
        loop {
            let line = self.stderr.recv_timeout(PATIENCE).expect(text);
            logs = logs + &line + "\n";
            if line.contains(text) {
                return logs;
            }
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    /// Waits until it has closed both streams and ended.
    pub(crate) fn end(mut self) -> Ended {
        let (stdout, stderr) = (rest(&self.stdout), rest(&self.stderr));
        let status: ExitStatus = self.child.wait().unwrap();
        Ended { code: status.code(), stdout, stderr }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn rest(lines: &Receiver<String>) -> String {
    use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};
    let mut text = String::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => text = text + &line + "\n",
            Err(Disconnected) => return text,
            Err(Timeout) => panic!("it goes on; so far: {text}"),
        }
    }
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    Program::start(arguments).end()
}

/// `pseud serve --demo` on a free port, and its endpoint.
pub(crate) struct Demo {
    pub(crate) program: Program,
    pub(crate) endpoint: String,
}

impl Demo {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(options: &[&str]) -> Self {
        let fixed = ["serve", "--name", "service", "--demo", "--bind", "tcp://127.0.0.1:0"];
        let program = Program::start(&[&fixed, options].concat());
        let line = program.line();
        let endpoint = line.strip_prefix("listening on ").expect(&line).to_owned();
        Self { program, endpoint }
    }

    /// `pseud call` of this server.
    pub(crate) fn call(&self, arguments: &[&str]) -> Ended {
        let fixed = ["call", "--connect", &self.endpoint, "--peer", "service", "--timeout", "15"];
        run(&[&fixed, arguments].concat())
    }

    /// The result of a call that succeeds: one line.
    pub(crate) fn answer(&self, arguments: &[&str]) -> String {
        let ended = self.call(arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
        let line = ended.stdout.strip_suffix('\n').expect("a line");
        assert!(!line.contains('\n'));
        line.to_owned()
    }
}
