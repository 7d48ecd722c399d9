//! pseud 0.0.5 in a directory of its own, for a Python 2.7 where there is one.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment::{home, lock, named_by, run};

const REQUIREMENTS: &str = include_str!("requirements27.txt");

/// Ends well if pip is there to install with, on the right Python.
const PROBE: &str = "import sys, pip; sys.exit(sys.version_info[:2] != (2, 7))";

/// The command that starts `peer27.py`; `None` where no Python 2.7 is found.
///
/// # Panics
///
/// When there is one, but the requirements cannot be installed.
pub(crate) fn peer() -> Option<Command> {
    program("python27", REQUIREMENTS, "peer27.py")
}

/// The command that starts a program of these tests beside those packages, in a directory of that name;
/// `None` and panics as for [`peer`].
pub(crate) fn program(prefix: &str, requirements: &str, program: &str) -> Option<Command> {
    let python = candidates().into_iter().find(|python| fits(python))?;
    let packages = home().join(named_by(prefix, requirements));
    let _lock = lock();
    if !packages.exists() {
        install(&python, &packages, requirements);
    }
    let mut command = Command::new(python);
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(program);
    command.arg(program).arg(packages);
    Some(command)
}

/// `PSEUD_INTEROP_PYTHON27` gives the only one; otherwise also those of pyenv, whose shim works
/// for the chosen version only.
fn candidates() -> Vec<PathBuf> {
    if let Some(only) = env::var_os("PSEUD_INTEROP_PYTHON27") {
        return vec![only.into()];
    }
    let pyenv = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let pyenv = pyenv.or_else(|| Some(env::home_dir()?.join(".pyenv")));
    let installed = pyenv.and_then(|pyenv| fs::read_dir(pyenv.join("versions")).ok());
    let installed = installed.into_iter().flatten().flatten();
    let installed = installed.map(|version| version.path().join("bin/python2.7"));
    [PathBuf::from("python2.7")].into_iter().chain(installed).collect()
}

fn fits(python: &Path) -> bool {
    Command::new(python).args(["-c", PROBE]).output().is_ok_and(|probed| probed.status.success())
}

/// Installs aside and renames: a directory with the final name is always complete.
fn install(python: &Path, packages: &Path, wanted: &str) {
    let unfinished = packages.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).expect("what a dead build left can be removed");
    }
    fs::create_dir(&unfinished).expect("the target directory is writable");
    let requirements = unfinished.join("requirements.txt");
    fs::write(&requirements, wanted).expect("the new directory is writable");
    run(Command::new(python)
        .args(["-m", "pip", "install", "--disable-pip-version-check", "-q", "-r"])
        .arg(&requirements)
        .arg("--target")
        .arg(&unfinished));
    fs::rename(&unfinished, packages).expect("a rename within one directory");
}
