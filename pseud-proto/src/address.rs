//! Endpoints as ZeroMQ writes them: `tcp://host:port`, `ipc://path`, `ipc://@name`.

use std::fmt;

/// Where to bind or to connect, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// `tcp://host:port`: an IPv4 address, an IPv6 address in brackets, or a name. To bind, the host
    /// may be `*` (any) and the port `*` or `0` (one that is free).
    Tcp {
        /// Without brackets; `*` as it is.
        host: String,
        /// 0 for "one that is free".
        port: u16,
    },
    /// `ipc://path`: a Unix socket's file, at most 107 bytes.
    Ipc {
        /// As it was given.
        path: String,
    },
    /// `ipc://@name`: a socket in Linux's abstract name space, at most 107 bytes.
    IpcAbstract {
        /// Without the `@`.
        name: String,
    },
}

/// What a Unix socket's address holds, less the byte that ends a path.
const IPC_BYTES_MAX: usize = 107;

/// An endpoint that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad endpoint {endpoint:?}: {cause}")]
pub struct BadAddress {
    /// As it was given.
    pub endpoint: String,
    /// What is wrong with it.
    pub cause: &'static str,
}

impl Address {
    /// Parses an endpoint to bind.
    ///
    /// # Errors
    /// [`BadAddress`], which names it.
    pub fn to_bind(endpoint: &str) -> Result<Self, BadAddress> {
        Self::parse(endpoint).map_err(|cause| BadAddress { endpoint: endpoint.to_owned(), cause })
    }

    /// Parses an endpoint to connect to: neither `*` nor port 0.
    ///
    /// # Errors
    /// [`BadAddress`], which names it.
    pub fn to_connect(endpoint: &str) -> Result<Self, BadAddress> {
        let address = Self::to_bind(endpoint)?;
        let cause = match &address {
            Self::Tcp { host, .. } if host == "*" => {
                "`*` is for binding: name a host to connect to"
            }
            Self::Tcp { port: 0, .. } => "a port is needed to connect to",
            Self::Tcp { .. } | Self::Ipc { .. } | Self::IpcAbstract { .. } => return Ok(address),
        };
        Err(BadAddress { endpoint: endpoint.to_owned(), cause })
    }

    fn parse(endpoint: &str) -> Result<Self, &'static str> {
        let (scheme, rest) =
            endpoint.split_once("://").ok_or("it has no scheme; write tcp://host:port")?;
        match scheme {
            "tcp" => Self::parse_tcp(rest),
            "ipc" => Self::parse_ipc(rest),
            "inproc" => Err("inproc:// has no wire; use tcp:// or ipc://"),
            _ => Err("its scheme is neither tcp nor ipc"),
        }
    }

    fn parse_tcp(rest: &str) -> Result<Self, &'static str> {
        let (host, port) = rest.rsplit_once(':').ok_or("it has no port; write tcp://host:port")?;
        let port = match port {
            "*" => 0,
            port => {
                port.parse().map_err(|_| "the port is not a number from 0 to 65535, nor `*`")?
            }
        };
        Ok(Self::Tcp { host: unbracket(host)?.to_owned(), port })
    }

    fn parse_ipc(rest: &str) -> Result<Self, &'static str> {
        match rest.strip_prefix('@') {
            Some("") => Err("it has no name; write ipc://@name"),
            None if rest.is_empty() => Err("it has no path; write ipc:///path/to/socket"),
            None if rest == "*" => Err("`*` is not supported for ipc; name a path"),
            _ if rest.len() > IPC_BYTES_MAX => Err("a Unix socket's path has at most 107 bytes"),
            _ if rest.contains('\0') => Err("a Unix socket's path has no zero byte"),
            Some(name) => Ok(Self::IpcAbstract { name: name.to_owned() }),
            None => Ok(Self::Ipc { path: rest.to_owned() }),
        }
    }
}

fn unbracket(host: &str) -> Result<&str, &'static str> {
    match host.strip_prefix('[') {
        Some(host) => host.strip_suffix(']').ok_or("the bracket of the host is not closed"),
        None if host.contains(':') => Err("an IPv6 address stands in brackets: tcp://[::1]:5555"),
        None if host.is_empty() => Err("it has no host"),
        None => Ok(host),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::Ipc { path } => write!(f, "ipc://{path}"),
            Self::IpcAbstract { name } => write!(f, "ipc://@{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_08_endpoints_are_read_or_refused_by_name() {
        for (text, shown) in [
            ("tcp://127.0.0.1:5555", "tcp://127.0.0.1:5555"),
            ("tcp://[::1]:5555", "tcp://[::1]:5555"),
            ("tcp://[fe80::1%eth0]:1", "tcp://[fe80::1%eth0]:1"),
            ("tcp://example.org:80", "tcp://example.org:80"),
            ("tcp://*:*", "tcp://*:0"),
            ("ipc:///tmp/a socket", "ipc:///tmp/a socket"),
            ("ipc://@pseud", "ipc://@pseud"),
        ] {
            assert_eq!(Address::to_bind(text).unwrap().to_string(), shown);
        }
        for text in [
            "",
            "127.0.0.1:1",
            "tcp://h",
            "tcp://:1",
            "tcp://h:x",
            "tcp://h:65536",
            "tcp://::1:5",
            "tcp://[::1:5",
            "udp://h:1",
        ] {
            let error = Address::to_bind(text).unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
        let long = format!("ipc:///{}", "x".repeat(107));
        assert!(Address::to_bind(&long).unwrap_err().to_string().contains("107 bytes"));
        assert!(Address::to_connect("tcp://*:5555").is_err());
        assert!(Address::to_connect("tcp://127.0.0.1:0").is_err());
    }
}
