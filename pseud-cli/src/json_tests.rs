//! Values as JSON: round trips, and what is refused. They stand beside the module, which `fuzz/` takes without them.

use crate::json::{Exts, argument, write, write_of};
use proptest::prelude::*;
use pseud::proto::value::{Date, DateTime, TimeDelta, TimeZone, Value};

fn assert_round(text: &str, value: &Value) {
    assert_eq!(&argument(text).unwrap(), value, "{text}");
    assert_eq!(write(value).unwrap(), text);
}

#[test]
fn what_json_has_is_itself() {
    assert_round("null", &Value::Nil);
    assert_round("true", &true.into());
    assert_round("-3", &(-3).into());
    assert_round("18446744073709551615", &u64::MAX.into());
    assert_round("-9223372036854775808", &i64::MIN.into());
    assert_round("1.0", &1.0.into());
    assert_round("-0.0", &(-0.0).into());
    assert_round(r#""3""#, &"3".into());
    assert_round("[1,[]]", &Value::Array(vec![1.into(), Value::Array(vec![])]));
    assert_round(r#"{"b":1,"a":2}"#, &Value::from_iter([("b", 1), ("a", 2)]));
    assert_round("{}", &Value::Map(vec![]));
}

#[test]
fn what_json_lacks_is_a_form() {
    assert_round(r#"{"$bin":"00ff"}"#, &Value::Bin(b"\x00\xff".to_vec().into()));
    assert_round(r#"{"$ext":[5,"2a"]}"#, &Value::Ext(5, b"*".to_vec().into()));
    assert_round(r#"{"$float":"inf"}"#, &f64::INFINITY.into());
    assert_round(r#"{"$float":"-inf"}"#, &f64::NEG_INFINITY.into());
    assert_round(r#"{"$map":[[1,"one"]]}"#, &Value::from_iter([(1, "one")]));
    assert_round(r#"{"$map":[["$bin","00"]]}"#, &Value::from_iter([("$bin", "00")]));
    assert_round(r#"{"$bin":"00","x":1}"#, &{
        Value::from_iter([("$bin", Value::from("00")), ("x", 1.into())])
    });
    let nan = argument(r#"{"$float": "nan"}"#).unwrap();
    assert!(nan.as_f64().unwrap().is_nan());
    assert_eq!(write(&nan).unwrap(), r#"{"$float":"nan"}"#);
}

#[test]
fn what_only_pickles_have_is_a_form_where_it_is_known() {
    let pickled = |text: &str| write_of(&argument(text).unwrap(), Exts::KAA).unwrap();
    for text in [
        r#"{"$int":"1208925819614629174706176"}"#,
        r#"{"$int":"-1208925819614629174706176"}"#,
        r#"{"$int":"0x0100000000000000000000000000000000"}"#,
        r#"{"$set":[1,"a"]}"#,
        r#"{"$frozenset":[]}"#,
        r#"{"$complex":[1.0,-2.5]}"#,
        r#"[{"$set":[{"$frozenset":[1]}]},{"a":{"$int":"0x00ff00000000000000000000000000000000"}}]"#,
        r#"{"$ext":[5,"00"]}"#,
    ] {
        assert_eq!(pickled(text), text);
    }
    // An object is read, and never sent.
    let error = Value::Ext(100, b"\x95\xa3m.E\x91\xa2no\xc0\x90\x80".to_vec().into());
    let shown = r#"{"$object":{"class":"m.E","args":["no"]}}"#;
    assert_eq!(write_of(&error, Exts::KAA).unwrap(), shown);
    assert!(argument(shown).is_err());
    // No deeper than a body may be, whatever somebody put inside of exts.
    let set = |inside: &Value| {
        let inside = pseud::proto::value::Packed::result(&[inside]).unwrap();
        Value::Ext(97, inside.as_bytes().to_vec().into())
    };
    let deep = |depth| (0..depth).fold(Value::Nil, |inside, _| set(&inside));
    assert!(write_of(&deep(64), Exts::KAA).is_ok() && write_of(&deep(65), Exts::KAA).is_err());
    // Elsewhere such a code is somebody's own.
    assert_eq!(write(&error).unwrap(), r#"{"$ext":[100,"95a36d2e4591a26e6fc09080"]}"#);
    for bad in [
        r#"{"$int":7}"#,
        r#"{"$set":1}"#,
        r#"{"$complex":[1.0]}"#,
        r#"{"$int":"0x0"}"#,
        r#"{"$int":"+5"}"#,
    ] {
        assert!(argument(bad).unwrap_err().to_string().contains("a list"), "{bad}");
    }
}

#[test]
fn dates_are_iso() {
    let zone = |seconds| TimeZone::new(TimeDelta::new(0, seconds, 0).unwrap()).unwrap();
    let day = Date::new(2024, 2, 29).unwrap();
    let moment = DateTime::new(day, 12, 30, 5, 250).unwrap();
    let boxed = |moment: &DateTime| Value::DateTime(Box::new(moment.clone()));
    assert_round(r#"{"$date":"2024-02-29"}"#, &Value::Date(day));
    assert_round(r#"{"$datetime":"2024-02-29T12:30:05.000250"}"#, &boxed(&moment));
    let utc = boxed(&moment.clone().with_zone(TimeZone::UTC));
    assert_round(r#"{"$datetime":"2024-02-29T12:30:05.000250+00:00"}"#, &utc);
    assert_eq!(argument(r#"{"$datetime":"2024-02-29 12:30:05.00025Z"}"#).unwrap(), utc);
    let west = moment.with_zone(zone(-12_600).with_name("N]S[T").unwrap()).with_fold(true);
    assert_round(r#"{"$datetime_fold":"2024-02-29T12:30:05.000250-03:30[N]S[T]"}"#, &boxed(&west));
    assert_round(r#"{"$timezone":"+00:00:01"}"#, &Value::TimeZone(zone(1)));
    let paris = TimeZone::by_key("Europe/Paris").unwrap();
    assert_round(r#"{"$timezone":"[Europe/Paris]"}"#, &Value::TimeZone(paris));
    assert_round(r#"{"$timezone":"-23:59:59"}"#, &Value::TimeZone(zone(-86_399)));
}

#[test]
fn spans_are_exact_seconds() {
    let span =
        |days, seconds, micros| Value::TimeDelta(TimeDelta::new(days, seconds, micros).unwrap());
    assert_round(r#"{"$timedelta":0}"#, &span(0, 0, 0));
    assert_round(r#"{"$timedelta":-1.500000}"#, &span(0, -1, -500_000));
    assert_round(r#"{"$timedelta":-0.000001}"#, &span(0, 0, -1));
    assert_round(r#"{"$timedelta":86399999999999.999999}"#, &span(999_999_999, 86_399, 999_999));
    assert_eq!(argument(r#"{"$timedelta": 0.5}"#).unwrap(), span(0, 0, 500_000));
}

#[test]
fn what_is_not_json_is_a_string() {
    for text in ["Charly", "", "01", "NaN", "{", "[1,", "'a'", "tcp://h:1", "1 2"] {
        assert_eq!(argument(text).unwrap(), text.into());
    }
    assert_eq!(argument(" 3 ").unwrap(), 3.into());
}

#[test]
fn json_that_no_value_stands_for_is_refused() {
    for text in [
        "18446744073709551616",
        "-9223372036854775809",
        "1e400",
        r#"{"$bin": "0"}"#,
        r#"{"$bin": "+f"}"#,
        r#"{"$bin": 3}"#,
        r#"{"$ext": [128, ""]}"#,
        r#"{"$ext": [-1, ""]}"#,
        r#"{"$ext": [1]}"#,
        r#"{"$float": "one"}"#,
        r#"{"$map": [[1]]}"#,
        r#"{"$map": {"a": 1}}"#,
        r#"{"$frob": 1}"#,
        r#"{"$date": "2023-02-29"}"#,
        r#"{"$date": "2024-02-29T"}"#,
        r#"{"$date": "2024-é2-29"}"#,
        r#"{"$datetime": "2024-02-29"}"#,
        r#"{"$datetime": "2024-02-29T24:00:00"}"#,
        r#"{"$datetime": "2024-02-29T12:00:00."}"#,
        r#"{"$datetime": "2024-02-29T12:00:00.1234567"}"#,
        r#"{"$datetime": "2024-02-29T12:00:00[not a key]"}"#,
        r#"{"$datetime": "2024-02-29T12:00:00[]"}"#,
        r#"{"$timezone": "[../UTC]"}"#,
        r#"{"$timezone": "+24:00"}"#,
        r#"{"$timezone": "+01:60"}"#,
        r#"{"$timezone": "02:00"}"#,
        r#"{"$timezone": "+02:00[CEST"}"#,
        r#"{"$timedelta": "1"}"#,
        r#"{"$timedelta": 1e3}"#,
        r#"{"$timedelta": 0.1234567}"#,
        r#"{"$timedelta": 86400000000000}"#,
        r#"["\ud800"]"#,
    ] {
        assert!(argument(text).is_err(), "{text}");
    }
}

#[test]
fn depth_is_bounded_before_the_stack_is() {
    let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert!(argument(&nested(64)).is_ok());
    assert!(argument(&nested(100_000)).is_err());
}

#[test]
fn nothing_written_steers_a_terminal() {
    let text = "\x1b[31m\x7f\u{9b}é\n";
    let json = write(&text.into()).unwrap();
    assert_eq!(json, r#""\u001b[31m\u007f\u009bé\n""#);
    assert_eq!(argument(&json).unwrap(), text.into());
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("equal to itself", |f| !f.is_nan()).prop_map(Value::from),
        "\\PC*|\\$[a-z]*".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        any::<Vec<u8>>().prop_map(|bytes| Value::Bin(bytes.into())),
        datetime().prop_map(|moment| Value::DateTime(Box::new(moment))),
        date().prop_map(Value::Date),
        span().prop_map(Value::TimeDelta),
        zone().prop_map(Value::TimeZone),
        (0..=127i8, any::<Vec<u8>>()).prop_map(|(code, bytes)| Value::Ext(code, bytes.into())),
    ]
}

fn span() -> impl Strategy<Value = TimeDelta> {
    let days = -999_999_999..=999_999_999i64;
    (days, 0..86_400i64, 0..1_000_000i64).prop_map(|(d, s, us)| TimeDelta::new(d, s, us).unwrap())
}

fn zone() -> impl Strategy<Value = TimeZone> {
    let name = proptest::option::of(".{0,20}");
    (-86_399_999_999..=86_399_999_999i64, name).prop_map(|(offset, name)| {
        let zone = TimeZone::new(TimeDelta::new(0, 0, offset).unwrap()).unwrap();
        name.map_or(zone.clone(), |name| zone.with_name(name).unwrap())
    })
}

fn date() -> impl Strategy<Value = Date> {
    (1..=9999u16, 1..=12u8, 1..=28u8).prop_map(|(y, m, d)| Date::new(y, m, d).unwrap())
}

fn datetime() -> impl Strategy<Value = DateTime> {
    let time = (0..24u8, 0..60u8, 0..60u8, 0..1_000_000u32);
    let zone = proptest::option::of(zone());
    (date(), time, zone, any::<bool>()).prop_map(|(day, (h, m, s, us), zone, fold)| {
        let moment = DateTime::new(day, h, m, s, us).unwrap().with_fold(fold);
        zone.map_or(moment.clone(), |zone| moment.with_zone(zone))
    })
}

fn tree() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 64, 6, |inside| {
        let named = ("\\$?[a-z]{0,4}".prop_map(Value::from), inside.clone());
        prop_oneof![
            proptest::collection::vec(inside.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::vec(named, 0..4).prop_map(Value::Map),
            proptest::collection::vec((inside.clone(), inside), 0..4).prop_map(Value::Map),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_comes_back(value in tree()) {
        let text = write(&value).unwrap();
        prop_assert!(!text.contains(char::is_control), "{text}");
        prop_assert_eq!(argument(&text).unwrap(), value);
    }

    #[test]
    fn no_text_panics(text in "[\\[\\]{}\":,$a-z0-9eE.+ -]*") {
        if let Ok(value) = argument(&text) {
            prop_assert!(write(&value).is_ok());
        }
    }
}
