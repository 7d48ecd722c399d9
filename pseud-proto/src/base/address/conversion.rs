//! What may be written where an address is needed.

use super::{Address, BadAddress, Transport};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::convert::Infallible;
use std::net::SocketAddr;

/// What `bind` and `connect` take: text (`"tcp://127.0.0.1:5555"`), an [`Address`], or a [`SocketAddr`].
pub trait IntoAddress {
    /// The address that is meant.
    ///
    /// # Errors
    /// It is no address: [`BadAddress`] says why.
    fn into_address(self) -> Result<Address, BadAddress>;
}

impl<A> IntoAddress for A
where
    A: TryInto<Address>,
    A::Error: Into<BadAddress>,
{
    fn into_address(self) -> Result<Address, BadAddress> {
        self.try_into().map_err(Into::into)
    }
}

impl TryFrom<&str> for Address {
    type Error = BadAddress;

    fn try_from(endpoint: &str) -> Result<Self, BadAddress> {
        endpoint.parse()
    }
}

impl TryFrom<&String> for Address {
    type Error = BadAddress;

    fn try_from(endpoint: &String) -> Result<Self, BadAddress> {
        endpoint.parse()
    }
}

impl From<&Self> for Address {
    fn from(address: &Self) -> Self {
        address.clone()
    }
}

/// `tcp://` that address.
impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        let host = match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
            _ => address.ip().to_string(),
        };
        Self::from(Transport::Tcp { host, port: address.port() })
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.text.into()
    }
}

impl AsRef<str> for Address {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Address {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Address {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Address {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

/// An address that is one already is never refused.
impl From<Infallible> for BadAddress {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// As text.
impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let endpoint = String::deserialize(deserializer)?;
        endpoint.parse().map_err(serde::de::Error::custom)
    }
}
