//! Binding: one task accepts, one task drives each link.

use crate::driver::drive;
use crate::failure::{invalid, named};
use crate::listener::Listener;
use crate::options::{BindOptions, Options};
use crate::security;
use crate::socket::Stream;
use pseud_async::{Hub, Origin};
use pseud_proto::address::Address;
use pseud_proto::backoff::{Backoff, Retry};
use pseud_proto::zmtp::ConnectionConfig;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::task::{AbortHandle, spawn};
use tokio::time::sleep;

/// Binds; returns the endpoint with the port that it really has, and what ends the listening.
pub(crate) async fn bind(
    hub: &Arc<Hub>,
    options: &Options,
    endpoint: &str,
    here: BindOptions,
) -> io::Result<(String, AbortHandle)> {
    let address = Address::to_bind(endpoint).map_err(invalid)?;
    security::judge_endpoint(options, &address, "bind", endpoint)?;
    let listener = Listener::bind(&address, options.ipc_mode).await;
    let listener = listener.map_err(|error| named("bind", endpoint, &error))?;
    let bound = listener.endpoint(&address)?;
    hub.listens();
    tracing::info!(endpoint = %bound, "listening");
    let config = options.config.announced(Arc::new(options.connection.clone()));
    let task = spawn(accept(hub.clone(), config, here, listener));
    Ok((bound, task.abort_handle()))
}

/// Accepts until the hub is shut down. An error of one connection, or too many open files, ends
/// neither the listener nor anybody else's link.
async fn accept(
    hub: Arc<Hub>,
    config: Arc<ConnectionConfig>,
    here: BindOptions,
    listener: Listener,
) {
    let (mut backoff, mut ended) = (Backoff::new(patience()), hub.shut_down());
    loop {
        let accepted = poll_fn(|cx| match Pin::new(&mut ended).poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => listener.poll_accept(cx).map(Some),
        });
        match accepted.await {
            None => return,
            Some(Ok(stream)) => {
                backoff.succeeded();
                serve(&hub, config.clone(), here, stream);
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "cannot accept a connection; trying again");
                sleep(backoff.failed(u32::MAX)).await;
            }
        }
    }
}

/// How long to wait after a failed accept: too many open files pass.
fn patience() -> Retry {
    let mut retry = Retry::default();
    retry.first = Duration::from_millis(10);
    retry.max = Duration::from_secs(1);
    retry
}

/// Serves that link in a task of its own.
fn serve(hub: &Arc<Hub>, config: Arc<ConnectionConfig>, here: BindOptions, stream: Stream) {
    let origin = Origin::Accepted { late_guard: here.late_guard };
    match drive(hub, config, origin, stream) {
        // Not inside another future: that would hold this one twice.
        Ok(driven) => drop(spawn(driven)),
        Err(error) => tracing::debug!(%error, "link failed"),
    }
}
