//! The Python environment of the reference peer: found, built once, shared by all test binaries.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const REQUIREMENTS: &str = include_str!("requirements.txt");

/// Names tried in this order, unless `PSEUD_INTEROP_PYTHON` gives the only one.
const INTERPRETERS: [&str; 4] = ["python3.11", "python3.12", "python3.13", "python3"];

/// Minor versions of CPython 3 that the pinned requirements run on.
const MINORS: std::ops::RangeInclusive<u32> = 11..=13;

/// Prints a version only if an environment can be made as well.
const PROBE: &str = "import sys, venv, ensurepip; print('%d.%d.%d' % sys.version_info[:3])";

/// A path to a Python that can import pseud; `None` if `PSEUD_INTEROP=skip` says not to try.
///
/// # Panics
///
/// When no Python fits or the requirements cannot be installed: a suite that cannot run has
/// not passed.
pub(crate) fn python() -> Option<PathBuf> {
    (!is_skipped()).then(environment)
}

/// Whether `PSEUD_INTEROP=skip` is set.
pub(crate) fn is_skipped() -> bool {
    match std::env::var("PSEUD_INTEROP").as_deref() {
        Err(_) | Ok("") => false,
        Ok("skip") => true,
        Ok(other) => panic!("PSEUD_INTEROP is {other:?}; the only value it knows is \"skip\""),
    }
}

fn environment() -> PathBuf {
    let (interpreter, version) = interpreter();
    let venv = home().join(named_by(&format!("venv-{version}"), REQUIREMENTS));
    let _lock = lock();
    if !venv.exists() {
        build(&interpreter, &venv);
    }
    python_in(&venv)
}

/// Held while something is built: other test binaries wait.
pub(crate) fn lock() -> File {
    let home = home();
    fs::create_dir_all(&home).expect("the target directory is writable");
    let lock = File::create(home.join("lock")).expect("the target directory is writable");
    // The system lets go of it when its holder dies, so nobody waits for a ghost.
    lock.lock().expect("the file system locks files");
    lock
}

/// `target/interop`, wherever the target directory is.
pub(crate) fn home() -> PathBuf {
    let tests = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tests.parent().unwrap_or(tests).join("interop")
}

/// A name that is another one for other requirements.
pub(crate) fn named_by(prefix: &str, requirements: &str) -> String {
    let mut hasher = DefaultHasher::new();
    requirements.hash(&mut hasher);
    format!("{prefix}-{:016x}", hasher.finish())
}

fn python_in(venv: &Path) -> PathBuf {
    venv.join("bin").join("python")
}

/// Builds aside and renames: a directory with the final name is always complete.
fn build(interpreter: &str, venv: &Path) {
    let unfinished = venv.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).expect("what a dead build left can be removed");
    }
    run(Command::new(interpreter).args(["-m", "venv"]).arg(&unfinished));
    let requirements = unfinished.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).expect("the new environment is writable");
    run(Command::new(python_in(&unfinished))
        .args(["-m", "pip", "install", "--disable-pip-version-check", "-q", "-r"])
        .arg(&requirements));
    run(Command::new(python_in(&unfinished)).args(["-c", "import pseud"]));
    fs::rename(&unfinished, venv).expect("a rename within one directory");
}

/// Runs it; panics with all it wrote if it fails.
pub(crate) fn run(command: &mut Command) {
    let Output { status, stdout, stderr } = command.output().expect("a program that was found");
    assert!(
        status.success(),
        "{command:?} ended with {status}; the tests against Python pseud need it \
         (PSEUD_INTEROP=skip leaves them out)\n{}{}",
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr),
    );
}

/// The first interpreter that fits, with its version.
fn interpreter() -> (String, String) {
    let chosen = std::env::var("PSEUD_INTEROP_PYTHON").ok();
    let candidates: Vec<String> = match chosen {
        Some(only) => vec![only],
        None => INTERPRETERS.map(String::from).to_vec(),
    };
    let mut refused = String::new();
    for candidate in candidates {
        match probe(&candidate) {
            Ok(version) => return (candidate, version),
            Err(why) => refused += &format!("\n  {candidate}: {why}"),
        }
    }
    panic!(
        "no Python for the tests against Python pseud. Install CPython 3.11, 3.12 or 3.13 with \
         its venv and ensurepip modules (Debian: python3-venv), or name one in \
         PSEUD_INTEROP_PYTHON; PSEUD_INTEROP=skip leaves these tests out. Tried:{refused}"
    )
}

/// The version of an interpreter that fits, or why it does not.
fn probe(interpreter: &str) -> Result<String, String> {
    let output =
        Command::new(interpreter).args(["-c", PROBE]).output().map_err(|why| why.to_string())?;
    if !output.status.success() {
        // A pyenv shim without a version behind it ends here too.
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if fits(&version) { Ok(version) } else { Err(format!("it is version {version}")) }
}

fn fits(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    parts.next() == Some(Ok(3))
        && matches!(parts.next(), Some(Ok(minor)) if MINORS.contains(&minor))
}

#[test]
fn only_versions_that_the_pins_run_on_fit() {
    assert!(fits("3.11.7") && fits("3.13.0"));
    assert!(!fits("3.10.13") && !fits("3.14.0") && !fits("2.11.1") && !fits(""));
}

#[test]
fn an_interpreter_that_is_not_there_is_refused_with_a_reason() {
    assert!(probe("python-that-nobody-has").is_err());
}
