//! What comes: from which peer, and what libzmq knows of it.

use super::admitted::AdmissionTicket;
use super::peers::SocketPeer;
use super::sockets::asks;
use super::worker::Worker;
use bytes::Bytes;
use pseud_async::adapter::{MessageLink, MessageSocket};
use pseud_proto::peer::PeerInfo;
use pseud_proto::zmtp::{MechanismConfig, MechanismName, Parts, Side, SocketType};
use pseud_proto::{Misbehaved, Profile, Reason};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zmq::{DONTWAIT, Message};

/// How many messages of one socket are taken before others have their turn.
const MESSAGES_MAX: usize = 64;

/// A probe of a peer that has been here for so long is that of its next connection.
const SETTLED: Duration = Duration::from_secs(1);

/// A message.
struct ReceivedMessage {
    id: Vec<u8>,
    /// Those behind the identity; `None`: there are more, or larger ones, than a message may have.
    frames: Option<Vec<Message>>,
    about: About,
}

/// What libzmq says of a message's sender: by the last frame, which has it in every version.
#[derive(Debug, Default)]
pub(super) struct About {
    ticket: Option<AdmissionTicket>,
    address: String,
    is_req: bool,
    profile: Profile,
}

impl About {
    fn of(message: &mut Message) -> Self {
        let mut property = |name| message.gets(name).map(str::to_owned);
        let declared = property("X-Pseud")
            .map(|value| Profile::of(&[(Bytes::from_static(b"X-Pseud"), Bytes::from(value))]));
        Self {
            ticket: property("User-Id"),
            address: property("Peer-Address").unwrap_or_default(),
            is_req: property("Socket-Type").is_some_and(|kind| kind == SocketType::Req.as_str()),
            profile: declared.unwrap_or_default(),
        }
    }
}

impl Worker {
    pub(super) fn receive(&mut self, key: usize) -> zmq::Result<()> {
        for _ in 0..MESSAGES_MAX {
            let Some(received) = self.read(key)? else { return Ok(()) };
            self.incoming(key, received);
        }
        Ok(())
    }

    /// A message is there as a whole, or not at all.
    fn read(&self, key: usize) -> zmq::Result<Option<ReceivedMessage>> {
        let Some(socket) = self.routers.get(key).and_then(|router| router.socket.as_ref()) else {
            return Ok(None);
        };
        let mut frame: Message = match socket.recv_msg(DONTWAIT) {
            Ok(frame) => frame,
            Err(zmq::Error::EAGAIN) => return Ok(None),
            Err(error) => return Err(error),
        };
        let limits = &self.options.connection.limits;
        let (id, mut frames, mut bytes, mut over) = (frame.to_vec(), Vec::new(), 0, false);
        let mut more = frame.get_more();
        while more {
            frame = socket.recv_msg(DONTWAIT)?;
            more = frame.get_more();
            bytes += frame.len();
            over |= frames.len() >= limits.frames_max.min(Parts::MAX);
            over |= bytes > limits.message_bytes_max;
            if over {
                // The last of them still says whose they are.
                frames.clear();
            }
            frames.push(frame);
        }
        let about = frames.last_mut().map(About::of).unwrap_or_default();
        Ok(Some(ReceivedMessage { id, frames: (!over).then_some(frames), about }))
    }

    fn incoming(&mut self, key: usize, received: ReceivedMessage) {
        let ReceivedMessage { id, frames, about } = received;
        let is_probe = matches!(frames.as_deref(), Some([only]) if only.is_empty());
        let Some(peer) = self.peer(key, &id, is_probe, about) else { return };
        if is_probe {
            return;
        }
        let parts = frames.and_then(|frames| {
            Parts::from_frames(&frames.iter().map(|frame| &frame[..]).collect::<Vec<_>>())
        });
        let Some(link) = self.peers.get_mut(peer).map(|peer| peer.link.clone()) else { return };
        match parts.map(|parts| link.handle_message(parts)) {
            None => tracing::debug!("a message over the limits was dropped"),
            Some(Ok(())) => self.flush(peer),
            Some(Err(error)) => self.let_go(peer, error.into()),
        }
    }

    /// The session of who sent a message; `None`: nobody who may.
    fn peer(&mut self, key: usize, id: &[u8], is_probe: bool, about: About) -> Option<usize> {
        let now = Instant::now();
        if let Some(known) = self.peers.find(key, id) {
            let is_bound = self.routers.get(key).is_some_and(|router| router.dialed.is_none());
            let is_asked = asks(&self.options.connection.mechanism);
            let peer = self.peers.get_mut(known)?;
            let is_next = is_bound && is_probe && now.duration_since(peer.joined) >= SETTLED;
            let is_same = !is_next && (!is_asked || peer.ticket == about.ticket);
            match peer.link.closing() {
                // What came behind the end of its session is nothing of that session's: it may begin the next one.
                Some(_) => self.flush(known),
                None if is_same => {
                    peer.heard = now;
                    return Some(known);
                }
                None => self.let_go(known, Reason::PeerGone),
            }
        }
        self.join(key, id, about)
    }

