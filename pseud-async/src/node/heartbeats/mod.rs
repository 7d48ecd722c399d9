//! Heartbeat plug-ins by name, for either role: Python pseud's `heartbeat_plugin`.

mod backend;
mod builtin;

pub use self::backend::HeartbeatBackend;
pub use self::builtin::Ticking;

use super::backends::Role;
use super::options::Options;
use super::setup_error::SetupError;
use crate::presence::beats::{Beats, OnSilence, Sign};
use crate::presence::status::PeerStatus;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Heartbeat plug-ins by name and role. The ready-made ones:
///
/// | name | what |
/// |---|---|
/// | `ping` | the wire's PINGs, as without a plug-in |
/// | `noop`, `noop_heartbeat_backend` (Python's name) | none at all: only TCP's keep-alive finds out who is gone |
/// | `ticking` | PINGs, and HEARTBEATs as Python's ticking plug-ins want them: see [`Ticking`] |
///
/// ```no_run
/// use pseud_async::{HeartbeatBackends, Options, Role};
///
/// # fn run() -> Result<(), pseud_async::SetupError> {
/// let backends = HeartbeatBackends::default();
/// let options = backends.configure(Role::Client, "ticking", Options::client("service"))?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
#[doc(alias = "heartbeat_plugin")]
pub struct HeartbeatBackends {
    own: BTreeMap<(Role, String), Arc<dyn HeartbeatBackend>>,
}

impl fmt::Debug for HeartbeatBackends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.own.keys()).finish()
    }
}

impl HeartbeatBackends {
    /// A plug-in of one's own by that name; it takes the place of another of that name and role, the
    /// ready-made ones too.
    #[doc(alias = "register_heartbeat_backend")]
    pub fn register(&mut self, role: Role, name: &str, backend: Arc<dyn HeartbeatBackend>) {
        self.own.insert((role, name.to_owned()), backend);
    }

    /// Options of a node that uses the plug-in of that name, in place of one that they had.
    ///
    /// # Errors
    /// There is none of that name for that role.
    pub fn configure(
        &self,
        role: Role,
        name: &str,
        options: Options,
    ) -> Result<Options, SetupError> {
        let own = self.own.get(&(role, name.to_owned())).cloned();
        let backend = own.or_else(|| builtin::find(role, name)).ok_or(SetupError::Heartbeat)?;
        let mut options = backend.configure(options);
        options.heartbeats = Some(Arc::new(Beating(backend)));
        Ok(options)
    }
}

/// One node's use of a plug-in.
struct Beating(Arc<dyn HeartbeatBackend>);

impl fmt::Debug for Beating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Beating(..)")
    }
}

impl Beats for Beating {
    fn interval(&self) -> Option<Duration> {
        self.0.interval()
    }

    fn sends(&self) -> bool {
        self.0.sends()
    }

    fn counts(&self) -> Sign {
        self.0.counts()
    }

    fn timeout(&self) -> Option<Duration> {
        self.0.timeout()
    }

    fn handle_heartbeat(&self, peer: &PeerStatus) {
        self.0.handle_heartbeat(peer);
    }

    fn handle_timeout(&self, peer: &PeerStatus) -> OnSilence {
        self.0.handle_timeout(peer)
    }

    fn stop(&self) {
        self.0.stop();
    }
}
