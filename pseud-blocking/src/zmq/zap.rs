//! ZAP (RFC 27): libzmq asks whether a peer may come in; the node's authenticator answers.

use super::monitor::inproc;
use super::sockets::{ZAP_DOMAIN, io_error};
use bytes::Bytes;
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::PublicKey;
use pseud_proto::zmtp::{Question, Secret};
use std::io;

/// Where libzmq looks for a handler in its context.
const ENDPOINT: &str = "inproc://zeromq.zap.01";

const VERSION: &[u8] = b"1.0";

/// How many frames a question has at most: its credentials are three with GSSAPI.
const FRAMES_MAX: usize = 16;

/// The one handler of a context.
///
/// # Errors
/// That context has one.
pub(super) fn handler(context: &zmq::Context) -> io::Result<zmq::Socket> {
    let bind = || {
        let socket = context.socket(zmq::ROUTER)?;
        socket.set_linger(0)?;
        socket.bind(ENDPOINT)?;
        Ok(socket)
    };
    bind().map_err(|error| match error {
        zmq::Error::EADDRINUSE => io::Error::new(
            io::ErrorKind::AddrInUse,
            "this zmq::Context has a ZAP handler already: libzmq asks one for all its sockets, so a server that \
             authenticates needs a context without",
        ),
        error => io_error(error),
    })
}

/// A question of libzmq's, and how its answer begins.
pub(super) struct ZapRequest {
    /// The frames before the version: identities and the delimiter.
    envelope: Vec<Vec<u8>>,
    request: Vec<u8>,
    /// Where the peer connects from.
    pub(super) address: String,
    /// `None`: it is none of ours.
    pub(super) question: Option<Question>,
    /// What the peer has proven, where that is asked about.
    #[cfg(feature = "_curve")]
    pub(super) key: Option<PublicKey>,
}

impl ZapRequest {
    /// `None`: that is no question, and has no answer.
    pub(super) fn read(frames: Vec<Vec<u8>>) -> Option<Self> {
        let delimiter = frames.iter().take(FRAMES_MAX).position(Vec::is_empty)?;
        let (envelope, body) = frames.split_at(delimiter + 1);
        let [version, request, domain, address, _identity, mechanism, credentials @ ..] = body
        else {
            return None;
        };
        let ours = version == VERSION && domain == ZAP_DOMAIN.as_bytes();
        Some(Self {
            envelope: envelope.to_vec(),
            request: request.clone(),
            address: String::from_utf8_lossy(address).into_owned(),
            question: if ours { question(mechanism, credentials) } else { None },
            #[cfg(feature = "_curve")]
            key: None,
        })
    }

    /// The answer: a status, and with 200 who it is.
    pub(super) fn answer(self, status: &str, ticket: &str) -> Vec<Vec<u8>> {
        let Self { mut envelope, request, .. } = self;
        let text = if status == "200" { "" } else { "not let in" };
        envelope.extend([VERSION.to_vec(), request]);
        envelope.extend([status, text, ticket, ""].map(|text| text.as_bytes().to_vec()));
        envelope
    }
}

fn question(mechanism: &[u8], credentials: &[Vec<u8>]) -> Option<Question> {
    match (mechanism, credentials) {
        (b"PLAIN", [username, password]) => Some(Question::Plain {
            username: Bytes::copy_from_slice(username),
            password: Secret::new(password.clone()),
        }),
        #[cfg(feature = "_curve")]
        (b"CURVE", [key]) => {
            let key = <[u8; 32]>::try_from(key.as_slice()).ok()?;
            Some(Question::Curve { client_key: PublicKey::from_bytes(key) })
        }
        _ => None,
    }
}

/// A pair of sockets within a context: what is sent to the one wakes the other.
pub(super) fn pair(context: &zmq::Context) -> io::Result<(zmq::Socket, zmq::Socket)> {
    let make = || {
        let endpoint = inproc("bell");
        let (bell, ear) = (context.socket(zmq::PAIR)?, context.socket(zmq::PAIR)?);
        bell.set_linger(0)?;
        ear.set_linger(0)?;
        ear.bind(&endpoint)?;
        bell.connect(&endpoint)?;
        Ok((bell, ear))
    };
    make().map_err(io_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(domain: &str, mechanism: &str, credentials: &[&[u8]]) -> Option<ZapRequest> {
        let before = [b"id".as_slice(), b"", VERSION, b"7", domain.as_bytes(), b"192.0.2.1", b"x"];
        let frames =
            before.into_iter().chain([mechanism.as_bytes()]).chain(credentials.iter().copied());
        ZapRequest::read(frames.map(<[u8]>::to_vec).collect())
    }

    #[test]
    fn questions_of_ours_are_put_and_others_are_not() {
        let plain = asked(ZAP_DOMAIN, "PLAIN", &[b"charly", b"secret"]).unwrap();
        assert!(
            matches!(&plain.question, Some(Question::Plain { username, .. }) if username == "charly")
        );
        assert_eq!(plain.address, "192.0.2.1");
        let answer = plain.answer("200", "ticket");
        let expected: [&[u8]; 8] = [b"id", b"", VERSION, b"7", b"200", b"", b"ticket", b""];
        assert_eq!(answer, expected.map(<[u8]>::to_vec));
        assert!(asked("global", "PLAIN", &[b"charly", b"secret"]).unwrap().question.is_none());
        assert!(asked(ZAP_DOMAIN, "PLAIN", &[b"charly"]).unwrap().question.is_none());
        assert!(asked(ZAP_DOMAIN, "GSSAPI", &[b"charly"]).unwrap().question.is_none());
        assert!(ZapRequest::read(vec![b"id".to_vec(), Vec::new(), VERSION.to_vec()]).is_none());
        assert!(ZapRequest::read(Vec::new()).is_none());
    }
}
