//! Datetimes in zones of `zoneinfo`, pytz and dateutil, of pandas and of datetime's subclasses, as
//! Python pickled them (`vectors/zones.json`, recorded by `vectors/zones.py`): read by shape, looked up
//! and run never.

use pseud_proto::value::{DateTime, Packed, TimeZone, Unchecked, Value, ValueLimits};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    name: String,
    python: String,
    code: i8,
    #[serde(default)]
    wall: String,
    #[serde(default)]
    fold: u8,
    offset: Option<f64>,
    hex: String,
}

/// What a zone is to be read as.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Zone {
    Naive,
    /// An offset and its name.
    Offset(Option<&'static str>),
    /// A key, without its offset.
    Key(&'static str),
    /// A key with its offset.
    KeyAt(&'static str),
    /// A datetime in UTC: the same instant, not the same clock.
    InUtc,
    /// It stays an ext; the class that is told.
    Opaque(&'static str),
}

const PARIS: &str = "Europe/Paris";

fn expected(name: &str) -> Zone {
    match name.strip_prefix("tz_").unwrap_or(name) {
        "zoneinfo" | "zoneinfo_fold" | "subclass_zoneinfo" | "dateutil_file" => Zone::Key(PARIS),
        "zoneinfo_not_cached" => Zone::Key("America/Argentina/Buenos_Aires"),
        "zoneinfo_utc" => Zone::Key("UTC"),
        "pytz_static" => Zone::Key("Etc/GMT+5"),
        "pytz_summer" | "pytz_winter" | "pandas_pytz" => Zone::KeyAt(PARIS),
        "pytz_utc"
        | "pytz_fixed"
        | "dateutil_utc"
        | "dateutil_offset_unnamed"
        | "subclass_utc"
        | "pandas_offset" => Zone::Offset(None),
        "dateutil_offset" => Zone::Offset(Some("X")),
        "subclass" | "pandas_naive" | "pandas_nanoseconds" | "pandas_seconds" => Zone::Naive,
        "pandas_zoneinfo" => Zone::InUtc,
        "dateutil_local" => Zone::Opaque("dateutil.tz.tz.tzlocal"),
        "dateutil_rule" => Zone::Opaque("dateutil.tz.tz.tzstr"),
        "own_tzinfo" => Zone::Opaque("shop.Odd"),
        "money" => Zone::Opaque("shop.Money"),
        other => panic!("{other}: what is it to be?"),
    }
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors/zones.json")).unwrap()
}

fn payload(vector: &Vector) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&vector.hex[at..at + 2], 16).unwrap();
    (0..vector.hex.len()).step_by(2).map(byte).collect()
}

/// As Python sends it.
fn packed(vector: &Vector) -> Packed {
    let payload = payload(vector);
    let code = vector.code as u8;
    let head = match u8::try_from(payload.len()) {
        Ok(len) => vec![0xc7, len, code],
        Err(_) => [&[0xc8][..], &(payload.len() as u16).to_be_bytes(), &[code]].concat(),
    };
    check([head, payload].concat())
}

fn check(bytes: Vec<u8>) -> Packed {
    Unchecked::new(bytes.into()).check(&ValueLimits::default()).unwrap()
}

fn clock(moment: &DateTime) -> String {
    let date = moment.date();
    let (year, month, day) = (date.year(), date.month(), date.day());
    let (hour, minute, second) = (moment.hour(), moment.minute(), moment.second());
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    match moment.microsecond() {
        0 => text,
        fraction => format!("{text}.{fraction:06}"),
    }
}

fn seconds(zone: &TimeZone) -> Option<f64> {
    zone.offset().map(|offset| offset.total_microseconds() as f64 / 1e6)
}

#[test]
fn each_is_read_as_the_clock_the_zone_and_the_fold_that_it_was() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 78);
    for vector in &vectors {
        let (body, expected) = (packed(vector), expected(&vector.name));
        let about = format!("{} of {}", vector.name, vector.python);
        if let Zone::Opaque(class) = expected {
            let text = body.decode::<DateTime>().unwrap_err().to_string();
            assert_eq!(text, format!("expected a datetime, found an ext of class `{class}`"));
            continue;
        }
        let zone = match vector.code {
            123 => Some(body.decode::<TimeZone>().unwrap_or_else(|why| panic!("{about}: {why}"))),
            _ => {
                let moment: DateTime = body.decode().unwrap_or_else(|why| panic!("{about}: {why}"));
                match expected {
                    Zone::InUtc => assert_eq!(clock(&moment), "2018-10-28T02:30:15.000007"),
                    _ => assert_eq!(clock(&moment), vector.wall, "{about}"),
                }
                assert_eq!(moment.fold(), vector.fold == 1, "{about}");
                moment.zone().cloned()
            }
        };
        let found = zone.as_ref().map(|zone| (zone.key(), zone.name(), seconds(zone)));
        let wanted = match expected {
            Zone::Naive => None,
            Zone::Offset(name) => Some((None, name, vector.offset.or(found.unwrap().2))),
            Zone::Key(key) => Some((Some(key), Some(key), None)),
            Zone::KeyAt(key) => Some((Some(key), Some(key), vector.offset)),
            Zone::InUtc => Some((None, None, Some(0.0))),
            Zone::Opaque(_) => unreachable!("it was told apart"),
        };
        assert_eq!(found, wanted, "{about}");
    }
}

