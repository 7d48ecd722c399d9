//! Binding: one task accepts, one task drives each link.

use super::connect::resolve;
use super::key_pairs::{KeyPairs, LinkSetup};
use super::options::{BindOptions, Options};
use super::security;
use crate::endpoint_error::EndpointError;
use crate::engine::sockets::Listening;
use crate::link::driver::Driver;
use crate::link::{CarrierConfig, Host, Origin};
use crate::runtime::abort::Abort;
use crate::runtime::time::sleep;
use crate::runtime::{Listener, Runtime, SocketAddress, unsupported};
use pseud_proto::address::{Address, Transport};
use pseud_proto::backoff::{Backoff, Retry};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// Binds; returns the endpoint with the port that it really has, and what listens there.
pub(crate) async fn bind<R: Runtime>(
    host: &Arc<Host>,
    options: &Options,
    address: &Address,
    here: BindOptions,
    runtime: &R,
    keys: &Arc<KeyPairs>,
) -> Result<(Address, Bound), EndpointError> {
    security::check_endpoint(options, address, "bind")?;
    let cannot = |cause| EndpointError::Io { verb: "bind", endpoint: address.to_string(), cause };
    let listener = listen(runtime, address, options.ipc_mode).await.map_err(cannot)?;
    let bound = match listener.tcp_address().map_err(cannot)? {
        Some(real) => Address::from(real),
        None => address.clone(),
    };
    host.hub().listens();
    tracing::info!(endpoint = %bound, "listening");
    let setup = LinkSetup::new(options.accepting(), keys.clone());
    let open = Arc::new(OpenListener(Mutex::new(Some(listener))));
    if !host.hub().listen(&open) {
        return Err(EndpointError::ShutDown { verb: "bind", endpoint: address.to_string() });
    }
    let task = Abort::default();
    let accept = accept(host.clone(), setup, here, open.clone(), runtime.clone());
    runtime.spawn(task.clone().unless_aborted(accept));
    Ok((bound, Bound { open, task }))
}

/// Listens there.
async fn listen<R: Runtime>(
    runtime: &R,
    address: &Address,
    ipc_mode: Option<u32>,
) -> io::Result<R::Listener> {
    let at = match address.transport() {
        Transport::Tcp { host, port } => {
            let host = if host == "*" { "0.0.0.0" } else { host };
            return listen_tcp(runtime, resolve(runtime, host, *port).await?).await;
        }
        Transport::Ipc { path } => SocketAddress::UnixPath(path.into()),
        Transport::IpcAbstract { name } => SocketAddress::UnixAbstract(name.clone()),
        _ => return Err(unsupported()),
    };
    runtime.bind(&at, ipc_mode).await
}

/// Binds the first of a host's addresses that this machine has. One that is in use is an error: else a
/// second server at `localhost` would stand beside the first, at the name's next address.
async fn listen_tcp<R: Runtime>(
    runtime: &R,
    addresses: Vec<SocketAddr>,
) -> io::Result<R::Listener> {
    let mut error = io::Error::new(io::ErrorKind::InvalidInput, "the host has no address");
    for address in addresses {
        match runtime.bind(&SocketAddress::Tcp(address), None).await {
            Err(failed) if failed.kind() != io::ErrorKind::AddrInUse => error = failed,
            bound => return bound,
        }
    }
    Err(error)
}

/// An endpoint that is listened at, and what ends that.
pub(crate) struct Bound {
    open: Arc<dyn Listening>,
    task: Abort,
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").finish_non_exhaustive()
    }
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
struct OpenListener<L>(Mutex<Option<L>>);

impl<L: Listener> OpenListener<L> {
    fn lock(&self) -> MutexGuard<'_, Option<L>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None`: it is closed.
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<Option<io::Result<L::Stream>>> {
        match &*self.lock() {
            Some(listener) => listener.poll_accept(cx).map(Some),
            None => Poll::Ready(None),
        }
    }
}

impl<L: Listener> Listening for OpenListener<L> {
    fn close(&self) {
        // The socket is closed under the lock: whoever closes second returns when it is closed, not about to be.
        *self.lock() = None;
    }
}

/// Accepts until the socket is closed or the node has ended. An error of one connection, or too many
/// open files, ends neither the listener nor anybody else's link.
async fn accept<R: Runtime>(
    host: Arc<Host>,
    mut setup: LinkSetup,
    here: BindOptions,
    open: Arc<OpenListener<R::Listener>>,
    runtime: R,
) {
    let (mut backoff, mut ended) = (Backoff::new(patience()), host.hub().shut_down());
    loop {
        let accepted = poll_fn(|cx| match Pin::new(&mut ended).poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => open.poll_accept(cx),
        });
        match accepted.await {
            None => return,
            Some(Ok(stream)) => {
                backoff.succeeded();
                serve(&host, setup.next(), here, stream, &runtime);
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "cannot accept a connection; trying again");
                sleep(&runtime, backoff.failed(u32::MAX)).await;
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
fn serve<R: Runtime>(
    host: &Arc<Host>,
    config: CarrierConfig,
    here: BindOptions,
    stream: R::Stream,
    runtime: &R,
) {
    let origin = Origin::Accepted { late_guard: here.late_guard };
    match Driver::new(host, config, origin, stream, runtime) {
        // The driver's future is spawned as it is: within another one it would take its size twice.
        Ok(driver) => runtime.spawn(driver.run()),
        Err(error) => tracing::debug!(%error, "link failed"),
    }
}
