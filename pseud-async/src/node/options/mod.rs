//! How a server or a client is set up.

mod bind;
pub(crate) mod common;
mod links;

pub use self::bind::BindOptions;

use crate::auth::places::Admission;
use crate::engine::hooks::Hooks;
use crate::link::CarrierConfig;
use crate::presence::beats::Beats;
use crate::serve::on_disconnect::OnDisconnect;
use crate::serve::registry::Registry;
use bytes::Bytes;
use pseud_proto::backoff::Retry;
use pseud_proto::value::ValueLimits;
use pseud_proto::zmtp::{ConnectionConfig, Secret};
use pseud_proto::{Capabilities, Config, Credentials, LateGuard, StrangerLimits, UserSessions};
use std::sync::Arc;
use std::time::Duration;

/// Settings of a [`Server`](crate::Server) or a [`Client`](crate::Client). Defaults are Python
/// pseud's where it has the setting.
///
/// ```no_run
/// use pseud::{Authenticator, Options, Secret, Server};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let users = Authenticator::passwords([("charly", Secret::new("a password"))]);
/// let mut options = Options::server("service").plain_server(users);
/// options.config.limits.requests_open_max = 1_000;
/// let server = Server::with_options(options)?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Calls and their limits.
    pub config: Config,
    /// What every link announces and allows. Its `probe` is the connecting side's: see
    /// [`probe`](Self::probe).
    pub connection: ConnectionConfig,
    /// How a connecting side tries again.
    pub retry: Retry,
    /// How long an address of an endpoint may take to accept our connection. A name's next address is
    /// tried beside it after 250 ms (RFC 8305). Looking the name up is up to the system's resolver, and
    /// its time. Default 3 s.
    pub connect_timeout: Duration,
    /// Permissions of the file of a bound `ipc://path`, such as `0o600`. `None`: what the process's
    /// umask leaves.
    pub ipc_mode: Option<u32>,
    /// Who is asked about peers, where a server of PLAIN or CURVE must ask.
    pub admission: Admission,
    /// Whether passwords may cross a network in clear: without it, PLAIN binds and connects to
    /// loopback addresses and Unix sockets only. Default: false.
    pub allow_plaintext: bool,
    /// What is served besides the process-wide registry. `None`: a registry of the node's own, which
    /// goes with it.
    pub registry: Option<Registry>,
    /// What becomes of async handlers that wait while their caller leaves. Default: they are dropped.
    pub on_disconnect: OnDisconnect,
    /// The plug-in that is told of sessions: see [`AuthBackends`](crate::AuthBackends).
    pub(crate) hooks: Option<Arc<dyn Hooks>>,
    /// The plug-in that beats: see [`HeartbeatBackends`](crate::HeartbeatBackends).
    pub(crate) heartbeats: Option<Arc<dyn Beats>>,
    /// That its links are of kaa.rpc, and how.
    #[cfg(feature = "kaa")]
    pub(crate) kaa: Option<CarrierConfig>,
}

impl Default for Options {
    fn default() -> Self {
        let mut connection = ConnectionConfig::default();
        connection.probe = true;
        Self {
            config: Config::default(),
            connection,
            retry: Retry::default(),
            connect_timeout: Duration::from_secs(3),
            ipc_mode: None,
            admission: Admission::default(),
            allow_plaintext: false,
            registry: None,
            on_disconnect: OnDisconnect::default(),
            hooks: None,
            heartbeats: None,
            #[cfg(feature = "kaa")]
            kaa: None,
        }
    }
}

/// What its links carry.
impl Options {
    /// Links that others open.
    pub(crate) fn accepting(&self) -> CarrierConfig {
        self.kaa().unwrap_or_else(|| {
            let mut connection = self.connection.clone();
            // Who connects makes itself known; who listens is known.
            connection.probe = false;
            CarrierConfig::Zmtp(self.config.announced(Arc::new(connection)))
        })
    }

    /// Links that we open.
    pub(crate) fn connecting(&self) -> CarrierConfig {
        self.kaa().unwrap_or_else(|| CarrierConfig::Zmtp(Arc::new(self.connection.clone())))
    }

    /// Whether they are of kaa.rpc, and how.
    pub(crate) fn kaa(&self) -> Option<CarrierConfig> {
        #[cfg(feature = "kaa")]
        return self.kaa.clone();
        #[cfg(not(feature = "kaa"))]
        None
    }
}

self::common::common!(Options);

impl Options {
    /// A server known by that identity, which is its user id in Python's words.
    pub fn server(user_id: impl AsRef<[u8]>) -> Self {
        Self::default().identity(user_id)
    }

