//! Handshakes with a server of CURVE that go wrong (RFC 26 §HELLO, §INITIATE).

use super::{Attack, Group, Known, Mechanism, Step, Then, Victim, case, ends};
use crate::raw::forger::{Forger, weak_keys};
use crate::raw::{command, metadata, property, work};
use pseud_proto::{Insecure, Malformed, Misbehaved, PeerError};

fn server(cases: Vec<Attack>) -> Vec<Group> {
    vec![Group::new(Mechanism::Curve, Victim::Server, cases)]
}

/// Ended where HELLO is expected.
fn greeted(name: &str, data: &[u8], why: impl Into<PeerError>) -> Attack {
    Attack::new(Step::Greeted, command(name, data), ends(why))
}

/// Ended where INITIATE is expected.
fn welcomed(why: impl Into<PeerError>, forge: impl Fn(&Known) -> Vec<u8> + 'static) -> Attack {
    Attack::forged(Step::Welcomed, forge, ends(why))
}

/// An INITIATE around that metadata.
fn initiate(metadata: &[u8], then: Then) -> Attack {
    let metadata = metadata.to_vec();
    Attack::forged(Step::Welcomed, move |known| known.initiate_with(&metadata), then)
}

fn good_hello() -> Vec<u8> {
    Known::default().forger.hello()
}

/// That byte of a HELLO is another one.
fn changed(at: usize, how: impl Fn(u8) -> u8) -> Vec<u8> {
    let mut hello = good_hello();
    hello[at] = how(hello[at]);
    hello
}

fn d_01_hello_of_another_shape() -> Vec<Group> {
    let good = good_hello();
    let mut content = [0; 64];
    content[63] = 1;
    let around = Known::default().forger.hello_around(&content);
    let odd = [good[..193].to_vec(), [&good[..], b"\0"].concat(), vec![], around];
    let odd = odd.map(|data| greeted("HELLO", &data, Insecure::Hello));
    let version = [(0, 2), (0, 0), (1, 1)].map(|(at, byte)| changed(at, |_| byte));
    let padding = (2..74).map(|at| changed(at, |byte| byte ^ 1));
    let padding =
        version.into_iter().chain(padding).map(|data| greeted("HELLO", &data, Insecure::Hello));
    let named = greeted("HELLo", &good, Misbehaved::UnexpectedCommand);
    server(odd.into_iter().chain(padding).chain([named]).collect())
}

fn d_02_hello_for_another_server_or_with_a_wrong_box() -> Vec<Group> {
    let server_key = Known::stranger().public;
    let stray = Forger { server_key, ..Known::default().forger }.hello();
    let changed = (74..194).map(|at| changed(at, |byte| byte ^ 1));
    server(changed.chain([stray]).map(|data| greeted("HELLO", &data, Insecure::Box)).collect())
}

fn d_03_a_weak_transient_key() -> Vec<Group> {
    let cases = weak_keys().into_iter().map(|weak| {
        let mut hello = good_hello();
        hello[74..106].copy_from_slice(&weak);
        greeted("HELLO", &hello, Insecure::WeakKey)
    });
    server(cases.collect())
}

fn d_03_a_weak_permanent_key() -> Vec<Group> {
    let cases = weak_keys().into_iter().map(|weak| {
        welcomed(Insecure::WeakKey, move |Known { forger, .. }| {
            let block = metadata("DEALER", "");
            command("INITIATE", &forger.initiate_as(&weak, &forger.good_vouch(), &block))
        })
    });
    server(cases.collect())
}

fn d_05_hello_again() -> Vec<Group> {
    let unexpected = Misbehaved::UnexpectedCommand;
    server(vec![welcomed(unexpected, |known| command("HELLO", &known.forger.hello()))])
}

fn d_06_anything_else_before_hello() -> Vec<Group> {
    let Known { forger, .. } = Known::default();
    let initiate = forger.initiate(&forger.good_vouch(), &metadata("DEALER", ""));
    let message = &forger.message(3, b"\0x")[8..];
    let odd = [
        ("INITIATE", &initiate[..]),
        ("WELCOME", &[0; 160]),
        ("READY", b""),
        ("MESSAGE", message),
        ("ERROR", b"\x03400"),
    ];
    server(odd.map(|(name, data)| greeted(name, data, Misbehaved::UnexpectedCommand)).into())
}

/// An INITIATE's data, which is right.
fn good(known: &Known) -> Vec<u8> {
    known.forger.initiate(&known.forger.good_vouch(), &metadata("DEALER", ""))
}

