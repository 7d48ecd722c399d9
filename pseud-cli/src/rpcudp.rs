//! Calls over datagrams: `pseud serve --rpcudp`, `pseud call --rpcudp`.

use crate::cli::CallArguments;
use crate::exit::{NO_ANSWER, USAGE, fail};
use crate::result::answer;
use crate::terminal;
use pseud::proto::value::Value;
pub(crate) use pseud::rpcudp::Endpoint;
use pseud::rpcudp::Options;
use pseud::tokio::Drain;
use pseud::{CallError, Reason, Registry};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::task::JoinSet;

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

/// Drains all of them, for that long at most.
pub(crate) async fn drain(endpoints: &[Endpoint], at_most: Duration) -> Drain {
    let drain = |endpoint: &Endpoint| {
        let endpoint = endpoint.clone();
        async move { endpoint.drain(at_most).await }
    };
    let drains: JoinSet<Drain> = endpoints.iter().map(drain).collect();
    let drained = drains.join_all().await;
    match drained.iter().all(|drained| *drained == Drain::Complete) {
        true => Drain::Complete,
        false => Drain::CutShort,
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
