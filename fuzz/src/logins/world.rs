//! Two clients, their server, and their links.

use super::client::Client;
use super::judge::{Judge, number_of};
use super::server::Server;
use super::settings::{self, USERS};
use crate::script::Script;
use pseud_proto::PeerId;
use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::Transmit;
use pseud_proto::zmtp::{Parts, Side, Token};
use pseud_testkit::ledger::Number;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A message of five.
pub(super) type Frames = Vec<Vec<u8>>;

pub(super) struct World {
    now: Instant,
    server: Server,
    clients: [Client; 2],
    links: [Link; 2],
    judge: Judge,
}

/// What lies between a client and the server, the oldest first.
#[derive(Default)]
struct Link {
    /// The server's end.
    peer: Option<PeerId>,
    to_server: VecDeque<Frames>,
    to_client: VecDeque<Frames>,
}

impl World {
    pub(super) fn new(script: &mut Script<'_>) -> Self {
        let server = Server::new(settings::server(script));
        let config = settings::client(script, USERS[0]);
        let clients = [Client::new(0, config), Client::new(1, settings::client(script, USERS[1]))];
        let links = [Link::default(), Link::default()];
        Self { now: Instant::now(), server, clients, links, judge: Judge::default() }
    }

    pub(super) fn step(&mut self, [step, choice, more]: [u8; 3]) {
        let (which, now) = (usize::from(step >= 128), self.now);
        match step % 24 {
            0 => self.connect(which, choice),
            1 | 2 => self.clients[which].call([choice, more], &mut self.judge, now),
            3 => self.server.call([choice, more], &mut self.judge, now),
            4 | 5 => drop(self.clients[which].pull(&mut self.judge, now)),
            6 | 7 => drop(self.client_writes(which)),
            8 | 9 => drop(self.server_hears(which)),
            10 | 11 => drop(self.server_pulls(which)),
            12 => drop(self.server_writes(which)),
            13 | 14 => drop(self.client_hears(which)),
            15 => {
                if let Some(peer) = self.links[which].peer {
                    self.server.answer_login(peer, choice, &mut self.judge, now);
                }
            }
            16 => drop(self.server.reply([choice, more], now)),
            17 => drop(self.clients[which].reply([choice, more], now)),
            18 => self.time(choice),
            19 if more < 128 => self.clients[which].cancel(choice),
            19 => self.server.cancel(choice, now),
            20 => self.forge(which, choice, more),
            21 => self.clients[which].decide([choice, more]),
            22 => self.lose(which, choice),
            _ => drop(self.flow(usize::from(choice % 8))),
        }
        self.settle();
    }

    /// A new link, where the last one is gone on both sides.
    fn connect(&mut self, which: usize, choice: u8) {
        if self.clients[which].side.is_some() || self.links[which].peer.is_some() {
            return;
        }
        let profile = settings::profile(choice);
        let user = if choice & 0xf0 == 0x10 { USERS[which] } else { "" };
        let info = PeerInfo::new(USERS[which].into()).with_user(user).with_profile(profile);
        let peer = self.server.connect(info, self.now);
        self.links[which] = Link { peer: Some(peer), ..Link::default() };
        let info = PeerInfo::new("server".into()).with_profile(profile).with_side(Side::Connecting);
        self.clients[which].connect(info, choice & 8 != 0, self.now);
    }

    fn client_writes(&mut self, which: usize) -> bool {
        let written = self.clients[which].write();
        let has_written = written.is_some();
        self.links[which].to_server.extend(written);
        has_written
    }

    fn server_pulls(&mut self, which: usize) -> bool {
        let peer = self.links[which].peer;
        peer.is_some_and(|peer| self.server.pull(peer, &mut self.judge, self.now))
    }

    fn server_writes(&mut self, which: usize) -> bool {
        let Some(peer) = self.links[which].peer else { return false };
        let written = self.server.write(peer, self.now);
        let has_written = written.is_some();
        self.links[which].to_client.extend(written);
        has_written
    }

    fn server_hears(&mut self, which: usize) -> bool {
        let Some(peer) = self.links[which].peer else { return false };
        let Some(frames) = self.links[which].to_server.pop_front() else { return false };
        self.server.hear(peer, &frames, self.now);
        true
    }

    fn client_hears(&mut self, which: usize) -> bool {
        let Some(frames) = self.links[which].to_client.pop_front() else { return false };
        self.clients[which].hear(&frames, &mut self.judge, self.now);
        true
    }

    /// Time passes, and is told.
    fn time(&mut self, choice: u8) {
        let steps = [0, 1, 500, 6_000, 4_000_000];
        self.now += Duration::from_millis(steps[usize::from(choice) % steps.len()]);
        self.server.timeout(&mut self.judge, self.now);
        self.clients.iter_mut().for_each(|client| client.timeout(self.now));
    }

