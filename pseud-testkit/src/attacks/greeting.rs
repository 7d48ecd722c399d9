//! Greetings (ZMTP 3.1 §greeting).

use super::{Attack, Group, Step, Then, ends};
use crate::raw::{greeting, greeting_with, handshake, ready};
use pseud_proto::{Incompatible, Malformed, Misbehaved, PeerError};

fn opened(bytes: impl Into<Vec<u8>>, then: Then) -> Attack {
    Attack::new(Step::Opened, bytes, then)
}

fn refused(bytes: &[u8], why: impl Into<PeerError>) -> Attack {
    opened(bytes, ends(why))
}

/// That greeting is one like any other.
fn accepted(greeting: &[u8]) -> Attack {
    opened([greeting, &ready("DEALER", "")].concat(), Then::Lives(vec![]))
}

fn a_01_cut_at_each_byte() -> Vec<Group> {
    let incomplete = Then::EndsWithStream(Misbehaved::HandshakeIncomplete.into());
    let cuts = (0..64).map(|cut| opened(&greeting()[..cut], incomplete.clone()));
    vec![Group::servers(cuts.collect())]
}

fn a_03_bad_signature() -> Vec<Group> {
    let bad = [0x00, 0x02, 0x7e, 0xfe].map(|byte| greeting_with(9, &[byte]));
    let whole = bad.iter().map(|bytes| refused(bytes, Malformed::NotZmtp));
    let cut = bad.iter().map(|bytes| refused(&bytes[..10], Malformed::NotZmtp));
    let other = accepted(&greeting_with(9, &[0x01]));
    vec![Group::servers(whole.chain(cut).chain([other]).collect())]
}

fn a_06_zmtp_1_and_2() -> Vec<Group> {
    let anonymous = refused(b"\x01\x00", Malformed::NotZmtp);
    let old = (0..3).map(|revision| {
        refused(&greeting_with(10, &[revision])[..11], Incompatible::UnsupportedVersion)
    });
    vec![Group::servers(old.chain([anonymous]).collect())]
}

fn a_07_later_versions() -> Vec<Group> {
    let versions = [[3, 0], [3, 9], [4, 0], [4, 7], [255, 255]];
    vec![Group::servers(versions.map(|version| accepted(&greeting_with(10, &version))).into())]
}

fn a_08_other_mechanisms() -> Vec<Group> {
    let names = [
        "FOO",
        "PLAIN",
        "CURVE",
        "null",
        "NULL ",
        "NULL               ",
        "NULLNULLNULLNULLNULL",
        "NUL",
        "",
    ];
    let mut other: Vec<_> = names
        .map(|name| {
            let mut padded = [0; 20];
            padded[..name.len()].copy_from_slice(name.as_bytes());
            greeting_with(12, &padded)
        })
        .into();
    other.push(greeting_with(31, &[1]));
    let refused = other.iter().map(|bytes| refused(bytes, Incompatible::MechanismMismatch));
    vec![Group::servers(refused.collect())]
}

fn a_09_other_protocols() -> Vec<Group> {
    let random: Vec<u8> =
        (0..5_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let openings = [
        &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x00",
        &random,
    ];
    vec![Group::servers(openings.map(|bytes| refused(bytes, Malformed::NotZmtp)).into())]
}

fn a_11_as_server_is_never_judged() -> Vec<Group> {
    vec![Group::servers([0, 1, 255].map(|byte| accepted(&greeting_with(32, &[byte]))).into())]
}

fn a_12_padding_and_filler_are_never_judged() -> Vec<Group> {
    let padding = accepted(&greeting_with(1, &[0xaa; 8]));
    vec![Group::servers(vec![padding, accepted(&greeting_with(33, &[0xaa; 31]))])]
}

fn a_12_greeting_and_ready_in_one_write() -> Vec<Group> {
    vec![Group::servers(vec![opened(handshake(), Then::Lives(vec![]))])]
}

super::cases!($ greeting_attacks, greeting:
    a_01_cut_at_each_byte,
    a_03_bad_signature,
    a_06_zmtp_1_and_2,
    a_07_later_versions,
    a_08_other_mechanisms,
    a_09_other_protocols,
    a_11_as_server_is_never_judged,
    a_12_padding_and_filler_are_never_judged,
    a_12_greeting_and_ready_in_one_write,
);
