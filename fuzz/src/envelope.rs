//! Whatever messages a peer sends, each is served, refused, counted as dropped or ends the call that it
//! answers, exactly one of these; a request is served under a name that it spells, and not acted on when it
//! comes again; a call ends once; and what is said to the peer is an envelope of its dialect, of at most one
//! answer a request.
//!
//! The first byte chooses what both sides declare and which limits hold, the second which of the requests
//! are answered late; then messages, one a step.

use crate::memory::bounded;
use crate::msgpack;
use crate::reference;
use crate::script::Script;
use pseud_proto::pseud::Channel;
use pseud_proto::value::{Packed, Unchecked, ValueLimits};
use pseud_proto::zmtp::Side;
use pseud_proto::{Action, CallId, CallOptions, Capabilities, Config, Fault, Outcome, Request};
use pseud_testkit::connection::config;
use pseud_testkit::raw::{COMMAND, MORE, frame, greeting, handshake, ready_command};
use std::collections::BTreeSet;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::{Duration, Instant};

const STEPS_MAX: usize = 48;
const CALLS_MAX: usize = 8;

/// A channel that calls, and a peer that says anything.
pub fn envelope(data: &[u8]) {
    bounded(data.len() + (64 << 10), || {
        let mut script = Script::new(data);
        let mut talk = Talk::new(script.byte(), script.byte());
        for _ in 0..STEPS_MAX {
            if script.is_over() || talk.is_over {
                break;
            }
            talk.step(&mut script);
        }
        talk.finish();
    });
}

struct Talk {
    now: Instant,
    channel: Channel,
    /// What the peer declared.
    theirs: Capabilities,
    late: u8,
    waiting: Vec<Request>,
    /// The last frame of the message that came last.
    body: Vec<u8>,
    /// The wire's ids of our calls.
    ids: Vec<Vec<u8>>,
    calls: usize,
    ended: BTreeSet<CallId>,
    /// Ids of requests so far, where as many are remembered as one input can send.
    known: Option<BTreeSet<Vec<u8>>>,
    works: usize,
    answers: usize,
    is_over: bool,
}

impl Talk {
    fn new(choice: u8, late: u8) -> Self {
        let (now, theirs) = (Instant::now(), Capabilities::ALL);
        let theirs = if choice & 1 == 0 { Capabilities::NONE } else { theirs };
        let mut ours = Config::default();
        if choice & 2 != 0 {
            ours.capabilities = Capabilities::NONE;
        }
        if choice & 4 != 0 {
            ours.limits.body_bytes_max = 64;
            ours.limits.requests_open_per_peer_max = 2;
            ours.limits.requests_remembered_max = 8;
            ours.limits.flood.burst = 6;
        }
        ours.expose_traceback = choice & 8 != 0;
        let ours = Arc::new(ours);
        let channel = Channel::new(ours, config(|_| {}), Side::Accepting, [0x4e; 32], now);
        let mut talk = Self {
            now,
            channel,
            theirs,
            late,
            waiting: Vec::new(),
            body: Vec::new(),
            ids: Vec::new(),
            calls: 0,
            ended: BTreeSet::new(),
            known: (choice & 4 == 0).then(BTreeSet::new),
            works: 0,
            answers: 0,
            is_over: false,
        };
        talk.channel.handle_input(&mut talk.hello(), now).expect("an honest handshake");
        talk.take_output();
        talk.call();
        talk.call();
        talk
    }

    fn hello(&self) -> Vec<u8> {
        if self.theirs == Capabilities::NONE {
            return handshake();
        }
        let declared: &[u8] = b"1;caps=f;max=2048";
        let properties =
            [(&b"Socket-Type"[..], &b"ROUTER"[..]), (b"Identity", b"peer"), (b"X-Pseud", declared)];
        [greeting(), ready_command(&properties)].concat()
    }

    fn call(&mut self) {
        if self.calls == CALLS_MAX {
            return;
        }
        let arguments = Packed::call(&(1, "a"), &()).expect("arguments");
        if self.channel.call("f", arguments, CallOptions::default(), self.now).is_ok() {
            self.calls += 1;
        }
        self.settle();
    }

    fn step(&mut self, script: &mut Script<'_>) {
        let step = script.byte();
        match step & 7 {
            0 => {
                let (id, body) = (script.bytes(), script.bytes());
                self.message(&[b"", b"v1", id, b"\x03", body]);
            }
            1 => {
                let which = usize::from(script.byte()) % self.ids.len().max(1);
                let id = self.ids.get(which).cloned().unwrap_or_default();
                let (kind, body) = ([script.byte()], script.bytes());
                self.message(&[b"", b"v1", &id, &kind, body]);
            }
            2 => {
                let frames: Vec<&[u8]> = (0..5).map(|_| script.bytes()).collect();
                self.message(&frames);
            }
            3 => {
                let frames: Vec<&[u8]> = (0..=script.byte() % 8).map(|_| script.bytes()).collect();
                self.message(&frames);
            }
            4 => {
                self.now += Duration::from_millis(100) * u32::from(script.byte());
                self.is_over |= self.channel.handle_timeout(self.now).is_err();
                self.settle();
            }
            5 => self.call(),
            6 => {
                let (id, kind, body) = (script.bytes(), [script.byte()], script.bytes());
                self.message(&[b"", b"v1", id, &kind, body]);
            }
            _ => {
                if let Some(request) = self.waiting.pop() {
                    self.answer(request, script.byte());
                }
                self.settle();
            }
        }
    }

