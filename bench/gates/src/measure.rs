//! What a measure is, and what valgrind watches.

/// A number and what it is of.
#[derive(Debug)]
pub(crate) struct Measure {
    /// The key in `budgets.toml`.
    pub(crate) name: String,
    /// `None`: what it takes to measure it is not on this machine.
    pub(crate) value: Option<f64>,
}

impl Measure {
    pub(crate) fn new(name: impl Into<String>, value: f64) -> Self {
        Self { name: name.into(), value: Some(value) }
    }
}

/// What valgrind is asked to watch.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// Does it so often.
    pub(crate) run: fn(usize),
    /// Few and many times: what many take more than few is the thing's alone.
    pub(crate) times: [usize; 2],
    /// Whether its system calls are counted, too.
    pub(crate) system_calls: bool,
}
