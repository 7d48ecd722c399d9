//! The parent's side of a process of the bench.

use crate::job::{Answer, Command, Job, Ran, Usage};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// A server or a client. It ends when this is dropped.
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    name: String,
    pub(crate) endpoint: String,
    pub(crate) settings: String,
}

impl Process {
    /// Starts this program again with that job, and waits until it is ready.
    pub(crate) fn start(job: &Job) -> Result<Self> {
        let mut command = std::process::Command::new(std::env::current_exe()?);
        command.arg("child").arg(serde_json::to_string(job)?);
        Self::spawn(command, format!("{:?} of {}", job.role, job.contestant))
    }

    pub(crate) fn spawn(mut command: std::process::Command, name: String) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("a pipe was asked for")?);
        let (endpoint, settings) = (String::new(), String::new());
        let mut this = Self { child, input, output, name, endpoint, settings };
        match this.answer()? {
            Answer::Ready { endpoint, settings } => {
                (this.endpoint, this.settings) = (endpoint, settings);
                Ok(this)
            }
            other => bail!("{}: {other:?} where it should be ready", this.name),
        }
    }

    pub(crate) fn tell(&mut self, command: &Command) -> Result<()> {
        let mut line = serde_json::to_string(command)?;
        line.push('\n');
        let input = self.input.as_mut().context("it lives")?;
        input.write_all(line.as_bytes()).with_context(|| format!("{} has ended", self.name))
    }

    pub(crate) fn answer(&mut self) -> Result<Answer> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("{} has ended: {}", self.name, self.child.wait()?);
        }
        match serde_json::from_str(&line) {
            Ok(Answer::Failed(why)) => bail!("{}: {why}", self.name),
            answer => answer.with_context(|| format!("{} said {line}", self.name)),
        }
    }

    pub(crate) fn usage(&mut self) -> Result<Usage> {
        self.tell(&Command::Usage)?;
        match self.answer()? {
            Answer::Usage(usage) => Ok(usage),
            other => bail!("{}: {other:?} where usage was asked for", self.name),
        }
    }

    pub(crate) fn run(&mut self, seconds: f64) -> Result<Ran> {
        self.tell(&Command::Run { seconds })?;
        self.ran()
    }

    /// The answer to a [`Command::Run`].
    pub(crate) fn ran(&mut self) -> Result<Ran> {
        match self.answer()? {
            Answer::Ran(ran) => Ok(ran),
            other => bail!("{}: {other:?} where a run was asked for", self.name),
        }
    }

    /// Makes a crowd of that many links that have made that many calls each.
    pub(crate) fn crowd(&mut self, links: usize, calls: usize) -> Result<()> {
        self.tell(&Command::Crowd { links, calls })?;
        match self.answer()? {
            Answer::Done => Ok(()),
            other => bail!("{}: {other:?} where a crowd was asked for", self.name),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its input ends it; whoever does not listen is killed.
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
