//! The face of one socket.

use super::driver;
use super::driver::EndsEndpoint;
use super::serve::ServedEndpoint;
use crate::datagram::call::Call;
use crate::datagram::peer::Peer;
use crate::datagram::shared::SharedSocket;
use crate::datagram::socket::{DatagramSocket, Datagrams};
use crate::endpoint_error::EndpointError;
use crate::engine::hub::Hub;
use crate::engine::wait_list::WaitHandle;
use crate::node::Drain;
use crate::runtime::time::{after, by, within};
use crate::serve::registry::Registry;
use crate::serve::registry::service_table::Served;
use pseud_proto::rpcudp::{Config, Stats};
use serde::Serialize;
use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// One UDP socket that serves handlers and calls others. Cheap to clone; all clones are one.
///
/// When the last clone is dropped the socket closes and pending calls end as
/// [`CallError::Closed`](crate::CallError::Closed). A handler that holds a clone keeps it open: use
/// [`Caller::rpcudp`](crate::Caller::rpcudp) there.
///
/// ```no_run
/// use pseud_async::rpcudp::{Datagrams, Endpoint};
///
/// async fn ask<R: Datagrams>(endpoint: &Endpoint<R>) -> Result<String, Box<dyn std::error::Error>> {
///     endpoint.register_typed("ping", |(_id,): (u64,), _| async { Ok::<_, pseud::Fault>("pong") })?;
///     Ok(endpoint.call("127.0.0.1:8468".parse()?, "sayhi", ("Snake",)).await?)
/// }
/// ```
pub struct Endpoint<R: Datagrams> {
    owner: Arc<EndpointOwner>,
    local: SocketAddr,
    runtime: R,
}

/// Closes the endpoint when the last handle goes.
#[derive(Debug)]
struct EndpointOwner(Arc<ServedEndpoint>);

impl Drop for EndpointOwner {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Settings of an [`Endpoint`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// Those of the machine.
    pub config: Config,
    /// What is served besides the [global](Registry::global) registry: a registry that others may serve,
    /// too, over this wire or another. `None`: one of its own.
    pub registry: Option<Registry>,
}

impl Options {
    /// The same with other settings of the machine.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// The same, serving that registry.
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }
}

impl<R: Datagrams> Endpoint<R> {
    /// A socket at that address; port 0 is one that is free.
    ///
    /// A machine of several addresses is to be bound to the one that peers call. Where it is bound to all of
    /// them (`0.0.0.0`, `[::]`) the system answers from the one that its routes say: callers who asked
    /// another believe no answer from there, unless they are set to
    /// ([`Config::any_source`]), and their calls time out.
    ///
    /// # Errors
    /// It is called outside a runtime, or in one that lacks what an endpoint needs; the address cannot be
    /// had; the operating system gives no entropy.
    pub fn bind(at: SocketAddr) -> Result<Self, EndpointError> {
        Self::bind_with(at, Options::default())
    }

    /// The same with settings of its own.
    ///
    /// # Errors
    /// As for [`bind`](Self::bind).
    pub fn bind_with(at: SocketAddr, options: Options) -> Result<Self, EndpointError> {
        let runtime = R::current().map_err(EndpointError::Runtime)?;
        let cannot = |cause| EndpointError::Io { verb: "bind", endpoint: at.to_string(), cause };
        let socket = runtime.enter(|| runtime.bind_datagrams(at)).map_err(cannot)?;
        let local = socket.local_addr().map_err(cannot)?;
        let seed = runtime.seed().map_err(EndpointError::Runtime)?;
        let mut machine = pseud_proto::rpcudp::Endpoint::new(options.config, seed);
        machine.set_local(local);
        let hub = Hub::new(Arc::default(), runtime.clone()).map_err(EndpointError::Runtime)?;
        let hub = Arc::new(hub);
        let shared = Arc::new(SharedSocket::new(machine, socket, hub));
        let served = Arc::new(options.registry.map_or_else(Served::own, Served::shared));
        let serving = Arc::new(ServedEndpoint { shared, served });
        runtime.spawn(driver::run(runtime.clone(), EndsEndpoint(serving.clone())));
        Ok(Self { owner: Arc::new(EndpointOwner(serving)), local, runtime })
    }

    /// Where it is bound, with the port that it really has.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Whoever is at that address.
    pub fn peer(&self, address: SocketAddr) -> Peer {
        Peer::new(self.owner.0.shared.clone(), address)
    }

    /// Calls who is at that address. `args` is a tuple: `("Snake",)`, `()`. See [`Call`].
    pub fn call<T, A: Serialize>(
        &self,
        to: SocketAddr,
        name: impl AsRef<str>,
        args: A,
    ) -> Call<T, A> {
        self.peer(to).call(name, args)
    }

    /// What it holds now, and what was silent, with its reasons.
    pub fn stats(&self) -> Stats {
        self.owner.0.shared.lock().machine.stats()
    }

    /// Ends it in order: takes no new requests, lets what is open finish for that long at most, sends what
    /// waits to be sent, then [closes](Self::close) it. Says whether it was cut short. Any executor may
    /// await it. Dropped before its end it leaves an endpoint that takes no new requests.
    ///
    /// Who asks meanwhile hears nothing, as ever where nobody answers; requests that come again are answered
    /// once more where their answers are kept.
    pub async fn drain(&self, at_most: Duration) -> Drain {
        let (shared, place) = (&self.owner.0.shared, WaitHandle::default());
        shared.drain();
        let idle = poll_fn(|cx| {
            place.register(cx.waker());
            match shared.wait_for_idle(&place) {
                true => Poll::Pending,
                false => Poll::Ready(()),
            }
        });
        let until = after(self.runtime.now(), at_most);
        let drained = within(&self.runtime, by(&self.runtime, until, idle)).await;
        self.close();
        drained.map_or(Drain::CutShort, |()| Drain::Complete)
    }

    /// Ends everything now: calls end as closed, what comes is dropped, handlers that wait are dropped,
    /// and the socket closes as its task ends.
    pub fn close(&self) {
        self.owner.0.close();
    }

    /// Waits until it is closed, by another clone or with its runtime. Cancel-safe.
    pub async fn closed(&self) {
        self.owner.0.shared.hub.shut_down().await;
    }

    /// What it serves besides the [global](Registry::global) registry: its own, or the one that it was
    /// given.
    pub fn registry(&self) -> Registry {
        self.owner.0.served.registry()
    }

    crate::serve::registry::forward::forward!();
}

impl<R: Datagrams> Clone for Endpoint<R> {
    fn clone(&self) -> Self {
        Self { owner: self.owner.clone(), local: self.local, runtime: self.runtime.clone() }
    }
}

impl<R: Datagrams> fmt::Debug for Endpoint<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("local", &self.local).finish_non_exhaustive()
    }
}
