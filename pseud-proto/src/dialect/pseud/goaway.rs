//! What a session says of itself: GOAWAY, why it is ended, and HEARTBEAT, that it lives.

use crate::base::pieces::Pieces;
use crate::call::profile::Profile;
use crate::dialect::pseud::envelope::Kind;
use crate::dialect::pseud::outbound::{Answer, Transmit};
use crate::error::{Parting, Reason};
use crate::message::outgoing::Token;
use crate::value::Stored;
use crate::value::msgpack::edges as heads;

impl Parting {
    /// Its code on the wire.
    fn code(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Draining => "draining",
            Self::Replaced => "replaced",
            Self::Occupied => "occupied",
        }
    }

    /// Why we end a session, if that is its peer's business.
    fn of(reason: Reason) -> Option<Self> {
        match reason {
            Reason::Revoked => Some(Self::Revoked),
            Reason::Draining => Some(Self::Draining),
            Reason::Replaced => Some(Self::Replaced),
            Reason::Occupied => Some(Self::Occupied),
            _ => None,
        }
    }
}

/// What a GOAWAY says; `None` of a code that means nothing here, and of any other body.
pub(crate) fn read(body: &[u8]) -> Option<Parting> {
    let mut rest = body;
    heads::read_array(&mut rest).filter(|items| *items > 0)?;
    let code = heads::read_text(&mut rest)?;
    let known = [Parting::Revoked, Parting::Draining, Parting::Replaced, Parting::Occupied];
    known.into_iter().find(|known| known.code().as_bytes() == code)
}

impl Answer {
    /// A HEARTBEAT. It answers nothing, and its id is empty.
    pub(crate) fn heartbeat() -> Self {
        Self::new(Kind::Heartbeat, Stored::copy_of(b""))
    }
}

impl Transmit {
    /// What is told last to the peer of a session that this side has ended for that reason, if it reads
    /// it: to be sent behind what was begun, before the link is closed.
    pub fn goaway(profile: Profile, reason: Reason) -> Option<Self> {
        let parting = Parting::of(reason).filter(|_| profile.reads_goaway())?;
        let code = parting.code().as_bytes();
        let (array, array_len) = heads::array_head(1);
        let (text, text_len) = heads::str_head(code.len() as u32);
        let heads = [array.get(..array_len)?, text.get(..text_len)?, code];
        let body = Stored::copy_of(&heads.concat());
        let mut message = Pieces::default();
        Answer::new(Kind::GoAway, body).put(&mut message, b"");
        Some(Self::new(message, Token(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::profile::Capabilities;

    const READS: Profile = Profile::V1;

    fn ours() -> Profile {
        Profile::declared(Capabilities::ALL, 1 << 20)
    }

    #[test]
    fn it_is_read_as_it_is_written_and_only_sent_to_who_reads_it() {
        for (reason, parting) in [
            (Reason::Revoked, Parting::Revoked),
            (Reason::Draining, Parting::Draining),
            (Reason::Replaced, Parting::Replaced),
            (Reason::Occupied, Parting::Occupied),
        ] {
            let sent = Transmit::goaway(ours(), reason).unwrap();
            let (kind, id, body) = sent.with(|message, _| {
                let body = [message.head, &message.body[..], message.tail].concat();
                (message.frames[3].to_vec(), message.frames[2].to_vec(), body)
            });
            assert_eq!((&kind[..], &id[..]), (&[0x12][..], &b""[..]));
            assert_eq!(read(&body), Some(parting));
            let guarded = Capabilities::ALL.without(Capabilities::LATE_ANSWERS);
            for profile in [READS, Profile::declared(guarded, 1 << 20)] {
                assert!(Transmit::goaway(profile, reason).is_none());
            }
        }
        assert!(Transmit::goaway(ours(), Reason::Shutdown).is_none());
    }

    #[test]
    fn more_items_are_passed_over_and_anything_else_says_nothing() {
        assert_eq!(read(b"\x92\xa7revoked\xc0"), Some(Parting::Revoked));
        assert_eq!(read(b"\x91\xc4\x08draining"), Some(Parting::Draining));
        for body in [
            &b""[..],
            b"\x90",
            b"\x91",
            b"\x91\x01",
            b"\x91\xa5later",
            b"\xa7revoked",
            b"\x91\xa9rev",
        ] {
            assert_eq!(read(body), None, "{}", body.escape_ascii());
        }
    }
}
