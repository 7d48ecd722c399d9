//! PLAIN (ZMTP 3.1 §PLAIN): the client's HELLO shows a name and a password, the server's WELCOME
//! admits it, INITIATE and READY exchange metadata. All of it in clear.

use crate::auth::question::Question;
use crate::auth::user::User;
use crate::base::secret::Secret;
use crate::error::{Incompatible, Malformed, Misbehaved, PeerError};
use crate::wire::zmtp::command;
use crate::wire::zmtp::command::Command;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::config::mechanism::MechanismConfig;
use crate::wire::zmtp::mechanism::step::{Complete, Step};
use crate::wire::zmtp::metadata;
use bytes::Bytes;

/// What a client waits for.
#[derive(Debug)]
enum ClientAwaits {
    Greeting,
    Welcome,
    Ready,
}

/// The client's side.
#[derive(Debug)]
pub(crate) struct PlainClient {
    awaits: ClientAwaits,
}

impl PlainClient {
    pub(crate) fn new() -> Self {
        Self { awaits: ClientAwaits::Greeting }
    }

    /// HELLO (RFC 24): user name and password, each behind a byte of length. Not before the peer has named
    /// PLAIN itself: nobody else gets the password.
    pub(crate) fn handle_greeting(
        &mut self,
        config: &ConnectionConfig,
    ) -> Result<Vec<u8>, PeerError> {
        self.awaits = ClientAwaits::Welcome;
        let mut body = Vec::with_capacity(6 + 2 * 256);
        command::put_name(&mut body, "HELLO");
        if let MechanismConfig::PlainClient { username, password } = &config.mechanism {
            put_short(&mut body, "username bytes", username)?;
            put_short(&mut body, "password bytes", password.expose())?;
        }
        Ok(body)
    }

    pub(crate) fn handle_command(
        &mut self,
        command: Command<'_>,
        config: &ConnectionConfig,
    ) -> Result<Step, PeerError> {
        match (&self.awaits, command.name) {
            (ClientAwaits::Welcome, b"WELCOME") if command.data.is_empty() => {
                self.awaits = ClientAwaits::Ready;
                Ok(Step::Send(with_metadata("INITIATE", config)))
            }
            // RFC 24: WELCOME has no data.
            (ClientAwaits::Welcome, b"WELCOME") => Err(Malformed::BadCommand.into()),
            (ClientAwaits::Ready, b"READY") => Ok(Step::Complete(Complete {
                last: None,
                metadata: metadata::parse(command.data, config)?,
                user: User::default(),
                #[cfg(feature = "_curve")]
                client_key: None,
                session: None,
            })),
            (_, b"ERROR" | command::LIBZMQ_ERROR) => {
                Err(Incompatible::Refused(command::error_code(command.data)?).into())
            }
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        }
    }
}

/// What a server waits for.
#[derive(Debug)]
enum ServerAwaits {
    Hello,
    Verdict,
    Initiate { user: User },
}

/// The server's side.
#[derive(Debug)]
pub(crate) struct PlainServer {
    awaits: ServerAwaits,
}

impl PlainServer {
    pub(crate) fn new() -> Self {
        Self { awaits: ServerAwaits::Hello }
    }

    pub(crate) fn handle_command(
        &mut self,
        command: Command<'_>,
        config: &ConnectionConfig,
    ) -> Result<Step, PeerError> {
        match (&self.awaits, command.name) {
            (ServerAwaits::Hello, b"HELLO") => {
                let question = parse_hello(command.data).ok_or(Malformed::BadCommand)?;
                self.awaits = ServerAwaits::Verdict;
                Ok(Step::Ask(question))
            }
            (ServerAwaits::Initiate { user }, b"INITIATE") => Ok(Step::Complete(Complete {
                last: Some(with_metadata("READY", config)),
                metadata: metadata::parse(command.data, config)?,
                user: user.clone(),
                #[cfg(feature = "_curve")]
                client_key: None,
                session: None,
            })),
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        }
    }

    /// WELCOME (RFC 24): the name and password were taken. The metadata follows in INITIATE and READY.
    pub(crate) fn admit(&mut self, user: User) -> Step {
        self.awaits = ServerAwaits::Initiate { user };
        let mut body = Vec::with_capacity(8);
        command::put_name(&mut body, "WELCOME");
        Step::Send(body)
    }
}

fn with_metadata(name: &'static str, config: &ConnectionConfig) -> Vec<u8> {
    let mut body = Vec::new();
    command::put_name(&mut body, name);
    metadata::put(&mut body, config);
    body
}

fn put_short(out: &mut Vec<u8>, what: &'static str, value: &[u8]) -> Result<(), PeerError> {
    let size = value.len() as u64;
    let len = u8::try_from(size).map_err(|_| PeerError::TooLarge { what, size, max: 255 })?;
    out.push(len);
    out.extend_from_slice(value);
    Ok(())
}

/// HELLO's data (RFC 24): two strings of 0 to 255 bytes of any kind, and nothing behind them.
fn parse_hello(data: &[u8]) -> Option<Question> {
    let (username, rest) = take_short(data)?;
    let (password, rest) = take_short(rest)?;
    let (username, password) = (Bytes::copy_from_slice(username), Secret::new(password));
    rest.is_empty().then_some(Question::Plain { username, password })
}

fn take_short(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = data.split_first()?;
    rest.split_at_checked(usize::from(*len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_is_two_strings_and_no_more() {
        let asked = |username: &'static [u8], password: &[u8]| {
            let username = Bytes::from_static(username);
            Some(Question::Plain { username, password: Secret::new(password) })
        };
        assert_eq!(parse_hello(b"\x02me\x03pwd"), asked(b"me", b"pwd"));
        assert_eq!(parse_hello(b"\0\0"), asked(b"", b""));
        for data in [&b""[..], b"\0", b"\x01", b"\x02me\x03pw", b"\x02me\x03pwd!", b"\xffme\0"] {
            assert_eq!(parse_hello(data), None, "{data:?}");
        }
    }
}
