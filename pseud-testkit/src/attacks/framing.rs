//! Frames (ZMTP 3.1 §framing). Commands are in `commands`.

use super::case::too_large;
use super::{Attack, Group, ID, Step, Then, ends};
use crate::raw::{
    COMMAND, LONG, MORE, OK, command, envelope, frame, greeting, handshake, long_header, message,
    message_with, work, work_body,
};
use pseud_proto::pseud::Dropped;
use pseud_proto::{Malformed, Misbehaved};

const FRAME_MAX: u64 = (8 << 20) + (64 << 10);

pub(super) fn ready(bytes: impl Into<Vec<u8>>, then: Then) -> Attack {
    Attack::new(Step::Ready, bytes, then)
}

/// The spy's answer to the call of that id.
pub(super) fn answer(id: &[u8]) -> Vec<u8> {
    envelope(id, OK, &[7])
}

fn zeros(flags: u8, len: usize) -> Vec<u8> {
    frame(flags, &vec![0; len])
}

fn b_01_giant_lengths() -> Vec<Group> {
    let sizes = [u64::MAX, 1 << 63, usize::MAX as u64 - 8, 0xffff_ffff_ffff_ff98];
    let cases = sizes.into_iter().flat_map(|size| {
        let giant = too_large("frame bytes", size, FRAME_MAX);
        let header = long_header(0, size);
        [
            ready(header.clone(), giant.clone()),
            ready([zeros(MORE, 3), header.clone()].concat(), giant.clone()),
            ready(long_header(COMMAND, size), too_large("command bytes", size, 4096)),
            Attack::new(Step::Opened, [greeting(), header].concat(), giant),
        ]
    });
    vec![Group::servers(cases.collect())]
}

fn b_02_one_over_the_limit() -> Vec<Group> {
    let over = [1_001, 1 << 31, 1 << 48].into_iter().flat_map(|size| {
        [0, MORE]
            .map(|flags| ready(long_header(flags, size), too_large("frame bytes", size, 1_000)))
    });
    let together = [zeros(MORE, 1_000), zeros(0, 501)].concat();
    let command = ready(long_header(COMMAND, 4_097), too_large("command bytes", 4_097, 4_096));
    let just = [zeros(0, 1_000), zeros(MORE, 1_000), zeros(0, 500)].concat();
    let rest = [
        ready(together, too_large("message bytes", 1_501, 1_500)),
        command,
        ready(just, Then::Lives(vec![])),
        ready(long_header(COMMAND, 4_096), Then::EndsWithStream(Malformed::Truncated.into())),
    ];
    let tight =
        Group::servers(over.chain(rest).collect()).drops(Dropped::BadEnvelope, 1).set(|link| {
            link.limits.frame_bytes_max = 1_000;
            link.limits.message_bytes_max = 1_500;
        });
    let usual = [
        ready(long_header(0, FRAME_MAX), Then::EndsWithStream(Malformed::Truncated.into())),
        ready(long_header(0, FRAME_MAX + 1), too_large("frame bytes", FRAME_MAX + 1, FRAME_MAX)),
    ];
    vec![tight, Group::servers(usual.into())]
}

fn b_04_long_form_of_a_small_size() -> Vec<Group> {
    let parts: &[&[u8]] = &[b"", b"v1", ID, &[3], &work_body("spy")];
    let long = [message_with(LONG, parts), message_with(LONG, &[b""])].concat();
    vec![Group::servers(vec![ready(long, Then::Lives(answer(ID))).served(1)])]
}

fn b_05_reserved_flags() -> Vec<Group> {
    let parts: &[&[u8]] = &[b"", b"v1", ID, &[3], &work_body("spy")];
    let odd = || (3..8).map(|bit| message_with(1 << bit, parts));
    let passed = odd().map(|bytes| {
        let passed = ready(bytes, Then::Lives(answer(ID))).served(1);
        passed.counted(|stats| stats.reserved_flags = 5)
    });
    let refused = odd().map(|bytes| {
        ready(bytes, ends(Malformed::ReservedFlag)).counted(|stats| stats.reserved_flags = 0)
    });
    let strict = Group::servers(refused.collect()).set(|link| link.strict = true);
    vec![Group::servers(passed.collect()), strict]
}

fn b_07_the_end_at_each_byte() -> Vec<Group> {
    let call = [frame(MORE, b"ab"), command("PONG", b""), work(ID, "spy")].concat();
    let cuts = (1..call.len())
        .map(|cut| ready(&call[..cut], Then::EndsWithStream(Malformed::Truncated.into())));
    vec![Group::servers(cuts.chain([ready(b"", Then::Parts)]).collect())]
}

fn b_07_the_end_at_each_byte_of_the_handshake() -> Vec<Group> {
    let stream = handshake();
    let cuts = (64..stream.len()).map(|cut| {
        let then = Then::EndsWithStream(Misbehaved::HandshakeIncomplete.into());
        Attack::new(Step::Opened, &stream[..cut], then)
    });
    vec![Group::servers(cuts.collect())]
}

fn b_08_more_for_ever() -> Vec<Group> {
    let sixteen = [frame(MORE, b"x").repeat(15), frame(0, b"x")].concat();
    let too_many = too_large("frames of a message", 17, 16);
    let cases = vec![
        ready(sixteen, Then::Lives(vec![])),
        ready(frame(MORE, b"x").repeat(17), too_many.clone()),
        ready(frame(MORE, b"x").repeat(100_000), too_many),
    ];
    vec![Group::servers(cases).drops(Dropped::BadEnvelope, 1)]
}

fn b_13_many_at_once() -> Vec<Group> {
    let id = |index: u32| index.to_be_bytes();
    let calls: Vec<u8> = (0..1_000).flat_map(|index| work(&id(index), "spy")).collect();
    let answers: Vec<u8> = (0..1_000).flat_map(|index| answer(&id(index))).collect();
    let mixed = [command("PING", b"\0\0x"), message(&[b""]), work(ID, "spy")].concat();
    let says = [command("PONG", b"x"), answer(ID)].concat();
    vec![Group::servers(vec![
        ready(calls, Then::Lives(answers)).served(1_000),
        Attack::new(Step::Opened, [handshake(), mixed].concat(), Then::Lives(says)).served(1),
    ])]
}

super::cases!($ framing_attacks, framing:
    b_01_giant_lengths,
    b_02_one_over_the_limit,
    b_04_long_form_of_a_small_size,
    b_05_reserved_flags,
    b_07_the_end_at_each_byte,
    b_07_the_end_at_each_byte_of_the_handshake,
    b_08_more_for_ever,
    b_13_many_at_once,
);
