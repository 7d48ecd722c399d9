//! Ids of nodes and of keys: 160 bits, and how far they are from each other.

use pseud::Bytes;
use sha1::{Digest, Sha1};
use std::net::SocketAddr;

/// A node's id, or a key's: its SHA-1, as Python's `kademlia` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id([u8; 20]);

impl Id {
    /// A fresh one.
    pub(crate) fn random() -> std::io::Result<Self> {
        let mut id = [0; 20];
        getrandom::fill(&mut id).map_err(std::io::Error::other)?;
        Ok(Self(id))
    }

    /// Of a key.
    pub(crate) fn of_key(key: &str) -> Self {
        Self(Sha1::digest(key.as_bytes()).into())
    }

    /// As it travels: 20 bytes, or it is none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// As it travels.
    pub(crate) fn to_bytes(self) -> Bytes {
        Bytes::copy_from_slice(&self.0)
    }

    /// Kademlia's distance: the exclusive or of both, as a number.
    pub(crate) fn distance(self, other: Self) -> [u8; 20] {
        std::array::from_fn(|at| self.0[at] ^ other.0[at])
    }

    /// How many bits both begin with in common: 0 to 160.
    pub(crate) fn common_bits(self, other: Self) -> usize {
        let distance = self.distance(other);
        let zeros = distance.iter().take_while(|byte| **byte == 0).count();
        8 * zeros + distance.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize)
    }
}

/// A node, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) id: Id,
    pub(crate) address: SocketAddr,
}
