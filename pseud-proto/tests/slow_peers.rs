//! S-09: peers that send or read too slowly, beside such that are only slow.
#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

use pseud_proto::zmtp::{Connection, ConnectionConfig, Outgoing, Token};
use pseud_proto::{Misbehaved, PeerError, Reason};
use pseud_testkit::connection::*;
use pseud_testkit::raw::{command, long_header};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const MIB: usize = 1 << 20;

/// Whether a link PINGs or not, the same is too slow.
fn with_and_without_pings() -> [Arc<ConnectionConfig>; 2] {
    let silent = config(|config| config.heartbeat.interval = None);
    [config(|_| {}), silent]
}

/// Time passes to that moment, as a driver tells it.
fn pass(link: &mut Connection, until: Instant) -> Result<(), PeerError> {
    while let Some(at) = link.poll_timeout().filter(|at| *at <= until) {
        link.handle_timeout(at.max(until - SECOND))?;
    }
    Ok(())
}

/// A message is sent in such pieces, one at a time; when the link ends for that, and how.
fn sent(
    config: Arc<ConnectionConfig>,
    size: usize,
    piece: usize,
    every: Duration,
) -> (Duration, Result<(), PeerError>) {
    let start = Instant::now();
    let mut link = ready(config, start);
    feed(&mut link, &long_header(0, size as u64), usize::MAX, start).unwrap();
    let (mut now, mut left) = (start, size);
    while left > 0 {
        now += every;
        if let Err(error) = pass(&mut link, now) {
            return (now - start, Err(error));
        }
        let bytes = vec![0; piece.min(left)];
        left -= bytes.len();
        feed(&mut link, &bytes, usize::MAX, now).unwrap();
        // It answers PINGs and reads: only its message is slow.
        let _ = written(&mut link, usize::MAX);
    }
    (now - start, Ok(()))
}

/// Reads so many bytes of what waits.
fn written(link: &mut Connection, max: usize) -> usize {
    let mut slices = [IoSlice::new(&[]); 8];
    let count = link.slices(&mut slices);
    let there: usize = slices[..count].iter().map(|slice| slice.len()).sum();
    link.advance(there.min(max));
    there.min(max)
}

#[test]
fn s_09_a_message_that_comes_byte_by_byte_ends_its_link() {
    for config in with_and_without_pings() {
        for (piece, every) in [(1, 5 * SECOND), (1, SECOND / 10), (2_000, 5 * SECOND)] {
            let (took, result) = sent(config.clone(), 8 * MIB, piece, every);
            assert_eq!(result, Err(Misbehaved::Stalled.into()), "{piece} bytes each {every:?}");
            assert!(took <= 36 * SECOND, "{took:?}");
        }
    }
}

#[test]
fn s_09_a_message_that_comes_slowly_is_taken() {
    for config in with_and_without_pings() {
        for (size, piece, every) in [(200_000, 600, SECOND), (MIB, 20_000, 14 * SECOND)] {
            let (took, result) = sent(config.clone(), size, piece, every);
            assert_eq!(result, Ok(()));
            assert!(took > 300 * SECOND, "{took:?}");
        }
    }
}

/// Many messages of which each is small: none of them is slow, however little they are together.
#[test]
fn s_09_small_messages_now_and_then_are_taken() {
    for config in with_and_without_pings() {
        let start = Instant::now();
        let (mut link, mut now) = (ready(config, start), start);
        for _ in 0..60 {
            now += 7 * SECOND;
            pass(&mut link, now).unwrap();
            // The second half of one and the first of the next.
            let half: &[u8] = if now == start + 7 * SECOND { b"\0\x02a" } else { b"b\0\x02a" };
            feed(&mut link, half, usize::MAX, now).unwrap();
            let _ = written(&mut link, usize::MAX);
        }
    }
}

/// So much waits for the peer, which reads so much at a time and answers PINGs.
fn read(
    config: Arc<ConnectionConfig>,
    size: usize,
    piece: usize,
    every: Duration,
) -> (Duration, Result<(), PeerError>) {
    let start = Instant::now();
    let mut link = ready(config, start);
    let _ = written(&mut link, usize::MAX);
    let body = bytes::Bytes::from(vec![0; size]);
    link.send(Outgoing { body, ..Outgoing::default() }, Token(1));
    let mut now = start;
    while link.backlog() > 0 {
        now += every;
        if let Err(error) = pass(&mut link, now) {
            return (now - start, Err(error));
        }
        // It says something all the time.
        feed(&mut link, &[0, 0], usize::MAX, now).unwrap();
        written(&mut link, piece);
    }
    (now - start, Ok(()))
}

#[test]
fn s_09_who_does_not_read_what_waits_loses_its_link() {
    for config in with_and_without_pings() {
        for (piece, every) in [(0, 5 * SECOND), (1, SECOND / 10), (2_000, 5 * SECOND)] {
            let (took, result) = read(config.clone(), 8 * MIB, piece, every);
            let unread = PeerError::from(Misbehaved::Unread);
            assert_eq!(result, Err(unread), "{piece} bytes each {every:?}");
            assert_eq!(Reason::from(unread), Reason::SlowPeer);
            assert!(took <= 42 * SECOND, "{took:?}");
        }
    }
}

#[test]
fn s_09_who_reads_slowly_is_waited_for() {
    for config in with_and_without_pings() {
        for (size, piece, every) in [(200_000, 600, SECOND), (MIB, 20_000, 14 * SECOND)] {
            let (took, result) = read(config.clone(), size, piece, every);
            assert_eq!(result, Ok(()));
            assert!(took > 300 * SECOND, "{took:?}");
        }
    }
}

/// Little waits now and then, and is read each time: that it is little is nobody's fault.
#[test]
fn s_09_who_reads_the_little_there_is_reads_enough() {
    for config in with_and_without_pings() {
        let start = Instant::now();
        let (mut link, mut now) = (ready(config, start), start);
        for _ in 0..200 {
            link.send(Outgoing { body: (&b"x"[..]).into(), ..Outgoing::default() }, Token(1));
            pass(&mut link, now).unwrap();
            now += 4 * SECOND;
            pass(&mut link, now).unwrap();
            feed(&mut link, &[0, 0], usize::MAX, now).unwrap();
            let _ = written(&mut link, usize::MAX);
        }
    }
}

#[test]
fn s_09_without_a_rate_only_silence_ends_a_message() {
    let config = config(|config| config.progress.bytes_per_second_min = 0);
    assert_eq!(sent(config.clone(), 1_000, 1, 5 * SECOND).1, Ok(()));
    let (took, result) = sent(config, 1_000, 1, 31 * SECOND);
    assert_eq!((took, result), (31 * SECOND, Err(Misbehaved::Stalled.into())));
}

/// A command that came in pieces is no part of the message that begins behind it.
#[test]
fn s_09_a_command_in_pieces_takes_no_time_from_the_next_message() {
    for config in with_and_without_pings() {
        let start = Instant::now();
        let mut link = ready(config, start);
        feed(&mut link, &command("PING", b"\0\0"), 3, start).unwrap();
        let _ = written(&mut link, usize::MAX);
        for second in 1..=40 {
            let now = start + second * SECOND;
            feed(&mut link, b"\0\0", usize::MAX, now).unwrap();
            pass(&mut link, now).unwrap();
            let _ = written(&mut link, usize::MAX);
        }
        feed(&mut link, b"\0\x02a", usize::MAX, start + 40 * SECOND).unwrap();
        pass(&mut link, start + 40 * SECOND).unwrap();
    }
}
