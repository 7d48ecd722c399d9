//! Endpoints as ZeroMQ writes them: `tcp://host:port`, `ipc://path`, `ipc://@name`, `inproc://name`
//! (libzmq's `zmq_tcp(7)`, `zmq_ipc(7)`, `zmq_inproc(7)`).

mod host;

mod conversion;

pub use conversion::IntoAddress;

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

/// Where to bind or to connect: an endpoint of ZeroMQ's, parsed. Its text has one form for a port that
/// is to be free: `tcp://*:*` is `tcp://*:0`.
///
/// ```
/// use pseud_proto::address::{Address, Transport};
///
/// let address: Address = "tcp://127.0.0.1:5555".parse()?;
/// assert_eq!(address.port(), Some(5555));
/// assert_eq!(address, Address::from(std::net::SocketAddr::from(([127, 0, 0, 1], 5555))));
/// assert_eq!(address.to_string(), "tcp://127.0.0.1:5555");
/// # Ok::<_, pseud_proto::address::BadAddress>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    text: Box<str>,
    transport: Transport,
}

/// What an [`Address`] says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Transport {
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
    /// `inproc://name`: between threads of one process, which libzmq alone can do.
    Inproc {
        /// As it was given.
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
        endpoint.parse::<Self>()?.for_binding()
    }

    /// Parses an endpoint to connect to: neither `*` nor port 0.
    ///
    /// # Errors
    /// [`BadAddress`], which names it.
    pub fn to_connect(endpoint: &str) -> Result<Self, BadAddress> {
        endpoint.parse::<Self>()?.for_connecting()
    }

    /// The same address, if a socket of ours can be bound there.
    ///
    /// # Errors
    /// It is `inproc://`.
    pub fn for_binding(self) -> Result<Self, BadAddress> {
        match &self.transport {
            Transport::Inproc { .. } => {
                Err(self.refused("inproc:// has no wire; use tcp:// or ipc://"))
            }
            Transport::Tcp { .. } | Transport::Ipc { .. } | Transport::IpcAbstract { .. } => {
                Ok(self)
            }
        }
    }

    /// The same address, if a socket of ours can connect to it.
    ///
    /// # Errors
    /// It is `inproc://`, has the host `*`, or the port 0.
    pub fn for_connecting(self) -> Result<Self, BadAddress> {
        match &self.transport {
            Transport::Tcp { host, .. } if host == "*" => {
                Err(self.refused("`*` is for binding: name a host to connect to"))
            }
            Transport::Tcp { port: 0, .. } => Err(self.refused("a port is needed to connect to")),
            _ => self.for_binding(),
        }
    }

    fn refused(self, cause: &'static str) -> BadAddress {
        BadAddress { endpoint: self.text.into(), cause }
    }

    /// How it is reached.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The port of TCP; 0 where a free one is asked for.
    pub fn port(&self) -> Option<u16> {
        match self.transport {
            Transport::Tcp { port, .. } => Some(port),
            _ => None,
        }
    }

    /// As it is written in an endpoint.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(endpoint: &str) -> Result<Self, BadAddress> {
        let bad = |cause| BadAddress { endpoint: endpoint.to_owned(), cause };
        Transport::parse(endpoint).map(Self::from).map_err(bad)
    }
}

impl From<Transport> for Address {
    fn from(transport: Transport) -> Self {
        Self { text: transport.to_string().into(), transport }
    }
}

