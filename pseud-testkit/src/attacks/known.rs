//! What an attacker has and learns.

use crate::raw::forger::{Forger, Key, Keys, ready_numbered, welcome};
use crate::raw::{command, frame, metadata, work_body};

/// Who comes in under PLAIN, with names and passwords that are any bytes. The first is the attacker's own.
pub const USERS: [(&[u8], &[u8]); 4] = [
    (b"mallory", b"a password"),
    (&[b'u'; 255], &[b'p'; 255]),
    (b"nul\0nul", b"\0"),
    (b"\xff\xfe\x1b[2J", b"\x80\n"),
];

/// An attacker's keys, and what it saw of the victim's handshake.
#[derive(Clone)]
pub struct Known {
    /// Before a server of CURVE.
    pub forger: Forger,
    /// Before a client of CURVE: its HELLO's data.
    pub hello: Vec<u8>,
    /// As which of `USERS` it comes in under PLAIN.
    pub user: usize,
}

impl Known {
    /// The victim's server, or the one that the victim believes to have before it.
    pub fn server() -> Keys {
        Keys::generate([0x51; 32])
    }

    /// The server knows this one: an attacker that is let in.
    pub fn mallory() -> Keys {
        Keys::generate([0xa1; 32])
    }

    /// Nobody knows this one.
    pub fn stranger() -> Keys {
        Keys::generate([0x57; 32])
    }

    /// WELCOME's data from whoever has those keys, for the victim's HELLO.
    pub fn welcome(&self, server: &Keys, transient: &Key) -> Vec<u8> {
        welcome(&self.hello, server, transient)
    }

    /// READY's data of that number, behind a WELCOME with that key.
    pub fn ready(&self, number: u64, transient: &Keys) -> Vec<u8> {
        ready_numbered(number, &self.hello, transient, &metadata("ROUTER", "rogue"))
    }

    /// The INITIATE that a server lets in.
    pub fn initiate(&self) -> Vec<u8> {
        self.initiate_with(&metadata("DEALER", ""))
    }

    /// The same, of other metadata.
    pub fn initiate_with(&self, metadata: &[u8]) -> Vec<u8> {
        command("INITIATE", &self.forger.initiate(&self.forger.good_vouch(), metadata))
    }

    /// A MESSAGE frame of that number around those flags and that payload.
    pub fn sealed(&self, number: u64, flags: u8, payload: &[u8]) -> Vec<u8> {
        frame(0, &self.forger.message(number, &[&[flags], payload].concat()))
    }

    /// The MESSAGEs of a call of the spy's, the first of that number.
    pub fn call(&self, number: u64) -> Vec<u8> {
        let body = work_body("spy");
        let parts = [&b""[..], b"v1", super::ID, &[crate::raw::WORK], &body];
        let sealed = (number..)
            .zip(parts.iter().enumerate())
            .map(|(number, (index, part))| self.sealed(number, u8::from(index < 4), part));
        sealed.collect::<Vec<_>>().concat()
    }
}

impl Default for Known {
    fn default() -> Self {
        let forger = Forger::with(Self::mallory(), Self::server().public);
        Self { hello: forger.hello(), forger, user: 0 }
    }
}
