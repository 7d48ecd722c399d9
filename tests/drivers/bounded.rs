//! What hangs fails, with words: each test's work is on threads that are left behind when its time is over.

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// More than the slowest takes on a busy machine, and than what any call in it waits for.
const LIMIT: Duration = Duration::from_secs(60);

/// Something that must hold, and its name.
pub(crate) type Job = (&'static str, Box<dyn FnOnce() + Send>);

/// Holds a test of one thread.
///
/// # Panics
///
/// As the test does, or when it is not over in time.
pub(crate) fn hold(test: impl FnOnce() + Send + 'static) {
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let (over, ended) = channel::<()>();
    let begun = thread::Builder::new().name(name.clone()).spawn(move || {
        let _over = over;
        test();
    });
    let ended = ended.recv_timeout(LIMIT);
    assert_ne!(ended, Err(RecvTimeoutError::Timeout), "{name} hangs: not over in {LIMIT:?}");
    if let Err(panicked) = begun.expect("a thread").join() {
        resume_unwind(panicked);
    }
}

/// Holds all at the same time, each on a thread: most of them only wait.
///
/// # Errors
///
/// Which have failed, and which hang.
pub(crate) fn hold_all(jobs: Vec<Job>) -> Result<(), String> {
    let (over, ended) = channel();
    let mut running = Vec::new();
    for (name, job) in jobs {
        let over = over.clone();
        let named = thread::Builder::new().name(name.to_owned());
        let begun = named.spawn(move || {
            let _over = Over(name, over);
            job();
        });
        begun.expect("a thread");
        running.push(name);
    }
    let (until, mut failed) = (Instant::now() + LIMIT, Vec::new());
    while !running.is_empty() {
        let Ok((name, passed)) =
            ended.recv_timeout(until.saturating_duration_since(Instant::now()))
        else {
            break;
        };
        running.retain(|&running| running != name);
        if !passed {
            failed.push(name);
        }
    }
    match (&failed[..], &running[..]) {
        ([], []) => Ok(()),
        (failed, []) => Err(format!("failed: {failed:?}")),
        (failed, hang) => Err(format!("failed: {failed:?}; not over in {LIMIT:?}: {hang:?}")),
    }
}

/// Tells that it is over, however it ended.
struct Over(&'static str, Sender<(&'static str, bool)>);

impl Drop for Over {
    fn drop(&mut self) {
        let _ = self.1.send((self.0, !thread::panicking()));
    }
}

#[test]
fn what_failed_is_named() {
    let failed = hold_all(vec![("well", Box::new(|| ())), ("badly", Box::new(|| panic!("so")))]);
    assert_eq!(failed, Err(r#"failed: ["badly"]"#.to_owned()));
}
