//! A Python pseud peer as a child process: commands in, answers out, several in flight.
//!
//! What it can do is written in `peer.py`: each command is a method of its class `Commands`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use crate::{environment, environment27};

/// Time an answer may take: twice what `peer.py` waits at most for something to happen.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A running `peer.py`. Dropping it kills the process; if the thread is panicking, what Python
/// wrote to its stderr is printed first.
pub(crate) struct PythonPeer {
    child: Child,
    commands: Mutex<Commands>,
    waiting: Arc<Mutex<Waiting>>,
    complaints: Option<JoinHandle<String>>,
}

/// Why a command has no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command raised.
    Raised {
        /// Name of the exception's class.
        class: String,
        /// Its one string argument, or its `str()`.
        message: String,
    },
    /// The process ended before it answered.
    Ended,
    /// No answer within the time allowed.
    TimedOut,
}

/// An answer to come.
#[must_use = "a command whose answer nobody reads fails unseen"]
pub(crate) struct Pending {
    command: String,
    answer: Receiver<Value>,
}

/// The way to Python, and the id of the last command sent on it.
struct Commands {
    stdin: ChildStdin,
    last_id: u64,
}

/// Who waits for which id; `None` once Python has closed its end.
type Waiting = Option<BTreeMap<u64, Sender<Value>>>;

impl PythonPeer {
    /// Starts the program in its environment; `None`, and a line on stderr that no test harness
    /// captures, if `PSEUD_INTEROP=skip`.
    pub(crate) fn start() -> Option<Self> {
        let Some(python) = environment::python() else {
            return not_run("PSEUD_INTEROP=skip");
        };
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/peer.py");
        Some(Self::spawn(Command::new(python).arg(program)))
    }

    /// The same for `peer27.py`; `None`, with that line, also where there is no Python 2.7.
    pub(crate) fn start_27() -> Option<Self> {
        if environment::is_skipped() {
            return not_run("PSEUD_INTEROP=skip");
        }
        let Some(mut peer) = environment27::peer() else {
            return not_run("no Python 2.7 with pip; PSEUD_INTEROP_PYTHON27 can name one");
        };
        Some(Self::spawn(&mut peer))
    }

    /// Starts a program that is driven in this way.
    pub(crate) fn spawn(program: &mut Command) -> Self {
        let mut child = program
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the environment's Python starts");
        let stdin = child.stdin.take().expect("stdin is piped");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut stderr = child.stderr.take().expect("stderr is piped");
        let waiting = Arc::new(Mutex::new(Some(BTreeMap::new())));
        let answered = Arc::clone(&waiting);
        thread::spawn(move || deliver(stdout, &answered));
        let complaints = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let commands = Mutex::new(Commands { stdin, last_id: 0 });
        Self { child, commands, waiting, complaints: Some(complaints) }
    }

    /// Process id of the Python program.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a command with its fields (a JSON object) and does not wait.
    pub(crate) fn send(&self, command: &str, fields: Value) -> Pending {
        let (answered, answer) = channel();
        let mut commands = lock(&self.commands);
        commands.last_id += 1;
        let id = commands.last_id;
        // Without the table the sender is dropped here and the answer is `Ended`.
        if let Some(waiting) = lock(&self.waiting).as_mut() {
            waiting.insert(id, answered);
        }
        let line = line(id, command, fields);
        // A pipe that broke has no reader: the end of stdout tells those who wait.
        let _ = commands.stdin.write_all(line.as_bytes());
        Pending { command: command.to_owned(), answer }
    }

    /// Sends a command and blocks until it is done.
    ///
    /// # Panics
    ///
    /// When it fails in any way.
    pub(crate) fn request(&self, command: &str, fields: Value) -> Value {
        self.send(command, fields).wait()
    }

    /// Same as [`request`](Self::request), for async tests: another thread blocks.
    pub(crate) async fn ask(&self, command: &str, fields: Value) -> Value {
        self.send(command, fields).done().await
    }
}

impl Pending {
    /// Blocks until the command is done.
    ///
    /// # Panics
    ///
    /// When it fails in any way.
    pub(crate) fn wait(self) -> Value {
        let command = self.command.clone();
        self.outcome(ANSWER_TIMEOUT).unwrap_or_else(|failure| panic!("{command}: {failure:?}"))
    }

    /// Blocks for a time at most.
    pub(crate) fn outcome(self, timeout: Duration) -> Result<Value, Failure> {
        let mut answer = self.answer.recv_timeout(timeout).map_err(|why| match why {
            RecvTimeoutError::Timeout => Failure::TimedOut,
            RecvTimeoutError::Disconnected => Failure::Ended,
        })?;
        if answer["err"].is_null() {
            return Ok(answer["ok"].take());
        }
        let text = |field: &str| answer["err"][field].as_str().unwrap_or_default().to_owned();
        Err(Failure::Raised { class: text("class"), message: text("message") })
    }

    /// Same as [`wait`](Self::wait), for async tests: another thread blocks.
    pub(crate) async fn done(self) -> Value {
        match tokio::task::spawn_blocking(|| self.wait()).await {
            Ok(value) => value,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
}

impl Drop for PythonPeer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let complaints = self.complaints.take().map(JoinHandle::join);
        if let (true, Some(Ok(text))) = (thread::panicking(), complaints) {
            eprintln!("--- stderr of Python, pid {} ---\n{text}--- end ---", self.child.id());
        }
    }
}

/// Written past the harness, which hides what a passing test prints.
pub(crate) fn not_run(why: &str) -> Option<PythonPeer> {
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "NOT RUN: {name} ({why})");
    None
}

fn line(id: u64, command: &str, mut fields: Value) -> String {
    fields["id"] = json!(id);
    fields["cmd"] = json!(command);
    format!("{fields}\n")
}

/// Hands every answer to who waits for it, until Python closes its stdout.
fn deliver(stdout: ChildStdout, waiting: &Mutex<Waiting>) {
    for line in BufReader::new(stdout).lines() {
        let Ok(answer) = line.map_err(drop).and_then(|line| parse(&line)) else { break };
        let id = answer["id"].as_u64().unwrap_or_default();
        let receiver = lock(waiting).as_mut().and_then(|waiting| waiting.remove(&id));
        // A test that stopped waiting has dropped its end.
        let _ = receiver.map(|receiver| receiver.send(answer));
    }
    lock(waiting).take();
}

fn parse(line: &str) -> Result<Value, ()> {
    serde_json::from_str(line).map_err(|why| eprintln!("not an answer ({why}): {line}"))
}

/// A test that panicked while it held the lock left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
