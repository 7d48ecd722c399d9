//! Handshakes of PLAIN that go wrong (ZMTP 3.1 §PLAIN): what a server is told, and what a client is told
//! by who says to be its server.

use super::case::too_large;
use super::handshake::LIES;
use super::{Attack, Group, Mechanism, Step, Then, USERS, Victim, ends};
use crate::raw::{command, libzmq_error, metadata, property, work};
use pseud_proto::{Incompatible, Malformed, Misbehaved, PeerError};

fn server(cases: Vec<Attack>) -> Vec<Group> {
    vec![Group::new(Mechanism::Plain, Victim::Server, cases)]
}

fn client(cases: Vec<Attack>) -> Vec<Group> {
    vec![Group::new(Mechanism::Plain, Victim::Client, cases)]
}

/// Ended behind greetings.
fn greeted(bytes: &[u8], why: impl Into<PeerError>) -> Attack {
    Attack::new(Step::Greeted, bytes, ends(why))
}

/// Ended behind WELCOME.
fn welcomed(bytes: &[u8], why: impl Into<PeerError>) -> Attack {
    Attack::new(Step::Welcomed, bytes, ends(why))
}

/// A HELLO.
pub fn hello((username, password): (&[u8], &[u8])) -> Vec<u8> {
    let (user_len, password_len) = (username.len() as u8, password.len() as u8);
    command("HELLO", &[&[user_len], username, &[password_len], password].concat())
}

fn a_01_cut_behind_each_step() -> Vec<Group> {
    let incomplete = || Then::EndsWithStream(Misbehaved::HandshakeIncomplete.into());
    server([Step::Greeted, Step::Welcomed].map(|step| Attack::new(step, b"", incomplete())).into())
}

fn c_10_commands_before_hello() -> Vec<Group> {
    let odd = [
        command("READY", &metadata("DEALER", "")),
        command("WELCOME", b""),
        command("ERROR", b"\x03400"),
        libzmq_error(b"\x03400"),
        command("HELLo", b"\x01u\x01p"),
        command("INITIATE", &metadata("DEALER", "")),
    ];
    let odd = odd.map(|odd| greeted(&odd, Misbehaved::UnexpectedCommand));
    let early = greeted(&work(b"1", "spy"), Misbehaved::EarlyMessage);
    server(odd.into_iter().chain([early]).collect())
}

fn c_10_commands_behind_welcome() -> Vec<Group> {
    let odd =
        [hello(USERS[0]), command("READY", &metadata("DEALER", "")), command("ERROR", b"\x03400")];
    let odd = odd.map(|odd| welcomed(&odd, Misbehaved::UnexpectedCommand));
    let early = welcomed(&work(b"1", "spy"), Misbehaved::EarlyMessage);
    server(odd.into_iter().chain([early]).collect())
}

fn c_10_commands_behind_the_handshake() -> Vec<Group> {
    let initiate = command("INITIATE", &metadata("DEALER", ""));
    let late = [command("READY", b""), hello(USERS[0]), libzmq_error(b""), initiate];
    server(vec![Attack::new(Step::Ready, late.concat(), Then::Lives(vec![]))])
}

fn c_11_hello_is_any_bytes() -> Vec<Group> {
    let comes_in = |user| Attack::new(Step::Ready, b"", Then::Lives(vec![])).of_user(user);
    server((0..USERS.len()).map(comes_in).collect())
}

/// It is told so in libzmq's spelling, whatever is wrong.
fn c_11_hello_of_nobody() -> Vec<Group> {
    let [_, (long, _), (nul, _), (bytes, password)] = USERS;
    let wrong = [
        (&b""[..], &b""[..]),
        (b"mallory", b""),
        (b"mallory", b"a passwore"),
        (b"mallory", b"a password\0"),
        (b"mallory\0", b"a password"),
        (b"canary", b"a password"),
        (b"MALLORY", b"a password"),
        (long, &[b'p'; 254]),
        (nul, b""),
        (nul, b"\0\0"),
        (&bytes[..2], password),
    ];
    let denied = Then::Ends(PeerError::Denied(400), Some(libzmq_error(b"\x03400")));
    server(wrong.map(|wrong| Attack::new(Step::Greeted, hello(wrong), denied.clone())).into())
}

