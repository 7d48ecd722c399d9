//! What an attacker who was let in sends through its sealed link (RFC 26 §MESSAGE).

use super::{Attack, Group, Known, Mechanism, Step, Then, Victim, ends};
use crate::raw::{COMMAND, frame, work};
use pseud_proto::{Insecure, Malformed, Misbehaved, PeerError};

/// The number of the first MESSAGE: INITIATE's is 2. A call takes five.
const FIRST: u64 = 3;
const BEHIND_A_CALL: u64 = FIRST + 5;

fn server(cases: Vec<Attack>) -> Vec<Group> {
    vec![Group::new(Mechanism::Curve, Victim::Server, cases)]
}

fn refused(why: impl Into<PeerError>, forge: impl Fn(&Known) -> Vec<u8> + 'static) -> Attack {
    Attack::forged(Step::Ready, forge, ends(why))
}

/// The same behind a call, which is served, and answered in a box.
fn behind_a_call(why: Insecure, forge: impl Fn(&Known) -> Vec<u8> + 'static) -> Attack {
    let forge = move |known: &Known| [known.call(FIRST), forge(known)].concat();
    Attack::forged(Step::Ready, forge, Then::Ends(why.into(), None)).served(1)
}

fn d_10_a_number_again() -> Vec<Group> {
    server(vec![behind_a_call(Insecure::Replay, |known| known.call(FIRST))])
}

fn d_11_numbers_that_do_not_count_by_one() -> Vec<Group> {
    let lower = [0, 1, 2, 5, 7].map(|number| (number, Insecure::Replay));
    let higher = [9, 10, 1 << 60, u64::MAX].map(|number| (number, Insecure::Gap));
    let behind = lower
        .into_iter()
        .chain(higher)
        .map(|(number, why)| behind_a_call(why, move |known| known.sealed(number, 0, b"")));
    let first = [(2, Insecure::Replay), (4, Insecure::Gap)];
    let first = first.map(|(number, why)| refused(why, move |known| known.sealed(number, 0, b"x")));
    server(behind.chain(first).collect())
}

fn d_13_a_forged_message_with_a_high_number() -> Vec<Group> {
    let places = [2 + 16, 2 + 31, 2 + 32].into_iter();
    let cases = places.flat_map(|at| {
        [(BEHIND_A_CALL, Insecure::Box), (1 << 60, Insecure::Gap)].map(|(number, why)| {
            behind_a_call(why, move |known| {
                let mut forged = known.call(number);
                forged[at] ^= 1;
                forged
            })
        })
    });
    server(cases.collect())
}

fn d_19_reserved_flags_inside() -> Vec<Group> {
    let flags = [0x04, 0x05, 0x08, 0x10, 0x20, 0x40, 0x80, 0xfc, 0xff];
    let cases = flags.map(|flags| {
        refused(Malformed::ReservedFlag, move |known| known.sealed(FIRST, flags, b"x"))
    });
    server(cases.into())
}

fn d_19_sizes_and_names() -> Vec<Group> {
    let good = |known: &Known| known.forger.message(FIRST, b"\0");
    let malformed = PeerError::from(Malformed::BadCommand);
    let unexpected = PeerError::from(Misbehaved::UnexpectedCommand);
    let cases = [0, COMMAND].into_iter().flat_map(|flags| {
        let cut = [32, 8, 7]
            .map(|len| refused(malformed, move |known| frame(flags, &good(known)[..len])));
        let empty =
            refused(malformed, move |known| frame(flags, &known.forger.message(FIRST, b"")));
        let clear = [
            (&b""[..], malformed),
            (b"\x04PING\0\0 and so on", unexpected),
            (b"an unsealed message", unexpected),
        ];
        let clear = clear.map(|(body, why)| refused(why, move |_| frame(flags, body)));
        cut.into_iter().chain([empty]).chain(clear)
    });
    server(cases.collect())
}

/// Without a box around it, a call is none.
fn d_19_a_call_in_clear() -> Vec<Group> {
    server(vec![refused(Malformed::BadCommand, |_| work(super::ID, "spy"))])
}

super::cases!($ curve_traffic_attacks, curve_traffic:
    d_10_a_number_again,
    d_11_numbers_that_do_not_count_by_one,
    d_13_a_forged_message_with_a_high_number,
    d_19_reserved_flags_inside,
    d_19_sizes_and_names,
    d_19_a_call_in_clear,
);
