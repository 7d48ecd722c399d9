//! Who is let through, and who has to wait how long.

use super::*;
use std::time::Duration;

const LUCKY: u32 = u32::MAX;

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

fn nth(n: u32) -> Option<IpAddr> {
    Some(IpAddr::from(0x0a00_0000_u32.wrapping_add(n).to_be_bytes()))
}

fn fail(strangers: &mut Strangers, from: Option<IpAddr>, now: Instant) {
    strangers.begin(from, LUCKY, now).unwrap();
    strangers.end(from, HandshakeEnd::Failed, now);
}

#[test]
fn newcomers_are_dropped_at_random_before_all_are() {
    let limits = StrangerLimits::default();
    let share = |open| {
        let draws = (0..1_000_u32).map(|n| n * (u32::MAX / 1_000));
        draws.filter(|luck| is_dropped(open, &limits, *luck)).count()
    };
    assert_eq!([share(0), share(127)], [0, 0]);
    assert!((295..=305).contains(&share(128)), "{}", share(128));
    assert!((645..=655).contains(&share(192)), "{}", share(192));
    assert!(share(255) > 990 && share(256) == 1_000 && share(10_000) == 1_000);
    // Limits that leave no place in between, or turn it round, drop at the larger one's place.
    let none = StrangerLimits { handshakes_drop_from: 300, ..StrangerLimits::default() };
    assert!(!is_dropped(255, &none, 0) && is_dropped(256, &none, LUCKY));
    let zero = StrangerLimits { handshakes_max: 0, ..StrangerLimits::default() };
    assert!(is_dropped(0, &zero, LUCKY));
}

#[test]
fn handshakes_are_bounded_in_all_and_by_source() {
    let (now, mut strangers) = (Instant::now(), Strangers::default());
    for n in 0..16 {
        assert_eq!(strangers.begin(nth(1), LUCKY, now), Ok(()), "{n}");
    }
    assert_eq!(strangers.begin(nth(1), LUCKY, now), Err(StrangerDropped::SourceCrowded));
    for n in 16..256 {
        assert_eq!(strangers.begin(nth(n), LUCKY, now), Ok(()), "{n}");
    }
    assert_eq!(strangers.begin(nth(999), LUCKY, now), Err(StrangerDropped::Crowded));
    let stats = strangers.stats();
    assert_eq!(
        (stats.handshakes, stats.dropped_crowded, stats.dropped_source_crowded),
        (256, 1, 1)
    );
    strangers.end(nth(1), HandshakeEnd::Completed, now);
    assert_eq!(strangers.begin(nth(1), LUCKY, now), Ok(()));
    for n in (16..256).chain([1; 16]) {
        strangers.end(nth(n), HandshakeEnd::Abandoned, now);
    }
    assert!(strangers.handshakes.is_empty(), "nothing is left behind");
    assert_eq!(strangers.stats().handshakes, 0);
    assert_eq!(strangers.stats().sources, 0, "who left or came in has not failed");
}

#[test]
fn g_12_questions_are_bounded_by_source() {
    let mut strangers = Strangers::default();
    assert_eq!((0..20).filter(|_| strangers.asks(nth(1))).count(), 16);
    assert!(strangers.asks(nth(2)) && !strangers.asks(nth(1)));
    assert_eq!(strangers.stats().questions_refused, 5);
    strangers.answered(nth(1));
    assert!(strangers.asks(nth(1)) && !strangers.asks(nth(1)));
    (0..16).for_each(|_| strangers.answered(nth(1)));
    strangers.answered(nth(2));
    assert!(strangers.questions.is_empty(), "nothing is left behind");
    assert!((0..300).all(|_| strangers.asks(ip("127.0.0.1")) && strangers.asks(None)));
    let limits = StrangerLimits { handshakes_per_source_max: 0, ..StrangerLimits::default() };
    let mut strangers = Strangers::new(limits);
    assert!(!strangers.asks(nth(1)) && strangers.questions.is_empty());
}

