//! Python pseud 1.0.1, as a server and as a client; and its unchanged client at other servers.

use super::{Contestant, ours};
use crate::child;
use crate::job::{Job, Role};
use crate::scenario::Shape;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const CONTESTANTS: &[Contestant] = &[
    Contestant {
        name: "python",
        about: "Python pseud 1.0.1 at both ends",
        fits: is_small,
        serve: become_python,
        drive: become_python,
        call_out: None,
    },
    Contestant {
        name: "python-pseud",
        about: "a client of Python pseud at a server of this library",
        fits: is_small,
        serve: ours::serve_null,
        drive: become_python,
        call_out: None,
    },
    #[cfg(feature = "libzmq")]
    Contestant {
        name: "python-libzmq",
        about: "a client of Python pseud at an echo of libzmq in C",
        fits: is_small,
        serve: super::libzmq::serve_null,
        drive: become_python,
        call_out: None,
    },
];

/// It has one link, and takes a second for a few thousand calls.
fn is_small(shape: &Shape) -> bool {
    shape.links == 1 && shape.size <= 1 << 10
}

const REQUIREMENTS: &str = include_str!("../../../../../tests/interop/requirements.txt");
const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/contestants/python/peer.py");

/// This process goes on as the Python program, which obeys the same commands.
fn become_python(job: &Job) -> Result<()> {
    let mut command = Command::new(python()?);
    let role = if job.role == Role::Server { "server" } else { "client" };
    command.args([PEER, role, &job.in_flight.to_string(), &job.size.to_string()]);
    command.args([job.handler_micros.to_string(), job.server.clone().unwrap_or_default()]);
    command.arg(child::LIFETIME.as_secs().to_string());
    Err(command.exec()).context("Python")
}

/// An interpreter that has Python pseud. Its environment is built the first time, under `target/`:
/// python3 with venv is needed for that, and pip must reach its package index.
fn python() -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    REQUIREMENTS.hash(&mut hasher);
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let venv = target.join(format!("python-{:016x}", hasher.finish()));
    let python = venv.join("bin/python");
    if python.exists() {
        return Ok(python);
    }
    // Built aside and renamed: what has the final name is whole.
    let unfinished = venv.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&unfinished))?;
    let requirements = unfinished.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS)?;
    run(Command::new(unfinished.join("bin/python"))
        .args(["-m", "pip", "install", "--disable-pip-version-check", "-q", "-r"])
        .arg(&requirements))?;
    fs::rename(&unfinished, &venv)?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
