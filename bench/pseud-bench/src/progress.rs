//! How far a run is, on a terminal's standard error; nowhere else.

use std::io::{IsTerminal, Write, stderr};
use std::time::Instant;

pub(crate) struct Progress {
    shown: bool,
    started: Instant,
    done: usize,
    total: usize,
}

impl Progress {
    pub(crate) fn new(total: usize) -> Self {
        Self { shown: stderr().is_terminal(), started: Instant::now(), done: 0, total }
    }

    /// The next of the steps begins.
    pub(crate) fn step(&mut self, what: &str) {
        if self.shown {
            let elapsed = self.started.elapsed().as_secs_f64();
            let left = match self.done {
                0 => String::new(),
                done => {
                    format!(", {:.0} s left", elapsed / done as f64 * (self.total - done) as f64)
                }
            };
            let (done, total) = (self.done, self.total);
            let _ = write!(stderr(), "\r\x1b[K{done}/{total}, {elapsed:.0} s{left}: {what}");
            let _ = stderr().flush();
        }
        self.done += 1;
    }

    pub(crate) fn end(&self) {
        if self.shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