    /// The peer sends it. Exactly one thing comes of it.
    fn message(&mut self, frames: &[&[u8]]) {
        let (last, first) = frames.split_last().expect("a message has frames");
        let mut bytes: Vec<u8> = first.iter().flat_map(|body| frame(MORE, body)).collect();
        bytes.extend(frame(0, last));
        self.body = last.to_vec();
        let mut is_repeated = false;
        if let [b"", b"v1", id, [3], _] = frames
            && id.len() <= 64
        {
            self.works += 1;
            let known = self.known.as_mut().filter(|_| !id.is_empty());
            is_repeated = known.is_some_and(|known| !known.insert(id.to_vec()));
        }
        if let [b"", version, _, [3], _] = frames
            && *version != b"v1"
        {
            // One refusal tells a peer that reads it that its version is not ours.
            self.works += 1;
        }
        let (before, requests) = (self.counted(), self.requests());
        let told = self.channel.handle_input(&mut bytes, self.now);
        let after = self.counted();
        assert!(
            !is_repeated || self.requests() == requests,
            "a request sent again is not acted on"
        );
        self.is_over |= told.is_err() || self.channel.peer().is_none();
        let ended = self.ended.len();
        self.settle();
        if !self.is_over {
            let came = after - before + (self.ended.len() - ended) as u64;
            assert_eq!(came, 1, "one thing comes of a message of {} frames", frames.len());
        }
    }

    fn counted(&self) -> u64 {
        let stats = self.channel.machines().1.stats();
        stats.probes + stats.heartbeats + self.requests() + stats.dropped_total()
    }

    fn requests(&self) -> u64 {
        let stats = self.channel.machines().1.stats();
        stats.requests_served + stats.requests_shed + stats.requests_refused
    }

    fn settle(&mut self) {
        while let Some(action) = self.channel.poll_action() {
            match action {
                Action::Serve(request) => self.serve(request),
                Action::Finish { call, outcome } => {
                    assert!(self.ended.insert(call), "a call ends once");
                    look(outcome);
                }
                Action::Close(..) | Action::Left(..) => self.is_over = true,
                _ => {}
            }
        }
        self.late = self.late.rotate_right(1);
        self.take_output();
    }

    fn serve(&mut self, request: Request) {
        let name = request.name().as_bytes();
        let is_spelt = name.is_empty() || self.body.windows(name.len()).any(|part| part == name);
        assert!(is_spelt, "{:?} is none of its bytes", request.name());
        match self.late & 1 {
            0 => self.answer(request, 0),
            _ => self.waiting.push(request),
        }
    }

    fn answer(&mut self, request: Request, how: u8) {
        let limits = ValueLimits::default();
        match request.open(&limits) {
            Ok(opened) => {
                let values = opened.arguments.args_values();
                opened.arguments.kwargs_values();
                let result = match how % 3 {
                    0 => Ok(Packed::result(&values).expect("what came can go")),
                    1 => Err(Fault::new("KeyError", "'x'").with_traceback("a\nb")),
                    _ => Err(Fault::new("no such class", "\u{e9}".repeat(3_000))),
                };
                self.channel.reply(opened.ticket, result, self.now);
            }
            Err((ticket, refusal)) => self.channel.refuse(ticket, &refusal, self.now),
        }
    }

    /// Takes what is said to the peer and checks it as a peer of its dialect would.
    fn take_output(&mut self) {
        let mut wrote = Vec::new();
        loop {
            let mut slices = [IoSlice::new(&[]); 8];
            let count = self.channel.slices(&mut slices);
            let next: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
            if next.is_empty() {
                break;
            }
            self.channel.advance(next.len(), self.now);
            wrote.extend(next);
        }
        let mut frames = if wrote.first() == Some(&0xff) { &wrote[64..] } else { &wrote[..] };
        let mut message: Vec<&[u8]> = Vec::new();
        while let Some(header) = reference::header(frames) {
            let end = header.len + header.size as usize;
            message.push(&frames[header.len..end]);
            frames = &frames[end..];
            match header.flags {
                COMMAND => drop(message.pop()),
                flags if flags & MORE == 0 => self.said(&std::mem::take(&mut message)),
                _ => {}
            }
        }
        assert!(message.is_empty() && frames.is_empty(), "only whole messages are written");
    }

    fn said(&mut self, message: &[&[u8]]) {
        let &[b"", b"v1", id, &[kind], body] = message else {
            panic!("no envelope: {message:x?}");
        };
        let body = msgpack::read(body).expect("our bodies are msgpack");
        let items = body.as_array().map_or(0, Vec::len);
        match kind {
            0x01 => self.answers += 1,
            0x10 => {
                self.answers += 1;
                let texts = body.as_array().into_iter().flatten().take(3).all(|item| item.is_str());
                let reads_more = self.theirs.contains(Capabilities::OUTCOMES);
                assert!(texts && (items == 3 || (items == 4 && reads_more)), "{body}");
            }
            0x03 => {
                assert_eq!((items, id.len()), (3, 16));
                self.ids.push(id.to_vec());
            }
            kind => panic!("{kind:x} is never sent"),
        }
        assert!(self.answers <= self.works, "more answers than requests");
    }

    fn finish(&mut self) {
        while let Some(request) = self.waiting.pop() {
            self.answer(request, 1);
        }
        self.settle();
        self.channel.shutdown(self.now);
        self.settle();
        let stats = self.channel.machines().1.stats();
        assert_eq!(
            (stats.calls_pending, stats.requests_open, stats.requests_open_bytes),
            (0, 0, 0)
        );
    }
}

/// Reads an answer in every way.
fn look(outcome: Outcome) {
    match outcome {
        Outcome::Value(body) => {
            let second = msgpack::read(body.as_bytes());
            let checked = Unchecked::check(body, &ValueLimits::default());
            assert!(checked.is_err() || second.is_some());
        }
        Outcome::Fault(fault) => {
            assert!(fault.class.len() <= 128 && fault.message.len() <= 8 << 10);
        }
        _ => {}
    }
}
