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

/// Where a server of kaa.rpc listens: `host:port` is TCP, `/path` a Unix socket, and any other name without
/// a colon, or behind `unix:`, a Unix socket of that name in kaa's directory for temporary files. Endpoints,
/// `tcp://…` and `ipc://…`, are what they are. Its text is in kaa's words: `127.0.0.1:6000`, `/path`.
///
/// As in the reference a host without its port is thus the name of a socket. Where people write addresses,
/// and might mean a host, ask for one that [says which](Self::explicit).
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
        if let Some(socket) = address.strip_prefix("unix:") {
            let socket = if socket.starts_with('/') { socket.parse() } else { Self::named(socket) };
            return socket.map_err(|bad| BadAddress { endpoint: address.to_owned(), ..bad });
        }
        match address {
            endpoint if endpoint.contains("://") => endpoint.parse::<Endpoint>(),
            path if path.starts_with('/') => format!("ipc://{path}").parse(),
            tcp if tcp.contains(':') => format!("tcp://{tcp}").parse(),
            name => return Self::named(name),
        }
        .map(Self::from)
        .map_err(|bad| BadAddress { endpoint: address.to_owned(), ..bad })
    }
}

impl Address {
    /// An address that nobody takes for another: a socket's name only behind `unix:`.
    ///
    /// # Errors
    /// It is malformed, or a name that may be that of a host.
    pub fn explicit(address: &str) -> Result<Self, BadAddress> {
        if address.starts_with('/') || address.contains(':') {
            return address.parse();
        }
        let cause = "a host needs its port, HOST:PORT, and a socket's name in kaa's directory for \
                     temporary files its kind, unix:NAME";
        Err(BadAddress { endpoint: address.to_owned(), cause })
    }

    fn named(name: &str) -> Result<Self, BadAddress> {
        let is_inside = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if is_inside && !name.contains(['\0', ':']) {
            return Ok(Self { text: name.into(), endpoint: None });
        }
        let cause = "a socket's name has no colon, and stays inside the directory for such";
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
    fn a_host_without_its_port_is_no_socket_where_it_could_be_meant() {
        for meant in ["localhost", "192.0.2.1", "example.org", "name", "a/b", ""] {
            let refused = Address::explicit(meant).unwrap_err().to_string();
            assert!(refused.contains("HOST:PORT") && refused.contains("unix:NAME"), "{refused}");
        }
        for explicit in ["unix:name", "/tmp/x", "localhost:5", "tcp://127.0.0.1:1", "ipc://@x"] {
            assert_eq!(Address::explicit(explicit).unwrap(), explicit.parse().unwrap());
        }
        assert!(Address::explicit("::1").is_err() && Address::explicit("[::1]").is_err());
    }

    #[test]
    #[cfg(unix)]
    fn a_relative_name_lies_in_a_directory_of_ours() {
        let named = endpoint("pseud-test").unwrap();
        assert!(named.starts_with("ipc:///") && named.ends_with("/pseud-test"), "{named}");
        assert_eq!(endpoint("unix:pseud-test").unwrap(), named);
        assert_eq!(endpoint("unix:/tmp/x").unwrap(), "ipc:///tmp/x");
        for outside in ["", "../x", "a/../x", "a//b", ".", "a\0", "unix:", "unix:a:b", "unix:../x"]
        {
            assert!(endpoint(outside).is_err(), "{outside}");
        }
    }
}
