//! Addresses as kaa.rpc writes them.

#[cfg(unix)]
use super::directory;
use std::io;

/// The endpoint that an address means: `host:port` is TCP, `/path` a Unix socket, and any other name a
/// Unix socket of that name in kaa's directory for temporary files. Endpoints, `tcp://…` and `ipc://…`,
/// are what they are.
pub(crate) fn to_endpoint(address: &str) -> io::Result<String> {
    match address {
        address if address.contains("://") => Ok(address.to_owned()),
        path if path.starts_with('/') => Ok(format!("ipc://{path}")),
        address if address.contains(':') => Ok(format!("tcp://{address}")),
        name => in_directory(name),
    }
}

/// The address that an endpoint is, in kaa's words.
pub(crate) fn of_endpoint(endpoint: &str) -> String {
    let address = endpoint.strip_prefix("tcp://").or_else(|| endpoint.strip_prefix("ipc://"));
    address.unwrap_or(endpoint).to_owned()
}

#[cfg(unix)]
fn in_directory(name: &str) -> io::Result<String> {
    let invalid = |cause: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, cause));
    let is_plain = !name.is_empty() && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !is_plain {
        return invalid("a socket's name stays inside the directory for such");
    }
    let path = directory::made()?.join(name);
    match path.to_str() {
        Some(path) => Ok(format!("ipc://{path}")),
        None => invalid("the directory for temporary files has a name that is no text"),
    }
}

#[cfg(not(unix))]
fn in_directory(_name: &str) -> io::Result<String> {
    Err(crate::runtime::unsupported())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_endpoints() {
        for (address, endpoint) in [
            ("127.0.0.1:0", "tcp://127.0.0.1:0"),
            ("[::1]:7", "tcp://[::1]:7"),
            ("/tmp/x", "ipc:///tmp/x"),
            ("tcp://127.0.0.1:1", "tcp://127.0.0.1:1"),
        ] {
            assert_eq!(to_endpoint(address).unwrap(), endpoint);
        }
        assert_eq!(of_endpoint("tcp://127.0.0.1:1"), "127.0.0.1:1");
        assert_eq!(of_endpoint("ipc:///tmp/x"), "/tmp/x");
    }

    #[test]
    #[cfg(unix)]
    fn a_relative_name_lies_in_a_directory_of_ours() {
        let endpoint = to_endpoint("pseud-test").unwrap();
        assert!(endpoint.starts_with("ipc:///") && endpoint.ends_with("/pseud-test"), "{endpoint}");
        for outside in ["", "../x", "a/../x", "a//b", "."] {
            assert!(to_endpoint(outside).is_err(), "{outside}");
        }
    }
}
