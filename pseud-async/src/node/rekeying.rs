//! A server of CURVE changes its key pairs while it serves.

use super::peering::Peering;
use super::security::check_key_pairs;
use super::setup_error::SetupError;
use crate::runtime::Runtime;
use pseud_proto::zmtp::{KeyPair, MechanismConfig};

impl<R: Runtime, Role> Peering<R, Role> {
    /// As a server of CURVE: from now on peers of new links must know one of these key pairs. Links that are
    /// there, and handshakes that have begun, go on with those that they began with. Two while peers learn of
    /// the new one: `[new, old]`, then `[new]`. Nothing else changes: who may come in is its authenticator's.
    ///
    /// # Errors
    /// [`SetupError::Mechanism`]: this is no server of CURVE, or they are none or more than two. Those that
    /// there were stay.
    pub fn set_key_pairs(
        &self,
        key_pairs: impl IntoIterator<Item = KeyPair>,
    ) -> Result<(), SetupError> {
        let (key_pairs, options) = (Vec::from_iter(key_pairs), self.options());
        let mechanism = &options.connection.mechanism;
        let cause = match mechanism {
            MechanismConfig::CurveServer { .. } if options.kaa().is_none() => {
                check_key_pairs(&key_pairs)
            }
            _ => Some("only a server of CURVE has key pairs to change"),
        };
        cause.map_or(Ok(()), |cause| Err(SetupError::Mechanism(cause)))?;
        self.keys().set(MechanismConfig::CurveServer { key_pairs });
        Ok(())
    }
}
