//! Authentication plug-ins by name, for either role: Python pseud's `security_plugin`.

mod backend;
mod builtin;
mod hooked;
mod keywords;

pub use self::backend::{AuthBackend, Role};
pub use self::keywords::Security;

use self::hooked::Hooked;
use super::options::Options;
use super::setup_error::SetupError;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Plug-ins by name and role. The ready-made ones are Python's: `noop` (or `noop_auth_backend`) and
/// `plain` on both sides, `trusted_peer` on servers, and with CURVE `trusted_curve` and
/// `untrusted_curve` on both.
///
/// ```no_run
/// use pseud::{AuthBackends, Options, Role, Secret, Security, Server};
///
/// # fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let mut security = Security::default();
/// security.users.push(("charly".into(), Secret::new("a password")));
/// let backends = AuthBackends::default();
/// let options = backends.configure(Role::Server, "plain", security, Options::server("service"))?;
/// let server = Server::with_options(options)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
#[doc(alias = "security_plugin")]
pub struct AuthBackends {
    own: BTreeMap<(Role, String), Arc<dyn AuthBackend>>,
}

impl fmt::Debug for AuthBackends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.own.keys()).finish()
    }
}

impl AuthBackends {
    /// A plug-in of one's own by that name; it takes the place of another of that name and role, the
    /// ready-made ones too.
    #[doc(alias = "register_auth_backend")]
    pub fn register(&mut self, role: Role, name: &str, backend: Arc<dyn AuthBackend>) {
        self.own.insert((role, name.to_owned()), backend);
    }

    /// Options of a node that uses the plug-in of that name.
    ///
    /// # Errors
    /// There is none of that name for that role, it lacks a key, or one of a server's would not be asked about
    /// anybody ([`AuthBackend::admits_unasked`]).
    pub fn configure(
        &self,
        role: Role,
        name: &str,
        security: Security,
        options: Options,
    ) -> Result<Options, SetupError> {
        match self.own.get(&(role, name.to_owned())) {
            Some(backend) => Hooked::new(backend.clone()).configure(role, options),
            None => {
                builtin::configure(role, name, security, options).map_err(SetupError::Mechanism)
            }
        }
    }
}
