//! What goes: pulled from the node as long as libzmq takes it.

use super::peers::Stuck;
use super::worker::Worker;
use pseud_proto::Reason;
use std::time::Instant;
use zmq::{DONTWAIT, SNDMORE};

impl Worker {
    /// Looks after a peer: lets it go if that is wanted, or sends what there is for it.
    pub(super) fn flush(&mut self, key: usize) {
        loop {
            let Some(peer) = self.peers.get_mut(key) else { return };
            if let Some(reason) = peer.link.closing() {
                // What was begun and did not fit is not sent any more.
                if let Some(parting) = peer.link.parting().filter(|_| peer.stuck.is_none()) {
                    let _ = self.send(key, &parting);
                }
                return self.let_go(key, reason);
            }
            if peer.stuck.is_some() {
                return;
            }
            let link = peer.link.clone();
            let Some((frames, token)) = link.pull() else { return };
            match self.send(key, &frames) {
                Ok(()) => link.written(token),
                Err(_) => {
                    let stuck = Stuck::new(frames, token, Instant::now());
                    if let Some(peer) = self.peers.get_mut(key) {
                        peer.stuck = Some(stuck);
                    }
                    return;
                }
            }
        }
    }

    /// Hands a message to libzmq, whole: it decides on the first frame (ROUTER with MANDATORY).
    ///
    /// # Errors
    /// EHOSTUNREACH: nobody has that id. EAGAIN: its queue is full.
    fn send(&self, key: usize, frames: &[Vec<u8>]) -> zmq::Result<()> {
        let peer = self.peers.get(key).ok_or(zmq::Error::EHOSTUNREACH)?;
        let router = self.routers.get(peer.socket).and_then(|router| router.socket.as_ref());
        let socket = router.ok_or(zmq::Error::EHOSTUNREACH)?;
        socket.send(peer.id.as_slice(), SNDMORE | DONTWAIT)?;
        let last = frames.len().saturating_sub(1);
        for (index, frame) in frames.iter().enumerate() {
            let more = if index < last { SNDMORE } else { 0 };
            socket.send(frame.as_slice(), more | DONTWAIT)?;
        }
        Ok(())
    }

    /// Tries what could not be sent, or lets its peer go: the call had not left.
    pub(super) fn try_again(&mut self, now: Instant) {
        for key in self.peers.due(now) {
            let Some(peer) = self.peers.get_mut(key) else { continue };
            let (link, Some(mut stuck)) = (peer.link.clone(), peer.stuck.take()) else { continue };
            match self.send(key, &stuck.frames) {
                Ok(()) => {
                    link.written(stuck.token);
                    self.flush(key);
                }
                Err(_) if stuck.put_off(now) => {
                    if let Some(peer) = self.peers.get_mut(key) {
                        peer.stuck = Some(stuck);
                    }
                }
                Err(zmq::Error::EAGAIN) => self.let_go(key, Reason::SlowPeer),
                Err(_) => self.let_go(key, Reason::PeerGone),
            }
        }
    }
}
