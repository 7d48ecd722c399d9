//! `pseud serve`.

use crate::cli::ServeArguments;
use crate::exit::{USAGE, fail, fail_at};
use crate::security::{Guard, Security};
use crate::users::{Directory, Reloaded};
use crate::{demo, kaa, rpcudp, terminal};
use pseud::tokio::Drain;
use pseud::{Options, Parting, PeerInfo, Presence, PresenceEvent, Registry, Role, Server};
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// How long open calls may take to end once we are told to stop: as long as callers wait by default.
const GRACE: Duration = Duration::from_secs(5);

/// The name of a server of ours that no peer of pseud's can reach: it serves other wires alone.
const UNNAMED: &str = "unnamed";

pub(crate) async fn run(arguments: ServeArguments) -> ExitCode {
    let registry = Registry::new();
    let options = Options::server(arguments.name.as_deref().unwrap_or(UNNAMED))
        .registry(registry.clone())
        .call_timeout(arguments.timeout)
        .late_guard(arguments.late_guard)
        .expose_traceback(arguments.expose_traceback);
    // Where nobody is to come, we are a client that is called.
    let only_connects = arguments.bind.is_empty() && !arguments.connect.is_empty();
    let put = match only_connects {
        true => arguments.guard.log_in(options).map(|options| (options, None)),
        false => arguments.guard.put_to(options),
    };
    let (options, users) = match put {
        Ok(put) => put,
        Err(error) => return fail(USAGE, &error.to_string()),
    };
    let role = if arguments.bind.is_empty() { Role::Client } else { Role::Server };
    let options = match arguments.heartbeat.put_to(role, options) {
        Ok(options) => options,
        Err(error) => return fail(USAGE, &error.to_string()),
    };
    // Before anything is bound: as for the other files, an error of use.
    if let Err(error) = kaa::options(arguments.kaa_secret_file.as_deref()) {
        return fail(USAGE, &error.to_string());
    }
    match serve(arguments, options, registry, users).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail_at(error.as_ref()),
    }
}

async fn serve(
    arguments: ServeArguments,
    options: Options,
    registry: Registry,
    users: Option<Arc<Directory>>,
) -> Result<(), Box<dyn Error>> {
    // Before anything is printed: whoever has read that we listen may signal us.
    let mut signals = Signals::new()?;
    let has_keys = arguments.guard.is_curve_server();
    let mut hangups = Hangups::new(users.is_some() || has_keys)?;
    let server = Server::with_options(options)?;
    match arguments.demo {
        true => demo::register(&server)?,
        false => tracing::warn!("no methods are served: start it with --demo to serve some"),
    }
    let open_admin = arguments.open_admin;
    server.registry().serve_admin(move |caller| open_admin && is_here(caller.address()));
    if arguments.demo {
        tokio::spawn(log_presence(server.presence()));
    }
    let serving = Serving::begin(&arguments, server, registry).await?;
    let reloading = async {
        loop {
            hangups.next().await;
            if has_keys {
                reload_keys(&serving.server, &arguments.guard).await;
            }
            if let Some(users) = &users {
                reload_beside(&serving.server, users).await;
            }
        }
    };
    let signal: &str = tokio::select! {
        signal = signals.next() => signal,
        never = reloading => never,
    };
    tracing::info!(
        "{signal}: new calls are refused; stopping once open ones are answered, in {} s at most, \
         and their answers read; signal again to stop at once",
        GRACE.as_secs()
    );
    tokio::select! {
        () = serving.drain() => {}
        _ = signals.next() => serving.shutdown(),
    }
    Ok(())
}

/// A server, and what serves the same methods on other wires.
struct Serving {
    server: Server,
    datagrams: Vec<rpcudp::Endpoint>,
    kaa: kaa::Server,
}

impl Serving {
    /// Binds and connects it everywhere, and says where it listens.
    async fn begin(
        arguments: &ServeArguments,
        server: Server,
        registry: Registry,
    ) -> Result<Self, Box<dyn Error>> {
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
            terminal::say(&format!("listening on {} (rpcudp)", endpoint.local_addr()))?;
            datagrams.push(endpoint);
        }
        let kaa = kaa::serve(arguments, registry).await?;
        Ok(Self { server, datagrams, kaa })
    }

    async fn drain(&self) {
        let datagrams = rpcudp::drain(&self.datagrams, GRACE);
        let (drained, kaa, datagrams) =
            tokio::join!(self.server.drain(GRACE), self.kaa.close(GRACE), datagrams);
        if [drained, kaa, datagrams].contains(&Drain::CutShort) {
            tracing::warn!("stopped before every call was answered and every answer read");
        }
    }

    fn shutdown(&self) {
        self.server.shutdown();
        self.kaa.shutdown();
        self.datagrams.iter().for_each(rpcudp::Endpoint::close);
    }
}