    /// Somebody is there.
    pub(super) fn join(&mut self, key: usize, id: &[u8], about: About) -> Option<usize> {
        if let Some(silent) = self.peers.pushed_out() {
            self.let_go(silent, Reason::PeerGone);
        }
        let About { ticket, address, is_req, profile } = about;
        // Ids that begin with a zero byte are of libzmq's making: their peers have announced none.
        let identity =
            if id.first() == Some(&0) { Bytes::new() } else { Bytes::copy_from_slice(id) };
        let router = self.routers.get(key)?;
        let is_dialed = router.dialed.is_some();
        // With the session of the one who was dialed its connection ended as well.
        router.socket.as_ref()?;
        let mut info = PeerInfo::new(identity)
            .with_address(address)
            .with_side(if is_dialed { Side::Connecting } else { Side::Accepting })
            .with_socket_type(if is_req { SocketType::Req } else { SocketType::Router })
            .with_profile(profile);
        let mechanism = &self.options.connection.mechanism;
        info.mechanism = name_of(mechanism);
        let mut admitted = None;
        // Under NULL anybody may announce a User-Id: what is not ours says nothing.
        let ticket = if asks(mechanism) { Some(ticket?) } else { None };
        if let Some(ticket) = &ticket {
            let Some((who, asking)) = self.admitted.get(ticket) else {
                self.strangers.tell(&info.address);
                return None;
            };
            info = info.with_user(who.user.clone());
            #[cfg(feature = "_curve")]
            {
                info.client_key = who.key.map(Box::new);
            }
            admitted = Some(asking);
        }
        let (carrier, next): (Arc<dyn MessageSocket>, _) =
            (self.desk.clone(), self.peers.next_key());
        let link = MessageLink::join(&self.host, carrier, next, info, admitted)?;
        let now = Instant::now();
        let (id, stuck, joined, heard) = (id.to_vec(), None, now, now);
        let peer =
            self.peers.insert(SocketPeer { link, socket: key, id, ticket, stuck, joined, heard });
        self.flush(peer);
        Some(peer)
    }

    /// Its session ends. libzmq keeps the connection: what a peer that was shown out sends on it is from nobody.
    pub(super) fn let_go(&mut self, peer: usize, reason: Reason) {
        let Some(peer) = self.peers.remove(peer) else { return };
        // Where this side has ended it, that is why, whatever its peer does meanwhile.
        let reason = peer.link.closing().unwrap_or(reason);
        if let Some(ticket) = &peer.ticket
            && let Some((who, _)) = self.admitted.get(ticket)
            && !may_return(reason, who.user.is_anonymous())
        {
            self.admitted.forget(ticket);
        }
        peer.link.gone(reason);
        // Nothing else tells that a dialed peer without a session is to be dialed again.
        let is_connected = self
            .routers
            .get(peer.socket)
            .is_some_and(|router| router.dialed.is_some() && router.socket.is_some());
        if is_connected && self.peers.behind(peer.socket).is_empty() {
            self.lost(peer.socket, reason);
        }
    }
}

/// Whether a connection whose session ended for that may have another one by what let it in. libzmq's peers do
/// not connect again by themselves: who was silent, slow, pushed out or replaced has done nothing that a new
/// handshake would mend; and who was let in as nobody has to log in again. Whom this side wants no more, and
/// who broke the protocol, has to come anew.
fn may_return(reason: Reason, is_nobody: bool) -> bool {
    match reason {
        Reason::PeerFault(error) => error == Misbehaved::NotLoggedIn.into(),
        Reason::PeerGone
        | Reason::HeartbeatTimeout
        | Reason::SlowPeer
        | Reason::Replaced
        | Reason::Occupied
        | Reason::Disconnected => true,
        _ => is_nobody,
    }
}

fn name_of(mechanism: &MechanismConfig) -> MechanismName {
    match mechanism {
        MechanismConfig::PlainClient { .. } | MechanismConfig::PlainServer => MechanismName::Plain,
        #[cfg(feature = "_curve")]
        MechanismConfig::CurveClient { .. } | MechanismConfig::CurveServer { .. } => {
            MechanismName::Curve
        }
        _ => MechanismName::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::super::worker::Router;
    use super::*;
    use crate::runtime::Threads;
    use pseud_async::Options;
    use pseud_async::adapter::{Runtime, node_on};

    /// A session has ended, its connection has not; and this thread has not looked yet when its next message is read.
    #[test]
    fn what_comes_behind_the_end_of_a_session_begins_the_next_one() {
        let mut options = Options::server("service");
        let node = node_on(&mut options, &Threads::current().unwrap()).unwrap();
        let mut worker = Worker::new(node.host(), Arc::new(options), zmq::Context::new()).unwrap();
        let socket = worker.context.socket(zmq::ROUTER).unwrap();
        let router = Router { socket: Some(socket), dialed: None, closing: None };
        let key = worker.routers.insert(router);
        let arrive = |worker: &mut Worker| {
            let about = About::default();
            let (id, frames) = (b"client".to_vec(), Some(vec![Message::new()]));
            worker.incoming(key, ReceivedMessage { id, frames, about });
            worker
                .peers
                .find(key, b"client")
                .map(|peer| worker.peers.get(peer).unwrap().link.clone())
        };
        let first = arrive(&mut worker).unwrap();
        assert!(Arc::ptr_eq(&first, &arrive(&mut worker).unwrap()));
        first.end(Reason::Replaced);
        assert_eq!(first.closing(), Some(Reason::Replaced));
        let second = arrive(&mut worker).unwrap();
        assert!(!Arc::ptr_eq(&first, &second) && second.closing().is_none());
        assert_eq!(node.all_sessions().len(), 1);
    }
}
