//! Who proves what to whom before a packet may be a call.
//!
//! The server speaks first (`src/rpc.py`, `_send_auth_challenge`; also with an empty secret): AUTH with its
//! challenge; the client's RESP answers it and challenges back; the server's RESP answers that
//! (`_handle_packet_before_auth`). A side that sees a wrong response closes
//! without a word: the wire has none for it.

use super::proof::{NONCE, Part, Proof, challenge, is_made_by, is_response, response};
use crate::base::secret::Secret;
use crate::base::side::Side;
use crate::error::{Insecure, Misbehaved, PeerError};
use crate::message::packet::PacketKind;

/// One side of the handshake.
pub(crate) struct KaaHandshake {
    secret: Secret,
    challenge: Part,
    salt: Part,
    state: HandshakeState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HandshakeState {
    /// A client: the server speaks first.
    Challenged,
    /// A client that has answered and waits for the server's answer.
    Answered,
    /// A server that has challenged its client.
    Challenging,
    /// The peer has shown that it knows the secret.
    Done,
}

/// What follows from a packet of the handshake.
pub(crate) enum HandshakeStep {
    /// This RESP goes out, and the handshake goes on.
    Answer(Proof),
    /// The peer is authenticated; this RESP goes out where there is one.
    Open(Option<Proof>),
}

impl KaaHandshake {
    pub(crate) fn new(secret: Secret, side: Side, nonce: [u8; NONCE], salt: Part) -> Self {
        let challenge = challenge(&secret, side, nonce);
        let state = match side {
            Side::Connecting => HandshakeState::Challenged,
            Side::Accepting => HandshakeState::Challenging,
        };
        Self { secret, challenge, salt, state }
    }

    /// The AUTH with which a server begins.
    pub(crate) fn first(&self) -> Option<Proof> {
        (self.state == HandshakeState::Challenging).then_some(Proof {
            challenge: self.challenge,
            response: [0; 20],
            salt: [0; 20],
        })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == HandshakeState::Done
    }

    /// Whether the peer ended the stream behind our response, which says only that it did not like it.
    pub(crate) fn is_answered(&self) -> bool {
        self.state == HandshakeState::Answered
    }

    /// Takes an AUTH or a RESP.
    pub(crate) fn take(
        &mut self,
        kind: PacketKind,
        proof: &Proof,
    ) -> Result<HandshakeStep, PeerError> {
        match (self.state, kind) {
            (HandshakeState::Challenged, PacketKind::Auth) => self.challenged(&proof.challenge),
            (HandshakeState::Answered, PacketKind::Resp) => {
                self.check(proof)?;
                // The server's RESP is the last packet of the handshake: its challenge is all zeros, since there is
                // nobody left to ask.
                if proof.challenge != [0; 20] {
                    return Err(Misbehaved::UnexpectedCommand.into());
                }
                self.state = HandshakeState::Done;
                Ok(HandshakeStep::Open(None))
            }
            (HandshakeState::Challenging, PacketKind::Resp) => {
                self.check(proof)?;
                // A counter-challenge of zeros asks for no answer: that client does not want to know who the
                // server is. kaa.rpc serves its calls all the same (`_handle_packet_before_auth`), and so do we.
                let answer = match proof.challenge {
                    [0, ..] if proof.challenge == [0; 20] => None,
                    challenge => Some(self.answer(&challenge, Side::Accepting, [0; 20])?),
                };
                self.state = HandshakeState::Done;
                Ok(HandshakeStep::Open(answer))
            }
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        }
    }

    fn challenged(&mut self, challenge: &Part) -> Result<HandshakeStep, PeerError> {
        let answer = self.answer(challenge, Side::Connecting, self.challenge)?;
        self.state = HandshakeState::Answered;
        Ok(HandshakeStep::Answer(answer))
    }

    fn check(&self, proof: &Proof) -> Result<(), PeerError> {
        match is_response(&self.secret, &self.challenge, &proof.salt, &proof.response) {
            true => Ok(()),
            false => Err(Insecure::WrongSecret.into()),
        }
    }

    /// Answers a challenge, unless one of our own side made it: then somebody wants an answer from us
    /// that it was asked for itself.
    fn answer(&self, asked: &Part, own: Side, counter: Part) -> Result<Proof, PeerError> {
        if is_made_by(&self.secret, own, asked) {
            return Err(Insecure::Reflection.into());
        }
        let response = response(&self.secret, asked, &self.salt);
        Ok(Proof { challenge: counter, response, salt: self.salt })
    }
}

impl std::fmt::Debug for KaaHandshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handshake({:?})", self.state)
    }
}
