//! The key pairs of a server of CURVE, which may change while it serves.

#[cfg(feature = "_curve")]
pub(crate) use self::curve::KeyPairs;

use crate::link::CarrierConfig;
use std::sync::Arc;

/// There are none without CURVE.
#[cfg(not(feature = "_curve"))]
#[derive(Debug, Default)]
pub(crate) struct KeyPairs;

/// How the links of one endpoint are set up: all alike, until the keys change.
#[derive(Debug, Clone)]
pub(crate) struct LinkSetup {
    config: CarrierConfig,
    keys: Arc<KeyPairs>,
    /// How often these had changed when that was made.
    seen: u64,
}

impl LinkSetup {
    pub(crate) fn new(config: CarrierConfig, keys: Arc<KeyPairs>) -> Self {
        Self { config, keys, seen: 0 }
    }

    /// How the next link is set up.
    pub(crate) fn next(&mut self) -> CarrierConfig {
        self.keys.update(&mut self.config, &mut self.seen);
        self.config.clone()
    }
}

#[cfg(not(feature = "_curve"))]
impl KeyPairs {
    fn update(&self, _: &mut CarrierConfig, _: &mut u64) {}
}

#[cfg(feature = "_curve")]
mod curve {
    use crate::link::CarrierConfig;
    use crate::node::options::Options;
    use crate::node::peering::Peering;
    use crate::node::security::check_key_pairs;
    use crate::node::setup_error::SetupError;
    use crate::runtime::Runtime;
    use pseud_proto::zmtp::{KeyPair, MechanismConfig};
    use std::fmt;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Mutex, PoisonError};

    /// Those that new links have, once they were changed.
    #[derive(Default)]
    pub(crate) struct KeyPairs {
        /// How often they were: who remembers what they said looks at this first.
        changes: AtomicU64,
        now: Mutex<Vec<KeyPair>>,
    }

    impl fmt::Debug for KeyPairs {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("KeyPairs(..)")
        }
    }

    impl KeyPairs {
        fn set(&self, pairs: Vec<KeyPair>) {
            let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
            let before = std::mem::replace(&mut *now, pairs);
            self.changes.fetch_add(1, Ordering::Release);
            drop(now);
            drop(before);
        }

        pub(super) fn update(&self, config: &mut CarrierConfig, seen: &mut u64) {
            let changes = self.changes.load(Ordering::Acquire);
            if std::mem::replace(seen, changes) != changes {
                let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
                config.set_key_pairs(now.clone());
            }
        }
    }

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
            let key_pairs: Vec<_> = key_pairs.into_iter().collect();
            if !is_curve_server(self.options()) {
                return Err(SetupError::Mechanism(
                    "only a server of CURVE has key pairs to change",
                ));
            }
            check_key_pairs(&key_pairs)
                .map_or(Ok(()), |cause| Err(SetupError::Mechanism(cause)))?;
            self.keys().set(key_pairs);
            Ok(())
        }
    }

    fn is_curve_server(options: &Options) -> bool {
        options.kaa().is_none()
            && matches!(options.connection.mechanism, MechanismConfig::CurveServer { .. })
    }
}