    /// Somebody says what nobody has said.
    fn forge(&mut self, which: usize, choice: u8, more: u8) {
        let kinds = [2, 4, 0x11, 1, 3, 0x10, 6, 0x12];
        let kind = kinds[usize::from(more / 2 % 8)];
        let body: &[u8] = match (kind, more / 16 % 4) {
            (2, 0) => b"\x92\xc4\x04john\xc4\x06sesame",
            (2, 1) => b"\x92\xc4\x04jane\xc4\x05wrong",
            (2, 2) => b"\x92\xa3eve\xa6sesame",
            (3, _) => b"\x93\xa6forged\x90\x80",
            (0x11, 1) => b"Authentication Unavailable",
            (0x12, 0) => b"\x91\xa7revoked",
            (1, 0) => b"\x07",
            _ => b"\xc1",
        };
        let id = self.judge.forge(choice);
        let frames = vec![vec![], b"v1".to_vec(), id, vec![kind], body.to_vec()];
        match more & 1 {
            0 => self.links[which].to_server.push_front(frames),
            _ => self.links[which].to_client.push_front(frames),
        }
    }

    fn lose(&mut self, which: usize, choice: u8) {
        let peer = self.links[which].peer;
        match (choice % 8, peer) {
            (0 | 1, _) => self.clients[which].lose(false),
            (2, _) => self.clients[which].lose(true),
            (3 | 4, Some(peer)) => self.server.gone(peer, self.now),
            (5, _) => self.server.show_out(choice / 8, self.now),
            (6, _) if choice == 0xfe => self.server.drain(),
            _ => {}
        }
    }

    /// All that waits goes its way, so many times.
    fn flow(&mut self, times: usize) -> bool {
        let mut has_moved = false;
        for _ in 0..times {
            for which in 0..2 {
                while self.clients[which].pull(&mut self.judge, self.now)
                    | self.client_writes(which)
                    | self.server_hears(which)
                    | self.server_pulls(which)
                    | self.server_writes(which)
                    | self.client_hears(which)
                {
                    has_moved = true;
                    self.settle();
                }
            }
        }
        has_moved
    }

    /// Does what both sides ask for.
    fn settle(&mut self) {
        self.server.settle(&mut self.judge, self.now);
        for (peer, frames) in self.server.take_left() {
            let link = self.links.iter_mut().find(|link| link.peer == Some(peer));
            let link = link.expect("a session has a link");
            (link.peer, link.to_server) = (None, VecDeque::new());
            link.to_client.extend(frames);
        }
        for (client, link) in self.clients.iter_mut().zip(&mut self.links) {
            if let Some(frames) = client.settle(&mut self.judge, self.now) {
                link.to_client.clear();
                link.to_server.extend(frames);
            }
        }
    }

    pub(super) fn check(&self) {
        self.server.check();
        self.clients.iter().for_each(Client::check);
    }

    /// Everything is answered honestly; then everybody leaves.
    pub(super) fn finish(&mut self) {
        let mut has_moved = true;
        while has_moved {
            has_moved = self.flow(1);
            for peer in self.server.questions() {
                self.server.answer_login(peer, 0, &mut self.judge, self.now);
                has_moved = true;
            }
            while self.server.reply([0, 1], self.now) {
                has_moved = true;
                self.settle();
            }
            for client in &mut self.clients {
                while client.reply([0, 1], self.now) {
                    has_moved = true;
                }
                while !client.pending().1 {
                    client.decide([0, 3]);
                    has_moved = true;
                }
            }
            self.settle();
            self.check();
        }
        for (client, link) in self.clients.iter().zip(&self.links) {
            let (pending, _) = client.pending();
            let is_honest = !self.judge.is_odd && link.peer.is_some();
            assert!(!is_honest || pending == 0, "{pending} calls that nobody answers");
        }
        for which in 0..2 {
            self.lose(which, 0);
            self.lose(which, 3);
            self.settle();
        }
        self.time(4);
        self.server.shut_down(&mut self.judge, self.now);
        self.settle();
        self.clients.iter().for_each(Client::check);
        self.judge.finish();
    }
}

/// A message that was handed over: its frames, the number of its call if it is a WORK, and its token.
pub(super) fn frames_of(transmit: Transmit) -> (Frames, Option<Number>, Token) {
    transmit.with(|message, token| {
        let is_work = message.frames[3] == [3];
        // `[name, …`: a short text behind the array's head.
        let len = message.head.get(1).map_or(0, |head| usize::from(head & 31));
        let name = message.head.get(2..2 + len).filter(|_| is_work);
        let number = name.and_then(|name| number_of(std::str::from_utf8(name).ok()?));
        let mut frames: Frames = message.frames.iter().map(|frame| frame.to_vec()).collect();
        frames.push([message.head, &message.body[..], message.tail].concat());
        (frames, number, token)
    })
}

pub(super) fn parts_of(frames: &Frames) -> Parts {
    Parts::from_frames(frames).expect("five frames")
}
