//! The ledger sees what it is there to see.

use super::*;

fn made() -> Made {
    let at = Instant::now();
    Made { maker: 0, meant: Some(vec![1]), at, deadline: at }
}

fn one_call() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.made(1, made()).unwrap();
    ledger
}

fn end(ledger: &mut Ledger, end: CallEnd) -> Decided {
    ledger.ended(1, end, Instant::now())
}

#[track_caller]
fn assert_caught(why: &str, tell: impl FnOnce(&mut Ledger) -> Decided) {
    let caught = tell(&mut one_call()).expect_err("nobody noticed");
    assert!(caught.contains(why), "{caught}");
}

#[test]
fn a_call_that_ends_twice_is_caught() {
    assert_caught("ended twice", |ledger| {
        end(ledger, CallEnd::Unknown(String::new()))?;
        end(ledger, CallEnd::Unknown(String::new()))
    });
}

#[test]
fn a_call_that_never_ends_is_caught() {
    assert_caught("never ended", |ledger| ledger.check(Duration::ZERO).map(drop));
    assert_caught("beyond its deadline", |ledger| ledger.check_time(Instant::now()));
}

#[test]
fn a_late_end_is_caught() {
    let late = Instant::now() + Duration::from_secs(9);
    assert_caught("ended too late", |ledger| {
        ledger.ended(1, CallEnd::Fault, late)?;
        ledger.check(Duration::from_secs(8)).map(drop)
    });
}

#[test]
fn a_forged_not_executed_is_caught_before_and_after_the_start() {
    let not_executed = CallEnd::NotExecuted(String::new());
    for lie in [not_executed, CallEnd::Shed, CallEnd::Closed { not_executed: true }] {
        let again = lie.clone();
        assert_caught("is said not to have been executed", |ledger| {
            ledger.runs(1, 1)?;
            end(ledger, lie)
        });
        assert_caught("is said not to have been executed", |ledger| {
            end(ledger, again)?;
            ledger.runs(1, 1)
        });
    }
}

#[test]
fn a_second_execution_is_caught() {
    assert_caught("executed twice", |ledger| {
        ledger.runs(1, 1)?;
        ledger.runs(1, 1)
    });
}

#[test]
fn a_call_that_is_made_twice_or_by_nobody_is_caught() {
    assert_caught("made twice", |ledger| ledger.made(1, made()));
    assert_caught("made by nobody", |ledger| ledger.runs(2, 1));
    assert_caught("made by nobody", |ledger| ledger.ended(2, CallEnd::Fault, Instant::now()));
}

#[test]
fn a_request_that_is_sent_twice_is_caught_unless_that_is_on_purpose() {
    assert_caught("sent twice", |ledger| {
        ledger.repeats(vec![1]);
        ledger.heard(vec![1]).unwrap();
        ledger.heard(vec![1]).unwrap();
        ledger.heard(vec![1])
    });
}

#[test]
fn an_execution_by_somebody_else_is_caught() {
    assert_caught("not meant for", |ledger| ledger.runs(1, 2));
}

#[test]
fn a_value_from_nowhere_or_of_another_call_is_caught() {
    assert_caught("was not executed", |ledger| end(ledger, CallEnd::Value(Some(answer_to(1)))));
    assert_caught("was not executed", |ledger| end(ledger, CallEnd::Executed));
    for wrong in [Some(answer_to(2)), None] {
        assert_caught("of another one", |ledger| {
            ledger.runs(1, 1)?;
            end(ledger, CallEnd::Value(wrong))
        });
    }
}

#[test]
fn what_may_not_happen_is_caught() {
    assert_caught("as none may", |ledger| end(ledger, CallEnd::Odd("a fault".into())));
}

#[test]
fn an_honest_call_passes() {
    let mut ledger = one_call();
    ledger.runs(1, 1).unwrap();
    assert_eq!((ledger.pending(0).0, ledger.pending(1).0), (1, 0));
    end(&mut ledger, CallEnd::Fault).unwrap();
    let tally = ledger.check(Duration::from_secs(60)).unwrap();
    assert_eq!(tally, Tally { faults: 1, ..Tally::default() });
    assert_eq!((ledger.pending(0), ledger.open()), ((0, None), 0));
}

#[test]
fn lies_about_an_honest_run_are_caught() {
    let mut ledger = one_call();
    ledger.runs(1, 1).unwrap();
    end(&mut ledger, CallEnd::Value(Some(answer_to(1)))).unwrap();
    ledger.made(2, made()).unwrap();
    ledger.runs(2, 1).unwrap();
    ledger.ended(2, CallEnd::Unknown("gone".into()), Instant::now()).unwrap();
    assert_lies_are_caught(&ledger);
}
