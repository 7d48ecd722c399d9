//! Calls of the peer that are not answered yet.

use crate::base::slab::{MachineId, Slab};
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
        Ok(RequestId { peer: self.peer, key })
    }

    /// One that is open takes so many bytes more.
    pub(super) fn grow(
        &mut self,
        id: RequestId,
        bytes: usize,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let Some(open) = self.open.get_mut(id.key) else { return Ok(()) };
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
        let open = self.open.remove(id.key)?;
        self.bytes -= open.size;
        Some(open.seq)
    }

    pub(super) fn is_open(&self, id: RequestId) -> bool {
        self.open.get(id.key).is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn all(&self) -> Vec<RequestId> {
        let peer = self.peer;
        self.open.keys().into_iter().map(|key| RequestId { peer, key }).collect()
    }
}
