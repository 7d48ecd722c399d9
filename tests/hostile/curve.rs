//! A bench whose server speaks CURVE, and an attacker's steps through the handshake (RFC 26).

use crate::bench::Bench;
use crate::secured::{curve_client, curve_server, keys, mallory_pair, server_pair};
use pseud::Options;
use pseud::proto::pseud::Dropped;
use pseud_testkit::raw::forger::Forger;
use pseud_testkit::raw::{COMMAND, OK, command, frame, greeting_of, metadata};
use pseud_testkit::raw::{RawFrame, RawPeer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const ID: &[u8] = b"sixteen bytes...";

/// Flags inside a MESSAGE. The last one is libzmq's: the payload is a command.
pub(crate) const MORE_INSIDE: u8 = 1;
pub(crate) const COMMAND_INSIDE: u8 = 2;

/// The bench, and how often somebody was asked about the attacker.
pub(crate) struct Keyed {
    pub(crate) bench: Bench,
    asked: Arc<AtomicU64>,
}

impl Keyed {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let asked = Arc::new(AtomicU64::new(0));
        let mut server = curve_server(&asked);
        change(&mut server);
        Self { bench: Bench::between(server, curve_client("service")).await, asked }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("tcp://{}", self.bench.address)
    }

    /// A link whose greetings have been exchanged.
    pub(crate) async fn greeted(&self) -> RawPeer {
        let mut wire = self.bench.connect().await;
        wire.send(&greeting_of("CURVE")).await;
        let theirs = wire.greeting().await;
        assert_eq!((&theirs[12..17], theirs[32]), (&b"CURVE"[..], 1), "a server's");
        wire
    }

    /// A link that has got WELCOME.
    pub(crate) async fn welcomed(&self, forger: &mut Forger) -> RawPeer {
        let mut wire = self.greeted().await;
        wire.send(&command("HELLO", &forger.hello())).await;
        let welcome = wire.frame().await;
        assert!(welcome.flags == COMMAND && welcome.body.starts_with(b"\x07WELCOME"));
        forger.take_welcome(&welcome.body);
        wire
    }

    /// A link that was let in.
    pub(crate) async fn admitted(&self) -> Insider {
        let mut forger = mallory();
        let mut wire = self.welcomed(&mut forger).await;
        wire.send(&initiate(&forger)).await;
        assert!(wire.frame().await.body.starts_with(b"\x05READY"));
        Insider { wire, forger, number: 2 }
    }

    /// The case is over: somebody was asked about the attacker so often, and it called the spy so
    /// often.
    pub(crate) async fn over(self, asked: u64, spied: u64, dropped: &[(Dropped, u64)]) {
        self.bench.over(spied, dropped).await;
        assert_eq!(self.asked.load(Ordering::Relaxed), asked, "questions");
    }
}

/// An attacker whose key the server knows.
pub(crate) fn mallory() -> Forger {
    Forger::with(keys(&mallory_pair()), keys(&server_pair()).public)
}

/// The INITIATE that a server of that WELCOME lets in.
pub(crate) fn initiate(forger: &Forger) -> Vec<u8> {
    let data = forger.initiate(&forger.good_vouch(), &metadata("DEALER", ""));
    command("INITIATE", &data)
}

/// An attacker who was let in.
pub(crate) struct Insider {
    pub(crate) wire: RawPeer,
    pub(crate) forger: Forger,
    /// The last number that was used.
    pub(crate) number: u64,
}

impl Insider {
    /// A MESSAGE of that number around those flags and that payload.
    pub(crate) fn sealed(&self, number: u64, flags: u8, payload: &[u8]) -> Vec<u8> {
        frame(0, &self.forger.message(number, &[&[flags], payload].concat()))
    }

    /// The MESSAGEs of a call of the spy's, of the next numbers.
    pub(crate) fn call(&mut self) -> Vec<u8> {
        let parts = [
            &b""[..],
            b"v1",
            ID,
            &[pseud_testkit::raw::WORK],
            &pseud_testkit::raw::work_body("spy"),
        ];
        let mut frames = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            self.number += 1;
            let more = if index + 1 < parts.len() { MORE_INSIDE } else { 0 };
            frames.extend(self.sealed(self.number, more, part));
        }
        frames
    }

    /// Calls the spy: the link is open and in step.
    pub(crate) async fn spy(&mut self) {
        let call = self.call();
        self.wire.send(&call).await;
        self.answered().await;
    }

    /// Takes the spy's answer.
    pub(crate) async fn answered(&mut self) {
        for part in [&b""[..], b"v1", ID, &[OK], &[7]] {
            let (_, payload) = self.part().await;
            assert_eq!(payload, part);
        }
    }

    /// The next MESSAGE that is not a PING: its flags and its payload.
    pub(crate) async fn part(&mut self) -> (u8, Vec<u8>) {
        loop {
            let RawFrame { flags, body } = self.wire.frame().await;
            assert!(flags & COMMAND == 0 && body.starts_with(b"\x07MESSAGE"), "{body:x?}");
            let mut opened = self.forger.open_message(&body).expect("a sound box");
            let payload = opened.split_off(1);
            if opened[0] & COMMAND_INSIDE == 0 || !payload.starts_with(b"\x04PING") {
                return (opened[0], payload);
            }
        }
    }
}
