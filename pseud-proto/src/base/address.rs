//! Endpoints as ZeroMQ writes them: `tcp://host:port`, `ipc://path`, `ipc://@name`.

mod host;

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
                assert_eq!(Address::to_bind(&address.to_string()).as_ref(), Ok(&address), "{text}");
                read += 1;
            }
        }
        assert!(read > 1_000, "{read}");
    }
}
