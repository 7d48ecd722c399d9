//! Logs: one line an event, on stderr.

use crate::terminal;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// Starts to log from `level` on, two levels finer at most by `-v`; `RUST_LOG` overrides both.
pub(crate) fn start(level: LevelFilter, verbose: u8) {
    let level = match verbose {
        0 => level,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let lines = fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    tracing_subscriber::registry().with(lines).with(filter(level)).init();
}

fn filter(level: LevelFilter) -> Targets {
    let otherwise = Targets::new().with_default(level);
    let Ok(text) = std::env::var("RUST_LOG") else { return otherwise };
    match text.parse() {
        _ if text.is_empty() => otherwise,
        Ok(filter) => filter,
        Err(error) => {
            let text = terminal::escape(&text);
            terminal::complain(&format!("pseud: RUST_LOG={text} is not used: {error}"));
            otherwise
        }
    }
}
