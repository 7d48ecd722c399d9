//! What leaves: everything that the public API can be asked to send, against a model of what a Python
//! pseud 1.0 process reads and survives, byte by byte.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that panics is a test that fails"
)]

use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::Endpoint;
use pseud_proto::value::{Date, DateTime, TimeDelta, TimeZone, Unchecked};
use pseud_proto::value::{Packed, Value};
use pseud_proto::zmtp::Parts;
use pseud_proto::{
    Action, CallOptions, CallRefused, Capabilities, Config, Fault, Outcome, PeerId, Profile,
    Reason, Refusal, Ticket, To,
};
use std::sync::Arc;
use std::time::Instant;

/// The classes that Python's builtins make of one string without harm, and the two of pseud's own.
const HARMLESS: &str = "Exception ValueError TypeError KeyError IndexError LookupError AttributeError \
    ArithmeticError ZeroDivisionError OverflowError RuntimeError NotImplementedError OSError \
    PermissionError ConnectionError TimeoutError MemoryError ServiceNotFoundError UnauthorizedError";

/// Classes that Python does not have: it reads them as `Exception`.
const UNKNOWN: &str = "Draining Overloaded TooLarge TooManyHops VersionMismatch Internal MyError";

/// What a v1 process does with a message: `false` where its reader would die, or worse.
fn survives(frames: &[Vec<u8>]) -> bool {
    let [delimiter, version, id, kind, body] = frames else { return false };
    if !delimiter.is_empty() || version != b"v1" || id.len() > 64 {
        return false;
    }
    match kind[..] {
        [0x01] => value(body, 0) == Some(&[]),
        [0x03] => is_work(body).is_some(),
        [0x10] => is_error(body).is_some(),
        _ => false,
    }
}

fn is_work(body: &[u8]) -> Option<()> {
    let (name, rest) = text(body.strip_prefix(&[0x93])?)?;
    let arguments = matches!(rest[0], 0x90..=0x9f | 0xdc | 0xdd).then_some(rest)?;
    let keywords = value(arguments, 1)?;
    let map = matches!(keywords[0], 0x80..=0x8f | 0xde | 0xdf);
    (map && name.len() <= 255 && value(keywords, 1)?.is_empty()).then_some(())
}

fn is_error(body: &[u8]) -> Option<()> {
    let (class, rest) = text(body.strip_prefix(&[0x93])?)?;
    let (_, rest) = text(rest)?;
    let (_, rest) = text(rest)?;
    let known = |classes: &str| classes.split_whitespace().any(|known| known == class);
    ((known(HARMLESS) || known(UNKNOWN)) && rest.is_empty()).then_some(())
}

