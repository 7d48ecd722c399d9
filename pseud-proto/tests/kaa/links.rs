//! HOSTILE N: what one link of an endpoint takes for a peer that sends much, or does not read.

use super::hostile::ADD;
use super::talk::{SECRET, open_server, packet};
use pseud_proto::kaa::{Channel, Config, Connection};
use pseud_proto::zmtp::{Event, Side};
use pseud_proto::{Misbehaved, PeerError, Refusal};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// `("x", (), {})`.
const CALL: &[u8] = b"\x80\x02X\x01\0\0\0x)}\x87.";

macro_rules! written {
    ($of:expr $(, $now:expr)?) => {{
        let mut bytes = Vec::new();
        loop {
            let mut slices = [IoSlice::new(&[]); 3];
            let count = $of.slices(&mut slices);
            let part: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
            if part.is_empty() {
                break bytes;
            }
            $of.advance(part.len() $(, $now)?);
            bytes.extend(part);
        }
    }};
}

/// A link whose client has shown the secret, and is anybody from now on.
fn open_link(config: Config) -> (Connection, Instant) {
    let now = Instant::now();
    let mut link = Connection::new(Arc::new(config), Side::Accepting, [1; 32], now);
    let config = Arc::new(Config::new(SECRET));
    let mut client = Channel::new(config, Side::Connecting, [2; 32], now);
    for _ in 0..4 {
        client.handle_input(&mut written!(link), now).unwrap();
        link.handle_input(&mut written!(client, now), now).unwrap();
    }
    assert!(matches!(link.poll_event(), Some(Event::Ready(_))));
    assert!(!link.has_events());
    (link, now)
}

/// How many messages there are, and how many bytes.
fn messages(link: &mut Connection) -> (usize, usize) {
    let events = std::iter::from_fn(|| link.poll_event());
    events.fold((0, 0), |(count, bytes), event| match event {
        Event::Message(parts) => (count + 1, bytes + parts.iter().map(<[u8]>::len).sum::<usize>()),
        event => panic!("{event:?}"),
    })
}

/// A call with a text of 16 KiB, 400 times: 6.5 MB of 17 KB.
fn bomb() -> Vec<u8> {
    let text = "x".repeat(16 << 10);
    let mut pickle = b"\x80\x02X\x01\0\0\0x(X".to_vec();
    pickle.extend((text.len() as u32).to_le_bytes());
    pickle.extend(text.as_bytes());
    pickle.extend(b"q\0");
    pickle.extend(b"h\0".repeat(399));
    pickle.extend(b"t}\x87.");
    pickle
}

#[test]
fn n_06_packets_that_unfold_are_not_all_unfolded_at_once() {
    let (mut link, now) = open_link(Config::new(SECRET));
    let mut bytes = Vec::new();
    for seq in 1..=40 {
        bytes.extend(packet(seq, b"CALL", &bomb()));
    }
    link.handle_some(&mut bytes, now).unwrap();
    let mut count = 0;
    loop {
        // Nobody has asked for what is there: no more is made.
        link.handle_waiting(now).unwrap();
        let (came, size) = messages(&mut link);
        assert!(came <= 1 && size < 8 << 20, "{came} of {size} bytes");
        count += came;
        if !link.has_waiting() {
            break;
        }
        link.handle_waiting(now).unwrap();
    }
    assert_eq!(count, 40);
}