fn d_06_initiate_out_of_shape() -> Vec<Group> {
    let malformed = PeerError::from(Malformed::BadCommand);
    let shapes = [
        (0, malformed),
        (103, malformed),
        (104, Insecure::Box.into()),
        (247, Insecure::Box.into()),
    ];
    let shapes = shapes
        .map(|(len, why)| welcomed(why, move |known| command("INITIATE", &good(known)[..len])));
    let names = ["INITIATe", "MESSAGE", "READY", "ERROR"].map(|name| {
        welcomed(Misbehaved::UnexpectedCommand, move |known| command(name, &good(known)))
    });
    let early = welcomed(Misbehaved::EarlyMessage, |_| work(b"id", "spy"));
    server(shapes.into_iter().chain(names).chain([early]).collect())
}

fn d_07_initiate_with_64_kib_of_metadata() -> Vec<Group> {
    let huge = [0; 64 << 10];
    let size = Known::default().initiate_with(&huge).len() as u64 - 9;
    let many = property("X-a", b"").repeat(100);
    server(vec![
        initiate(&huge, case::too_large("command bytes", size, 4_096)),
        initiate(&many, case::too_large("properties", 33, 32)),
    ])
}

fn d_07_metadata_that_lies() -> Vec<Group> {
    let twice = [metadata("DEALER", "a"), property("IDENTITY", b"b")].concat();
    let twice = initiate(&twice, ends(Malformed::DuplicateProperty));
    let lies = super::handshake::LIES.into_iter();
    let lies = lies.map(|block| initiate(block, ends(Malformed::BadMetadata)));
    server(lies.chain([twice]).collect())
}

/// Those of other links are with the harnesses: `d_08_a_cookie_that_is_not_of_this_link`.
fn d_08_a_cookie_that_was_changed() -> Vec<Group> {
    let cases = [0, 15, 16, 95].map(|at| {
        welcomed(Insecure::Cookie, move |known| {
            let mut data = good(known);
            data[at] ^= 0x10;
            command("INITIATE", &data)
        })
    });
    server(cases.into())
}

fn d_09_vouches_that_prove_nothing() -> Vec<Group> {
    type Vouch = fn(&Forger) -> Vec<u8>;
    let vouches: [Vouch; 5] = [
        |own| own.vouch(&own.transient.public, &Known::stranger().public, &own.key_pair),
        |own| own.vouch(&Known::stranger().public, &own.server_key, &own.key_pair),
        |own| own.vouch(&own.transient.public, &own.server_key, &Known::stranger()),
        |own| {
            let mut flipped = own.good_vouch();
            flipped[50] ^= 1;
            flipped
        },
        |_| vec![0; 96],
    ];
    let cases = vouches.map(|vouch| {
        welcomed(Insecure::Vouch, move |Known { forger, .. }| {
            command("INITIATE", &forger.initiate(&vouch(forger), &metadata("DEALER", "")))
        })
    });
    server(cases.into())
}

/// Its own vouch is good, but nobody knows it: it is told so, and let in nowhere.
fn d_09_a_key_that_nobody_knows() -> Vec<Group> {
    let forge = |known: &Known| {
        let forger = Forger { key_pair: Known::stranger(), ..known.forger.clone() };
        Known { forger, ..known.clone() }.initiate()
    };
    let denied = Then::Ends(PeerError::Denied(400), Some(command("ERROR", b"\x03400")));
    server(vec![Attack::forged(Step::Welcomed, forge, denied)])
}

fn d_11_a_number_that_is_not_the_next() -> Vec<Group> {
    let numbers = [
        (0, Insecure::Replay),
        (1, Insecure::Replay),
        (3, Insecure::Gap),
        (u64::MAX, Insecure::Gap),
    ];
    let cases = numbers.map(|(number, why)| {
        welcomed(why, move |Known { forger, .. }| {
            let (vouch, block) = (forger.good_vouch(), metadata("DEALER", ""));
            command("INITIATE", &forger.initiate_numbered(number, &vouch, &block))
        })
    });
    server(cases.into())
}

super::cases!($ curve_attacks, curve:
    d_01_hello_of_another_shape,
    d_02_hello_for_another_server_or_with_a_wrong_box,
    d_03_a_weak_transient_key,
    d_03_a_weak_permanent_key,
    d_05_hello_again,
    d_06_anything_else_before_hello,
    d_06_initiate_out_of_shape,
    d_07_initiate_with_64_kib_of_metadata,
    d_07_metadata_that_lies,
    d_08_a_cookie_that_was_changed,
    d_09_vouches_that_prove_nothing,
    d_09_a_key_that_nobody_knows,
    d_11_a_number_that_is_not_the_next,
);
