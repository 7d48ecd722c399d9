//! Peers, as a ROUTER knows them: by the socket and the identity that they are behind.

use super::admitted::AdmissionTicket;
use pseud_async::adapter::MessageLink;
use pseud_proto::zmtp::Token;
use slab::Slab;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many are known. Since libzmq does not tell when a peer leaves, the one that was silent for longest
/// has to make room.
const PEERS_MAX: usize = 16_384;

/// When a message that could not be sent is tried again, since its first time: Python pseud tries four
/// times, 100 ms apart. The first is early: an id that was announced just now becomes routable in a moment.
const AGAIN: [Duration; 5] = [
    Duration::from_millis(5),
    Duration::from_millis(95),
    Duration::from_millis(100),
    Duration::from_millis(100),
    Duration::from_millis(100),
];

/// A message that could not be sent yet.
#[derive(Debug)]
pub(super) struct Stuck {
    pub(super) frames: Vec<Vec<u8>>,
    pub(super) token: Token,
    attempts: usize,
    pub(super) at: Instant,
}

impl Stuck {
    pub(super) fn new(frames: Vec<Vec<u8>>, token: Token, now: Instant) -> Self {
        Self { frames, token, attempts: 0, at: now + AGAIN[0] }
    }

    /// Another attempt has failed. `false`: it was the last.
    pub(super) fn put_off(&mut self, now: Instant) -> bool {
        self.attempts += 1;
        match AGAIN.get(self.attempts) {
            Some(wait) => {
                self.at = now + *wait;
                true
            }
            None => false,
        }
    }
}

#[derive(Debug)]
pub(super) struct SocketPeer {
    pub(super) link: Arc<MessageLink>,
    pub(super) socket: usize,
    pub(super) id: Vec<u8>,
    /// By which answer it was let in, where peers are asked about.
    pub(super) ticket: Option<AdmissionTicket>,
    pub(super) stuck: Option<Stuck>,
    pub(super) joined: Instant,
    pub(super) heard: Instant,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct SocketPeers {
    all: Slab<SocketPeer>,
    by_id: HashMap<(usize, Vec<u8>), usize>,
}

impl SocketPeers {
    /// The key of the next peer.
    pub(super) fn next_key(&self) -> usize {
        self.all.vacant_key()
    }

    /// Who has to make room for another.
    pub(super) fn pushed_out(&self) -> Option<usize> {
        let silent = |(_, peer): &(usize, &SocketPeer)| peer.heard;
        let full = self.all.len() >= PEERS_MAX;
        if full { self.all.iter().min_by_key(silent).map(|(key, _)| key) } else { None }
    }

    pub(super) fn insert(&mut self, peer: SocketPeer) -> usize {
        let id = (peer.socket, peer.id.clone());
        let key = self.all.insert(peer);
        self.by_id.insert(id, key);
        key
    }

    pub(super) fn remove(&mut self, key: usize) -> Option<SocketPeer> {
        let peer = self.all.try_remove(key)?;
        self.by_id.remove(&(peer.socket, peer.id.clone()));
        Some(peer)
    }

    pub(super) fn get(&self, key: usize) -> Option<&SocketPeer> {
        self.all.get(key)
    }

    pub(super) fn get_mut(&mut self, key: usize) -> Option<&mut SocketPeer> {
        self.all.get_mut(key)
    }

    pub(super) fn find(&self, socket: usize, id: &[u8]) -> Option<usize> {
        self.by_id.get(&(socket, id.to_vec())).copied()
    }

    /// Those behind a socket.
    pub(super) fn behind(&self, socket: usize) -> Vec<usize> {
        let behind = self.all.iter().filter(|(_, peer)| peer.socket == socket);
        behind.map(|(key, _)| key).collect()
    }

    /// Those whose message is to be tried again.
    pub(super) fn due(&self, now: Instant) -> Vec<usize> {
        let due = |peer: &SocketPeer| peer.stuck.as_ref().is_some_and(|stuck| stuck.at <= now);
        self.all.iter().filter(|(_, peer)| due(peer)).map(|(key, _)| key).collect()
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.all.iter().filter_map(|(_, peer)| Some(peer.stuck.as_ref()?.at)).min()
    }
}
