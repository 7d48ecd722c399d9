//! Calls over datagrams: `pseud serve --rpcudp`, `pseud call --rpcudp`.

use crate::cli::CallArguments;
use crate::exit::{NO_ANSWER, USAGE, fail};
use crate::result::answer;
use crate::terminal;
use pseud::proto::value::Value;
use pseud::rpcudp::{Endpoint, Options};
use pseud::{CallError, Reason, Registry};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::net::lookup_host;

/// How often it is looked whether open requests are answered, once we are told to stop.
const LOOK: Duration = Duration::from_millis(20);

/// A socket there that serves that registry.
pub(crate) async fn bind(at: &str, registry: Registry) -> io::Result<Endpoint> {
    let cannot = |error: io::Error| io::Error::other(format!("cannot bind {at}: {error}"));
    let address = resolve(&at.replacen("*:", "0.0.0.0:", 1)).await.map_err(cannot)?;
    let endpoint = Endpoint::bind_with(address, Options::default().registry(registry));
    let endpoint = endpoint.map_err(io::Error::from)?;
    if !address.ip().is_loopback() {
        tracing::warn!(
            endpoint = %endpoint.local_addr(),
            "whoever reaches this address may call, and may forge the sender's: nothing is \
             authenticated or encrypted; bind to 127.0.0.1, or keep it behind a firewall"
        );
    }
    Ok(endpoint)
}

/// Waits until all requests are answered, for that long at most.
pub(crate) async fn answered(endpoints: &[Endpoint], at_most: Duration) {
    let start = Instant::now();
    let open = |endpoint: &Endpoint| endpoint.stats().requests_open > 0;
    while endpoints.iter().any(open) && start.elapsed() < at_most {
        tokio::time::sleep(LOOK).await;
    }
}

/// `pseud call --rpcudp`.
pub(crate) async fn call(at: &str, arguments: &CallArguments) -> ExitCode {
    let to = match resolve(at).await {
        Ok(address) => address,
        Err(error) => {
            return fail(NO_ANSWER, &format!("not executed: cannot look up {at}: {error}"));
        }
    };
    let any: SocketAddr = match to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let endpoint = match Endpoint::bind(any) {
        Ok(endpoint) => endpoint,
        Err(error) => return fail(NO_ANSWER, &format!("not executed: no socket: {error}")),
    };
    let call = endpoint.call::<Value, _>(to, &arguments.method, &arguments.arguments);
    match call.timeout(arguments.timeout).await {
        Ok(value) => answer(&value),
        Err(CallError::Refused(refused)) => fail(USAGE, &refused.to_string()),
        Err(error) => {
            terminal::complain(&terminal::escape(&format!("no answer: {error}")));
            if let CallError::Unknown(Reason::TimedOut) = error {
                terminal::complain(
                    "this wire tells no errors: nobody may be there, nothing may be served of that \
                     name, the method may have failed, or a datagram was lost",
                );
            }
            ExitCode::from(NO_ANSWER)
        }
    }
}

async fn resolve(at: &str) -> io::Result<SocketAddr> {
    let mut found = lookup_host(at).await?;
    found.next().ok_or_else(|| io::Error::other("it has no address"))
}
