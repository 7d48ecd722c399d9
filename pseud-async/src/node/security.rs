//! Who proves what to whom: settings, and what is refused before anything is said.

use super::setup_error::SetupError;
use crate::auth::authenticator::Authenticator;
use crate::endpoint_error::InClear;
use crate::node::options::Options;
use bytes::Bytes;
use pseud_proto::Credentials;
use pseud_proto::address::{Address, Transport};
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::{KeyPair, PublicKey};
use pseud_proto::zmtp::{MechanismConfig, Secret};
use std::net::IpAddr;

/// Who proves what, in either role: a mechanism's server may connect, and its client bind. Every
/// link of a node speaks the same mechanism; there is no fall-back.
impl Options {
    /// Peers show names and passwords, in clear; `authenticator` decides on each.
    #[must_use]
    pub fn plain_server(mut self, authenticator: Authenticator) -> Self {
        self.connection.mechanism = MechanismConfig::PlainServer;
        self.admission.authenticator = Some(authenticator);
        self
    }

    /// We show this name and password, in clear: at most 255 bytes each.
    #[must_use]
    pub fn plain_client(mut self, username: impl AsRef<[u8]>, password: Secret) -> Self {
        let username = Bytes::copy_from_slice(username.as_ref());
        self.connection.mechanism = MechanismConfig::PlainClient { username, password };
        self
    }

    /// Links are encrypted and peers prove their keys; `authenticator` decides on each. Two key pairs
    /// while ours change: peers may know either. More than two are refused.
    #[cfg(feature = "_curve")]
    #[must_use]
    pub fn curve_server(
        mut self,
        key_pairs: impl IntoIterator<Item = KeyPair>,
        authenticator: Authenticator,
    ) -> Self {
        let key_pairs = key_pairs.into_iter().collect();
        self.connection.mechanism = MechanismConfig::CurveServer { key_pairs };
        self.admission.authenticator = Some(authenticator);
        self
    }

    /// Links are encrypted; we prove `key_pair`, and the server must have one of `server_keys`. Two
    /// of them while they change: attempts to connect take them in turn.
    #[cfg(feature = "_curve")]
    #[must_use]
    pub fn curve_client(
        mut self,
        key_pair: KeyPair,
        server_keys: impl IntoIterator<Item = PublicKey>,
    ) -> Self {
        let server_keys = server_keys.into_iter().collect();
        self.connection.mechanism = MechanismConfig::CurveClient { server_keys, key_pair };
        self
    }
}

/// What a login's password may be shown to, as far as that is settled before anybody is there.
pub(crate) fn settle_credentials(options: &mut Options) {
    // kaa.rpc has a shared secret and no logins.
    #[cfg(feature = "kaa")]
    if options.kaa.is_some() {
        (options.config.credentials, options.config.requires_login) = (None, false);
    }
    let allow = options.allow_plaintext;
    if let Some(credentials) = &mut options.config.credentials {
        credentials.allow_plaintext |= allow;
    }
}

/// Whether a server of those options lets everybody in without a question.
pub(crate) fn asks_nobody(options: &Options) -> bool {
    matches!(options.connection.mechanism, MechanismConfig::Null) && !options.config.requires_login
}

/// Says so where somebody was named who is to be asked: kaa.rpc has a secret for that.
pub(crate) fn warn_unasked(options: &Options) {
    #[cfg(feature = "kaa")]
    if options.kaa.is_some() {
        return;
    }
    if options.admission.authenticator.is_some() && asks_nobody(options) && options.hooks.is_none()
    {
        tracing::warn!(
            "nobody is asked who comes: there is an authenticator, but neither PLAIN nor CURVE, and no login \
             is required"
        );
    }
}

