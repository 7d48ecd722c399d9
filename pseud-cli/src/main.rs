//! `pseud`: serve and call methods from a shell.

#[cfg(not(any(feature = "curve", feature = "curve-rustcrypto")))]
compile_error!("the program needs the feature `curve` or `curve-rustcrypto`");

mod admin;
mod call;
mod cli;
mod credentials;
mod demo;
mod exit;
mod heartbeat;
mod json;
#[cfg(test)]
mod json_tests;
mod kaa;
mod keygen;
mod log;
mod parse;
mod result;
mod rpcudp;
mod security;
mod serve;
mod terminal;
mod user;
mod users;

use clap::Parser;
use cli::{Cli, Command};
use exit::{FAILED, fail};
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Builder;
use tracing::level_filters::LevelFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Command::Keygen(arguments) => keygen::run(&arguments),
        Command::User(arguments) => user::run(arguments),
        Command::Serve(arguments) => {
            log::start(LevelFilter::INFO, cli.verbose);
            run(serve::run(arguments))
        }
        Command::Call(arguments) => {
            // Why there is no answer is said in words of the program's own.
            log::start(LevelFilter::ERROR, cli.verbose);
            run(call::run(arguments))
        }
        Command::Peers(arguments) => {
            log::start(LevelFilter::ERROR, cli.verbose);
            run(admin::peers(arguments))
        }
        Command::Kick(arguments) => {
            log::start(LevelFilter::ERROR, cli.verbose);
            run(admin::kick(arguments))
        }
    }
}

fn run(command: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(FAILED, &format!("cannot start threads: {error}")),
    };
    let code = runtime.block_on(command);
    // Long enough for tasks to be dropped, and with them the files of Unix sockets; a name that is
    // still being looked up must not hold the exit up.
    runtime.shutdown_timeout(Duration::from_millis(200));
    code
}