#[test]
fn this_machine_is_bounded_in_all_only_unless_asked_for() {
    let now = Instant::now();
    for from in [ip("127.0.0.1"), ip("::1"), ip("::ffff:127.9.9.9"), None] {
        let mut strangers = Strangers::default();
        let begun = (0..300).filter(|_| strangers.begin(from, LUCKY, now).is_ok()).count();
        assert_eq!(begun, 256);
        let limits = StrangerLimits { bounds_loopback: true, ..StrangerLimits::default() };
        let mut strangers = Strangers::new(limits);
        let begun = (0..300).filter(|_| strangers.begin(from, LUCKY, now).is_ok()).count();
        assert_eq!(begun, if from.is_none() { 256 } else { 16 });
    }
}

#[test]
fn g_04_a_source_that_fails_waits_longer_each_time_and_is_forgiven() {
    let (mut now, mut strangers) = (Instant::now(), Strangers::default());
    let from = ip("2001:db8::1");
    for _ in 0..8 {
        fail(&mut strangers, from, now);
    }
    let mut waits = Vec::new();
    for _ in 0..12 {
        fail(&mut strangers, from, now);
        let start = now;
        while strangers.begin(ip("2001:db8::2"), LUCKY, now) == Err(StrangerDropped::SourceWaits) {
            now += Duration::from_millis(500);
        }
        strangers.end(from, HandshakeEnd::Abandoned, now);
        waits.push((now - start).as_secs_f64());
    }
    assert_eq!(waits[..6], [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]);
    // Beyond a minute half of the failures are forgotten meanwhile.
    assert!(waits.iter().all(|wait| *wait <= 300.0), "{waits:?}");
    // Others never waited, and who comes in has the source forgiven.
    assert_eq!(strangers.begin(ip("2001:db8:0:1::1"), LUCKY, now), Ok(()));
    fail(&mut strangers, from, now);
    assert_eq!(strangers.begin(from, LUCKY, now), Err(StrangerDropped::SourceWaits));
    now += Duration::from_secs(3_600);
    strangers.begin(from, LUCKY, now).unwrap();
    strangers.end(from, HandshakeEnd::Completed, now);
    fail(&mut strangers, from, now);
    assert_eq!(strangers.begin(from, LUCKY, now), Ok(()), "an hour later it is as new");
}

#[test]
fn g_04_who_guesses_a_password_keeps_out_nobody_who_knows_it() {
    let (now, mut strangers) = (Instant::now(), Strangers::default());
    let user = Bytes::from_static(b"charly");
    // A thousand sources guess, each once.
    for n in 0..1_000 {
        assert!(strangers.may_ask(&user, nth(n), now), "a source that has not failed may ask");
        strangers.begin(nth(n), LUCKY, now).unwrap();
        strangers.denied(&user, nth(n), now);
        strangers.end(nth(n), HandshakeEnd::Failed, now);
    }
    // None of them may guess again, at that name; another is another's.
    assert!((0..1_000).all(|n| !strangers.may_ask(&user, nth(n), now)));
    assert!(strangers.may_ask(&Bytes::from_static(b"alice"), nth(1), now));
    assert_eq!(strangers.stats().questions_refused, 1_000);
    assert!(strangers.may_ask(&user, nth(1_001), now), "who knows it is elsewhere");
    let later = now + Duration::from_secs(301);
    assert!(strangers.may_ask(&user, nth(1), later), "it is a delay, no ban");
}

/// How many of so many guesses at a name are asked, one each 5 ms, from a source that shows in between what it
/// knows to be right: as `within` has it.
fn asked_beside_own_logins(
    guess: impl Fn(u32) -> Bytes,
    within: impl Fn(&mut Strangers, Instant),
) -> usize {
    let (start, mut strangers, mallory) = (Instant::now(), Strangers::default(), nth(66));
    let asked = (0..1_000_u32).filter(|n| {
        let (now, name) = (start + Duration::from_millis(5) * *n, guess(*n));
        let asked = strangers.begin(mallory, LUCKY, now).is_ok();
        let is_asked = asked && strangers.may_ask(&name, mallory, now);
        if is_asked {
            strangers.denied(&name, mallory, now);
        }
        if asked {
            let end = if is_asked { HandshakeEnd::Failed } else { HandshakeEnd::Abandoned };
            strangers.end(mallory, end, now);
            within(&mut strangers, now);
        }
        is_asked
    });
    asked.count()
}

