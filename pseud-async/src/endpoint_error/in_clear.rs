//! What is not said in clear over a network.

use std::fmt;

/// PLAIN or kaa.rpc was to leave this machine, without [`Options::allow_plaintext`](crate::Options::allow_plaintext): what `bind` and `connect`
/// fail with, inside an [`EndpointError`](crate::EndpointError).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InClear {
    verb: &'static str,
    endpoint: String,
    kaa: bool,
}

impl InClear {
    pub(crate) fn new(verb: &'static str, endpoint: String, kaa: bool) -> Self {
        Self { verb, endpoint, kaa }
    }

    #[cfg(feature = "kaa")]
    pub(super) fn set_endpoint(&mut self, written: &str) {
        self.endpoint = written.to_owned();
    }

    /// Whether it is kaa.rpc, all of which would be in clear: that wire has no keys. Else it is PLAIN's
    /// password.
    pub fn is_kaa(&self) -> bool {
        self.kaa
    }

    /// What cannot be done: `bind`, or `connect to`.
    pub fn verb(&self) -> &'static str {
        self.verb
    }

    /// The endpoint.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl fmt::Display for InClear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, endpoint, kaa } = self;
        write!(f, "cannot {verb} {endpoint}: ")?;
        f.write_str(match kaa {
            false => {
                "PLAIN would send passwords over the network in clear; set allow_plaintext if that \
                 network is trusted, or use CURVE"
            }
            true => {
                "kaa.rpc would send all calls over the network in clear; set allow_plaintext if that \
                 network is trusted"
            }
        })
    }
}

impl std::error::Error for InClear {}
