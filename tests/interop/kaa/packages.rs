//! kaa-base in a directory of its own: unmodified for a Python 2.7, else for a Python 3.11, where rules of
//! replacement make it run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment::{home, is_skipped, lock, named_by, run};
use crate::environment27;
use crate::python::{PythonPeer, not_run};

/// Both Pythons' requirement.
const REQUIREMENTS: &str = include_str!("requirements27.txt");
const RULES: &str = include_str!("on_python3.py");

/// Newer ones refuse its version, and its setup.
const TOOLS: [&str; 2] = ["pip==22.3.1", "setuptools==57.5.0"];

/// Ends well on the right Python, if an environment can be made.
const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))";

/// A peer; `None`, and a line on stderr, where conversations are left out or no Python fits.
pub(crate) fn start() -> Option<PythonPeer> {
    if is_skipped() {
        return not_run("PSEUD_INTEROP=skip");
    }
    let peer = match env::var("PSEUD_INTEROP_KAA").as_deref() {
        Ok("3.11") => {
            let asked = "PSEUD_INTEROP_KAA asks for a Python 3.11 with venv, and there is none";
            Some(peer_on_3().expect(asked))
        }
        Ok("") | Err(_) => peer_on_2().or_else(peer_on_3),
        Ok(other) => panic!("PSEUD_INTEROP_KAA is {other:?}; the only value it knows is \"3.11\""),
    };
    match peer {
        Some(mut peer) => Some(PythonPeer::spawn(&mut peer)),
        None => {
            not_run("no Python 2.7 with pip and no Python 3.11 with venv, which kaa-base needs")
        }
    }
}

fn peer_on_2() -> Option<Command> {
    environment27::program("kaa27", REQUIREMENTS, "kaa/peer.py")
}

fn peer_on_3() -> Option<Command> {
    let python = candidates().into_iter().find(|python| fits(python))?;
    // Its setup passes over whatever lies below a directory of the name `kaa…`.
    let venv = home().join(named_by("python311-rpc", &[REQUIREMENTS, RULES].concat()));
    let _lock = lock();
    if !venv.exists() {
        build(&python, &venv);
    }
    let mut command = Command::new(python_in(&venv));
    let program = folder().join("peer.py");
    command.arg(program).arg(packages_in(&venv));
    Some(command)
}

/// Also those of pyenv, whose shim works for the chosen version only.
fn candidates() -> Vec<PathBuf> {
    let pyenv = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let pyenv = pyenv.or_else(|| Some(env::home_dir()?.join(".pyenv")));
    let installed = pyenv.and_then(|pyenv| fs::read_dir(pyenv.join("versions")).ok());
    let installed = installed.into_iter().flatten().flatten();
    let installed = installed.map(|version| version.path().join("bin/python3.11"));
    [PathBuf::from("python3.11")].into_iter().chain(installed).collect()
}

fn fits(python: &Path) -> bool {
    Command::new(python).args(["-c", PROBE]).output().is_ok_and(|probed| probed.status.success())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/kaa")
}

fn python_in(venv: &Path) -> PathBuf {
    venv.join("bin/python")
}

fn packages_in(venv: &Path) -> PathBuf {
    venv.join("lib/python3.11/site-packages")
}

/// Builds aside and renames: a directory with the final name is always complete.
fn build(python: &Path, venv: &Path) {
    let unfinished = venv.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).expect("what a dead build left can be removed");
    }
    run(Command::new(python).args(["-m", "venv"]).arg(&unfinished));
    let pip = || {
        let mut pip = Command::new(python_in(&unfinished));
        pip.args(["-m", "pip", "install", "--disable-pip-version-check", "-q"]);
        pip
    };
    run(pip().args(TOOLS));
    let requirement = REQUIREMENTS.lines().find(|line| line.starts_with("kaa-base"));
    let requirement = requirement.expect("it is required").replace("==", "===");
    run(pip().args(["--no-build-isolation", "--no-deps"]).arg(requirement));
    let rules = folder().join("on_python3.py");
    run(Command::new(python_in(&unfinished)).arg(rules).arg(packages_in(&unfinished).join("kaa")));
    fs::rename(&unfinished, venv).expect("a rename within one directory");
}
