//! What was logged, as text: a subscriber of this thread, for nodes on a runtime of one thread.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, Interest};
use tracing::{Event, Metadata, Subscriber};

/// No line is waited for longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The lines so far: `WARN message name=value …`, in order.
pub(crate) struct Logged {
    lines: Lines,
    _guard: DefaultGuard,
}

impl Logged {
    /// What the library's crates log, from here on, in this thread.
    #[allow(dead_code, reason = "not all tests have use for it")]
    pub(crate) fn new() -> Self {
        Self::of("pseud")
    }

    /// What is logged under targets that begin so.
    pub(crate) fn of(target: &'static str) -> Self {
        // With one subscriber alone, tracing asks the thread that logs first at a place whether anybody listens there,
        // and keeps the answer for all: of another test's thread, which has none, it is no, for ever
        // (tracing-core, `callsite::dispatchers`). So each thread has one.
        let nobody = Lines { target: "nobody logs under this", lines: Arc::default() };
        let _ = tracing::subscriber::set_global_default(nobody);
        let lines = Lines { target, lines: Arc::default() };
        let _guard = tracing::subscriber::set_default(lines.clone());
        Self { lines, _guard }
    }

    /// What a thread of its own has to do to be heard as well.
    #[allow(dead_code, reason = "not all tests have use for it")]
    pub(crate) fn on_other_threads(&self) -> impl Fn() + Send + Sync + 'static {
        let lines = self.lines.clone();
        move || std::mem::forget(tracing::subscriber::set_default(lines.clone()))
    }

    /// Those that hold that text.
    pub(crate) fn with(&self, text: &str) -> Vec<String> {
        let lines = self.lines.lines.lock().unwrap();
        lines.iter().filter(|line| line.contains(text)).cloned().collect()
    }

    /// The only one that holds that text.
    pub(crate) fn only(&self, text: &str) -> String {
        let mut lines = self.with(text);
        assert_eq!(lines.len(), 1, "{text}: {:#?}", self.lines.lines.lock().unwrap());
        lines.remove(0)
    }

    /// Waits for a line that holds that text, whatever the runtime's clock says.
    pub(crate) async fn wait_for(&self, text: &str) -> String {
        self.wait_for_more(text, 0).await.remove(0)
    }

    /// Waits for more than so many of them.
    pub(crate) async fn wait_for_more(&self, text: &str, than: usize) -> Vec<String> {
        let since = Instant::now();
        loop {
            let lines = self.with(text);
            if lines.len() > than {
                return lines;
            }
            assert!(since.elapsed() < PATIENCE, "{text}: {:#?}", self.lines.lines.lock().unwrap());
            tokio::task::yield_now().await;
        }
    }
}

#[derive(Clone)]
struct Lines {
    target: &'static str,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Subscriber for Lines {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(self.target)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line { message: String::new(), fields: String::new() };
        event.record(&mut line);
        let Line { message, fields } = line;
        let line = format!("{} {message}{fields}", event.metadata().level());
        self.lines.lock().unwrap().push(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
        written.unwrap();
    }
}
