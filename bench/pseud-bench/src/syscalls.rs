//! System calls of the processes of a scenario, counted in a run of its own: whoever is watched is
//! slower, but makes about the same calls.

use crate::measure::pair;
use crate::metric::{Metric, Sample};
use crate::process::Process;
use crate::scenario::{Entry, Kind, Scenario};
use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Where they are counted: single calls, and many, of 16 bytes.
pub(crate) fn are_counted(scenario: &Scenario) -> bool {
    scenario.kind == Kind::Calls && scenario.shape.size == 16 && scenario.shape.links == 1
}

/// Whether this machine lets us count, and by what.
pub(crate) fn how() -> Result<&'static str, &'static str> {
    let tried = Command::new("strace").args(["-c", "-o", "/dev/null", "true"]).output();
    match tried {
        Ok(output) if output.status.success() => {
            Ok("strace -f -c of both processes, in a run apart")
        }
        Ok(_) => Err("NOT COUNTED, strace may not trace here"),
        Err(_) => Err("NOT COUNTED, there is no strace"),
    }
}

/// Of both ends for a call.
pub(crate) fn count(scenario: &Scenario, entry: &Entry, seconds: f64) -> Result<Sample> {
    let [server, mut client] = pair(scenario, entry)?;
    client.run(seconds / 2.0)?;
    let watches = [Watch::start(&server)?, Watch::start(&client)?];
    let ran = client.run(seconds)?;
    ensure!(ran.calls > 0, "no call was answered");
    let [server, client] = watches.map(Watch::stop);
    Ok(Sample::from([
        (Metric::ServerSyscalls, server? as f64 / ran.calls as f64),
        (Metric::ClientSyscalls, client? as f64 / ran.calls as f64),
    ]))
}

/// strace beside a process.
struct Watch {
    strace: Child,
    /// Where it says that it has begun; it must not block there later.
    said: BufReader<std::process::ChildStderr>,
    table: std::path::PathBuf,
}

impl Watch {
    fn start(process: &Process) -> Result<Self> {
        let id = process.id();
        let table = std::env::temp_dir().join(format!("pseud-bench-{}-{id}", std::process::id()));
        let mut strace = Command::new("strace")
            .args(["-f", "-c", "-p", &id.to_string(), "-o"])
            .arg(&table)
            .stderr(Stdio::piped())
            .spawn()?;
        let mut said = BufReader::new(strace.stderr.take().context("a pipe was asked for")?);
        let mut line = String::new();
        said.read_line(&mut line)?;
        ensure!(line.contains("attached"), "strace: {line}");
        Ok(Self { strace, said, table })
    }

    fn stop(mut self) -> Result<u64> {
        kill(Pid::from_raw(self.strace.id().try_into()?), Signal::SIGINT)?;
        std::io::copy(&mut self.said, &mut std::io::sink())?;
        self.strace.wait()?;
        let table = fs::read_to_string(&self.table)?;
        let _ = fs::remove_file(&self.table);
        total(&table).context("strace printed no total")
    }
}

/// Of strace's summary: `100.00    0.001234           1      1000        10 total`.
fn total(table: &str) -> Option<u64> {
    let line = table.lines().find(|line| line.ends_with(" total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_summary() {
        let table = "% time     seconds  usecs/call     calls    errors syscall\n\
                     ------ ----------- ----------- --------- --------- ----------------\n\
                     66.67    0.000002           1         2           read\n\
                     ------ ----------- ----------- --------- --------- ----------------\n\
                     100.00    0.000003           1      1003         1 total\n";
        assert_eq!(total(table), Some(1003));
        assert_eq!(total("nothing"), None);
    }
}