    /// A client of the server known by that identity: Python's `peer_routing_id`.
    #[doc(alias = "peer_routing_id")]
    pub fn client(server: impl AsRef<[u8]>) -> Self {
        let mut options = Self::default();
        options.config.server = Some(server.as_ref().to_vec().into());
        options
    }

    /// How a connecting side tries again: how long it waits, at first and at last.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Permissions of the file of a bound `ipc://path`, such as `0o600`. Default: what the process's
    /// umask leaves.
    #[must_use]
    pub fn ipc_mode(mut self, mode: u32) -> Self {
        self.ipc_mode = Some(mode);
        self
    }

    /// How many questions about peers may be in work at the same time. Default 256: see
    /// [`Admission::questions_parked_max`].
    #[must_use]
    pub fn questions_parked_max(mut self, max: usize) -> Self {
        self.admission.questions_parked_max = max;
        self
    }

    /// How long a call waits for an identity that nobody holds. Default 400 ms, Python's.
    #[must_use]
    pub fn unroutable_timeout(mut self, timeout: Duration) -> Self {
        self.config.unroutable_timeout = timeout;
        self
    }

    /// What we tell peers that we understand. Default: all of it; with
    /// [`Capabilities::NONE`] peers take us for a v1 peer.
    #[must_use]
    pub fn capabilities(mut self, capabilities: Capabilities) -> Self {
        self.config.capabilities = capabilities;
        self
    }

    /// How long after its receipt a Python caller's request may still be answered, on all links:
    /// `Duration::from_secs(9)`, or [`LateGuard::Off`]. Default 4.5 s. For one listener:
    /// [`BindOptions::late_guard`].
    #[must_use]
    pub fn late_guard(mut self, guard: impl Into<LateGuard>) -> Self {
        self.config.late_guard = guard.into();
        self
    }

    /// What strangers may cost before they have a session, and how those who fail are slowed down.
    #[must_use]
    pub fn stranger_limits(mut self, limits: StrangerLimits) -> Self {
        self.admission.strangers = limits;
        self
    }

    /// Bounds of what is in one body, either way: values (1 048 576), depth (64), bytes of an ext
    /// (65 536). Both sides need them: the one that sends refuses what is over its own at once
    /// ([`CallRefused::OverLimit`](pseud_proto::CallRefused)), the one that receives answers `TooLarge`.
    ///
    /// Bytes of a body are bounded by [`Limits::body_bytes_max`](pseud_proto::Limits::body_bytes_max); what values take once they are decoded
    /// counts in [`Limits::requests_open_bytes_max`](pseud_proto::Limits::requests_open_bytes_max) and its like for one peer.
    #[must_use]
    pub fn value_limits(mut self, limits: ValueLimits) -> Self {
        self.config.limits.values = limits;
        self
    }

    /// Keys of zones (`Europe/Paris`) that every Python peer has: datetimes in them are sent as
    /// `zoneinfo.ZoneInfo(key)` where their offset is not known. A process without that zone dies of
    /// one. Default: none; a peer is sent the keys that it sent itself.
    #[must_use]
    pub fn known_zones<K: Into<Box<str>>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.config.known_zones = Arc::new(keys.into_iter().map(K::into).collect());
        self
    }

    /// Whether peers that nobody has authenticated must log in before they are served: their calls are
    /// answered UNAUTHORIZED, and the authenticator is asked about the login and the password that they
    /// then show ([`Question::Login`](pseud_proto::zmtp::Question::Login)). Who is admitted as a user in
    /// the handshake need not. Default false. See [`CurveLogins`](crate::CurveLogins).
    #[must_use]
    pub fn requires_login(mut self, requires: bool) -> Self {
        self.config.requires_login = requires;
        self
    }

    /// What becomes of the sessions of a user that comes again from another node. Default: all stay.
    #[must_use]
    pub fn user_sessions(mut self, policy: UserSessions) -> Self {
        self.config.user_sessions = policy;
        self
    }

    /// What we show to a server that asks us to log in: at most 1 024 bytes each, and only to the server
    /// of a CURVE link, whose key we know; elsewhere with
    /// [`allow_plaintext`](Self::allow_plaintext) only. Python's `user_id` and `password`.
    #[must_use]
    pub fn credentials(mut self, login: impl AsRef<[u8]>, password: Secret) -> Self {
        let login = Bytes::copy_from_slice(login.as_ref());
        self.config.credentials = Some(Credentials::new(login, password));
        self
    }
}
