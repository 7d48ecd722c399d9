//! Calls of the peer that are not answered yet.

use crate::base::slab::{Key, MachineId, Slab};
use crate::call::{PeerId, RequestId};
use crate::error::Refusal;
use crate::rpc::config::Limits;

#[derive(Debug)]
struct KaaRequest {
    seq: u32,
    size: usize,
}

#[derive(Debug)]
pub(super) struct KaaRequests {
    open: Slab<KaaRequest>,
    bytes: usize,
    peer: PeerId,
}

impl KaaRequests {
    /// Those of that peer.
    pub(super) fn new(machine: MachineId, peer: PeerId) -> Self {
        Self { open: Slab::new(machine), bytes: 0, peer }
    }

    /// Takes a place for a request of that size.
    pub(super) fn open(
        &mut self,
        seq: u32,
        size: usize,
        limits: &Limits,
    ) -> Result<RequestId, Refusal> {
        let max = limits.requests_open_per_peer_max;
        if self.open.len() >= max {
            return Err(Refusal::Overloaded { max, what: "requests of this peer are open" });
        }
        Self::check_room(self.bytes, size, limits)?;
        self.bytes += size;
        let key = self.open.insert(KaaRequest { seq, size });
        Ok(self.id_of(key))
    }

    /// One that is open takes so many bytes more.
    pub(super) fn grow(
        &mut self,
        id: RequestId,
        bytes: usize,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let Some(open) = self.open.get_mut(self.key_of(id)) else { return Ok(()) };
        Self::check_room(self.bytes - open.size, open.size + bytes, limits)?;
        open.size += bytes;
        self.bytes += bytes;
        Ok(())
    }

    fn check_room(others: usize, size: usize, limits: &Limits) -> Result<(), Refusal> {
        let max = limits.requests_open_bytes_per_peer_max;
        match Limits::has_room(others, size, max) {
            true => Ok(()),
            false => {
                let what = "bytes of requests of this peer are open";
                Err(Refusal::Overloaded { max, what })
            }
        }
    }

    /// It is answered: the number of its packet.
    pub(super) fn close(&mut self, id: RequestId) -> Option<u32> {
        let open = self.open.remove(self.key_of(id))?;
        self.bytes -= open.size;
        Some(open.seq)
    }

    pub(super) fn is_open(&self, id: RequestId) -> bool {
        self.open.get(self.key_of(id)).is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn all(&self) -> Vec<RequestId> {
        self.open.keys().into_iter().map(|key| self.id_of(key)).collect()
    }

    /// Its number is its slot and that one's generation.
    fn id_of(&self, key: Key) -> RequestId {
        let number = u64::from(key.index) << 32 | u64::from(key.generation);
        RequestId { peer: self.peer, number }
    }

    /// A peer's id says which machine it is of.
    fn key_of(&self, id: RequestId) -> Key {
        let machine = id.peer.0.machine;
        Key { machine, index: (id.number >> 32) as u32, generation: id.number as u32 }
    }
}
