//! What holds for every body: a value or a typed error, never a panic; and values that come back.

use proptest::prelude::*;
use pseud_proto::value::{
    Arguments, Date, DateTime, Integer, Packed, TimeDelta, TimeZone, Unchecked, Value, ValueLimits,
};
use serde::Deserialize;
use std::collections::BTreeMap;

fn check(bytes: &[u8]) -> Option<Packed> {
    Unchecked::new(bytes.to_vec().into()).check(&ValueLimits::default()).ok()
}

fn check_call(bytes: &[u8]) -> Option<Arguments> {
    Unchecked::new(bytes.to_vec().into()).check_call(&ValueLimits::default()).ok()
}

fn encoded(value: &Value) -> Vec<u8> {
    Packed::result(value).unwrap().as_bytes().to_vec()
}

/// Many shapes at once, so that a peer's bytes meet every part of the deserializer.
#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "it is only decoded into")]
enum Anything<'a> {
    Text(&'a str),
    Bytes(#[serde(with = "serde_bytes")] &'a [u8]),
    Pair(i8, Option<f32>),
    Fields { a: Vec<u64>, b: Option<BTreeMap<String, i128>> },
    Nothing,
    Date(Box<(DateTime, Date, TimeDelta, TimeZone)>),
}

/// Looks at a body in every way there is.
fn look_at(bytes: &[u8]) {
    if let Some(packed) = check(bytes) {
        let value = packed.value();
        let again = encoded(&value);
        let twice = check(&again).expect("what we write passes our own check");
        assert_eq!(encoded(&twice.value()), again);
        assert!(twice.is_v1_safe() || !packed.is_v1_safe(), "decoding adds no foreign pickle");
        assert_eq!(encoded(&packed.decode::<Value>().unwrap()), again);
        let _ = packed.decode::<Anything>();
        let _ = packed.decode::<Vec<Anything>>();
        let _ = packed.decode::<(u8, String, serde::de::IgnoredAny)>();
        let _ = packed.decode::<BTreeMap<String, Anything>>();
        let _ = value.from_legacy_datetime();
    }
    if let Some(arguments) = check_call(bytes) {
        let _ = arguments.args::<(Anything, Option<u8>)>();
        let _ = arguments.args::<Vec<Value>>().unwrap();
        let _ = arguments.kwargs::<BTreeMap<String, Value>>().unwrap();
        let _ = arguments.kwargs::<()>();
        let args = arguments.args_values();
        let kwargs: Value = arguments.kwargs_values().into_iter().collect();
        Packed::call(&args, &kwargs).unwrap();
    }
}

/// Bytes that are msgpack more often than by chance.
fn likely() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        (0x80u8..0x84).prop_map(|head| vec![head]),
        (0x90u8..0x95).prop_map(|head| vec![head]),
        Just(b"\xa1a".to_vec()),
        Just(b"\xc4\x01a".to_vec()),
        Just(b"\xa4Pair\x92\x01\xc0".to_vec()),
        Just(b"\x81\xa4Text\xa1x".to_vec()),
        any_date().prop_map(|date| encoded(&date)),
        any::<i64>().prop_map(|number| encoded(&number.into())),
        any::<f64>().prop_map(|number| encoded(&number.into())),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn any_zone() -> impl Strategy<Value = TimeZone> {
    let offset = -86_399_999_999i64..86_400_000_000;
    (offset, prop::option::of("\\PC{0,30}")).prop_map(|(offset, name)| {
        let zone = TimeZone::new(TimeDelta::new(0, 0, offset).unwrap()).unwrap();
        match name {
            Some(name) => zone.with_name(name).unwrap(),
            None => zone,
        }
    })
}

fn any_date() -> impl Strategy<Value = Value> {
    let day = (1u16..10_000, 1u8..13, 1u8..29).prop_map(|(y, m, d)| Date::new(y, m, d).unwrap());
    let time = (0u8..24, 0u8..60, 0u8..60, 0u32..1_000_000);
    let moment = (day.clone(), time, any::<bool>(), prop::option::of(any_zone())).prop_map(
        |(day, (hour, minute, second, microsecond), fold, zone)| {
            let naive = DateTime::new(day, hour, minute, second, microsecond).unwrap();
            let naive = naive.with_fold(fold);
            zone.into_iter().fold(naive, DateTime::with_zone)
        },
    );
    let delta = (-999_999_999i64..1_000_000_000, 0i64..86_400, 0i64..1_000_000)
        .prop_map(|(days, seconds, micros)| TimeDelta::new(days, seconds, micros).unwrap());
    prop_oneof![
        day.prop_map(Value::from),
        moment.prop_map(Value::from),
        delta.prop_map(Value::from),
        any_zone().prop_map(Value::from),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..700).prop_map(|bytes| Value::Bin(bytes.into())),
        (0i8..=122, prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(code, bytes)| Value::Ext(code, bytes.into())),
        any_date(),
    ];
    leaf.prop_recursive(5, 64, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::Array),
            prop::collection::vec((".{0,20}", inner), 0..20).prop_map(|pairs| {
                let pairs: BTreeMap<String, Value> = pairs.into_iter().collect();
                pairs.into_iter().collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        look_at(&bytes);
    }

    #[test]
    fn likely_bytes_are_a_value_or_an_error(bytes in likely()) {
        look_at(&bytes);
        look_at(&[b"\x91".as_slice(), &bytes, b"\x80"].concat());
    }

    #[test]
    fn a_date_with_a_byte_changed(date in any_date(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = encoded(&date);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        look_at(&bytes);
        look_at(&bytes[..at]);
    }

    #[test]
    fn values_come_back(value in any_value()) {
        let packed = Packed::result(&value).unwrap();
        prop_assert!(packed.is_v1_safe());
        let checked = check(packed.as_bytes()).expect("it passes the check");
        prop_assert!(checked.is_v1_safe());
        prop_assert_eq!(checked.as_bytes(), packed.as_bytes());
        prop_assert_eq!(checked.value(), value.clone());
        prop_assert_eq!(checked.decode::<Value>().unwrap(), value.clone());
        let args = [value];
        let call = Packed::call(&args, &()).unwrap();
        prop_assert_eq!(check_call(call.as_bytes()).unwrap().args_values(), args);
    }

    #[test]
    fn integers_keep_their_value(wide in any::<i128>(), shift in 0u32..128) {
        let wide = wide >> shift;
        let fits = i64::try_from(wide).is_ok() || u64::try_from(wide).is_ok();
        prop_assert_eq!(Integer::try_from(wide).is_ok(), fits);
        match Packed::result(&wide) {
            Ok(packed) => prop_assert_eq!(packed.decode::<i128>().unwrap(), wide),
            Err(_) => prop_assert!(!fits),
        }
    }
}
