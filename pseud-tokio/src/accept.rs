//! Binding: one task accepts, one task drives each link.

use crate::driver::Driver;
use crate::failure::{invalid, named};
use crate::listener::Listener;
use crate::options::{BindOptions, Options};
use crate::security;
use crate::socket::Stream;
use pseud_async::{Hub, Listening, Origin};
use pseud_proto::address::Address;
use pseud_proto::backoff::{Backoff, Retry};
use pseud_proto::zmtp::ConnectionConfig;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, spawn};
use tokio::time::sleep;

/// Binds; returns the endpoint with the port that it really has, and what listens there.
pub(crate) async fn bind(
    hub: &Arc<Hub>,
    options: &Options,
    endpoint: &str,
    here: BindOptions,
    handle: &Handle,
) -> io::Result<(String, Bound)> {
    let address = Address::to_bind(endpoint).map_err(invalid)?;
    security::judge_endpoint(options, &address, "bind", endpoint)?;
    let listener = Listener::bind(&address, options.ipc_mode).await;
    let listener = listener.map_err(|error| named("bind", endpoint, &error))?;
    let bound = listener.endpoint(&address)?;
    hub.listens();
    tracing::info!(endpoint = %bound, "listening");
    let config = options.config.announced(Arc::new(options.connection.clone()));
    let open = Arc::new(Open(Mutex::new(Some(listener))));
    if !hub.listen(&open) {
        return Err(named("bind", endpoint, &io::Error::other("this side shut down")));
    }
    let task = handle.spawn(accept(hub.clone(), config, here, open.clone())).abort_handle();
    Ok((bound, Bound { open, task }))
}

/// An endpoint that is listened at, and what ends that.
#[derive(Debug)]
pub(crate) struct Bound {
    open: Arc<Open>,
    task: AbortHandle,
}

impl Bound {
    /// When this returns the endpoint is free.
    pub(crate) fn unbind(&self) {
        self.open.close();
        self.task.abort();
    }
}

/// What listens, until it is closed: by whoever wants the endpoint to be free, not by the task that
/// accepts, which may not run before somebody binds there again.
struct Open(Mutex<Option<Listener>>);

impl Open {
    fn lock(&self) -> MutexGuard<'_, Option<Listener>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None`: it is closed.
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Stream>>> {
        match &*self.lock() {
            Some(listener) => listener.poll_accept(cx).map(Some),
            None => Poll::Ready(None),
        }
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Open").field(&self.lock().is_some()).finish()
    }
}

impl Listening for Open {
    fn close(&self) {
        // Under the lock: whoever comes second finds the socket closed, not about to be.
        *self.lock() = None;
    }
}

/// Accepts until the socket is closed or the hub is shut down. An error of one connection, or too many
/// open files, ends neither the listener nor anybody else's link.
async fn accept(hub: Arc<Hub>, config: Arc<ConnectionConfig>, here: BindOptions, open: Arc<Open>) {
    let (mut backoff, mut ended) = (Backoff::new(patience()), hub.shut_down());
    loop {
        let accepted = poll_fn(|cx| match Pin::new(&mut ended).poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => open.poll_accept(cx),
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
    match Driver::new(hub, config, origin, stream) {
        // Not inside another future: that would hold this one twice.
        Ok(driver) => drop(spawn(driver.run())),
        Err(error) => tracing::debug!(%error, "link failed"),
    }
}
