//! Binding: one task accepts, one task drives each link.

use crate::driver::drive;
use pseud_async::Hub;
use pseud_proto::address::Address;
use pseud_proto::backoff::{Backoff, Retry};
use pseud_proto::zmtp::{ConnectionConfig, Side};
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Binds; returns the endpoint with the port that it really has.
pub(crate) async fn bind(
    hub: &Arc<Hub>,
    config: &Arc<ConnectionConfig>,
    endpoint: &str,
) -> io::Result<String> {
    let address = Address::to_bind(endpoint).map_err(invalid)?;
    let Address::Tcp { host, port } = address else { return Err(unsupported(endpoint)) };
    let host = if host == "*" { "0.0.0.0" } else { &host };
    let listener =
        TcpListener::bind((host, port)).await.map_err(|e| named("bind", endpoint, &e))?;
    let bound = format!("tcp://{}", listener.local_addr()?);
    tracing::info!(endpoint = %bound, "listening");
    tokio::spawn(accept(hub.clone(), config.clone(), listener));
    Ok(bound)
}

pub(crate) fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

pub(crate) fn unsupported(endpoint: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("{endpoint}: unsupported transport"))
}

/// The same error, naming the endpoint.
pub(crate) fn named(verb: &str, endpoint: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {verb} {endpoint}: {error}"))
}

/// Accepts until the hub is shut down. An error of one connection, or too many open files, ends
/// neither the listener nor anybody else's link.
async fn accept(hub: Arc<Hub>, config: Arc<ConnectionConfig>, listener: TcpListener) {
    let mut links = JoinSet::new();
    let mut backoff = Backoff::new(retry());
    loop {
        let accepted = poll_fn(|cx| {
            while let Poll::Ready(Some(_)) = links.poll_join_next(cx) {}
            match hub.poll_shut_down(cx) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => listener.poll_accept(cx).map(Some),
            }
        });
        match accepted.await {
            None => break,
            Some(Ok((stream, _))) => {
                backoff.succeeded();
                links.spawn(serve(hub.clone(), config.clone(), stream));
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "cannot accept a connection; trying again");
                sleep(backoff.failed(u32::MAX)).await;
            }
        }
    }
    drop(listener);
    while links.join_next().await.is_some() {}
}

fn retry() -> Retry {
    let mut retry = Retry::default();
    retry.first = Duration::from_millis(10);
    retry.max = Duration::from_secs(1);
    retry
}

async fn serve(hub: Arc<Hub>, config: Arc<ConnectionConfig>, stream: TcpStream) {
    match drive(&hub, config, Side::Accepting, stream).await {
        Ok((reason, _)) => tracing::debug!(%reason, "link closed"),
        Err(error) => tracing::debug!(%error, "link failed"),
    }
}