#[test]
fn g_04_who_has_an_account_guesses_no_faster_at_anothers() {
    let mallory = nth(66);
    let own = Bytes::from_static(b"mallory");
    let by_handshake = |strangers: &mut Strangers, now| {
        if strangers.begin(mallory, LUCKY, now).is_ok() {
            strangers.admitted(&own, mallory);
            strangers.end(mallory, HandshakeEnd::Completed, now);
        }
    };
    let by_hello = |strangers: &mut Strangers, now| {
        strangers.admitted(&own, mallory);
        strangers.logged_in(mallory, true, now);
    };
    let victim = |_| Bytes::from_static(b"victim");
    let everybody = |n: u32| Bytes::from(n.to_string());
    // 1 000 guesses in 5 s: those that are free, and one or two behind waits of 1 s and 2 s.
    for asked in
        [asked_beside_own_logins(victim, by_handshake), asked_beside_own_logins(victim, by_hello)]
    {
        assert!((4..=6).contains(&asked), "{asked} at one name");
    }
    // At a thousand names it is the source that waits.
    for asked in [
        asked_beside_own_logins(everybody, by_handshake),
        asked_beside_own_logins(everybody, by_hello),
    ] {
        assert!((9..=12).contains(&asked), "{asked} at many names");
    }
}

#[test]
fn g_04_who_mistyped_a_password_and_then_knew_it_has_not_guessed() {
    let (now, mut strangers) = (Instant::now(), Strangers::default());
    let alice = Bytes::from_static(b"alice");
    for n in 0..100 {
        strangers.denied(&alice, nth(n), now);
    }
    assert!(!strangers.may_ask(&alice, nth(1), now));
    strangers.admitted(&alice, nth(1));
    assert!(strangers.may_ask(&alice, nth(1), now));
    assert!(!strangers.may_ask(&alice, nth(2), now), "that was another source");
}

#[test]
fn what_is_remembered_is_bounded_and_the_worst_stay() {
    let limits = StrangerLimits { remembered_max: 64, ..StrangerLimits::default() };
    let (now, mut strangers) = (Instant::now(), Strangers::new(limits));
    for _ in 0..9 {
        fail(&mut strangers, nth(7), now);
    }
    for n in 100..10_000 {
        fail(&mut strangers, nth(n), now);
        strangers.denied(&Bytes::from(n.to_string()), nth(n), now);
    }
    let stats = strangers.stats();
    assert!(stats.sources <= 64 && stats.users <= 64, "{stats:?}");
    assert!(stats.sources >= 59 && stats.users >= 59, "{stats:?}");
    assert!((59..=64).contains(&strangers.guesses.len()));
    assert_eq!(strangers.begin(nth(7), LUCKY, now), Err(StrangerDropped::SourceWaits));
    // What is forgotten makes room first.
    let later = now + Duration::from_secs(600);
    fail(&mut strangers, nth(1), later);
    assert!(strangers.stats().sources <= 2, "{:?}", strangers.stats());
    let limits = StrangerLimits { remembered_max: 0, ..StrangerLimits::default() };
    let mut strangers = Strangers::new(limits);
    fail(&mut strangers, nth(1), now);
    assert_eq!(strangers.stats().sources, 0);
}

#[test]
fn limits_at_their_ends_are_no_panics() {
    let now = Instant::now();
    for duration in [Duration::ZERO, Duration::MAX] {
        let limits = StrangerLimits {
            backoff_first: duration,
            backoff_max: duration,
            failures_halve_after: duration,
            source_failures_free: 0,
            user_failures_free: 0,
            ..StrangerLimits::default()
        };
        let mut strangers = Strangers::new(limits);
        for n in 0..100 {
            let _ = strangers.begin(nth(1), n, now);
            strangers.end(nth(1), HandshakeEnd::Failed, now);
            let name = Bytes::from_static(b"x");
            strangers.denied(&name, nth(1), now);
            strangers.end(nth(1), HandshakeEnd::Completed, now);
            let _ = strangers.may_ask(&name, nth(1), now + Duration::from_secs(n.into()));
        }
        strangers.end(nth(2), HandshakeEnd::Completed, now);
        assert_eq!(strangers.stats().handshakes, 0);
    }
}
