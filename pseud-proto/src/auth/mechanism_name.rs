//! Mechanisms by name.

/// A mechanism by its name in the greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MechanismName {
    /// No authentication, no encryption.
    Null,
    /// A name and a password, in clear.
    Plain,
    /// Keys on both sides, encryption.
    #[cfg(feature = "_curve")]
    Curve,
    /// kaa.rpc's: a secret that both sides have shown to know, and all in clear after that.
    #[cfg(feature = "kaa")]
    Kaa,
}

impl MechanismName {
    /// Its name in the greeting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Plain => "PLAIN",
            #[cfg(feature = "_curve")]
            Self::Curve => "CURVE",
            #[cfg(feature = "kaa")]
            Self::Kaa => "kaa.rpc",
        }
    }

    /// Its 20 bytes in the greeting: ASCII, padded with zeros.
    pub(crate) fn wire_name(self) -> [u8; 20] {
        let mut padded = [0; 20];
        padded.iter_mut().zip(self.as_str().bytes()).for_each(|(place, byte)| *place = byte);
        padded
    }
}
