//! Attacks on clients of CURVE, by who says to be their server (RFC 26).

use super::{Attack, Group, Known, Mechanism, Step, Then, Victim, ends};
use crate::raw::forger::weak_keys;
use crate::raw::{command, metadata};
use pseud_proto::{Insecure, Malformed, Misbehaved, PeerError};

fn client(cases: Vec<Attack>) -> Vec<Group> {
    vec![Group::new(Mechanism::Curve, Victim::Client, cases)]
}

/// Ended behind the client's HELLO.
fn greeted(why: impl Into<PeerError>, forge: impl Fn(&Known) -> Vec<u8> + 'static) -> Attack {
    Attack::forged(Step::Greeted, forge, ends(why))
}

fn d_02_a_server_that_goes_after_hello() -> Vec<Group> {
    client(vec![
        Attack::new(Step::Greeted, b"", Then::EndsWithStream(Insecure::HelloRefused.into())),
        greeted(Insecure::Box, |_| command("WELCOME", &[7; 160])),
        Attack::new(
            Step::Welcomed,
            b"",
            Then::EndsWithStream(Misbehaved::HandshakeIncomplete.into()),
        ),
    ])
}

/// By whoever has the server's secret key: the traffic does not become readable to everybody else.
fn d_03_a_weak_transient_key_of_the_server() -> Vec<Group> {
    let cases = weak_keys().into_iter().map(|weak| {
        greeted(Insecure::WeakKey, move |known| {
            command("WELCOME", &known.welcome(&Known::server(), &weak))
        })
    });
    client(cases.collect())
}

fn c_10_commands_out_of_turn_to_a_client() -> Vec<Group> {
    let early = [("READY", 30), ("INITIATE", 300), ("MESSAGE", 30)].map(|(name, len)| {
        greeted(Misbehaved::UnexpectedCommand, move |_| command(name, &vec![0; len]))
    });
    let late = [
        ("WELCOME", PeerError::from(Misbehaved::UnexpectedCommand)),
        // Its number is none that a first command has.
        ("READY", Insecure::Gap.into()),
        ("ERROR", Malformed::BadCommand.into()),
    ];
    let late =
        late.map(|(name, why)| Attack::new(Step::Welcomed, command(name, &[9; 160]), ends(why)));
    client(early.into_iter().chain(late).collect())
}

/// By whoever has the server's secret key; READY's number is 1.
fn d_11_a_ready_that_is_not_the_servers_first() -> Vec<Group> {
    let numbers = [(0, Insecure::Replay), (2, Insecure::Gap), (u64::MAX, Insecure::Gap)];
    let cases = numbers.map(|(number, why)| {
        let ready = move |known: &Known| command("READY", &known.ready(number, &Known::stranger()));
        Attack::forged(Step::Welcomed, ready, ends(why))
    });
    client(cases.into())
}

fn d_16_two_clients() -> Vec<Group> {
    let hello = |known: &Known| command("HELLO", &known.forger.hello());
    client(vec![greeted(Misbehaved::UnexpectedCommand, hello)])
}

fn d_17_a_key_from_the_wire_is_no_servers_key() -> Vec<Group> {
    let middle = Known::stranger();
    let own = move |known: &Known| command("WELCOME", &known.welcome(&middle, &middle.public));
    // Nor where it is said as a property.
    let data = [metadata("ROUTER", "rogue"), middle.public.to_vec()].concat();
    client(vec![
        greeted(Insecure::Box, own),
        greeted(Malformed::BadCommand, move |_| command("WELCOME", &data)),
    ])
}

super::cases!($ curve_client_attacks, curve_client:
    d_02_a_server_that_goes_after_hello,
    d_03_a_weak_transient_key_of_the_server,
    c_10_commands_out_of_turn_to_a_client,
    d_11_a_ready_that_is_not_the_servers_first,
    d_16_two_clients,
    d_17_a_key_from_the_wire_is_no_servers_key,
);
