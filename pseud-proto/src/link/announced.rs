//! What a link declares of this side: the property `X-Pseud` of its handshake.

use crate::call::profile::{Profile, is_ours};
use crate::call::siblings::Siblings;
use crate::call::wire_id::WireId;
use crate::rpc::config::Config;
use crate::rpc::endpoint::Endpoint;
use crate::wire::zmtp::ConnectionConfig;
use bytes::Bytes;
use std::sync::Arc;

impl Config {
    /// The same connection settings, with what we declare among their properties. [`Link`] and the
    /// adapters see to it for each link; who does it once for many spares them the copy.
    ///
    /// [`Link`]: crate::pseud::Link
    pub fn announced(&self, connection: Arc<ConnectionConfig>) -> Arc<ConnectionConfig> {
        self.announced_beside(connection, &Siblings::default())
    }

    /// The same for one link that we open, which says that as well.
    pub fn announced_beside(
        &self,
        mut connection: Arc<ConnectionConfig>,
        siblings: &Siblings,
    ) -> Arc<ConnectionConfig> {
        // A larger body would close the link before anybody could say that it is too large.
        let frame_max = connection.limits.frame_bytes_max.saturating_sub(SEALING_BYTES);
        let message_max = connection.limits.message_bytes_max.saturating_sub(ENVELOPE_BYTES);
        let max = self.limits.body_bytes_max.min(frame_max).min(message_max);
        let ours = Profile::declared(self.capabilities, max).property(siblings);
        let known = |config: &ConnectionConfig| {
            let named = |(name, _): &&(String, Bytes)| is_ours(name.as_bytes());
            config.properties.iter().filter(named).eq(&ours)
        };
        if !known(&connection) {
            let properties = &mut Arc::make_mut(&mut connection).properties;
            properties.retain(|(name, _)| !is_ours(name.as_bytes()));
            properties.extend(ours);
        }
        connection
    }
}

/// What CURVE adds to a frame.
const SEALING_BYTES: usize = 33;

/// What a message has at most besides its body: five frames' sealing, version, id and kind.
const ENVELOPE_BYTES: usize = 5 * SEALING_BYTES + 2 + WireId::MAX + 1;

impl Endpoint {
    /// How connections of this endpoint introduce themselves: see [`Config::announced`]. For drivers
    /// that make connections themselves; [`Link`](crate::pseud::Link) does it.
    pub fn announced(&self, connection: Arc<ConnectionConfig>) -> Arc<ConnectionConfig> {
        self.config.announced(connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::profile::Capabilities;

    #[test]
    fn what_we_declare_is_announced_once() {
        let (mut config, connection) = (Config::default(), Arc::new(ConnectionConfig::default()));
        let announced = config.announced(connection.clone());
        let declared = [("X-Pseud".to_owned(), Bytes::from_static(b"1;caps=f;max=8388608"))];
        assert_eq!(announced.properties, declared);
        assert!(Arc::ptr_eq(&config.announced(announced.clone()), &announced));
        config.limits.body_bytes_max = 9_999;
        let again = config.announced(announced.clone());
        assert_eq!(again.properties, [("X-Pseud".into(), "1;caps=f;max=9999".into())]);
        let mut small = ConnectionConfig::default();
        small.limits.frame_bytes_max = 5_033;
        let small = config.announced(small.into());
        assert_eq!(small.properties, [("X-Pseud".into(), "1;caps=f;max=5000".into())]);
        let mut small = ConnectionConfig::default();
        small.limits.message_bytes_max = 5_232;
        let small = config.announced(small.into());
        assert_eq!(small.properties, [("X-Pseud".into(), "1;caps=f;max=5000".into())]);
        config.capabilities = Capabilities::NONE;
        assert_eq!(config.announced(again).properties, []);
        assert!(Arc::ptr_eq(&config.announced(connection.clone()), &connection));
    }
}
