//! Names that peers can have: identities, which Python calls user ids.

use super::setup_error::SetupError;
use crate::node::options::Options;

/// An empty identity asks each peer to make one up, which we never hear of. A client can live with
/// that; a server cannot: clients call it by its name.
///
/// # Errors
/// It has none, or one that nobody can have.
pub fn check_server(options: &Options) -> Result<(), SetupError> {
    match options.connection.identity.is_empty() {
        true => {
            Err(SetupError::Identity("a server needs a name, its user id: clients call it by that"))
        }
        false => check_client(options),
    }
}

/// A client may have no name and no server, but none that nobody can have.
///
/// # Errors
/// It has one that nobody can have.
pub fn check_client(options: &Options) -> Result<(), SetupError> {
    check(&options.connection.identity)?;
    match options.config.server.as_deref() {
        None => Ok(()),
        Some([]) => Err(SetupError::Identity("a client needs the name of its server: its user id")),
        Some(server) => check(server),
    }
}

/// Every peer would refuse the others (ZMTP 3.1 §metadata; ids that begin with a zero byte are made by
/// the receiver for peers that announce none).
fn check(identity: &[u8]) -> Result<(), SetupError> {
    match identity {
        [0, ..] => Err(SetupError::Identity("an identity must not begin with a zero byte")),
        long if long.len() > 255 => Err(SetupError::Identity("an identity has at most 255 bytes")),
        _ => Ok(()),
    }
}
