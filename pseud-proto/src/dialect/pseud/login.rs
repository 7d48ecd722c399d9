//! The login within a session: HELLO, AUTHENTICATED, UNAUTHORIZED (Python pseud's `untrusted_curve`).
//!
//! All of one attempt carry the id of the WORK that was challenged: WORK, UNAUTHORIZED, HELLO,
//! AUTHENTICATED, and that WORK again.

use crate::auth::credentials::Credentials;
use crate::base::secret::Secret;
use crate::dialect::pseud::envelope::Kind;
use crate::dialect::pseud::outbound::Answer;
use crate::message::parts::Lent;
use crate::value::Stored;
use crate::value::msgpack::edges as heads;
use bytes::Bytes;
use zeroize::Zeroizing;

/// Which of a message's frames says what it is.
const KIND_AT: usize = 3;

/// The longest HELLO: an array of two bins, each behind its length.
const HELLO_BYTES_MAX: usize = 1 + 2 * (3 + Credentials::BYTES_MAX);

/// What a HELLO shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) login: Bytes,
    pub(crate) password: Secret,
}

/// Whether that message is a HELLO, of which no copy is to be left.
pub(crate) fn shows_password(message: Lent<'_>) -> bool {
    message.get(KIND_AT).and_then(Kind::from_frame) == Some(Kind::Hello)
}

impl Hello {
    /// An array of two, each a str or a bin of 1 024 bytes at most, and nothing behind it: else `None`.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut rest = body;
        if heads::read_array(&mut rest) != Some(2) {
            return None;
        }
        let login = heads::read_text(&mut rest).filter(|text| is_short(text))?;
        let password = heads::read_text(&mut rest).filter(|text| is_short(text))?;
        let (login, password) = (Bytes::copy_from_slice(login), Secret::new(password));
        rest.is_empty().then_some(Self { login, password })
    }
}

fn is_short(text: &[u8]) -> bool {
    text.len() <= Credentials::BYTES_MAX
}

impl Answer {
    /// A HELLO: both are bins, as a Python client's are. Its body is wiped when it is dropped.
    pub(crate) fn hello(credentials: &Credentials) -> Self {
        // Its place does not move: no copy of the password is left behind.
        let mut body = Vec::with_capacity(HELLO_BYTES_MAX);
        let (array, len) = heads::array_head(2);
        body.extend_from_slice(array.get(..len).unwrap_or_default());
        for part in [&credentials.login[..], credentials.password.expose()] {
            let part = part.get(..part.len().min(Credentials::BYTES_MAX)).unwrap_or_default();
            let (bin, len) = heads::bin_head(part.len() as u32);
            body.extend_from_slice(bin.get(..len).unwrap_or_default());
            body.extend_from_slice(part);
        }
        Self::new(Kind::Hello, Stored::Shared(Bytes::from_owner(Zeroizing::new(body))))
    }

    /// An AUTHENTICATED.
    pub(crate) fn authenticated() -> Self {
        Self::new(Kind::Authenticated, Stored::copy_of(b"Welcome"))
    }

    /// What an UNAUTHORIZED to a HELLO says to peers that declare anything, where nobody can tell now whether it
    /// was right: the same HELLO may be believed later.
    pub(crate) const UNAVAILABLE: &[u8] = b"Authentication Unavailable";

    /// An UNAUTHORIZED of that text.
    pub(crate) fn login_unavailable() -> Self {
        Self::new(Kind::Unauthorized, Stored::copy_of(Self::UNAVAILABLE))
    }

    /// An UNAUTHORIZED, in the words of the reference: to a WORK, or to a HELLO.
    pub(crate) fn unauthorized(is_challenge: bool) -> Self {
        let text: &[u8] =
            if is_challenge { b"Authentication Required" } else { b"Authentication Error" };
        Self::new(Kind::Unauthorized, Stored::copy_of(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_is_read_as_it_is_written() {
        let shown = Credentials::new("john", Secret::new(vec![b'x'; 300]));
        let hello = Hello::read(Answer::hello(&shown).body()).unwrap();
        assert_eq!((hello.login, hello.password), (shown.login, shown.password));
        let python_2 = Hello::read(b"\x92\xa4john\xa0").unwrap();
        assert_eq!((&python_2.login[..], python_2.password.expose()), (&b"john"[..], &b""[..]));
    }

    #[test]
    fn g_08_anything_else_is_no_hello() {
        let long = [&b"\x92\xc5\x04\x01"[..], &[b'x'; 1_025], b"\xa0"].concat();
        let deep = [&[0x91; 100_000][..], b"\xc0"].concat();
        for body in [
            &b""[..],
            b"\x90",
            b"\x91\xa1x",
            b"\x93\xa1x\xa1x\xa1x",
            b"\x92\xa1x",
            b"\x92\x01\xa1x",
            b"\x92\xa1x\xc0",
            b"\x92\xa1x\xc7\x01\x7b\x80",
            b"\x92\xa1x\xa1xx",
            b"\x82\xa1x\xa1x\xa1x\xa1x",
            b"\x92\xc6\xff\xff\xff\xff",
            &long,
            &deep,
        ] {
            assert_eq!(Hello::read(body), None, "{} bytes", body.len());
        }
    }
}