/// What no peer could be told, or could answer.
pub(crate) fn check_mechanism(options: &Options) -> Result<(), SetupError> {
    let cause = match &options.connection.mechanism {
        MechanismConfig::PlainClient { username, .. } if username.len() > 255 => {
            "a user name has at most 255 bytes"
        }
        MechanismConfig::PlainClient { password, .. } if password.expose().len() > 255 => {
            "a password has at most 255 bytes"
        }
        #[cfg(feature = "_curve")]
        MechanismConfig::CurveServer { key_pairs } if check_key_pairs(key_pairs).is_some() => {
            check_key_pairs(key_pairs).unwrap_or_default()
        }
        #[cfg(feature = "_curve")]
        MechanismConfig::CurveClient { server_keys, .. } if server_keys.is_empty() => {
            "a client of CURVE needs its server's key"
        }
        mechanism => match check_credentials(options, mechanism) {
            Some(cause) => cause,
            None => return Ok(()),
        },
    };
    Err(SetupError::Mechanism(cause))
}

/// Why a server of CURVE cannot have those key pairs.
#[cfg(feature = "_curve")]
pub(crate) fn check_key_pairs(key_pairs: &[KeyPair]) -> Option<&'static str> {
    match key_pairs {
        [] => Some("a server of CURVE needs a key pair"),
        [_] | [_, _] => None,
        // Each key pair costs a stranger's HELLO another agreement of keys (X25519): a third one would never be
        // tried.
        _ => Some(
            "a server of CURVE has two key pairs at most: the present one and one before or behind it",
        ),
    }
}

/// A login that could be shown to nobody.
fn check_credentials(options: &Options, mechanism: &MechanismConfig) -> Option<&'static str> {
    let credentials = options.config.credentials.as_ref()?;
    let longest = credentials.login.len().max(credentials.password.expose().len());
    if longest > Credentials::BYTES_MAX {
        return Some("a login and its password have at most 1024 bytes each");
    }
    let is_pinned = match mechanism {
        #[cfg(feature = "_curve")]
        MechanismConfig::CurveClient { .. } => true,
        _ => false,
    };
    let is_shown = is_pinned || credentials.allow_plaintext || options.allow_plaintext;
    (!is_shown).then_some(
        "a login's password is shown to the pinned server of a CURVE link; set allow_plaintext if the \
         network is trusted",
    )
}

/// Passwords do not leave this machine in clear, unless that was asked for.
///
/// # Errors
/// [`InClear`].
pub fn check_endpoint(
    options: &Options,
    address: &Address,
    verb: &'static str,
) -> Result<(), InClear> {
    let plain = matches!(
        options.connection.mechanism,
        MechanismConfig::PlainClient { .. } | MechanismConfig::PlainServer
    );
    let kaa = options.kaa().is_some();
    if !(plain || kaa) || options.allow_plaintext || is_local(address) {
        return Ok(());
    }
    Err(InClear::new(verb, address.to_string(), kaa))
}

fn is_local(address: &Address) -> bool {
    match address.transport() {
        Transport::Tcp { host, .. } => match host.parse::<IpAddr>() {
            Ok(ip) => ip.to_canonical().is_loopback(),
            Err(_) => host.eq_ignore_ascii_case("localhost"),
        },
        Transport::Ipc { .. } | Transport::IpcAbstract { .. } | Transport::Inproc { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g_13_what_stays_on_this_machine() {
        for (endpoint, local) in [
            ("tcp://127.0.0.1:1", true),
            ("tcp://127.9.9.9:1", true),
            ("tcp://[::1]:1", true),
            ("tcp://[::ffff:127.0.0.1]:1", true),
            ("tcp://localhost:1", true),
            ("ipc:///tmp/x", true),
            ("ipc://@x", true),
            ("tcp://*:1", false),
            ("tcp://0.0.0.0:1", false),
            ("tcp://[::]:1", false),
            ("tcp://10.0.0.1:1", false),
            ("tcp://127.0.0.1.example.org:1", false),
            ("tcp://localhost.example.org:1", false),
        ] {
            assert_eq!(is_local(&Address::to_bind(endpoint).unwrap()), local, "{endpoint}");
        }
    }
}