/// Reads the users again. Signals are heard meanwhile: the file may be slow to open, and a hash takes a while.
async fn reload_beside(server: &Server, users: &Arc<Directory>) {
    let reading = users.clone();
    let read = spawn_blocking(move || reading.reload()).await;
    reload(server, users, read.unwrap_or_else(|panic| Err(panic.into())));
}

/// Shows out those who may not stay, by what was read.
fn reload(server: &Server, users_of: &Directory, read: io::Result<Reloaded>) {
    let Reloaded { users, gone, changed } = match read {
        Ok(reloaded) => reloaded,
        Err(error) => {
            // The error may name what somebody wrote into the file.
            let error = terminal::escape(&error.to_string());
            tracing::error!(error, "users are not reloaded: those who were known still are");
            return;
        }
    };
    for user in &changed {
        let sessions = server.update_user(user);
        let user = terminal::escape(&user.to_string());
        tracing::info!(user, sessions, "its permissions changed: its sessions go on with them");
    }
    let mut ended = 0;
    for user in &gone {
        // Who is another from now on is to come back, as that.
        let why = if users_of.knows(user) { Parting::Draining } else { Parting::Revoked };
        let sessions = server.disconnect_user_as(user, why);
        ended += sessions;
        tracing::info!(
            user = terminal::escape(user),
            sessions,
            "removed, or its password or a key changed: sessions ended"
        );
    }
    let (gone, changed) = (gone.len(), changed.len());
    tracing::info!(users, gone, changed, sessions = ended, "users reloaded");
}

/// Reads our keys again: new links have them.
async fn reload_keys(server: &Server, guard: &Guard) {
    // Beside: a file may be slow to open, and signals are heard meanwhile.
    let guard = guard.clone();
    let read = spawn_blocking(move || guard.key_pairs()).await;
    let loaded = read.unwrap_or_else(|panic| Err(panic.into())).and_then(|pairs| {
        let shown: Vec<_> = pairs.iter().map(|pair| pair.public().to_string()).collect();
        server.set_key_pairs(pairs)?;
        Ok(shown.join(" "))
    });
    match loaded {
        Ok(public) => tracing::info!(public, "keys reloaded"),
        Err(error) => {
            let error = terminal::escape(&error.to_string());
            tracing::error!(error, "keys are not reloaded: those that we had we still have");
        }
    }
}

/// Whether that is an address of this machine itself, or of a Unix socket on it.
fn is_here(address: &str) -> bool {
    match address.parse::<SocketAddr>() {
        Ok(address) => address.ip().to_canonical().is_loopback(),
        Err(_) => address.starts_with("ipc"),
    }
}

/// A line on stderr for each who comes or goes. It holds no handle that would keep the server alive.
async fn log_presence(mut presence: Presence) {
    while let Some(event) = presence.next().await {
        match event {
            PresenceEvent::Joined { session, info, .. } => {
                let who = who(&info);
                tracing::info!(%session, address = %info.address, "joined: {who}");
            }
            // It is told again at once, as that user.
            PresenceEvent::Left { session, info, reason: None } => {
                let who = who(&info);
                tracing::info!(%session, address = %info.address, "logs in, or left unseen: {who}");
            }
            PresenceEvent::Left { session, info, reason: Some(reason) } => {
                let who = who(&info);
                tracing::info!(%session, address = %info.address, %reason, "left: {who}");
            }
            PresenceEvent::Lagged(missed) => tracing::info!(missed, "joins and leaves were missed"),
            _ => {}
        }
    }
}

/// Its user, else its identity, if it told one.
fn who(info: &PeerInfo) -> String {
    match (info.user.is_anonymous(), info.identity.first()) {
        (false, _) => info.user.to_string(),
        (true, None | Some(0)) => "somebody".to_owned(),
        (true, Some(_)) => info.identity.escape_ascii().to_string(),
    }
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

/// The signal to read users and keys again. Without either it keeps its default: it ends us.
#[cfg(unix)]
struct Hangups(Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Hangups {
    fn new(wanted: bool) -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        wanted.then(|| signal(SignalKind::hangup())).transpose().map(Self)
    }

    async fn next(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}

/// There is none.
#[cfg(windows)]
struct Hangups;

#[cfg(windows)]
impl Hangups {
    fn new(_: bool) -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        std::future::pending().await
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