fn text(body: &[u8]) -> Option<(&str, &[u8])> {
    let (len, head) = match *body.first()? {
        short @ 0xa0..=0xbf => (usize::from(short & 0x1f), 1),
        0xd9 => (number(&body[1..2]), 2),
        0xda => (number(&body[1..3]), 3),
        0xdb => (number(&body[1..5]), 5),
        _ => return None,
    };
    let text = std::str::from_utf8(body.get(head..head + len)?).ok()?;
    Some((text, &body[head + len..]))
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// What lies behind one value; `None` where msgpack, or what it calls, would fail.
fn value(body: &[u8], depth: usize) -> Option<&[u8]> {
    let marker = *body.first()?;
    let many = |head: usize, count: usize, keys: bool| items(&body[head..], count, keys, depth);
    let ext = |head: usize, len: usize| {
        let (code, payload) = (body[head - 1] as i8, body.get(head..head + len)?);
        let date = payload.starts_with(b"\x80\x04");
        (matches!(code, 0..=122 | 127) || code > 0 && date).then_some(&body[head + len..])
    };
    let sized = |width: usize| number(&body[1..1 + width]);
    if depth > 64 {
        return None;
    }
    match marker {
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Some(&body[1..]),
        0x80..=0x8f => many(1, 2 * usize::from(marker & 0x0f), true),
        0x90..=0x9f => many(1, usize::from(marker & 0x0f), false),
        0xa0..=0xbf | 0xd9..=0xdb => Some(text(body)?.1),
        0xc4..=0xc6 => {
            let width = 1 << (marker - 0xc4);
            body.get(1 + width + sized(width)..)
        }
        0xc7..=0xc9 => {
            let width = 1 << (marker - 0xc7);
            ext(2 + width, sized(width))
        }
        0xcb | 0xcf | 0xd3 => body.get(9..),
        0xcc | 0xd0 => body.get(2..),
        0xcd | 0xd1 => body.get(3..),
        0xce | 0xd2 => body.get(5..),
        0xd4..=0xd8 => ext(2, 1 << (marker - 0xd4)),
        0xdc => many(3, sized(2), false),
        0xdd => many(5, sized(4), false),
        0xde => many(3, 2 * sized(2), true),
        0xdf => many(5, 2 * sized(4), true),
        _ => None,
    }
}

/// What lies behind that many values. No map is a key.
fn items(mut body: &[u8], count: usize, keys: bool, depth: usize) -> Option<&[u8]> {
    for index in 0..count {
        if keys && index % 2 == 0 && matches!(body, [0x80..=0x8f | 0xde | 0xdf, ..]) {
            return None;
        }
        body = value(body, depth + 1)?;
    }
    Some(body)
}

/// An endpoint and the one peer that it talks to.
struct Talk {
    endpoint: Endpoint,
    peer: PeerId,
    now: Instant,
    sent: usize,
    heard: u128,
    profile: Profile,
}

impl Talk {
    fn new(profile: Profile, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let (mut endpoint, now) = (Endpoint::new(Arc::new(config), [1; 32]), Instant::now());
        let info = PeerInfo::new("peer".into()).with_profile(profile);
        let peer = endpoint.handle_connected(info, now);
        Self { endpoint, peer, now, sent: 0, heard: 0, profile }
    }

    fn hear(&mut self, kind: u8, body: &[u8]) {
        self.heard += 1;
        let id = self.heard.to_be_bytes();
        let parts = Parts::from_frames(&[&b""[..], b"v1", &id, &[kind], body]).unwrap();
        self.endpoint.handle_message(self.peer, parts, self.now).unwrap();
    }

    fn asked(&mut self) -> Ticket {
        self.hear(0x03, b"\x93\xa1x\x90\x80");
        loop {
            if let Action::Serve(request) = self.endpoint.poll_action().unwrap() {
                return request.into_ticket();
            }
        }
    }

    /// All that now leaves, each message checked. A peer that declared more survives that as well.
    fn check(&mut self) -> usize {
        let before = self.sent;
        while let Some(transmit) = self.endpoint.poll_transmit(self.peer, self.now) {
            let token = transmit.token();
            let mut frames = transmit.with(|message, _| {
                let mut frames: Vec<_> =
                    message.frames.iter().map(|frame| frame.to_vec()).collect();
                frames.push([message.head, &message.body, message.tail].concat());
                frames
            });
            let max = self.profile.body_bytes_max().unwrap_or(usize::MAX);
            assert!(frames[4].len() <= max, "{} bytes", frames[4].len());
            let (kind, items) = (frames[3][0], frames[4][0]);
            let four = kind == 0x03 && self.profile.reads_provenance()
                || kind == 0x10 && self.profile.reads_outcomes();
            if four && items == 0x94 {
                frames[4] = without_the_fourth(&frames[4]);
            }
            assert!(survives(&frames), "{:x?}", frames);
            self.endpoint.handle_written(self.peer, token, self.now);
            self.sent += 1;
        }
        self.sent - before
    }
}

fn without_the_fourth(body: &[u8]) -> Vec<u8> {
    let end = (0..3).fold(&body[1..], |rest, _| value(rest, 1).unwrap());
    assert_eq!(value(end, 1), Some(&[][..]), "a fourth item, and nothing behind it");
    [&[0x93], &body[1..body.len() - end.len()]].concat()
}

fn profiles() -> impl Iterator<Item = Profile> {
    let declared = (0..8).map(|bits| {
        let all = [Capabilities::LATE_ANSWERS, Capabilities::OUTCOMES, Capabilities::PROVENANCE];
        let some = all.into_iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
        let capabilities = some.fold(Capabilities::NONE, |set, (_, one)| set.with(one));
        Profile::declared(capabilities, 1_024)
    });
    declared.chain([Profile::V1])
}

/// One of each kind, and what a v1 peer must not be sent among them.
fn values() -> Vec<Value> {
    let zone = TimeZone::new(TimeDelta::new(0, 3_600, 0).unwrap()).unwrap();
    let day = Date::new(2024, 2, 29).unwrap();
    let moment = DateTime::new(day, 1, 2, 3, 4).unwrap();
    let deep = (0..62).fold(Value::Nil, |inner, _| Value::Array(vec![inner]));
    let mut values = vec![
        Value::Nil,
        true.into(),
        1.5.into(),
        "é".repeat(300).into(),
        Value::Bin(vec![0xc1; 300].into()),
        Value::Array(vec![1.into(); 20]),
        (0..20).map(|n| (n, "x")).collect(),
        deep,
        Value::DateTime(Box::new(moment.clone())),
        Value::DateTime(Box::new(moment.with_zone(zone.clone()))),
        Value::Date(day),
        Value::TimeDelta(TimeDelta::new(-1, 5, 7).unwrap()),
        Value::TimeZone(zone),
    ];
    let integers = [0i64, 127, 128, 1 << 15, 1 << 31, 1 << 62, -1, -33, -1_000, -(1 << 40)];
    values.extend(integers.map(Value::from));
    for code in [0, 1, 122, 123, 124, 125, 126, 127] {
        for len in [0, 1, 2, 3, 4, 8, 16, 300] {
            values.push(Value::Ext(code, vec![0x80; len].into()));
        }
    }
    values
}

#[test]
fn calls() {
    for profile in profiles() {
        let mut talk = Talk::new(profile, |_| {});
        let options = [
            CallOptions::default(),
            CallOptions::default().hops(32),
            CallOptions::default().origin("alice").hops(3),
            CallOptions::default().origin(vec![7; 1_000]),
        ];
        for options in options {
            let named = options.origin.is_some();
            for value in values() {
                let keywords = Value::from_iter([("key", value.clone())]);
                let body = Packed::call(&(&value, 1), &keywords);
                let body = body.unwrap();
                // Names of many lengths.
                let name = "n".repeat(body.as_bytes().len() % 256);
                let to = To::Peer(talk.peer);
                let safe = body.is_v1_safe();
                let call = talk.endpoint.call(to, &name, body, options.clone(), talk.now);
                let left = talk.check();
                if !safe || named && !profile.reads_provenance() {
                    assert_eq!(left, 0);
                } else if profile == Profile::V1 {
                    assert_eq!(left, call.is_ok().into());
                }
            }
        }
        assert!(talk.sent > 60, "{}", talk.sent);
    }
}

#[test]
fn results() {
    for profile in profiles() {
        let mut talk = Talk::new(profile, |config| config.limits.body_bytes_max = 2_000);
        for value in values() {
            let ticket = talk.asked();
            talk.endpoint.reply(ticket, Ok(Packed::result(&value).unwrap()), talk.now);
            assert_eq!(talk.check(), 1);
        }
        for size in [1_000, 1_021, 1_022, 1_999, 5_000] {
            let ticket = talk.asked();
            let result = Packed::result(&"x".repeat(size)).unwrap();
            talk.endpoint.reply(ticket, Ok(result), talk.now);
            assert_eq!(talk.check(), 1);
        }
        // A body that is passed on as it came, with a pickle in it.
        let foreign = Unchecked::new(b"\xc7\x03\x7b\x80\x04.".to_vec().into());
        let ticket = talk.asked();
        let forwarded = foreign.check(&Default::default()).unwrap();
        talk.endpoint.reply(ticket, Ok(forwarded), talk.now);
        assert_eq!(talk.check(), 1);
    }
}

#[test]
fn faults() {
    let classes = "SystemExit KeyboardInterrupt GeneratorExit StopIteration StopAsyncIteration \
        UnicodeDecodeError UnicodeError BaseException exit eval __import__ print Ellipsis None \
        BlockingIOError ExceptionGroup MyError";
    let classes = classes.split_whitespace().chain(HARMLESS.split_whitespace());
    for profile in profiles() {
        for expose in [false, true] {
            let mut talk = Talk::new(profile, |config| config.expose_traceback = expose);
            for class in classes.clone().chain(["", "é", "a\0b"]) {
                for text in ["", "why", &"é".repeat(9_000)] {
                    let ticket = talk.asked();
                    let fault = Fault::new(class, text).with_traceback(text);
                    talk.endpoint.reply(ticket, Err(fault), talk.now);
                    assert_eq!(talk.check(), 1);
                }
            }
            let ticket = talk.asked();
            talk.endpoint.abandon(ticket, talk.now);
            assert_eq!(talk.check(), 1);
        }
    }
}

#[test]
fn refusals() {
    for profile in profiles() {
        let mut talk = Talk::new(profile, |config| {
            config.limits.requests_open_max = 1;
            config.limits.body_bytes_max = 100;
        });
        let refusals = [
            Refusal::Draining,
            Refusal::Overloaded { max: 3, what: "handlers run" },
            Refusal::NoSuchService("é".repeat(9_000).into()),
            Refusal::TooLarge { size: 3, max: 2 },
            Refusal::BadCall("x".repeat(9_000).into()),
            Refusal::TooManyHops { max: 32 },
            Refusal::Unauthorized,
            Refusal::Version,
        ];
        for refusal in refusals {
            let ticket = talk.asked();
            talk.endpoint.refuse(ticket, &refusal, talk.now);
            assert_eq!(talk.check(), 1);
        }
        // What the machine itself refuses: no call, too large, no room, at the end.
        for body in [&b"\xc0"[..], b"\x93\x01\x90\x80", b"\x95", &[0x93; 101]] {
            talk.hear(0x03, body);
            assert_eq!(talk.check(), 1);
        }
        let _open = talk.asked();
        talk.hear(0x03, b"\x93\xa1x\x90\x80");
        assert_eq!(talk.check(), 1);
        talk.endpoint.drain();
        talk.hear(0x03, b"\x93\xa1x\x90\x80");
        assert_eq!(talk.check(), 1);
    }
}

#[test]
fn another_version_is_told_once_to_those_who_read_it() {
    for profile in profiles() {
        let mut talk = Talk::new(profile, |_| {});
        for _ in 0..3 {
            let body = &b"\x93\xa1x\x90\x80"[..];
            let parts = Parts::from_frames(&[b"", &b"v2"[..], &[7; 16], &[3], body]).unwrap();
            talk.endpoint.handle_message(talk.peer, parts, talk.now).unwrap();
        }
        assert_eq!(talk.check(), profile.reads_outcomes().into());
    }
}

#[test]
fn what_says_nothing_of_its_origin_costs_a_v1_peer_nothing() {
    let mut talk = Talk::new(Profile::V1, |_| {});
    let body = Packed::call(&(), &()).unwrap();
    let options = CallOptions::default().origin("alice");
    let call = talk.endpoint.call(To::Peer(talk.peer), "x", body, options, talk.now).unwrap();
    assert_eq!(talk.check(), 0);
    let outcome =
        std::iter::from_fn(|| talk.endpoint.poll_action()).find_map(|action| match action {
            Action::Finish { call: over, outcome } if over == call => Some(outcome),
            _ => None,
        });
    assert!(matches!(outcome, Some(Outcome::NotExecuted(Reason::Unsupported))), "{outcome:?}");
}

/// One value is no arguments, and arguments are no result.
#[test]
fn bodies_are_not_sent_as_what_they_are_not() {
    let mut talk = Talk::new(Profile::V1, |_| {});
    let result = Packed::result(&[1, 2]).unwrap();
    let call = talk.endpoint.call(To::Peer(talk.peer), "x", result, Default::default(), talk.now);
    assert!(matches!(call, Err(CallRefused::Arguments(_))), "{call:?}");
    assert_eq!(talk.check(), 0);
    let ticket = talk.asked();
    talk.endpoint.reply(ticket, Ok(Packed::call(&(1,), &()).unwrap()), talk.now);
    assert_eq!(talk.check(), 1);
}

/// The model dies of what Python dies of.
#[test]
fn the_model_is_as_strict_as_python() {
    let message = |kind: u8, body: &[u8]| {
        vec![vec![], b"v1".to_vec(), vec![1; 16], vec![kind], body.to_vec()]
    };
    assert!(survives(&message(0x03, b"\x93\xa1x\x90\x80")));
    assert!(survives(&message(0x10, b"\x93\xaaValueError\xa0\xa0")));
    let bad: [(u8, &[u8]); 14] = [
        (0x11, b"\xc0"),
        (0x02, b"\x92\xa0\xa0"),
        (0x03, b"\x94\xa1x\x90\x80\x80"),
        (0x03, b"\x93\xa1x\x90\x80\xc0"),
        (0x03, b"\x93\xa1x\x80\x80"),
        (0x10, b"\x94\xaaValueError\xa0\xa0\x80"),
        (0x10, b"\x93\xaaSystemExit\xa0\xa0"),
        (0x10, b"\x93\xa4exit\xa0\xa0"),
        (0x01, b"\xc1"),
        (0x01, b"\x92\x01"),
        (0x01, b"\xa1\xff"),
        (0x01, b"\x81\x80\x01"),
        (0x01, b"\xd4\xff\x00"),
        (0x01, b"\xc7\x01\x7d\x00"),
    ];
    for (kind, body) in bad {
        assert!(!survives(&message(kind, body)), "{kind:x} {body:x?}");
    }
    assert!(!survives(&message(0x01, b"\x01")[..4]));
    let mut version = message(0x01, b"\x01");
    version[1] = b"v2".to_vec();
    assert!(!survives(&version));
}
