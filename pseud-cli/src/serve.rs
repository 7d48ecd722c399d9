//! `pseud serve`.

use crate::cli::ServeArguments;
use crate::exit::{USAGE, fail, fail_at};
use crate::security::Security;
use crate::{demo, rpcudp, terminal};
use pseud::tokio::Drain;
use pseud::{Options, Server};
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

/// How long open calls may take to end once we are told to stop: as long as callers wait by default.
const GRACE: Duration = Duration::from_secs(5);

/// The name of a server of ours that no peer of pseud's can reach: it serves datagrams alone.
const UNNAMED: &str = "rpcudp";

pub(crate) async fn run(arguments: ServeArguments) -> ExitCode {
    let options = Options::server(arguments.name.as_deref().unwrap_or(UNNAMED))
        .call_timeout(arguments.timeout)
        .late_guard(arguments.late_guard)
        .expose_traceback(arguments.expose_traceback);
    let options = match arguments.guard.put_to(options) {
        Ok(options) => options,
        Err(error) => return fail(USAGE, &error.to_string()),
    };
    match serve(arguments, options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail_at(error.as_ref()),
    }
}

async fn serve(arguments: ServeArguments, options: Options) -> Result<(), Box<dyn Error>> {
    // Before anything is printed: whoever has read that we listen may stop us.
    let mut signals = Signals::new()?;
    let server = Server::with_options(options)?;
    match arguments.demo {
        true => demo::register(&server)?,
        false => tracing::warn!("no methods are served: start it with --demo to serve some"),
    }
    for endpoint in &arguments.bind {
        let bound = server.bind(endpoint).await?;
        if arguments.guard.security == Security::None {
            warn_of_strangers(&bound);
        }
        terminal::say(&format!("listening on {bound}"))?;
    }
    for endpoint in &arguments.connect {
        server.connect(endpoint)?;
    }
    let mut datagrams = Vec::new();
    for at in &arguments.rpcudp {
        let endpoint = rpcudp::bind(at, server.registry()).await?;
        terminal::say(&format!("listening on rpcudp {}", endpoint.local_addr()))?;
        datagrams.push(endpoint);
    }
    let signal = signals.next().await;
    tracing::info!(
        "{signal}: new calls are refused; stopping once open ones are answered, in {} s at most, \
         and their answers read; signal again to stop at once",
        GRACE.as_secs()
    );
    tokio::select! {
        (drained, ()) = async {
            tokio::join!(server.drain(GRACE), rpcudp::answered(&datagrams, GRACE))
        } => {
            if drained == Drain::CutShort {
                tracing::warn!("stopped before every call was answered and every answer read");
            }
        }
        _ = signals.next() => server.shutdown(),
    }
    Ok(())
}

fn warn_of_strangers(bound: &str) {
    let loopback = ["tcp://127.", "tcp://[::1]:", "ipc://"];
    if !loopback.iter().any(|prefix| bound.starts_with(prefix)) {
        tracing::warn!(
            endpoint = bound,
            "whoever reaches this endpoint may call: nothing is authenticated or encrypted; bind to \
             127.0.0.1, keep it behind a firewall, or use --security trusted-curve"
        );
    }
}

/// The signals that stop us.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { interrupt, terminate })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) -> &'static str {
        self.0.recv().await;
        "Ctrl-C"
    }
}