impl Transport {
    fn parse(endpoint: &str) -> Result<Self, &'static str> {
        let (scheme, rest) =
            endpoint.split_once("://").ok_or("it has no scheme; write tcp://host:port")?;
        match scheme {
            "tcp" => Self::parse_tcp(rest),
            "ipc" => Self::parse_ipc(rest),
            "inproc" if rest.is_empty() => Err("it has no name; write inproc://name"),
            "inproc" if rest.contains('\0') => Err("a name has no zero byte"),
            "inproc" => Ok(Self::Inproc { name: rest.to_owned() }),
            _ => Err("its scheme is neither tcp nor ipc"),
        }
    }

    fn parse_tcp(rest: &str) -> Result<Self, &'static str> {
        let (host, port) = rest.rsplit_once(':').ok_or("it has no port; write tcp://host:port")?;
        let host = host::parse(host)?.to_owned();
        Ok(Self::Tcp { host, port: parse_port(port)? })
    }

    fn parse_ipc(rest: &str) -> Result<Self, &'static str> {
        match rest.strip_prefix('@') {
            Some("") => Err("it has no name; write ipc://@name"),
            None if rest.is_empty() => Err("it has no path; write ipc:///path/to/socket"),
            None if rest == "*" => Err("`*` is not supported for ipc; name a path"),
            _ if rest.len() > IPC_BYTES_MAX => Err("a Unix socket's path has at most 107 bytes"),
            _ if rest.contains('\0') => Err("a Unix socket's path has no zero byte"),
            None if rest.ends_with('/') => Err("it names a directory; name a socket's file"),
            Some(name) => Ok(Self::IpcAbstract { name: name.to_owned() }),
            None => Ok(Self::Ipc { path: rest.to_owned() }),
        }
    }
}

/// Digits alone: a sign or a blank, which a number may have elsewhere, is a mistake here.
fn parse_port(port: &str) -> Result<u16, &'static str> {
    let cause = "the port is not a number from 0 to 65535, nor `*`";
    match port {
        "*" => Ok(0),
        _ if !port.bytes().all(|byte| byte.is_ascii_digit()) => Err(cause),
        _ => port.parse().map_err(|_| cause),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.text).finish()
    }
}

/// As text.
impl Deref for Address {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::Ipc { path } => write!(f, "ipc://{path}"),
            Self::IpcAbstract { name } => write!(f, "ipc://@{name}"),
            Self::Inproc { name } => write!(f, "inproc://{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) {
        let error = Address::to_bind(text).expect_err(text);
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
    }

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
            assert_eq!(text.parse::<Address>().unwrap(), *shown);
        }
        for text in ["", "127.0.0.1:1", "tcp:/h:1", "udp://h:1", "TCP://h:1", " tcp://h:1"] {
            refused(text);
        }
        for port in ["", "x", "65536", "+1", "-1", " 1", "1 ", "1\n", "0x1", "1/", "**", "٣"] {
            refused(&format!("tcp://h:{port}"));
        }
        for text in ["tcp://h", "tcp://[]:1", "tcp://:1", "tcp://127.1:1"] {
            refused(text);
            assert!(Address::to_connect(text).is_err(), "{text}");
        }
        for path in ["", "*", "@", "/tmp/", "a\0b", "@a\0b"] {
            refused(&format!("ipc://{path}"));
        }
        let long = format!("ipc:///{}", "x".repeat(107));
        assert!(Address::to_bind(&long).unwrap_err().to_string().contains("107 bytes"));
        assert!(Address::to_bind("inproc://x").unwrap_err().to_string().contains("no wire"));
        assert_eq!("inproc://x".parse::<Address>().unwrap().as_str(), "inproc://x");
        assert!(
            "inproc://".parse::<Address>().is_err() && "inproc://\0".parse::<Address>().is_err()
        );
        assert!(Address::to_connect("tcp://*:5555").is_err());
        assert!(Address::to_connect("tcp://127.0.0.1:0").is_err());
    }
    /// What is shown is read as the same again, whatever was read.
    #[test]
    fn p_08_what_is_shown_is_read_again() {
        const PIECES: [&str; 20] = [
            "tcp://",
            "ipc://",
            "[",
            "]",
            "::1",
            "127.0.0.1",
            "h",
            ".",
            ":",
            "%",
            "eth0",
            "*",
            "0",
            "65535",
            "@",
            "/",
            " ",
            "-",
            "fe80::1",
            "é",
        ];
        let (mut read, mut state) = (0, 1u64);
        for _ in 0..200_000 {
            let mut text = String::new();
            for _ in 0..7 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text += PIECES[(state >> 33) as usize % PIECES.len()];
                let Ok(address) = Address::to_bind(&text) else { continue };
                assert_eq!(Address::to_bind(&address).as_ref(), Ok(&address), "{text}");
                read += 1;
            }
        }
        assert!(read > 1_000, "{read}");
    }
}