/// A link that is driven alone is bounded alike, and keeps the deadline of a part.
#[test]
fn n_06_a_channel_unfolds_no_more_than_is_asked_for() {
    let mut server = open_server();
    let mut bytes: Vec<u8> = (1..=40).flat_map(|seq| packet(seq, b"CALL", &bomb())).collect();
    bytes.extend_from_slice(&packet(41, b"CALL", ADD)[..20]);
    server.channel.handle_some(&mut bytes, server.now).unwrap();
    let mut count = 0;
    loop {
        // Nobody has asked for what is there: no more is made.
        server.channel.handle_waiting(server.now).unwrap();
        let requests = server.requests();
        assert!(requests.len() <= 1, "{}", requests.len());
        for request in requests {
            count += 1;
            server.channel.refuse(request.into_ticket(), &Refusal::Draining, server.now);
        }
        server.written();
        if !server.channel.has_waiting() {
            break;
        }
        assert!(server.channel.poll_timeout().is_none(), "what waits is our own delay");
        server.channel.handle_waiting(server.now).unwrap();
    }
    assert_eq!(
        (count, server.channel.poll_timeout()),
        (40, Some(server.now + Duration::from_secs(30)))
    );
    let rest = &packet(41, b"CALL", ADD)[20..];
    server.channel.handle_some(&mut rest.to_vec(), server.now).unwrap();
    assert_eq!((server.request().name(), server.channel.poll_timeout()), ("add", None));
    // Small ones go many at once.
    let mut small: Vec<u8> = (1..=40).flat_map(|seq| packet(seq, b"CALL", ADD)).collect();
    server.channel.handle_some(&mut small, server.now).unwrap();
    assert_eq!(server.requests().len(), 32);
    assert!(server.channel.has_waiting());
    server.channel.handle_waiting(server.now).unwrap();
    assert_eq!((server.requests().len(), server.channel.has_waiting()), (8, false));
}

#[test]
fn small_packets_go_as_many_at_once_as_before() {
    let (mut link, now) = open_link(Config::new(SECRET));
    link.handle_some(&mut packet(1, b"CALL", CALL).repeat(40), now).unwrap();
    assert_eq!(messages(&mut link).0, 32);
    assert!(link.has_waiting());
    link.handle_waiting(now).unwrap();
    assert_eq!(messages(&mut link).0, 8);
    assert!(!link.has_events());
}

#[test]
fn n_06_answers_to_nonsense_are_not_kept_for_whom_does_not_read() {
    let mut config = Config::new(SECRET);
    config.limits.queue_bytes_hard_max = 64 << 10;
    let (mut link, now) = open_link(config);
    let mut nonsense = packet(1, b"CALL", b"x").repeat(32);
    // Whoever reads may send as much of it as he likes.
    for _ in 0..1_000 {
        link.handle_some(&mut nonsense, now).unwrap();
        assert!(written!(link).len() > 32);
    }
    let result = (0..1_000).try_for_each(|_| {
        let result = link.handle_some(&mut nonsense, now);
        assert!(link.backlog() <= 64 << 10);
        result
    });
    assert_eq!(result, Err(PeerError::Misbehaved(Misbehaved::Flood)));
    assert!(!link.has_waiting());
}

#[test]
fn a_packets_deadline_goes_with_it() {
    let (mut link, now) = open_link(Config::new(SECRET));
    let one = packet(1, b"CALL", CALL);
    link.handle_some(&mut one[..5].to_vec(), now).unwrap();
    let wait = Duration::from_secs(30);
    assert_eq!(link.poll_timeout(), Some(now + wait));
    // The rest of it, and 31 whole ones: as many as are looked at.
    let later = now + Duration::from_secs(1);
    let mut rest = [&one[5..], &one.repeat(31)].concat();
    link.handle_some(&mut rest, later).unwrap();
    assert_eq!((link.has_waiting(), link.poll_timeout()), (false, None));
    assert_eq!(messages(&mut link).0, 32);
    link.handle_timeout(now + wait * 2).unwrap();
    // While whole ones wait the peer need not hurry.
    link.handle_some(&mut one[..5].to_vec(), later).unwrap();
    let mut rest = [&one[5..], &one.repeat(35), &one[..5]].concat();
    link.handle_some(&mut rest, later).unwrap();
    assert_eq!((link.has_waiting(), link.poll_timeout()), (true, None));
    link.handle_timeout(later + wait * 2).unwrap();
    link.handle_waiting(later + wait).unwrap();
    assert_eq!(link.poll_timeout(), Some(later + wait * 2));
}

#[test]
fn a_part_of_a_packet_behind_32_has_a_deadline() {
    let (mut link, now) = open_link(Config::new(SECRET));
    let one = packet(1, b"CALL", CALL);
    link.handle_some(&mut [&one.repeat(32), &one[..5]].concat(), now).unwrap();
    assert!(!link.has_waiting());
    let deadline = now + Duration::from_secs(30);
    assert_eq!(link.poll_timeout(), Some(deadline));
    assert_eq!(link.handle_timeout(deadline), Err(Misbehaved::Stalled.into()));
}

