//! Whatever somebody who holds the right keys seals (any metadata in INITIATE, any flags and bytes in
//! frames, wrong tags, numbers that don't follow), a CURVE server delivers exactly the messages that the
//! sealed frames spell, up to the first frame that breaks a rule, and does so however the bytes are cut.
//!
//! The first byte chooses limits and metadata, the second how input is cut; then frames to seal, one a
//! step.

use crate::frames::limits;
use crate::memory::bounded;
use crate::metadata;
use crate::rules::{Rules, same};
use crate::script::Script;
use crate::twins::{Pieces, Twins};
use pseud_proto::zmtp::{KeyPair, MechanismConfig, Side, Verdict};
use pseud_proto::{Insecure, Malformed, PeerError};
use pseud_testkit::connection::config;
use pseud_testkit::raw::forger::{Forger, Keys};
use pseud_testkit::raw::{COMMAND, command, frame, greeting};
use std::time::Instant;

const STEPS_MAX: usize = 16;

/// A server whose client makes its own commands and frames.
pub fn curve_insider(data: &[u8]) {
    bounded(data.len() + (64 << 10), || {
        let mut script = Script::new(data);
        let choice = script.byte();
        let mut insider = Insider::new(choice, script.byte());
        if insider.enter(choice, &mut script) {
            insider.talk(&mut script);
        }
    });
}

struct Insider {
    now: Instant,
    forger: Forger,
    link: Twins,
    rules: Rules,
    /// The number of the next frame.
    number: u64,
}

impl Insider {
    fn new(choice: u8, cut: u8) -> Self {
        let (now, server) = (Instant::now(), KeyPair::generate([0x51; 32]));
        let forger = Forger::with(Keys::generate([0xc1; 32]), *server.public().as_bytes());
        let mut limits = limits(choice);
        // The handshake's own commands are longer than the little limit.
        limits.command_bytes_max = limits.command_bytes_max.max(512);
        let rules = Rules::new(choice & 1 != 0, limits);
        let config = config(|config| {
            config.strict = rules.is_strict;
            config.limits = rules.limits;
            config.mechanism = MechanismConfig::CurveServer { key_pairs: vec![server] };
        });
        let verdict = Verdict::Admit("insider".into());
        let link = Twins::new(config, Side::Accepting, Pieces::new(cut), verdict, now);
        Self { now, forger, link, rules, number: 3 }
    }

    /// The handshake; whether it ended well, which is a question of metadata alone.
    fn enter(&mut self, choice: u8, script: &mut Script<'_>) -> bool {
        let mut greeting = greeting();
        greeting[12..17].copy_from_slice(b"CURVE");
        self.link.feed(&greeting, self.now);
        let welcome = self.link.feed(&command("HELLO", &self.forger.hello()), self.now);
        self.forger.take_welcome(&welcome);
        let block = match choice & 0x80 {
            0 => b"\x0bSocket-Type\0\0\0\x06DEALER",
            _ => script.bytes(),
        };
        let initiate = command("INITIATE", &self.forger.initiate(&self.forger.good_vouch(), block));
        self.link.feed(&initiate, self.now);
        let told = metadata::read(block, &self.rules.limits);
        metadata::compare(&self.link, &told);
        self.link.is_ready()
    }

    fn talk(&mut self, script: &mut Script<'_>) {
        let (mut held, mut told, mut pongs) = (Vec::new(), Ok(()), Vec::new());
        for _ in 0..STEPS_MAX {
            if script.is_over() || told.is_err() {
                break;
            }
            let step = script.byte();
            let sealed = self.seal(step, script, &mut told);
            held.extend(sealed);
            if step & 0x80 == 0 {
                pongs.extend(self.link.feed(&std::mem::take(&mut held), self.now));
            }
        }
        pongs.extend(self.link.feed(&held, self.now));
        // The question and `Ready` come first.
        assert_eq!(&self.link.seen[2..], self.rules.messages, "what was delivered");
        match (self.link.failed, told) {
            // Number and tag of a forgery are wrong: either is a reason.
            (Some(PeerError::Insecure(_)), Err(PeerError::Insecure(_))) => {}
            (failed, told) => assert!(same(failed, told.err()), "{failed:?} for {told:?}"),
        }
        let opened = self.open(&pongs);
        assert_eq!(opened, self.rules.pongs);
        if told.is_ok() {
            assert_eq!(*self.link.stats(), self.rules.stats);
        }
    }

    /// One frame, and what the rules say about it.
    fn seal(
        &mut self,
        step: u8,
        script: &mut Script<'_>,
        told: &mut Result<(), PeerError>,
    ) -> Vec<u8> {
        let outer = if step & 0x40 != 0 { script.byte() } else { 0 };
        let (number, plaintext) = match step & 0x0f {
            // Numbers that don't follow: the same again, none, the last.
            0x0e => {
                ([self.number - 1, 0, u64::MAX][usize::from(script.byte()) % 3], script.bytes())
            }
            _ => (self.number, script.bytes()),
        };
        let mut body = self.forger.message(number, plaintext);
        if step & 0x0f == 0x0f {
            let at = usize::from(script.byte()) % body.len();
            body[at] ^= script.byte();
        }
        let sealed = frame(outer, &body);
        *told = self.check(sealed[0], body.len(), number, plaintext, &body);
        self.number += 1;
        sealed
    }

    fn check(
        &mut self,
        flags: u8,
        size: usize,
        number: u64,
        plaintext: &[u8],
        body: &[u8],
    ) -> Result<(), PeerError> {
        self.rules.sealed_header(flags, size as u64)?;
        if !body.starts_with(b"\x07MESSAGE") {
            return Err(pseud_proto::Misbehaved::UnexpectedCommand.into());
        }
        let Some((inner, payload)) = plaintext.split_first() else {
            return Err(Malformed::BadCommand.into());
        };
        if body[8..16] != self.number.to_be_bytes() {
            return Err(Insecure::Replay.into());
        }
        if self.forger.message(number, plaintext) != body {
            return Err(Insecure::Box.into());
        }
        self.rules.count(flags);
        if inner & !3 != 0 {
            return Err(Malformed::ReservedFlag.into());
        }
        match inner & 2 {
            0 => self.rules.part(inner & 1 != 0, payload),
            _ => self.rules.command(payload),
        }
    }

    /// The plaintexts of the server's frames, as the frames in clear that they stand for.
    fn open(&self, wrote: &[u8]) -> Vec<Vec<u8>> {
        let mut opened = Vec::new();
        for sealed in crate::reference::frames(wrote) {
            let plaintext =
                self.forger.open_message(sealed.body).expect("the server seals what it says");
            assert_eq!(plaintext[0], 2, "a server that was sent no message answers with commands");
            opened.push(frame(COMMAND, &plaintext[1..]));
        }
        opened
    }
}
