//! Commands (ZMTP 3.1 §commands), alone and between the parts of a message.

use super::framing::{answer, ready};
use super::{Attack, Group, ID, Step, Then, ends};
use crate::raw::{COMMAND, MORE, command, frame, greeting, message, ready as ready_of, work_body};
use pseud_proto::Malformed;

fn b_06_bad_command_names() -> Vec<Group> {
    let bodies = [&b""[..], b"\0", b"\0PING", b"\x05PING", b"\xff"].into_iter();
    let cases = bodies.flat_map(|body| {
        let (bad, then) = (frame(COMMAND, body), ends(Malformed::BadCommand));
        let between = [frame(MORE, b"a part"), bad.clone()].concat();
        let early = Attack::new(Step::Opened, [greeting(), bad.clone()].concat(), then.clone());
        [ready(bad, then.clone()), ready(between, then), early]
    });
    vec![Group::servers(cases.collect())]
}

fn b_06_command_with_more() -> Vec<Group> {
    let odd = frame(COMMAND | MORE, b"\x04PING\0\0context");
    let pong = frame(COMMAND | MORE, b"\x04PONG");
    let passed = vec![
        ready(odd.clone(), Then::Lives(command("PONG", b"context"))).counted(|stats| {
            (stats.reserved_flags, stats.pings) = (1, 1);
        }),
        ready(pong, Then::Lives(vec![])).counted(|stats| {
            (stats.reserved_flags, stats.pongs) = (1, 1);
        }),
    ];
    let refused = vec![ready(odd, ends(Malformed::ReservedFlag))];
    let strict = Group::servers(refused).set(|link| link.strict = true);
    vec![Group::servers(passed), strict]
}

fn b_06_commands_between_the_parts_of_a_message() -> Vec<Group> {
    let body = work_body("spy");
    let parts: [&[u8]; 5] = [b"", b"v1", ID, &[3], &body];
    let pieces = parts.iter().enumerate().map(|(index, part)| {
        [command("PING", b"\0\0here"), frame(u8::from(index < 4), part)].concat()
    });
    let says = [command("PONG", b"here").repeat(5), answer(ID)].concat();
    let call = ready(pieces.collect::<Vec<_>>().concat(), Then::Lives(says)).served(1);
    vec![Group::servers(vec![call.counted(|stats| stats.pings = 5)])]
}

fn b_10_unknown_and_late_commands() -> Vec<Group> {
    let lives = || Then::Lives(vec![]);
    let unknown = [
        command("JOIN", b"group"),
        command("FOO", b""),
        command("ping", b"\0\0"),
        command("HELLO", b"\x01a\x01b"),
    ];
    let unknown =
        unknown.map(|odd| ready(odd, lives()).counted(|stats| stats.unknown_commands = 1));
    let late = [ready_of("ROUTER", "somebody else"), command("ERROR", b"\x03400")];
    let late = late.map(|odd| ready(odd, lives()).counted(|stats| stats.late_commands = 1));
    vec![Group::servers(unknown.into_iter().chain(late).collect())]
}

fn b_11_subscriptions() -> Vec<Group> {
    let odd = [command("SUBSCRIBE", b"topic"), command("CANCEL", b"topic")];
    let odd =
        odd.map(|odd| ready(odd, Then::Lives(vec![])).counted(|stats| stats.subscriptions = 1));
    // One of ZMTP 3.0 is a frame, and so is a probe.
    let old = ready(message(&[b"\x01"]), Then::Lives(vec![]));
    vec![Group::servers(odd.into_iter().chain([old]).collect())]
}

fn b_12_ping_contexts() -> Vec<Group> {
    let lens = [0, 1, 16, 17, 255].into_iter();
    let echoed = lens.flat_map(|len| [([0, 0], len), ([0xff, 0xff], len)]).map(|(ttl, len)| {
        let context: Vec<u8> = (0..len).collect();
        let pong = command("PONG", &context[..context.len().min(16)]);
        let ping = ready(command("PING", &[&ttl[..], &context].concat()), Then::Lives(pong));
        ping.counted(|stats| stats.pings = 1)
    });
    let short =
        [&b""[..], b"\0"].map(|short| ready(command("PING", short), ends(Malformed::BadCommand)));
    vec![Group::servers(echoed.chain(short).collect())]
}

super::cases!($ command_attacks, commands:
    b_06_bad_command_names,
    b_06_command_with_more,
    b_06_commands_between_the_parts_of_a_message,
    b_10_unknown_and_late_commands,
    b_11_subscriptions,
    b_12_ping_contexts,
);
