//! How links are set up, where a server of CURVE may change its key pairs meanwhile.

use crate::link::CarrierConfig;
use pseud_proto::zmtp::MechanismConfig;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Those that new links have, once they were changed.
#[derive(Default)]
pub(crate) struct KeyPairs {
    /// How often they were: who remembers what they said looks at this first.
    changes: AtomicU64,
    now: Mutex<MechanismConfig>,
}

impl fmt::Debug for KeyPairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPairs(..)")
    }
}

impl KeyPairs {
    /// New links have those of this mechanism from now on.
    #[cfg(feature = "_curve")]
    pub(super) fn set(&self, mechanism: MechanismConfig) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *now, mechanism);
        self.changes.fetch_add(1, Ordering::Release);
        drop(now);
        drop(before);
    }
}

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
        let changes = self.keys.changes.load(Ordering::Acquire);
        if std::mem::replace(&mut self.seen, changes) != changes {
            let now = self.keys.now.lock().unwrap_or_else(PoisonError::into_inner);
            self.config.set_mechanism(now.clone());
        }
        self.config.clone()
    }
}
