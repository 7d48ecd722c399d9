//! Peers that would have a secured link speak less than it must: nothing but our greeting is said to them
//! (RFC 37 §downgrade).

use super::{Attack, Group, Mechanism, Step, Then, Victim, ends};
use crate::raw::{greeting_of, greeting_with, ready, work};
use pseud_proto::{Incompatible, Insecure, Misbehaved};

const SECURED: [(Mechanism, &str); 2] = [(Mechanism::Plain, "PLAIN"), (Mechanism::Curve, "CURVE")];

/// The same against victims of each mechanism that secures a link.
fn each(victim: Victim, cases: impl Fn(&'static str) -> Vec<Attack>) -> Vec<Group> {
    SECURED.map(|(mechanism, name)| Group::new(mechanism, victim, cases(name))).into()
}

/// What does not begin as ZMTP 3 does: its first byte is enough, or the first ten. And greetings of ZMTP 2,
/// as far as their revision.
fn older(victim: Victim) -> Vec<Group> {
    let openings = || {
        let call = work(b"sixteen bytes...", "spy");
        let old = (0..3).map(|revision| greeting_with(10, &[revision])[..11].to_vec());
        [
            vec![0x01],
            vec![0x00],
            [&b"\x01\x00"[..], &call].concat(),
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            greeting_with(9, &[0x7e])[..10].to_vec(),
            vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0],
        ]
        .into_iter()
        .chain(old)
    };
    let refused = |bytes| Attack::new(Step::Opened, bytes, ends(Insecure::Downgrade));
    each(victim, |_| openings().map(refused).collect())
}

fn a_04_a_05_older_peers_of_a_server() -> Vec<Group> {
    older(Victim::Server)
}

fn a_04_a_05_older_peers_of_a_client() -> Vec<Group> {
    older(Victim::Client)
}

/// Greetings of other mechanisms, with what would follow under NULL.
fn other_mechanisms(victim: Victim, socket_type: &'static str) -> Vec<Group> {
    each(victim, |ours| {
        let next = [ready(socket_type, ""), work(b"sixteen bytes...", "spy")].concat();
        let names = ["NULL", "PLAIN", "CURVE", "GSSAPI", ""].into_iter();
        let others = names.filter(|name| *name != ours);
        let refused = others.map(|name| {
            let bytes = [&greeting_of(name)[..], &next].concat();
            Attack::new(Step::Opened, bytes, ends(Incompatible::MechanismMismatch))
        });
        refused.collect()
    })
}

fn d_18_another_mechanism_to_a_server() -> Vec<Group> {
    other_mechanisms(Victim::Server, "DEALER")
}

/// No credential is shown to whoever does not speak the mechanism.
fn d_18_another_mechanism_to_a_client() -> Vec<Group> {
    other_mechanisms(Victim::Client, "ROUTER")
}

/// Nor before it has named it and said the rest of its greeting.
fn d_18_most_of_a_greeting_to_a_client() -> Vec<Group> {
    each(Victim::Client, |ours| {
        let incomplete = Then::EndsWithStream(Misbehaved::HandshakeIncomplete.into());
        let cuts = (12..64).map(|cut| greeting_of(ours)[..cut].to_vec());
        cuts.map(|bytes| Attack::new(Step::Opened, bytes, incomplete.clone())).collect()
    })
}

super::cases!($ downgrade_attacks, downgrade:
    a_04_a_05_older_peers_of_a_server,
    a_04_a_05_older_peers_of_a_client,
    d_18_another_mechanism_to_a_server,
    d_18_another_mechanism_to_a_client,
    d_18_most_of_a_greeting_to_a_client,
);
