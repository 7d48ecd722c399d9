//! Hostile datagrams by id (O): beside the machine alone, with a clock moved by hand.

#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

use pseud_proto::rpcudp::{
    Action, CallOptions, Config, Dropped, Endpoint, Outcome, Request, Silence, arguments, result,
};
use pseud_proto::{CallId, CallRefused, Executed, Reason};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn peer() -> SocketAddr {
    address("192.0.2.2:1234")
}

fn machine() -> Endpoint {
    Endpoint::new(Config::default(), [7; 32])
}

/// A request of that id, `["x", [a bin of so many bytes]]`.
fn request(id: u64, filler: usize) -> Vec<u8> {
    let mut datagram = vec![0];
    datagram.extend_from_slice(&[0; 12]);
    datagram.extend_from_slice(&id.to_be_bytes());
    let args = arguments(&(bytes::Bytes::from(vec![1; filler]),)).unwrap();
    datagram.extend_from_slice(b"\x92\xa1x");
    let kwargs = args.as_bytes().len() - 1;
    datagram.extend_from_slice(&args.as_bytes()[..kwargs]);
    datagram
}

fn served(machine: &mut Endpoint) -> Request {
    match machine.poll_action() {
        Some(Action::Serve(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn call(machine: &mut Endpoint, to: SocketAddr, now: Instant) -> Result<CallId, CallRefused> {
    machine.call(to, "x", &arguments(&()).unwrap(), &CallOptions::default(), now)
}

/// A call that was sent, and the right answer to it.
fn sent(machine: &mut Endpoint, now: Instant) -> Vec<u8> {
    call(machine, peer(), now).unwrap();
    let mut answer = machine.poll_transmit().unwrap().payload.to_vec();
    answer.truncate(21);
    answer[0] = 1;
    answer.push(5);
    answer
}

/// That address answers a call.
fn prove(machine: &mut Endpoint, who: SocketAddr, now: Instant) {
    call(machine, who, now).unwrap();
    let id = machine.poll_transmit().unwrap().payload;
    machine.handle_datagram(who, &[&[1], &id[1..21], b"\x05"].concat(), now).unwrap();
    assert!(matches!(outcome(machine), Some(Outcome::Value(_))) && machine.is_proven(who, now));
}

fn outcome(machine: &mut Endpoint) -> Option<Outcome> {
    match machine.poll_action()? {
        Action::Finish { outcome, .. } => Some(outcome),
        other => panic!("{other:?}"),
    }
}

/// The machine is as well as ever: it serves a request of good faith.
fn is_well(machine: &mut Endpoint, now: Instant) {
    machine.handle_datagram(peer(), &request(0x900d, 10), now).unwrap();
    let request = served(machine);
    machine.reply(request.into_ticket(), &result(&1).unwrap(), now).unwrap();
    assert_eq!(machine.poll_transmit().unwrap().to, peer());
}

#[test]
fn o_01_sizes_of_requests_and_responses() {
    let (mut machine, now) = (machine(), Instant::now());
    for size in 0..22 {
        let short = vec![0; size];
        assert_eq!(machine.handle_datagram(peer(), &short, now), Err(Dropped::TooShort));
    }
    assert_eq!(machine.handle_datagram(peer(), &vec![0; 65_507], now), Err(Dropped::TooLong));
    // The largest datagram, as the answer of a call.
    let mut answer = sent(&mut machine, now);
    answer.truncate(21);
    answer.extend_from_slice(&[0xc5, 0xff, 0xcb]);
    answer.resize(65_507, 0);
    machine.handle_datagram(peer(), &answer, now).unwrap();
    assert!(
        matches!(outcome(&mut machine), Some(Outcome::Value(value)) if value.as_bytes().len() == 65_486)
    );
    is_well(&mut machine, now);
}

#[test]
fn o_02_the_borders_are_exact() {
    let (mut machine, now) = (machine(), Instant::now());
    let at_21 = &request(1, 0)[..21];
    assert_eq!(machine.handle_datagram(peer(), at_21, now), Err(Dropped::TooShort));
    let at_22 = [at_21, &[0xc0]].concat();
    assert_eq!(machine.handle_datagram(peer(), &at_22, now), Err(Dropped::NoCall));
    let largest = request(2, 8_192 - 7);
    assert_eq!(largest.len(), 8_213);
    machine.handle_datagram(peer(), &largest, now).unwrap();
    assert_eq!(served(&mut machine).size(), 8_213);
    let larger = request(3, 8_192 - 6);
    assert_eq!(machine.handle_datagram(peer(), &larger, now), Err(Dropped::TooLong));
    is_well(&mut machine, now);
}

#[test]
fn o_03_answers_from_elsewhere() {
    let (mut machine, now) = (machine(), Instant::now());
    let answer = sent(&mut machine, now);
    for other in ["192.0.2.2:1235", "192.0.2.3:1234", "[::1]:1234"] {
        let handled = machine.handle_datagram(address(other), &answer, now);
        assert_eq!(handled, Err(Dropped::WrongSource));
    }
    assert!(machine.poll_action().is_none());
    // The same address, as a socket of both families writes it.
    machine.handle_datagram(address("[::ffff:192.0.2.2]:1234"), &answer, now).unwrap();
    assert_eq!(outcome(&mut machine).unwrap().into_pair(), (true, 5.into()));
}

#[test]
fn o_04_no_amplifier() {
    let (mut machine, mut now) = (machine(), Instant::now());
    let big = result(&bytes::Bytes::from(vec![0; 60_000])).unwrap();
    let ask = |machine: &mut Endpoint, id: u64, size: usize, now: Instant| {
        machine.handle_datagram(peer(), &request(id, size), now).unwrap();
        let request = served(machine);
        let came = request.size();
        let fits = result(&bytes::Bytes::from(vec![0; 3 * came - 21 - 2])).unwrap();
        machine.reply(request.into_ticket(), if id.is_multiple_of(2) { &big } else { &fits }, now)
    };
    assert_eq!(ask(&mut machine, 2, 10, now), Err(Silence::Amplification));
    ask(&mut machine, 1, 10, now).unwrap();
    let answer = machine.poll_transmit().unwrap();
    assert_eq!(answer.payload.len(), 3 * request(1, 10).len());
    // It has answered a call: what it asks for is its own affair, for ten minutes.
    let proof = sent(&mut machine, now);
    assert!(!machine.is_proven(peer(), now));
    machine.handle_datagram(peer(), &proof, now).unwrap();
    outcome(&mut machine).unwrap();
    assert!(machine.is_proven(peer(), now));
    ask(&mut machine, 4, 10, now).unwrap();
    now += Duration::from_secs(601);
    assert_eq!(ask(&mut machine, 6, 10, now), Err(Silence::Amplification));
    assert_eq!(machine.stats().counts.silent(Silence::Amplification), 2);
}

#[test]
fn o_04_answers_to_one_unproven_host_are_rationed() {
    let mut config = Config::default();
    config.unproven_answers.burst = 1_000;
    config.unproven_answers.per_second = 100;
    let (mut machine, mut now) = (Endpoint::new(config, [7; 32]), Instant::now());
    let one = result(&1).unwrap();
    let answered = |machine: &mut Endpoint, id: u64, now: Instant| {
        // Every port of the victim's.
        let from = SocketAddr::new(peer().ip(), 20_000 + (id % 30_000) as u16);
        machine.handle_datagram(from, &request(id, 10), now).unwrap();
        let request = served(machine);
        let sent = machine.reply(request.into_ticket(), &one, now).is_ok();
        while machine.poll_transmit().is_some() {}
        sent
    };
    let first = (0..5_000).filter(|&id| answered(&mut machine, id, now)).count();
    assert_eq!(first, 1_000);
    now += Duration::from_secs(1);
    let then = (5_000..10_000).filter(|&id| answered(&mut machine, id, now)).count();
    assert_eq!(then, 100);
    // Somebody else's are not his.
    machine.handle_datagram(address("192.0.2.9:5000"), &request(1, 10), now).unwrap();
    let request = served(&mut machine);
    machine.reply(request.into_ticket(), &one, now).unwrap();
}

#[test]
fn o_05_addresses_that_nobody_sends_from() {
    let (mut machine, now) = (machine(), Instant::now());
    machine.set_local(address("192.0.2.1:4000"));
    for (from, why) in [
        ("192.0.2.1:4000", Dropped::OurOwn),
        ("255.255.255.255:4000", Dropped::BadSource),
        ("239.1.2.3:4000", Dropped::BadSource),
        ("0.0.0.0:4000", Dropped::BadSource),
        ("[ff02::1]:4000", Dropped::BadSource),
        ("192.0.2.2:0", Dropped::BadSource),
        ("192.0.2.2:7", Dropped::BadSource),
        ("192.0.2.2:19", Dropped::BadSource),
    ] {
        let handled = machine.handle_datagram(address(from), &request(1, 1), now);
        assert_eq!(handled, Err(why), "{from}");
    }
    assert!(machine.poll_action().is_none() && machine.poll_transmit().is_none());
    // Nor does it call itself, and what it is sent back of its own calls is no request.
    assert!(call(&mut machine, address("192.0.2.1:4000"), now).is_err());
    call(&mut machine, peer(), now).unwrap();
    let ours = machine.poll_transmit().unwrap().payload;
    assert_eq!(machine.handle_datagram(peer(), &ours, now), Err(Dropped::OurOwn));
    is_well(&mut machine, now);
}

#[test]
fn o_06_guessed_ids() {
    let (mut machine, now) = (machine(), Instant::now());
    let right = sent(&mut machine, now);
    for bit in 0..160 {
        let mut guess = right.clone();
        guess[1 + bit / 8] ^= 1 << (bit % 8);
        assert_eq!(machine.handle_datagram(peer(), &guess, now), Err(Dropped::UnknownResponse));
    }
    assert_eq!(machine.stats().counts.dropped(Dropped::UnknownResponse), 160);
    machine.handle_datagram(peer(), &right, now).unwrap();
    // Once: a second answer is late.
    assert_eq!(machine.handle_datagram(peer(), &right, now), Err(Dropped::UnknownResponse));
    assert!(outcome(&mut machine).is_some() && outcome(&mut machine).is_none());
    // Ids of two machines, and of one: all bits differ somewhere.
    let ids: std::collections::BTreeSet<_> =
        (0..1_000).map(|_| sent(&mut machine, now)[1..21].to_vec()).collect();
    assert_eq!(ids.len(), 1_000);
}

#[test]
fn o_07_a_request_runs_once() {
    let (mut machine, mut now) = (machine(), Instant::now());
    let first = request(1, 10);
    machine.handle_datagram(peer(), &first, now).unwrap();
    let open = served(&mut machine);
    // While it is served, and reordered with another.
    machine.handle_datagram(peer(), &request(2, 10), now).unwrap();
    assert_eq!(machine.handle_datagram(peer(), &first, now), Err(Dropped::Duplicate));
    let other = served(&mut machine);
    machine.abandon(other.into_ticket(), Silence::Fault);
    machine.reply(open.into_ticket(), &result(&7).unwrap(), now).unwrap();
    let answer = machine.poll_transmit().unwrap();
    // O-10: its answer was lost, and is sent again; the handler does not run again.
    machine.handle_datagram(peer(), &first, now).unwrap();
    let again = machine.poll_transmit().unwrap();
    assert_eq!((again.to, &again.payload), (answer.to, &answer.payload));
    assert!(machine.poll_action().is_none());
    // One that was not answered stays so.
    assert_eq!(machine.handle_datagram(peer(), &request(2, 10), now), Err(Dropped::Duplicate));
    // The same id from somebody else is another request.
    machine.handle_datagram(address("192.0.2.3:1"), &first, now).unwrap();
    let from_another = served(&mut machine);
    machine.abandon(from_another.into_ticket(), Silence::Fault);
    now += Duration::from_secs(61);
    machine.handle_datagram(peer(), &first, now).unwrap();
    served(&mut machine);
}

#[test]
fn o_07_what_is_remembered_is_bounded() {
    let (mut machine, now) = (machine(), Instant::now());
    let kept = result(&bytes::Bytes::from(vec![0; 100])).unwrap();
    for id in 0..100_000u64 {
        let from = SocketAddr::new([10, 0, (id >> 8) as u8, id as u8].into(), 4_000);
        machine.handle_datagram(from, &request(id, 100), now).unwrap();
        let request = served(&mut machine);
        let _ = machine.reply(request.into_ticket(), &kept, now);
        while machine.poll_transmit().is_some() {}
    }
    // The newest are remembered, the oldest are not.
    let from = SocketAddr::new([10, 0, 99_999u64.to_be_bytes()[6], 159].into(), 4_000);
    machine.handle_datagram(from, &request(99_999, 100), now).unwrap();
    assert!(machine.poll_action().is_none() && machine.poll_transmit().is_some());
    machine
        .handle_datagram(SocketAddr::new([10, 0, 0, 0].into(), 4_000), &request(0, 100), now)
        .unwrap();
    served(&mut machine);
}

#[test]
fn o_08_what_is_unknown_is_silent_and_counted() {
    let (mut machine, now) = (machine(), Instant::now());
    machine.handle_datagram(peer(), &request(1, 1), now).unwrap();
    let request = served(&mut machine);
    machine.abandon(request.into_ticket(), Silence::NoSuchService);
    assert!(machine.poll_transmit().is_none());
    let stats = machine.stats();
    assert_eq!((stats.requests_open, stats.counts.silent(Silence::NoSuchService)), (0, 1));
    assert_eq!(format!("{:?}", stats.counts), r#"{"NoSuchService": 1}"#);
}

#[test]
fn o_09_what_is_no_call() {
    let (mut machine, now) = (machine(), Instant::now());
    let shapes: [(&[u8], Dropped); 14] = [
        (b"\x91\xa1x", Dropped::NoCall),
        (b"\x93\xa1x\x90\x80", Dropped::NoCall),
        (b"\x90", Dropped::NoCall),
        (b"\xa1x", Dropped::NoCall),
        (b"\x82\xa1x\x90\xa1y\x90", Dropped::NoCall),
        (b"\x92\xc4\x01x\x90", Dropped::NoCall),
        (b"\x92\xc0\x90", Dropped::NoCall),
        (b"\x92\x90\x90", Dropped::NoCall),
        (b"\x92\xa1x\x05", Dropped::NoCall),
        (b"\x92\xa1x\xc0", Dropped::NoCall),
        (b"\x92\xa1x\xd4\x05\x01", Dropped::NoCall),
        (b"\x92\xa1x", Dropped::Malformed),
        (b"\x92\xa1\xff\x90", Dropped::Malformed),
        (b"\x92\xa1x\xdd\xff\xff\xff\xff", Dropped::Malformed),
    ];
    for (body, why) in shapes {
        let datagram = [&request(1, 0)[..21], body].concat();
        assert_eq!(machine.handle_datagram(peer(), &datagram, now), Err(why), "{body:x?}");
    }
    // Deep, and deeper.
    for (levels, ok) in [(63, true), (64, false), (8_000, false)] {
        let mut datagram = request(levels, 0)[..21].to_vec();
        datagram.extend_from_slice(b"\x92\xa1x\x91");
        datagram.extend(vec![0x91; levels as usize - 1]);
        datagram.push(0xc0);
        assert_eq!(machine.handle_datagram(peer(), &datagram, now).is_ok(), ok, "{levels}");
    }
    assert_eq!(machine.stats().requests_open, 1);
}

#[test]
fn o_10_a_lost_request_or_answer_is_sent_again_with_the_same_id() {
    let (mut caller, mut now) = (machine(), Instant::now());
    let options = CallOptions::default().resend_every(Duration::from_secs(1));
    caller.call(peer(), "x", &arguments(&()).unwrap(), &options, now).unwrap();
    let first = caller.poll_transmit().unwrap();
    for _ in 0..4 {
        assert_eq!(caller.poll_timeout(), Some(now + Duration::from_secs(1)));
        now += Duration::from_secs(1);
        caller.handle_timeout(now);
        let again = caller.poll_transmit().unwrap();
        assert_eq!((again.to, &again.payload), (first.to, &first.payload));
    }
    now += Duration::from_secs(1);
    caller.handle_timeout(now);
    assert!(matches!(outcome(&mut caller), Some(Outcome::Unknown(Reason::TimedOut))));
    assert!(caller.poll_timeout().is_none() && caller.poll_transmit().is_none());
    // Only where it was asked for.
    call(&mut caller, peer(), now).unwrap();
    assert!(caller.poll_transmit().is_some());
    assert_eq!(caller.poll_timeout(), Some(now + Duration::from_secs(5)));
}

#[test]
fn o_10_copies_do_not_pile_up_while_the_socket_takes_nothing() {
    let (mut caller, mut now) = (machine(), Instant::now());
    let options = CallOptions::default().resend_every(Duration::from_millis(1));
    caller.call(peer(), "x", &arguments(&()).unwrap(), &options, now).unwrap();
    let one = caller.stats().queued_bytes;
    let later = |caller: &mut Endpoint, now: &mut Instant| {
        for _ in 0..1_000 {
            *now += Duration::from_millis(1);
            caller.handle_timeout(*now);
        }
        caller.stats().queued_bytes
    };
    assert_eq!(later(&mut caller, &mut now), one);
    // Once it was taken the next copy may wait.
    assert!(caller.poll_transmit().is_some() && caller.poll_transmit().is_none());
    assert_eq!(later(&mut caller, &mut now), one);
}

#[test]
fn requests_that_wait_for_too_long_are_told_of_once() {
    let (mut machine, now) = (machine(), Instant::now());
    let late = now + Duration::from_secs(60);
    machine.handle_datagram(peer(), &request(1, 1), now).unwrap();
    let waits = served(&mut machine).into_ticket();
    machine.handle_datagram(peer(), &request(2, 1), now).unwrap();
    let answered = served(&mut machine).into_ticket();
    let answered_id = answered.id();
    machine.reply(answered, &result(&1).unwrap(), now).unwrap();
    assert!(machine.is_overdue(answered_id) && !machine.is_overdue(waits.id()));
    assert_eq!(machine.poll_timeout(), Some(late));
    machine.handle_timeout(late - Duration::from_millis(1));
    assert!(machine.poll_action().is_none());
    machine.handle_timeout(late);
    let Some(Action::Overdue(overdue)) = machine.poll_action() else {
        panic!("nothing is overdue")
    };
    assert_eq!((overdue, machine.is_overdue(overdue)), (waits.id(), true));
    assert!(machine.poll_timeout().is_none() && machine.poll_action().is_none());
    // What cannot be given up keeps its place until its end, and may answer then.
    assert_eq!(machine.stats().requests_open, 1);
    machine.reply(waits, &result(&1).unwrap(), late).unwrap();
    assert_eq!(machine.stats().requests_open, 0);
    // As long as it likes, where that was asked for.
    let mut reference = Endpoint::new(Config::like_the_reference(), [7; 32]);
    reference.handle_datagram(peer(), &request(1, 1), now).unwrap();
    assert!(reference.poll_timeout().is_none());
}

#[test]
fn one_that_drains_finishes_what_is_open_and_takes_no_more() {
    let (mut machine, now) = (machine(), Instant::now());
    machine.handle_datagram(peer(), &request(1, 1), now).unwrap();
    let open = served(&mut machine).into_ticket();
    let answer = sent(&mut machine, now);
    machine.drain();
    assert_eq!(machine.handle_datagram(peer(), &request(2, 1), now), Err(Dropped::Draining));
    machine.handle_datagram(peer(), &answer, now).unwrap();
    assert!(matches!(outcome(&mut machine), Some(Outcome::Value(_))) && !machine.is_idle());
    machine.reply(open, &result(&1).unwrap(), now).unwrap();
    assert!(!machine.is_idle(), "its answer is not sent");
    assert!(machine.poll_transmit().is_some() && machine.is_idle());
    // An answer that was lost on its way is sent again.
    machine.handle_datagram(peer(), &request(1, 1), now).unwrap();
    assert!(machine.poll_transmit().is_some());
}

#[test]
fn o_05_nobody_is_called_where_nobody_can_answer() {
    let (mut machine, now) = (machine(), Instant::now());
    for to in ["192.0.2.2:0", "0.0.0.0:4000", "[::]:4000", "255.255.255.255:4000", "192.0.2.2:7"] {
        let refused = call(&mut machine, address(to), now).unwrap_err();
        assert_eq!(refused.to_string(), format!("nobody can answer from {to}"));
    }
    assert!(machine.poll_transmit().is_none() && machine.stats().calls_pending == 0);
}

#[test]
fn o_11_nobody_is_there() {
    let (mut machine, now) = (machine(), Instant::now());
    sent(&mut machine, now);
    machine.handle_unreachable(address("192.0.2.3:1234"));
    assert!(machine.poll_action().is_none());
    machine.handle_unreachable(peer());
    assert!(matches!(outcome(&mut machine), Some(Outcome::Unknown(Reason::PeerGone))));
    // What could not be sent has not run.
    call(&mut machine, peer(), now).unwrap();
    let transmit = machine.poll_transmit().unwrap();
    machine.handle_not_sent(transmit);
    assert!(matches!(outcome(&mut machine), Some(Outcome::NotExecuted(Reason::NotConnected))));
}

#[test]
fn o_12_calls_into_black_holes_are_bounded_and_end() {
    let (mut machine, mut now) = (machine(), Instant::now());
    let (start, mut taken) = (now, 0);
    for _ in 0..1_000_000 {
        match call(&mut machine, peer(), now) {
            Ok(_) => taken += 1,
            Err(refused) => assert_eq!(refused, CallRefused::TooManyPending { max: 65_536 }),
        }
        while machine.poll_transmit().is_some() {}
        now += Duration::from_micros(1);
    }
    assert_eq!((taken, machine.stats().calls_pending), (65_536, 65_536));
    // Each at its own time: half of them are not due yet.
    machine.handle_timeout(start + Duration::from_secs(5) + Duration::from_micros(32_767));
    let mut ended = 0;
    while let Some(outcome) = outcome(&mut machine) {
        assert!(matches!(outcome, Outcome::Unknown(Reason::TimedOut)));
        ended += 1;
    }
    assert_eq!(ended, 32_768);
    machine.handle_timeout(start + Duration::from_secs(6));
    while outcome(&mut machine).is_some() {
        ended += 1;
    }
    assert_eq!((ended, machine.stats().calls_pending), (65_536, 0));
    assert_eq!(machine.poll_timeout(), None);
}

/// What was never handed out to be sent has not run; what waits in vain for the socket is bounded.
#[test]
fn o_12_a_socket_that_takes_nothing() {
    let (mut machine, now) = (machine(), Instant::now());
    let mut taken = 0;
    let refused = loop {
        match call(&mut machine, peer(), now) {
            Ok(_) => taken += 1,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, CallRefused::TooManyPending { .. } | CallRefused::QueueFull { .. }));
    machine.handle_timeout(now + Duration::from_secs(5));
    for _ in 0..taken {
        let outcome = outcome(&mut machine).unwrap();
        assert!(matches!(outcome, Outcome::NotExecuted(Reason::TimedOut)));
    }
    // Nobody waits for those any more: they are not sent.
    assert!(machine.poll_transmit().is_none());
    assert_eq!(machine.stats().queued_bytes, 0);
    is_well(&mut machine, now);
}

#[test]
fn requests_that_wait_are_bounded() {
    let (mut machine, now) = (machine(), Instant::now());
    // A quarter of the places is for those who have answered a call; of the rest one host has three
    // quarters, and another is served beside it.
    for id in 0..576 {
        machine.handle_datagram(peer(), &request(id, 1), now).unwrap();
    }
    assert_eq!(machine.handle_datagram(peer(), &request(9_999, 1), now), Err(Dropped::Overloaded));
    for id in 576..768 {
        let forged = SocketAddr::from(([198, 51, (id >> 8) as u8, id as u8], 4_000));
        machine.handle_datagram(forged, &request(id, 1), now).unwrap();
    }
    let other = "203.0.113.9:4000".parse().unwrap();
    assert_eq!(machine.handle_datagram(other, &request(9_998, 1), now), Err(Dropped::Overloaded));
    let mut open: Vec<_> = (0..768).map(|_| served(&mut machine)).collect();
    prove(&mut machine, other, now);
    for id in 768..1_024 {
        machine.handle_datagram(other, &request(id, 1), now).unwrap();
    }
    assert_eq!(machine.handle_datagram(other, &request(9_998, 1), now), Err(Dropped::Overloaded));
    open.extend((768..1_024).map(|_| served(&mut machine)));
    for request in open {
        machine.abandon(request.into_ticket(), Silence::Abandoned);
    }
    is_well(&mut machine, now);
}

#[test]
fn a_malformed_answer_ends_no_call() {
    let (mut machine, now) = (machine(), Instant::now());
    let right = sent(&mut machine, now);
    for body in [b"\xc1".as_slice(), b"\xa1\xff", b"\x92\x01", b"\x82\x01\x01\x01\x01"] {
        let wrong = [&right[..21], body].concat();
        assert_eq!(machine.handle_datagram(peer(), &wrong, now), Err(Dropped::Malformed));
    }
    assert!(machine.poll_action().is_none());
    machine.handle_datagram(peer(), &right, now).unwrap();
    assert_eq!(outcome(&mut machine).unwrap().into_pair(), (true, 5.into()));
}

#[test]
fn a_closed_endpoint_ends_its_calls_and_hears_nothing() {
    let (mut machine, now) = (machine(), Instant::now());
    machine.handle_datagram(peer(), &request(1, 1), now).unwrap();
    let request_open = served(&mut machine);
    let right = sent(&mut machine, now);
    call(&mut machine, peer(), now).unwrap();
    machine.close();
    let ends: Vec<_> = std::iter::from_fn(|| outcome(&mut machine)).collect();
    let executed = |maybe| {
        ends.iter().any(|end| matches!(end, Outcome::Closed { executed } if *executed == maybe))
    };
    assert!(ends.len() == 2 && executed(Executed::Maybe));
    assert!(executed(Executed::No));
    assert_eq!(machine.handle_datagram(peer(), &right, now), Err(Dropped::Closed));
    let silent = machine.reply(request_open.into_ticket(), &result(&1).unwrap(), now);
    assert_eq!(silent, Err(Silence::Closed));
    assert!(call(&mut machine, peer(), now).is_err() && machine.poll_transmit().is_none());
}
