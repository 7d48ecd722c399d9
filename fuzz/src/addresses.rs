//! Whatever the text of an endpoint, it is refused with a reason that names it, or it is an address whose
//! own text means the same; and what can be connected to is an address that can be reached.

use crate::memory::bounded;
use pseud_proto::address::{Address, Transport};

/// An endpoint, to bind and to connect to.
pub fn addresses(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    bounded(data.len(), || {
        let bound = Address::to_bind(text);
        match &bound {
            Ok(address) => {
                check(address);
                let shown = address.to_string();
                assert_eq!(Address::to_bind(&shown).as_ref(), Ok(address));
            }
            Err(error) => assert!(error.endpoint == text && !error.cause.is_empty()),
        }
        // What libzmq alone can do has a text that means the same, too.
        if let Ok(address) = text.parse::<Address>() {
            assert_eq!(address.as_str().parse().as_ref(), Ok(&address));
            let is_inproc = matches!(address.transport(), Transport::Inproc { .. });
            assert_eq!(bound.is_err(), is_inproc);
        }
        if let Ok(address) = Address::to_connect(text) {
            assert_eq!(bound.as_ref(), Ok(&address));
            let shown = address.to_string();
            assert_eq!(Address::to_connect(&shown), Ok(address.clone()));
            if let Transport::Tcp { host, port } = address.transport() {
                assert!(host != "*" && *port != 0);
            }
        }
    });
}

fn check(address: &Address) {
    match address.transport() {
        Transport::Tcp { host, .. } => assert!(!host.is_empty()),
        Transport::Ipc { path: text } | Transport::IpcAbstract { name: text } => {
            // `sun_path` has 108 bytes, and a path ends with a zero.
            assert!(!text.is_empty() && text.len() <= 107 && !text.contains('\0'));
        }
        other => panic!("an unknown kind of address: {other}"),
    }
}
