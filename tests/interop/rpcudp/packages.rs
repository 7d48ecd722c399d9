//! rpcudp in directories of its own: the current one for the environment's Python, and 4.0 for an older
//! Python where there is one.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment::{self, home, lock, named_by, run};
use crate::python::{PythonPeer, not_run};

/// A program of this directory with rpcudp 5.0.1 and kademlia; `None`, and a line on stderr, where
/// conversations with Python are left out.
pub(crate) fn start(program: &str) -> Option<PythonPeer> {
    let Some(python) = environment::python() else { return not_run("PSEUD_INTEROP=skip") };
    let packages = install(&python, "rpcudp", include_str!("requirements.txt"));
    Some(spawn(&python, program, &packages))
}

/// The same with rpcudp 4.0.2; `None`, with that line, also where there is no Python from 3.8 to 3.10.
pub(crate) fn start_4_0(program: &str) -> Option<PythonPeer> {
    if environment::is_skipped() {
        return not_run("PSEUD_INTEROP=skip");
    }
    let Some(python) = candidates().into_iter().find(|python| fits(python)) else {
        return not_run("no Python 3.8 to 3.10 with pip, which rpcudp 4.0 needs");
    };
    let packages = install(&python, "rpcudp40", include_str!("requirements40.txt"));
    Some(spawn(&python, program, &packages))
}

fn spawn(python: &Path, program: &str, packages: &Path) -> PythonPeer {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/rpcudp");
    PythonPeer::spawn(Command::new(python).arg(folder.join(program)).arg(packages))
}

/// Also those of pyenv, whose shim works for the chosen version only.
fn candidates() -> Vec<PathBuf> {
    let names = ["python3.10", "python3.9", "python3.8"];
    let pyenv = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let pyenv = pyenv.or_else(|| Some(env::home_dir()?.join(".pyenv")));
    let installed = pyenv.and_then(|pyenv| fs::read_dir(pyenv.join("versions")).ok());
    let versions: Vec<_> = installed.into_iter().flatten().flatten().collect();
    let of_pyenv = names
        .iter()
        .flat_map(|name| versions.iter().map(move |version| version.path().join("bin").join(name)));
    names.iter().map(PathBuf::from).chain(of_pyenv.filter(|path| path.exists())).collect()
}

fn fits(python: &Path) -> bool {
    const PROBE: &str = "import sys, pip; sys.exit(not (3, 8) <= sys.version_info[:2] <= (3, 10))";
    Command::new(python).args(["-c", PROBE]).output().is_ok_and(|probed| probed.status.success())
}

/// Installs aside and renames: a directory with the final name is always complete.
fn install(python: &Path, name: &str, requirements: &str) -> PathBuf {
    let packages = home().join(named_by(name, requirements));
    let _lock = lock();
    if packages.exists() {
        return packages;
    }
    let unfinished = packages.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).expect("what a dead build left can be removed");
    }
    fs::create_dir(&unfinished).expect("the target directory is writable");
    let file = unfinished.join("requirements.txt");
    fs::write(&file, requirements).expect("the new directory is writable");
    run(Command::new(python)
        .args(["-m", "pip", "install", "--disable-pip-version-check", "-q", "-r"])
        .arg(&file)
        .arg("--target")
        .arg(&unfinished));
    fs::rename(&unfinished, &packages).expect("a rename within one directory");
    packages
}
