//! Two channels and the bytes between them; or one, and bytes from somebody else.

use pseud_proto::kaa::{Channel, Config};
use pseud_proto::value::Packed;
use pseud_proto::zmtp::Side;
use pseud_proto::{Action, CallId, CallOptions, Outcome, PeerError, Request, Ticket};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

pub(crate) const SECRET: &[u8] = b"s3cret";

/// One side, and what it has told.
pub(crate) struct Peer {
    pub(crate) channel: Channel,
    pub(crate) now: Instant,
    pub(crate) actions: Vec<Action>,
    pub(crate) result: Result<(), PeerError>,
}

impl Peer {
    pub(crate) fn new(side: Side, config: Config, seed: u8) -> Self {
        let now = Instant::now();
        let channel = Channel::new(Arc::new(config), side, [seed; 32], now);
        Self { channel, now, actions: Vec::new(), result: Ok(()) }
    }

    pub(crate) fn server() -> Self {
        Self::new(Side::Accepting, Config::new(SECRET), 1)
    }

    pub(crate) fn client() -> Self {
        Self::new(Side::Connecting, Config::new(SECRET), 2)
    }

    /// All that it wants to write.
    pub(crate) fn written(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let mut slices = [IoSlice::new(&[]); 3];
            let count = self.channel.slices(&mut slices);
            let part: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
            if part.is_empty() {
                return bytes;
            }
            self.channel.advance(part.len(), self.now);
            bytes.extend(part);
        }
    }

    pub(crate) fn read(&mut self, bytes: &[u8]) -> &mut Self {
        let result = self.channel.handle_input(&mut bytes.to_vec(), self.now);
        if self.result.is_ok() {
            self.result = result;
        }
        self.look();
        self
    }

    pub(crate) fn look(&mut self) {
        self.actions.extend(std::iter::from_fn(|| self.channel.poll_action()));
    }

    pub(crate) fn call(&mut self, name: &str, arguments: Packed) -> CallId {
        self.channel.call(name, arguments, CallOptions::default(), self.now).unwrap()
    }

    /// The requests that have come since it was asked last.
    pub(crate) fn requests(&mut self) -> Vec<Request> {
        self.look();
        let (requests, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.actions)
            .into_iter()
            .partition(|action| matches!(action, Action::Serve(_)));
        self.actions = others;
        let served = |action| match action {
            Action::Serve(request) => Some(request),
            _ => None,
        };
        requests.into_iter().filter_map(served).collect()
    }

    pub(crate) fn request(&mut self) -> Request {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{:?}", self.actions);
        requests.remove(0)
    }

    /// How a call has ended, if it has.
    pub(crate) fn outcome(&mut self, of: CallId) -> Option<Outcome> {
        self.look();
        let at = self
            .actions
            .iter()
            .position(|action| matches!(action, Action::Finish { call, .. } if *call == of))?;
        match self.actions.remove(at) {
            Action::Finish { outcome, .. } => Some(outcome),
            _ => None,
        }
    }

    pub(crate) fn reply(&mut self, ticket: Ticket, result: Packed) {
        self.channel.reply(ticket, Ok(result), self.now);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::Close(..)))
    }
}

/// Moves bytes between the two until both rest, in pieces of that size.
pub(crate) fn settle_by(one: &mut Peer, other: &mut Peer, size: usize) {
    loop {
        let (there, back) = (one.written(), other.written());
        for piece in there.chunks(size) {
            other.read(piece);
        }
        for piece in back.chunks(size) {
            one.read(piece);
        }
        if there.is_empty() && back.is_empty() {
            return;
        }
    }
}

pub(crate) fn settle(one: &mut Peer, other: &mut Peer) {
    settle_by(one, other, usize::MAX);
}

/// A server and a client that have shown each other that they know the secret.
pub(crate) fn pair() -> (Peer, Peer) {
    let (mut server, mut client) = (Peer::server(), Peer::client());
    settle(&mut server, &mut client);
    assert!(server.channel.peer().is_some() && client.channel.peer().is_some());
    (server, client)
}

/// A server whose client is authenticated and anybody from now on.
pub(crate) fn open_server() -> Peer {
    pair().0
}

pub(crate) fn packet(seq: u32, kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_le_bytes();
    [&seq.to_le_bytes()[..], kind, &len, payload].concat()
}

/// The packets in bytes: number, type, payload.
pub(crate) fn packets(mut bytes: &[u8]) -> Vec<(u32, String, Vec<u8>)> {
    let mut packets = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at(12);
        let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
        let (payload, rest) = rest.split_at(number(8) as usize);
        let kind = String::from_utf8(head[4..8].to_vec()).unwrap();
        packets.push((number(0), kind, payload.to_vec()));
        bytes = rest;
    }
    packets
}

/// What was raised, told by a packet that a server wrote: as a client sees it.
pub(crate) fn result_of(kind: &str, payload: &[u8]) -> Outcome {
    let (mut server, mut client) = pair();
    let call = client.call("any", Packed::call(&(), &()).unwrap());
    settle(&mut server, &mut client);
    client.read(&packet(1, kind.as_bytes().try_into().unwrap(), payload));
    client.outcome(call).expect("an answer ends its call")
}
