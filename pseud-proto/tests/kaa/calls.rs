//! Conversations of two channels.

use super::talk::{Peer, SECRET, pair, settle};
use pseud_proto::kaa::{BigInt, Complex, Config, FrozenSet, Set};
use pseud_proto::value::{Date, DateTime, TimeDelta, TimeZone};
use pseud_proto::value::{Packed, Value, ValueLimits};
use pseud_proto::zmtp::Side;
use pseud_proto::{CallOptions, CallRefused, Exception, Fault, Outcome, Reason};
use std::time::Duration;

fn limits() -> ValueLimits {
    Config::default().limits.values
}

/// A value there and back through both pickles.
fn echoed(value: &Value) -> Value {
    let (mut server, mut client) = pair();
    let call = client.call("echo", Packed::call(&(value,), &()).unwrap());
    settle(&mut server, &mut client);
    let opened = server.request().open(&limits()).unwrap();
    let back = opened.arguments.args_values().remove(0);
    server.reply(opened.ticket, Packed::result(&back).unwrap());
    settle(&mut server, &mut client);
    match client.outcome(call) {
        Some(Outcome::Value(body)) => body.check(&limits()).unwrap().value(),
        outcome => panic!("{value:?}: {outcome:?}"),
    }
}

#[test]
fn every_kind_of_value_comes_back() {
    let offset = TimeZone::new(TimeDelta::new(0, 7_200, 0).unwrap()).unwrap();
    let moment = DateTime::new(Date::new(2003, 9, 27).unwrap(), 9, 40, 1, 521_290).unwrap();
    let ext = |value: &dyn erased::Typed| value.packed().value();
    let values: Vec<Value> = vec![
        Value::Nil,
        true.into(),
        0.into(),
        255.into(),
        256.into(),
        65_536.into(),
        (-1).into(),
        i64::MIN.into(),
        u64::MAX.into(),
        (i64::from(i32::MAX) + 1).into(),
        1.5.into(),
        f64::NEG_INFINITY.into(),
        "".into(),
        "hé €".into(),
        Value::Bin("".into()),
        Value::Bin((0..=255).collect::<Vec<u8>>().into()),
        Value::Array(vec![]),
        Value::Array(vec![1.into(), Value::Array(vec!["a".into()])]),
        Value::Map(vec![]),
        Value::Map(vec![("a".into(), 1.into()), (2.into(), Value::Nil)]),
        Value::Map(vec![(Value::Array(vec![1.into(), 2.into()]), "a tuple".into())]),
        ext(&BigInt::from(i128::MAX)),
        ext(&BigInt::from(i128::MIN)),
        ext(&[1, 2].into_iter().collect::<Set<i64>>()),
        ext(&["a"].map(str::to_owned).into_iter().collect::<FrozenSet<String>>()),
        ext(&Set::<i64>::default()),
        ext(&Complex { real: 1.5, imaginary: -2.0 }),
        Value::Date(Date::new(2003, 9, 27).unwrap()),
        Value::TimeDelta(TimeDelta::new(-1, 5, 7).unwrap()),
        Value::TimeZone(offset.clone().with_name("CEST").unwrap()),
        Value::DateTime(Box::new(moment.clone().with_fold(true))),
        Value::DateTime(Box::new(moment.with_zone(offset))),
    ];
    for value in values {
        let back = echoed(&value);
        match (value.as_bytes(), back.as_str()) {
            // The empty bytes are empty bytes, and no text.
            (Some(_), Some(_)) => panic!("{value:?} came back as {back:?}"),
            _ => assert_eq!(back, value),
        }
    }
}

mod erased {
    use super::Packed;

    pub(super) trait Typed {
        fn packed(&self) -> Packed;
    }

    impl<T: serde::Serialize> Typed for T {
        fn packed(&self) -> Packed {
            Packed::result(self).unwrap()
        }
    }
}

#[test]
fn what_has_no_pickle_is_a_fault_or_refused() {
    let (mut server, mut client) = pair();
    let ext = Value::Ext(5, "somebody's".into());
    let arguments = Packed::call(&(&ext,), &()).unwrap();
    let refused = client.channel.call("x", arguments, CallOptions::default(), client.now);
    assert!(matches!(refused, Err(CallRefused::Arguments(_))), "{refused:?}");
    for result in [ext, Value::TimeZone(TimeZone::by_key("Europe/Paris").unwrap())] {
        let call = client.call("x", Packed::call(&(), &()).unwrap());
        settle(&mut server, &mut client);
        let ticket = server.request().into_ticket();
        server.reply(ticket, Packed::result(&result).unwrap());
        settle(&mut server, &mut client);
        let Some(Outcome::Fault(fault)) = client.outcome(call) else { panic!("no fault") };
        assert_eq!(fault.exception(), Some(Exception::TypeError), "{fault}");
    }
}

