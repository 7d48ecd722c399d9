//! HOSTILE K, clocks: they jump, stand, go back, and bring all deadlines at once.

use pseud::Reason;
use pseud_testkit::memory::{Ended, Setup, ms};
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3_600);

/// A machine sleeps for eight hours: one pass ends what is over, and nothing is left to come for.
#[test]
fn k_06_after_hours_of_suspension_one_pass_ends_all_that_is_over() {
    let mut pair = Setup::default().open();
    let timeouts = (1..=500).map(|n| ms(10 * n));
    let calls: Vec<_> = timeouts.map(|timeout| pair.client.call_within(timeout, "wait")).collect();
    let long = pair.client.call_within(HOUR, "long");
    pair.settle();
    // The longest call that there is ends within an hour, too.
    let woken = pair.clock.now() + 8 * HOUR;
    pair.clock.move_to(woken);
    pair.timeout(woken);
    pair.settle();
    for call in calls.into_iter().chain([long]) {
        assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::TimedOut));
    }
    assert_eq!((pair.client.deadlines(), pair.client.channel.poll_timeout()), ((0, 0), None));
}

/// A clock that goes back ends nothing early, and what is due comes when it is due.
#[test]
fn k_07_a_clock_that_goes_back_loses_and_doubles_nothing() {
    let mut pair = Setup::default().open();
    let first = pair.client.call_within(ms(100), "wait");
    pair.settle();
    let start = pair.clock.now();
    for back in [ms(1), ms(50), ms(10_000)] {
        let before = start.checked_sub(back).unwrap();
        assert_eq!(pair.client.channel.handle_timeout(before), Ok(()));
        assert_eq!(pair.client.ended(first), Ended::Pending);
    }
    let now = start.checked_sub(ms(1)).unwrap();
    let channel = &mut pair.client.channel;
    let body = pseud::proto::value::Packed::call(&(), &()).unwrap();
    channel.call("wait", body, pseud::proto::CallOptions::default(), now).expect("room");
    pair.advance(ms(100));
    assert_eq!(pair.client.ended(first), Ended::Unknown(Reason::TimedOut));
    pair.advance(ms(10_000));
    assert_eq!((pair.client.log.ended_count(), pair.client.deadlines()), (2, (0, 0)));
}

/// All deadlines at one moment are one pass over them; a deadline of nothing, or of ever, is one as well.
#[test]
fn k_08_a_thousand_deadlines_at_once_and_deadlines_of_nothing_and_for_ever() {
    let mut pair = Setup::default().open();
    let calls: Vec<_> = (0..1_000).map(|_| pair.client.call_within(ms(100), "wait")).collect();
    let began = Instant::now();
    pair.advance(ms(100));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for call in calls {
        assert!(matches!(
            pair.client.ended(call),
            Ended::Unknown(Reason::TimedOut) | Ended::NotExecuted(Reason::TimedOut)
        ));
    }
    let odd = [Duration::ZERO, Duration::from_nanos(1), Duration::MAX];
    let [nothing, soon, ever] = odd.map(|timeout| pair.client.call_within(timeout, "wait"));
    pair.advance(ms(1));
    for call in [nothing, soon] {
        assert!(
            matches!(
                pair.client.ended(call),
                Ended::NotExecuted(Reason::TimedOut) | Ended::Unknown(Reason::TimedOut)
            ),
            "{:?}",
            pair.client.ended(call)
        );
    }
    assert_eq!(pair.client.ended(ever), Ended::Pending);
    // No call is longer than an hour.
    pair.advance(HOUR);
    assert!(matches!(pair.client.ended(ever), Ended::Unknown(Reason::TimedOut)));
}