/// 256 frames that are one object, whose state is a dict of so many pairs that hold no name.
fn frames(pairs: usize) -> Vec<u8> {
    let mut pickle = b"\x80\x02cexceptions\nKeyError\n)R](cx\ny\n)RN}(NN".to_vec();
    pickle.extend(b"22".repeat(pairs));
    pickle.extend(b"u\x86bq\0");
    pickle.extend(b"h\0".repeat(255));
    pickle.extend(b"e\x86.");
    pickle
}

#[test]
fn n_06_an_exceptions_names_are_not_looked_for_in_all_it_says() {
    let pickle = frames(500_000);
    let start = Instant::now();
    let outcome = super::talk::result_of("EXCP", &pickle);
    assert!(matches!(outcome, pseud_proto::Outcome::Fault(_)), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    // One that answers no call is not read at all.
    let (mut link, now) = open_link(Config::new(SECRET));
    for kind in [b"EXCP", b"RETN"] {
        link.handle_input(&mut packet(9, kind, &pickle), now).unwrap();
        assert!(messages(&mut link).1 < 16);
    }
}

/// Time passes to that moment, as a driver tells it.
fn pass(link: &mut Connection, until: Instant) -> Result<(), PeerError> {
    while let Some(at) = link.poll_timeout().filter(|at| *at <= until) {
        link.handle_timeout(at.max(until - Duration::from_secs(1)))?;
    }
    Ok(())
}

#[test]
fn s_09_a_packet_that_comes_byte_by_byte_ends_its_link_and_a_slow_one_is_taken() {
    let second = Duration::from_secs(1);
    for (size, piece, every, expected) in [
        (8 << 20, 1, 5 * second, Err(Misbehaved::Stalled.into())),
        (8 << 20, 2_000, 5 * second, Err(Misbehaved::Stalled.into())),
        (200_000, 600, second, Ok(())),
        (1 << 20, 20_000, 29 * second, Ok(())),
    ] {
        let (mut link, start) = open_link(Config::new(SECRET));
        let whole = packet(1, b"CALL", &vec![b'x'; size]);
        let (mut now, mut result) = (start, Ok(()));
        for bytes in whole.chunks(piece) {
            link.handle_some(&mut bytes.to_vec(), now).unwrap();
            now += every;
            result = pass(&mut link, now);
            if result.is_err() {
                break;
            }
        }
        assert_eq!(result, expected, "{piece} bytes each {every:?}");
        assert!(result.is_ok() || now - start <= 36 * second, "{:?}", now - start);
    }
}

#[test]
fn s_09_who_does_not_read_loses_its_link_and_who_reads_slowly_is_waited_for() {
    let second = Duration::from_secs(1);
    for (piece, every, expected) in [
        (0, 5 * second, Err(Misbehaved::Unread.into())),
        (2_000, 5 * second, Err(Misbehaved::Unread.into())),
        (600, second, Ok(())),
        (20_000, 29 * second, Ok(())),
    ] {
        let (mut link, start) = open_link(Config::new(SECRET));
        // Answers that say that its calls mean nothing.
        for _ in 0..2_000 {
            link.handle_input(&mut packet(1, b"CALL", b"garbage"), start).unwrap();
        }
        assert!(link.backlog() > 100_000, "{}", link.backlog());
        let (mut now, mut result) = (start, Ok(()));
        while result.is_ok() && link.backlog() > 0 {
            now += every;
            result = pass(&mut link, now);
            link.advance(piece.min(link.backlog()));
        }
        assert_eq!(result, expected, "{piece} bytes each {every:?}");
        assert!(result.is_ok() || now - start <= 36 * second, "{:?}", now - start);
    }
}

/// What is waited for takes no more than it has.
#[test]
fn s_09_a_packets_buffer_is_no_larger_than_the_packet() {
    for size in [60_000, 100_000, 1 << 20, 3_000_001, 8 << 20] {
        let (mut link, now) = open_link(Config::new(SECRET));
        let whole = packet(1, b"CALL", &vec![b'x'; size]);
        for bytes in whole[..whole.len() - 1].chunks(10_000) {
            link.handle_some(&mut bytes.to_vec(), now).unwrap();
            let held = link.partial_bytes();
            assert!(held <= size + size / 100 || held <= 128 << 10, "{held} for {size}");
        }
        assert!(link.partial_bytes() >= size);
    }
}