#[test]
fn faults_arrive_as_what_both_pythons_have() {
    let (mut server, mut client) = pair();
    let mut raised = |fault: Fault| {
        let call = client.call("x", Packed::call(&(), &()).unwrap());
        settle(&mut server, &mut client);
        let ticket = server.request().into_ticket();
        server.channel.reply(ticket, Err(fault), server.now);
        settle(&mut server, &mut client);
        match client.outcome(call) {
            Some(Outcome::Fault(fault)) => fault,
            outcome => panic!("{outcome:?}"),
        }
    };
    for (fault, class, message) in [
        (Fault::new(Exception::ValueError, "too bad"), "ValueError", "too bad"),
        (Fault::new(Exception::ValueError, ""), "ValueError", ""),
        (Fault::new(Exception::TimeoutError, "late"), "OSError", "TimeoutError: late"),
        (Fault::new("SoldOut", "no seats"), "Exception", "SoldOut: no seats"),
        (Fault::new("SoldOut", ""), "Exception", "SoldOut"),
        (Fault::new(Exception::ServiceNotFoundError, "x"), "KeyError", "x"),
    ] {
        let told = raised(fault.with_traceback("secret.rs:1"));
        assert_eq!((told.class.as_str(), told.message.as_str()), (class, message));
        assert_eq!(told.traceback.as_deref(), Some(""), "paths stay at home");
    }
}

#[test]
fn tracebacks_leave_where_that_is_allowed() {
    let mut config = Config::new(SECRET);
    config.expose_traceback = true;
    let (mut server, mut client) = (Peer::new(Side::Accepting, config, 1), Peer::client());
    settle(&mut server, &mut client);
    let call = client.call("x", Packed::call(&(), &()).unwrap());
    settle(&mut server, &mut client);
    let ticket = server.request().into_ticket();
    let fault = Fault::new("E", "").with_traceback("line one\nline two");
    server.channel.reply(ticket, Err(fault), server.now);
    settle(&mut server, &mut client);
    let Some(Outcome::Fault(fault)) = client.outcome(call) else { panic!("no fault") };
    let traceback = fault.traceback.unwrap();
    assert!(traceback.contains("line one") && traceback.contains("line two"), "{traceback}");
}

#[test]
fn calls_wait_for_the_secret_and_go_out_in_order() {
    let (mut server, mut client) = (Peer::server(), Peer::client());
    let names = ["first", "second", "third"];
    let calls = names.map(|name| client.call(name, Packed::call(&(), &()).unwrap()));
    assert_eq!(client.written(), b"", "a client has nothing to say before it is asked");
    client.channel.cancel(calls[1], client.now);
    let outcome = client.outcome(calls[1]);
    assert!(matches!(outcome, Some(Outcome::NotExecuted(Reason::Cancelled))), "{outcome:?}");
    settle(&mut server, &mut client);
    let requests = server.requests();
    let asked: Vec<_> = requests.iter().map(|request| request.name()).collect();
    assert_eq!(asked, ["first", "third"]);
}

#[test]
fn both_sides_call_and_answers_come_in_any_order() {
    let (mut server, mut client) = pair();
    let calls: Vec<_> = (0..5i64)
        .map(|number| client.call("square", Packed::call(&(number,), &()).unwrap()))
        .collect();
    let back = server.call("name", Packed::call(&(), &()).unwrap());
    settle(&mut server, &mut client);
    let ticket = client.request().into_ticket();
    client.reply(ticket, Packed::result("client").unwrap());
    for request in server.requests().into_iter().rev() {
        let opened = request.open(&limits()).unwrap();
        let (number,): (i64,) = opened.arguments.args().unwrap();
        server.reply(opened.ticket, Packed::result(&(number * number)).unwrap());
        settle(&mut server, &mut client);
    }
    for (number, call) in (0..).zip(calls) {
        let Some(Outcome::Value(body)) = client.outcome(call) else { panic!("no value") };
        assert_eq!(body.check(&limits()).unwrap().decode::<i64>().unwrap(), number * number);
    }
    assert!(matches!(server.outcome(back), Some(Outcome::Value(_))));
    assert!(server.channel.is_idle() && client.channel.is_idle());
}

