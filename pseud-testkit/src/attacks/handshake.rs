//! NULL handshakes gone wrong (ZMTP 3.1 §metadata).

use super::case::too_large;
use super::{Attack, Group, Mechanism, Step, Then, Victim, ends};
use crate::raw::{
    COMMAND, command, frame, greeting, long_header, message, property, ready, ready_command, work,
};
use pseud_proto::{Incompatible, Malformed, Misbehaved, PeerError};

/// A greeting, and that.
fn after_greeting(bytes: &[u8], then: Then) -> Attack {
    Attack::new(Step::Opened, [&greeting(), bytes].concat(), then)
}

fn refused(bytes: &[u8], why: impl Into<PeerError>) -> Attack {
    after_greeting(bytes, ends(why))
}

fn accepted(ready: &[u8]) -> Attack {
    after_greeting(ready, Then::Lives(vec![]))
}

fn router() -> Vec<u8> {
    property("Socket-Type", b"ROUTER")
}

fn c_01_c_02_commands_cut_short() -> Vec<Group> {
    let bodies = [&b""[..], b"\x05", b"\x05READ", b"\x06READY", b"\xffREADY"];
    vec![Group::servers(
        bodies.map(|body| refused(&frame(COMMAND, body), Malformed::BadCommand)).into(),
    )]
}

/// Metadata that no parser takes, behind a good property or none.
pub(super) const LIES: [&[u8]; 9] = [
    b"\x0bSocket-Typ",
    b"\0\0\0\0\0",
    b"\xffname",
    b"\x01X\0\0\0\x05abcd",
    b"\x01a\x7f\xff\xff\xff",
    b"\x01X\x80\0\0\0",
    b"\x01X\xff\xff\xff\xff",
    b"\x01",
    b"\x01a\0\0",
];

fn c_03_c_04_c_05_metadata_that_lies() -> Vec<Group> {
    let cases = LIES.into_iter().flat_map(|lie| {
        let behind = command("READY", &[&router(), lie].concat());
        [command("READY", lie), behind].map(|bytes| refused(&bytes, Malformed::BadMetadata))
    });
    vec![Group::servers(cases.collect())]
}

fn c_06_too_much_metadata() -> Vec<Group> {
    let many = |count| command("READY", &[router(), property("X-A", b"").repeat(count)].concat());
    let size = 6 + router().len() as u64 + 600 * 8;
    let usual = Group::servers(vec![
        after_greeting(&many(32), too_large("properties", 33, 32)),
        after_greeting(&many(600), too_large("command bytes", size, 4096)),
        after_greeting(&long_header(COMMAND, 4 << 20), too_large("command bytes", 4 << 20, 4096)),
    ]);
    // A peer of this library says less than that.
    let ready = command("READY", &[router(), property("X-A", &[0; 200])].concat());
    let size = ready.len() as u64;
    let tight = vec![after_greeting(&ready, too_large("handshake bytes", size, 200))];
    vec![usual, Group::servers(tight).set(|link| link.limits.handshake_bytes_max = 200)]
}

fn c_07_c_08_identities_and_socket_types() -> Vec<Group> {
    let mut cases = vec![accepted(&command("READY", &router()))];
    cases.extend(["ROUTER", "DEALER", "REQ"].map(|socket_type| accepted(&ready(socket_type, ""))));
    let odd = ["PUB", "SUB", "REP", "PUSH", "router", "router\0", ""];
    cases.extend(odd.map(|odd| refused(&ready(odd, ""), Incompatible::SocketType)));
    let missing = command("READY", &property("Identity", b"me"));
    cases.extend([missing, command("READY", b"")].map(|it| refused(&it, Incompatible::SocketType)));
    vec![Group::servers(cases)]
}

fn c_09_a_property_twice() -> Vec<Group> {
    let identities = [router(), property("Identity", b"a"), property("IDENTITY", b"b")].concat();
    let twice = [router().repeat(2), identities];
    let cases = twice.map(|it| refused(&command("READY", &it), Malformed::DuplicateProperty));
    vec![Group::servers(cases.into())]
}

fn c_10_what_the_handshake_does_not_expect() -> Vec<Group> {
    let odd = [command("ERROR", b"\x03400"), command("PING", b"\0\0"), command("HELLO", b"")];
    let unexpected = odd.map(|odd| refused(&odd, Misbehaved::UnexpectedCommand));
    let mut uncommanded = ready("DEALER", "");
    uncommanded[0] = 0;
    let early = [frame(0, b""), uncommanded, message(&[b""]), work(b"1", "spy")];
    let early = early.map(|early| refused(&early, Misbehaved::EarlyMessage));
    vec![Group::servers(unexpected.into_iter().chain(early).collect())]
}

fn c_12_an_error_from_the_server() -> Vec<Group> {
    let long_reason = [&[255][..], &[0x1b; 255]].concat();
    let told = [(&b"\x03400"[..], 400), (b"\x03300", 300), (b"\x00", 0), (&long_reason, 0)];
    let mut cases: Vec<_> = told
        .map(|(data, code)| refused(&command("ERROR", data), Incompatible::Refused(code)))
        .into();
    cases.push(refused(&command("ERROR", b"\x04400"), Malformed::BadCommand));
    vec![Group::new(Mechanism::Null, Victim::Client, cases)]
}

fn e_03_e_04_identities() -> Vec<Group> {
    let named =
        |identity: &[u8]| ready_command(&[(b"Socket-Type", b"DEALER"), (b"Identity", identity)]);
    let automatic = named(&[0x00, 0x6b, 0x8b, 0x45, 0x67]);
    vec![Group::servers(vec![
        accepted(&named(&[b'i'; 255])),
        after_greeting(&named(&[b'i'; 256]), too_large("identity bytes", 256, 255)),
        refused(&automatic, Incompatible::ReservedIdentity),
    ])]
}

super::cases!($ handshake_attacks, handshake:
    c_01_c_02_commands_cut_short,
    c_03_c_04_c_05_metadata_that_lies,
    c_06_too_much_metadata,
    c_07_c_08_identities_and_socket_types,
    c_09_a_property_twice,
    c_10_what_the_handshake_does_not_expect,
    c_12_an_error_from_the_server,
    e_03_e_04_identities,
);
