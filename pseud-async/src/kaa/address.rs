//! Addresses as kaa.rpc writes them.

#[cfg(unix)]
use super::directory;
use crate::endpoint_error::EndpointError;
use pseud_proto::address::{BadAddress, Transport};
use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;
use std::str::FromStr;

type Endpoint = pseud_proto::address::Address;

/// Where a server of kaa.rpc listens: `host:port` is TCP, `/path` a Unix socket, and any other name a Unix
/// socket of that name in kaa's directory for temporary files. Endpoints, `tcp://…` and `ipc://…`, are what
/// they are. Its text is in kaa's words: `127.0.0.1:6000`, `/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    text: Box<str>,
    /// `None`: a name in the directory.
    endpoint: Option<Endpoint>,
}

impl Address {
    /// The endpoint that is meant. kaa's directory is made if it is missing.
    ///
    /// # Errors
    /// That directory cannot be had.
    pub(crate) fn to_endpoint(&self, verb: &'static str) -> Result<Endpoint, EndpointError> {
        match &self.endpoint {
            Some(endpoint) => Ok(endpoint.clone()),
            None => in_directory(self, verb),
        }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The port of TCP; 0 where a free one is asked for.
    pub fn port(&self) -> Option<u16> {
        self.endpoint.as_ref()?.port()
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(address: &str) -> Result<Self, BadAddress> {
        match address {
            endpoint if endpoint.contains("://") => endpoint.parse::<Endpoint>(),
            path if path.starts_with('/') => format!("ipc://{path}").parse(),
            tcp if tcp.contains(':') => format!("tcp://{tcp}").parse(),
            name => return Self::named(name),
        }
        .map(Self::from)
    }
}

impl Address {
    fn named(name: &str) -> Result<Self, BadAddress> {
        if name.split('/').all(|part| !matches!(part, "" | "." | "..")) && !name.contains('\0') {
            return Ok(Self { text: name.into(), endpoint: None });
        }
        let cause = "a socket's name stays inside the directory for such";
        Err(BadAddress { endpoint: name.to_owned(), cause })
    }
}

/// The address that an endpoint is, in kaa's words.
impl From<Endpoint> for Address {
    fn from(endpoint: Endpoint) -> Self {
        let text = match endpoint.transport() {
            Transport::Tcp { .. } => endpoint.trim_start_matches("tcp://"),
            Transport::Ipc { path } => path,
            _ => &endpoint,
        };
        Self { text: text.into(), endpoint: Some(endpoint) }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Endpoint::from(address).into()
    }
}

impl From<&Self> for Address {
    fn from(address: &Self) -> Self {
        address.clone()
    }
}

impl TryFrom<&str> for Address {
    type Error = BadAddress;

    fn try_from(address: &str) -> Result<Self, BadAddress> {
        address.parse()
    }
}

impl TryFrom<&String> for Address {
    type Error = BadAddress;

    fn try_from(address: &String) -> Result<Self, BadAddress> {
        address.parse()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// As text.
impl Deref for Address {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

#[cfg(unix)]
fn in_directory(name: &Address, verb: &'static str) -> Result<Endpoint, EndpointError> {
    let cannot = |cause| EndpointError::Io { verb, endpoint: name.to_string(), cause };
    let path = directory::made().map_err(cannot)?.join(name.as_str());
    let text = path.to_str().ok_or_else(|| BadAddress {
        endpoint: path.display().to_string(),
        cause: "the directory for temporary files has a name that is no text",
    })?;
    Ok(format!("ipc://{text}").parse()?)
}

#[cfg(not(unix))]
fn in_directory(name: &Address, verb: &'static str) -> Result<Endpoint, EndpointError> {
    let cause = crate::runtime::unsupported();
    Err(EndpointError::Io { verb, endpoint: name.to_string(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(address: &str) -> Result<Endpoint, EndpointError> {
        Address::try_from(address)?.to_endpoint("bind")
    }

    #[test]
    fn addresses_are_endpoints() {
        for (address, means, shown) in [
            ("127.0.0.1:0", "tcp://127.0.0.1:0", "127.0.0.1:0"),
            ("[::1]:7", "tcp://[::1]:7", "[::1]:7"),
            ("/tmp/x", "ipc:///tmp/x", "/tmp/x"),
            ("tcp://127.0.0.1:1", "tcp://127.0.0.1:1", "127.0.0.1:1"),
            ("ipc://@x", "ipc://@x", "ipc://@x"),
        ] {
            assert_eq!(endpoint(address).unwrap(), means);
            let address: Address = address.parse().unwrap();
            assert_eq!(address.as_str(), shown);
            assert_eq!(shown.parse::<Address>().unwrap(), address);
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_relative_name_lies_in_a_directory_of_ours() {
        let named = endpoint("pseud-test").unwrap();
        assert!(named.starts_with("ipc:///") && named.ends_with("/pseud-test"), "{named}");
        for outside in ["", "../x", "a/../x", "a//b", ".", "a\0"] {
            assert!(endpoint(outside).is_err(), "{outside}");
        }
    }
}