#[test]
fn a_call_ends_at_its_deadline_and_its_late_answer_is_dropped() {
    let (mut server, mut client) = pair();
    let arguments = || Packed::call(&(), &()).unwrap();
    let short = CallOptions::default().timeout(Duration::from_millis(10));
    let call = client.channel.call("slow", arguments(), short, client.now).unwrap();
    settle(&mut server, &mut client);
    assert_eq!(client.channel.poll_timeout(), Some(client.now + Duration::from_millis(10)));
    client.now += Duration::from_millis(10);
    client.channel.handle_timeout(client.now).unwrap();
    assert!(matches!(client.outcome(call), Some(Outcome::Unknown(Reason::TimedOut))));
    let ticket = server.request().into_ticket();
    server.reply(ticket, Packed::result(&1).unwrap());
    settle(&mut server, &mut client);
    let next = client.call("next", arguments());
    settle(&mut server, &mut client);
    let ticket = server.request().into_ticket();
    server.reply(ticket, Packed::result(&2).unwrap());
    settle(&mut server, &mut client);
    assert!(matches!(client.outcome(next), Some(Outcome::Value(_))));
}

#[test]
fn a_packet_may_have_just_so_many_bytes() {
    let mut config = Config::new(SECRET);
    config.packet_bytes_max = 1_000;
    let (mut server, mut client) = (Peer::new(Side::Accepting, config, 1), Peer::client());
    settle(&mut server, &mut client);
    // A header of 12 bytes, PROTO, BINUNICODE with its length, STOP.
    let most = 1_000 - 12 - 2 - 5 - 1;
    for (len, fits) in [(most, true), (most + 1, false)] {
        let call = client.call("big", Packed::call(&(), &()).unwrap());
        settle(&mut server, &mut client);
        let ticket = server.request().into_ticket();
        server.reply(ticket, Packed::result(&"x".repeat(len)).unwrap());
        settle(&mut server, &mut client);
        match client.outcome(call) {
            Some(Outcome::Value(_)) if fits => {}
            Some(Outcome::Fault(fault)) if !fits => {
                assert!(fault.message.starts_with("TooLarge: "), "{fault}");
            }
            outcome => panic!("{len}: {outcome:?}"),
        }
        let arguments = Packed::call(&("x".repeat(len),), &()).unwrap();
        let refused = server.channel.call("x", arguments, CallOptions::default(), server.now);
        // A call says its name as well.
        assert!(matches!(refused, Err(CallRefused::BodyTooLarge { max: 1_000, .. })));
    }
}

#[test]
fn what_the_wire_cannot_say_is_said_here() {
    let (_, mut client) = pair();
    let arguments = || Packed::call(&(), &()).unwrap();
    let mut call =
        |name: &str, arguments, options| client.channel.call(name, arguments, options, client.now);
    assert_eq!(call("", arguments(), CallOptions::default()), Err(CallRefused::NameEmpty));
    let long = "x".repeat(256);
    let too_long = CallRefused::NameTooLong { size: 256, max: 255 };
    assert_eq!(call(&long, arguments(), CallOptions::default()), Err(too_long));
    let hops = CallRefused::TooManyHops { max: 32 };
    assert_eq!(call("x", arguments(), CallOptions::default().hops(33)), Err(hops));
    let result = Packed::result(&1).unwrap();
    let refused = call("x", result, CallOptions::default());
    assert!(matches!(refused, Err(CallRefused::Arguments(_))));
    let forwarded = call("x", arguments(), CallOptions::default().origin("alice")).unwrap();
    let outcome = client.outcome(forwarded);
    assert!(matches!(outcome, Some(Outcome::NotExecuted(Reason::Unsupported))));
    assert!(client.written().is_empty());
}

#[test]
fn who_drains_takes_no_new_requests() {
    let (mut server, mut client) = pair();
    let call = client.call("first", Packed::call(&(), &()).unwrap());
    settle(&mut server, &mut client);
    server.channel.drain();
    let late = client.call("second", Packed::call(&(), &()).unwrap());
    settle(&mut server, &mut client);
    let ticket = server.request().into_ticket();
    assert!(!server.channel.is_idle());
    server.reply(ticket, Packed::result(&1).unwrap());
    settle(&mut server, &mut client);
    assert!(server.channel.is_idle());
    assert!(matches!(client.outcome(call), Some(Outcome::Value(_))));
    let Some(Outcome::Fault(fault)) = client.outcome(late) else { panic!("no fault") };
    assert!(fault.message.starts_with("Draining"), "{fault}");
}
