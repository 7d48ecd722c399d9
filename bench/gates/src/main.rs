//! What a call costs, checked against numbers that are committed beside this program.
//!
//! Only what does not depend on the machine's speed or load: instructions (callgrind), allocations,
//! system calls, page faults, bytes held. `gates check` measures all of it and fails where a cost is
//! more than its budget and the slack; `gates renew` writes what it measured as the new budgets.

mod budgets;
mod codec;
mod engine;
mod heap;
mod idle;
mod large;
mod measure;
mod measures;
mod steady;
mod valgrind;
mod whole;

use budgets::Budgets;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// What a call costs, in numbers that no machine's load changes.
#[derive(Debug, Parser)]
#[command(
    name = "gates",
    after_help = "\
cargo run --release --manifest-path bench/Cargo.toml -p gates -- check
cargo run --release --manifest-path bench/Cargo.toml -p gates -- renew"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure, and fail where a cost is over its budget.
    Check,
    /// Measure, and write the results to budgets.toml.
    Renew,
    /// Do one thing so many times: what `check` runs under valgrind, or beside itself.
    Run {
        /// Its name.
        subject: String,
        /// How often.
        times: usize,
    },
}

fn main() -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!("gates: budgets are those of a release build: cargo run --release ...");
        return ExitCode::from(2);
    }
    match Cli::parse().command {
        Command::Run { subject, times } => run(&subject, times),
        Command::Check => match Budgets::load() {
            Ok(budgets) => budgets.check(&measures::all()),
            Err(error) => {
                eprintln!("gates: {error}");
                ExitCode::from(2)
            }
        },
        Command::Renew => Budgets::renew(&measures::all()),
    }
}

fn run(subject: &str, times: usize) -> ExitCode {
    if large::is_server(subject) {
        large::serve(subject);
        return ExitCode::SUCCESS;
    }
    let Some(subject) = measures::SUBJECTS.iter().find(|known| known.name == subject) else {
        eprintln!("gates: no subject is called {subject}");
        return ExitCode::from(2);
    };
    (subject.run)(times);
    ExitCode::SUCCESS
}
