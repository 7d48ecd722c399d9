//! A link with somebody on it: what can be done to the frames on their way.

use crate::reference;
use crate::script::Script;
use crate::tracked::Tracked;
use crate::twins::Twins;
use pseud_testkit::raw;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub(crate) const GREETING_LEN: usize = 64;

/// The link, with somebody on it.
pub(crate) struct Path {
    now: Instant,
    pub(crate) peer: Tracked,
    pub(crate) tested: Twins,
    /// Frames of the peer that are on their way; the first is its greeting.
    coming: VecDeque<Vec<u8>>,
    /// All frames that were on the way, in both directions.
    recorded: Vec<Vec<u8>>,
    /// What reaches the tested side at its next read.
    held: Vec<u8>,
    /// All that has reached it.
    pub(crate) reached: Vec<u8>,
    pub(crate) is_over: bool,
}

impl Path {
    /// A link just opened: both greetings are on their way.
    pub(crate) fn new(peer: Tracked, tested: Twins, now: Instant) -> Self {
        let mut path = Self {
            now,
            peer,
            tested,
            coming: VecDeque::new(),
            recorded: Vec::new(),
            held: Vec::new(),
            reached: Vec::new(),
            is_over: false,
        };
        let greeting = path.tested.feed(&[], now);
        path.hear(&greeting);
        path
    }

    /// One thing is done, and all that was held back so far arrives, unless it is held back as well.
    pub(crate) fn step(&mut self, script: &mut Script<'_>) {
        let step = script.byte();
        match step & 0x0f {
            0 | 1 => self.pass(),
            2 => drop(self.coming.pop_front()),
            3 => {
                let frame = self.coming.front().cloned();
                self.held.extend(frame.into_iter().flatten());
                self.pass();
            }
            4 if self.coming.len() > 1 => self.coming.swap(0, 1),
            4 => {}
            5 => {
                let (at, mask) = (usize::from(script.pair()), script.byte());
                if let Some(frame) = self.coming.front_mut() {
                    let at = at % frame.len();
                    frame[at] ^= mask;
                }
                self.pass();
            }
            6 => {
                let len = usize::from(script.pair());
                if let Some(frame) = self.coming.front_mut() {
                    frame.truncate(len);
                }
                self.pass();
            }
            7 => self.held.extend_from_slice(script.bytes()),
            8 => self.held.extend_from_slice(script.rest()),
            9 => self.peer_sends(script),
            10 => {
                let body = vec![0xbb; size(script.byte())];
                let wrote = self.tested.send(body.into(), self.now);
                self.hear(&wrote);
            }
            11 => self.wait(script.byte()),
            12 => {
                let which = usize::from(script.byte());
                if let Some(frame) = self.recorded.get(which % self.recorded.len().max(1)) {
                    self.held.extend_from_slice(frame);
                }
            }
            13 => {
                let (flags, body) = (script.byte(), script.bytes());
                self.held.extend(raw::frame(flags, body));
            }
            14 => self.pass_all(),
            _ => {
                self.arrive();
                let wrote = self.tested.eof(self.now);
                self.hear(&wrote);
                self.is_over = true;
            }
        }
        if step & 0x80 == 0 {
            self.arrive();
        }
    }

    fn pass(&mut self) {
        self.held.extend(self.coming.pop_front().into_iter().flatten());
    }

    fn pass_all(&mut self) {
        while !self.coming.is_empty() {
            self.pass();
            self.arrive();
        }
    }

    /// A message of one to four parts.
    fn peer_sends(&mut self, script: &mut Script<'_>) {
        let parts: Vec<Vec<u8>> =
            (0..=script.byte() % 4).map(|part| vec![0xa0 | part; size(script.byte())]).collect();
        self.peer.send(parts);
        self.come();
    }

    fn wait(&mut self, tenths: u8) {
        self.now += Duration::from_millis(100) * u32::from(tenths);
        self.peer.timeout(self.now);
        self.come();
        let wrote = self.tested.timeout(self.now);
        self.hear(&wrote);
    }

    /// One read of the tested side.
    fn arrive(&mut self) {
        let bytes = std::mem::take(&mut self.held);
        self.reached.extend_from_slice(&bytes);
        let wrote = self.tested.feed(&bytes, self.now);
        self.hear(&wrote);
    }

    /// The peer hears the tested side, undisturbed.
    fn hear(&mut self, wrote: &[u8]) {
        self.recorded.extend(records(wrote));
        self.peer.hear(wrote, self.now);
        self.come();
    }

    /// What the peer has written sets out.
    fn come(&mut self) {
        let frames = records(&self.peer.take_written());
        self.recorded.extend(frames.iter().cloned());
        self.coming.extend(frames);
    }

    /// What is left arrives as it is.
    pub(crate) fn finish(&mut self) {
        if !self.is_over {
            self.arrive();
            self.pass_all();
        }
    }

    /// How much was on this link.
    pub(crate) fn bytes(&self) -> usize {
        self.reached.len() + self.recorded.iter().map(Vec::len).sum::<usize>()
    }
}

/// Sizes that matter: none, short, the border of the long form, one that is read into its own place.
fn size(byte: u8) -> usize {
    match byte {
        0..=199 => usize::from(byte) % 50,
        200..=250 => usize::from(byte) + 20,
        _ => 20_000,
    }
}

/// The greeting, if they begin with it, and frames; what is no whole frame is a record as well.
fn records(bytes: &[u8]) -> Vec<Vec<u8>> {
    let greeting = if bytes.first() == Some(&0xff) { GREETING_LEN.min(bytes.len()) } else { 0 };
    let (greeting, frames) = bytes.split_at(greeting);
    let mut at = 0;
    let mut records: Vec<Vec<u8>> = reference::frames(frames)
        .into_iter()
        .map(|frame| frames[std::mem::replace(&mut at, frame.end)..frame.end].to_vec())
        .collect();
    if !greeting.is_empty() {
        records.insert(0, greeting.to_vec());
    }
    records.extend((at < frames.len()).then(|| frames[at..].to_vec()));
    records
}