fn c_11_hello_of_another_shape() -> Vec<Group> {
    let whole = hello(USERS[0])[2 + 6..].to_vec();
    let cuts = (0..whole.len()).map(|cut| whole[..cut].to_vec());
    let odd = [b"\xffmallory\x01p".to_vec(), [&whole[..], b"\0"].concat()];
    let cases =
        cuts.chain(odd).map(|data| greeted(&command("HELLO", &data), Malformed::BadCommand));
    server(cases.collect())
}

fn c_03_c_04_c_05_c_09_metadata_of_initiate() -> Vec<Group> {
    let whole = metadata("DEALER", "me");
    let initiate = |more: &[u8]| command("INITIATE", &[&whole, more].concat());
    let lies = LIES.into_iter().map(|lie| welcomed(&initiate(lie), Malformed::BadMetadata));
    let twice = initiate(&property("IDENTITY", b"me"));
    let twice = welcomed(&twice, Malformed::DuplicateProperty);
    server(lies.chain([twice]).collect())
}

fn c_06_too_much() -> Vec<Group> {
    let many = command("INITIATE", &property("X-a", b"").repeat(100));
    let huge = |step, name: &str| {
        let size = 1 + name.len() as u64 + (64 << 10);
        let then = too_large("command bytes", size, 4_096);
        Attack::new(step, command(name, &[0; 64 << 10]), then)
    };
    server(vec![
        Attack::new(Step::Welcomed, many, too_large("properties", 33, 32)),
        huge(Step::Greeted, "HELLO"),
        huge(Step::Welcomed, "INITIATE"),
    ])
}

fn c_10_commands_out_of_turn_to_a_client() -> Vec<Group> {
    let (welcome, ready) = (command("WELCOME", b""), command("READY", &metadata("ROUTER", "")));
    let (hello, initiate) = (command("HELLO", b"\0\0"), command("INITIATE", b""));
    let unexpected = Misbehaved::UnexpectedCommand;
    let early = [ready, hello.clone(), initiate.clone()].map(|odd| greeted(&odd, unexpected));
    let late = [welcome, initiate, hello].map(|odd| welcomed(&odd, unexpected));
    let rest = [
        greeted(&command("WELCOME", b"\0"), Malformed::BadCommand),
        greeted(&work(b"1", "spy"), Misbehaved::EarlyMessage),
    ];
    client(early.into_iter().chain(late).chain(rest).collect())
}

/// The reason is a number, or none: what else it says is shown nowhere.
fn c_12_reasons_of_an_error() -> Vec<Group> {
    let escapes = [&[255][..], &b"\x1b[2J\x07"[..].repeat(51)].concat();
    let reasons =
        [(&b"\x03400"[..], 400), (b"\x03500", 500), (b"\x03300", 300), (b"\0", 0), (&escapes, 0)];
    let told = reasons.into_iter().flat_map(|(reason, code)| {
        // The name in libzmq's spelling has no length, so a long frame would begin with another one.
        let spelled = Some(libzmq_error(reason)).filter(|_| reason.len() < 90);
        let error = [Some(command("ERROR", reason)), spelled].into_iter().flatten();
        error.map(move |error| greeted(&error, Incompatible::Refused(code)))
    });
    let odd = [&b""[..], b"\x0440", b"\x03400x"].into_iter();
    let odd = odd.flat_map(|data| [command("ERROR", data), libzmq_error(data)]);
    client(told.chain(odd.map(|odd| greeted(&odd, Malformed::BadCommand))).collect())
}

super::cases!($ plain_attacks, plain:
    a_01_cut_behind_each_step,
    c_10_commands_before_hello,
    c_10_commands_behind_welcome,
    c_10_commands_behind_the_handshake,
    c_11_hello_is_any_bytes,
    c_11_hello_of_nobody,
    c_11_hello_of_another_shape,
    c_03_c_04_c_05_c_09_metadata_of_initiate,
    c_06_too_much,
    c_10_commands_out_of_turn_to_a_client,
    c_12_reasons_of_an_error,
);