/// What is passed on dynamically is a date that can be written again, or the very ext.
#[test]
fn what_is_passed_on_is_itself_or_a_date_that_every_peer_can_be_sent() {
    for vector in vectors() {
        let (body, about) = (packed(&vector), &vector.name);
        assert!(!body.is_v1_safe(), "{about}: the pickle itself is for its sender alone");
        let (value, typed) = (body.value(), body.decode::<Value>().unwrap());
        assert_eq!(value, typed, "{about}");
        let again = Packed::result(&value).unwrap();
        let is_zoneinfo = vector.name.trim_start_matches("tz_").starts_with("zoneinfo");
        match &value {
            Value::Ext(code, bytes) => {
                assert_eq!((*code, &bytes[..]), (vector.code, &payload(&vector)[..]), "{about}");
                assert!(!again.is_v1_safe(), "{about}");
                assert_eq!(again.as_bytes(), body.as_bytes(), "{about}");
            }
            Value::DateTime(moment)
                if moment.zone().is_some_and(|zone| zone.offset().is_none()) =>
            {
                assert!(!again.is_v1_safe() && !vector.name.starts_with("dateutil"), "{about}");
                assert_eq!(again.value(), value, "{about}");
            }
            Value::TimeZone(zone) if zone.offset().is_none() => {
                assert!(!again.is_v1_safe(), "{about}");
            }
            _ => {
                assert!(again.is_v1_safe() && !is_zoneinfo, "{about}");
                assert_eq!(again.value().as_datetime().map(clock), value.as_datetime().map(clock));
            }
        }
        if vector.name == "zoneinfo" || vector.name == "zoneinfo_fold" {
            let mut ours = payload(&vector);
            ours[1] = 4;
            assert!(again.as_bytes().ends_with(&ours), "{about}: as CPython writes it");
        }
    }
}

/// Names that only look like those, and shapes that are cut or changed, stay what they are.
#[test]
fn i_07_nothing_but_those_shapes() {
    for vector in vectors() {
        let good = payload(&vector);
        for cut in 0..good.len().min(200) {
            let head = [0xc7, u8::try_from(cut).unwrap(), vector.code as u8];
            let body = check([&head[..], &good[..cut]].concat());
            assert!(matches!(body.value(), Value::Ext(..)), "{} cut at {cut}", vector.name);
        }
    }
    let zoneinfo = vectors().into_iter().find(|vector| vector.name == "zoneinfo").unwrap();
    let good = String::from_utf8_lossy(&payload(&zoneinfo)).into_owned();
    assert!(good.contains("_unpickle"));
    for (from, to) in [
        ("builtins", "builtinz"),
        ("getattr", "setattr"),
        ("zoneinfo", "zoneinfu"),
        ("ZoneInfo", "ZoneInfu"),
        ("_unpickle", "__class__"),
        ("Europe/Paris", "Europe/..ris"),
        ("Europe/Paris", "/urope/Paris"),
    ] {
        let (from, to) = (from.as_bytes(), to.as_bytes());
        assert_eq!(from.len(), to.len());
        let mut bytes = payload(&zoneinfo);
        let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
        bytes[at..at + to.len()].copy_from_slice(to);
        let head = [0xc7, u8::try_from(bytes.len()).unwrap(), 125];
        let body = check([&head[..], &bytes].concat());
        assert!(body.decode::<DateTime>().is_err(), "{to:?}");
    }
}

/// A fuzzer's input: `timezone(b'…')` of ten bytes is no datetime of a class derived from `datetime`.
#[test]
fn i_07_another_class_of_datetimes_own_module_is_no_subclass() {
    let pickle =
        b"\x80\x05\x95\x2a\0\0\0\0\0\0\0\x8c\x08datetime\x94\x8c\x08timezone\x94\x93\x94C\x0a\
        \x03\xe8\x89\x02\0\x1e\0\0\0\x25\x94\x85\x94R\x94.";
    let head = [0xc8, 0, pickle.len() as u8, 125];
    let value = check([&head[..], pickle].concat()).value();
    assert!(matches!(&value, Value::Ext(125, bytes) if bytes == &pickle[..]), "{value:?}");
}
