//! What a link asks of its node.

use crate::auth::asking::Asking;
use crate::auth::places::{Admission, Admissions};
use crate::engine::dial::Dial;
use crate::engine::handshakes::Handshake;
use crate::engine::hooks::Hooks;
use crate::engine::hub::Hub;
use crate::engine::refusals::line::Unavailable;
use crate::engine::sockets::{Listening, OpenSocket, SocketsClosed};
use crate::runtime::Executor;
use crate::serve::dispatch::Dispatcher;
use crate::serve::on_disconnect::OnDisconnect;
use crate::serve::registry::Registry;
use crate::serve::registry::service_table::Served;
use pseud_proto::zmtp::{Question, Verdict};
use pseud_proto::{Config, StrangerDropped};
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// A node, as its links know it: its engine, what serves requests, and who decides on strangers.
#[derive(Debug)]
pub struct Host {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) admissions: Admissions,
}

impl Host {
    /// A node without links, which lets nobody in who must be asked about.
    ///
    /// # Errors
    /// The operating system gives no entropy: there is no fallback.
    pub fn new(config: Arc<Config>, runtime: impl Executor + 'static) -> io::Result<Self> {
        let hub = Arc::new(Hub::new(config, runtime)?);
        let (served, on_disconnect) = (Arc::new(Served::own()), OnDisconnect::default());
        Ok(Self {
            dispatcher: Dispatcher { hub, served, on_disconnect },
            admissions: Admissions::default(),
        })
    }

    /// The same with somebody who is asked about strangers.
    #[must_use]
    pub(crate) fn with_admission(mut self, admission: Admission) -> Self {
        self.admissions = Admissions::new(admission);
        self
    }

    /// The same with a registry that others may hold as well: it outlives this node.
    #[must_use]
    pub(crate) fn with_registry(mut self, registry: Registry) -> Self {
        self.dispatcher.served = Arc::new(Served::shared(registry));
        self
    }

    /// The same with another fate of handlers whose callers have left.
    #[must_use]
    pub(crate) fn with_on_disconnect(mut self, on_disconnect: OnDisconnect) -> Self {
        self.dispatcher.on_disconnect = on_disconnect;
        self
    }

    /// The same, with somebody who is told of sessions.
    #[must_use]
    pub(crate) fn with_hooks(self, hooks: Option<Arc<dyn Hooks>>) -> Self {
        if let Some(hooks) = hooks {
            let _ = self.hub().hooks.set(hooks);
        }
        self
    }

    /// Lets somebody who has connected from there begin its handshake.
    ///
    /// # Errors
    /// There are too many, or it has failed too often of late: its connection is to be closed.
    pub(crate) fn begin_handshake(&self, address: &str) -> io::Result<Handshake> {
        // Where there is no entropy it is as if the stranger's luck were bad: there is no fallback.
        let seed = self.hub().runtime.seed().unwrap_or_default();
        let luck = u32::from_ne_bytes([seed[0], seed[1], seed[2], seed[3]]);
        self.admissions.handshakes.begin(address, luck, self.hub().now()).map_err(|dropped| {
            let why = match dropped {
                StrangerDropped::SourceWaits => Unavailable::SourceWaits,
                StrangerDropped::SourceCrowded => Unavailable::SourceCrowded,
                _ => Unavailable::HandshakesCrowded,
            };
            self.hub().unavailable(why, address);
            io::Error::other("dropped before its handshake: see StrangerLimits")
        })
    }

    /// What is known of an endpoint that we connect to: not tried yet.
    pub fn dial(&self, endpoint: &str) -> Dial {
        Dial::new(self.hub(), endpoint)
    }

    /// The engine.
    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.dispatcher.hub
    }

    pub(crate) fn served(&self) -> &Served {
        &self.dispatcher.served
    }

    /// Asks whether a peer of another transport may come in: see [`Asking`].
    pub fn ask(
        &self,
        question: Question,
        address: &str,
        by: Instant,
        answer: impl FnOnce(Verdict) + Send + 'static,
    ) -> Arc<Asking> {
        Asking::ask(self.hub(), &self.admissions, question, address, by, answer)
    }

    /// That socket listens until the node ends, or is dropped before. `false`: the node has ended, and
    /// the socket is closed.
    pub fn listen(&self, socket: &Arc<impl Listening + 'static>) -> bool {
        self.hub().listen(socket)
    }

    /// From here on others may connect to us.
    pub fn listens(&self) {
        self.hub().listens();
    }

    /// A socket is open until that is dropped.
    pub fn open_socket(&self) -> OpenSocket {
        self.hub().open_socket()
    }

    /// Waits until all sockets are closed. Cancel-safe.
    pub fn sockets_closed(&self) -> SocketsClosed {
        self.hub().sockets_closed()
    }

    /// Ends everything; handlers of its own are forgotten. What listened does so no more when this
    /// returns.
    pub fn shutdown(&self) {
        self.hub().shutdown();
        self.served().end();
    }

    /// The same; links have until then to be read to their ends, instead of a second.
    pub(crate) fn shutdown_by(&self, until: Instant) {
        self.hub().shutdown_by(until);
        self.served().end();
    }
}
