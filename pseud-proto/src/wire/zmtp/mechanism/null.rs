//! NULL (RFC 37, "NULL security mechanism"): each side sends READY, and is ready when it has the other's.

use crate::auth::user::User;
use crate::base::side::Side;
use crate::error::{Incompatible, Misbehaved, PeerError};
use crate::wire::zmtp::command;
use crate::wire::zmtp::command::Command;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::mechanism::step::{Complete, Step};
use crate::wire::zmtp::metadata;

/// A NULL handshake. Our READY leaves at birth, so all that is left to do is to check theirs.
#[derive(Debug)]
pub(crate) struct Null {
    side: Side,
}

impl Null {
    pub(crate) fn new(side: Side) -> Self {
        Self { side }
    }

    /// Our READY. It waits for nothing, as libzmq's (`null_mechanism.cpp`): RFC 37 lets the accepting side wait
    /// for the other's, and two sides that wait for each other wait for ever.
    pub(crate) fn start(&self, config: &ConnectionConfig) -> Vec<u8> {
        let mut body = Vec::new();
        command::put_name(&mut body, "READY");
        metadata::put(&mut body, config);
        body
    }

    pub(crate) fn handle_command(
        &mut self,
        command: Command<'_>,
        config: &ConnectionConfig,
    ) -> Result<Step, PeerError> {
        match (command.name, self.side) {
            (b"READY", _) => Ok(Step::Complete(Complete {
                last: None,
                metadata: metadata::parse(command.data, config)?,
                user: User::default(),
                #[cfg(feature = "_curve")]
                client_key: None,
                session: None,
            })),
            (b"ERROR", Side::Connecting) => {
                Err(Incompatible::Refused(command::error_code(command.data)?).into())
            }
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_ready() {
        let config = ConnectionConfig { identity: "cli".into(), ..Default::default() };
        let ready = Null::new(Side::Connecting).start(&config);
        let expected =
            b"\x05READY\x0bSocket-Type\x00\x00\x00\x06ROUTER\x08Identity\x00\x00\x00\x03cli";
        assert_eq!(ready, expected);
    }
}
