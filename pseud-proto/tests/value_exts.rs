//! Dates and ext types of one's own in typed places, and what may be forwarded to whom.

use bytes::Bytes;
use pseud_proto::value::{
    Date, DateTime, Ext, Packed, TimeDelta, TimeZone, Unchecked, Value, ValueLimits,
};
use serde::{Deserialize, Serialize};

fn check(bytes: Bytes) -> Packed {
    Unchecked::new(bytes).check(&ValueLimits::default()).unwrap()
}

fn moment() -> DateTime {
    let zone = TimeZone::new(TimeDelta::new(0, 3600, 0).unwrap()).unwrap();
    let day = Date::new(2018, 4, 17).unwrap();
    DateTime::new(day, 1, 2, 3, 4).unwrap().with_zone(zone.with_name("CET").unwrap())
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Meeting {
    at: DateTime,
    day: Date,
    lasts: TimeDelta,
    zone: Option<TimeZone>,
}

#[test]
fn dates_in_a_struct() {
    let meeting = Meeting {
        at: moment(),
        day: moment().date(),
        lasts: TimeDelta::new(0, 3600, 0).unwrap(),
        zone: None,
    };
    let packed = Packed::result(&meeting).unwrap();
    assert!(packed.is_v1_safe());
    assert_eq!(packed.decode::<Meeting>().unwrap(), meeting);
    assert_eq!(packed.value().get("at"), Some(&moment().into()));
}

#[test]
fn another_type_is_named() {
    let said = |value: Value| {
        Packed::result(&value).unwrap().decode::<DateTime>().unwrap_err().to_string()
    };
    assert_eq!(said(1.into()), "expected a datetime, found int");
    assert_eq!(
        said(moment().date().into()),
        "expected a datetime, found an ext of class `datetime.date`"
    );
    assert_eq!(said(Value::Ext(5, Bytes::new())), "expected a datetime, found an ext of code 5");
}

/// A type of one's own at code 5.
#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Copy)]
#[serde(try_from = "Ext<5>", into = "Ext<5>")]
struct Colour([u8; 3]);

impl From<Colour> for Ext<5> {
    fn from(colour: Colour) -> Self {
        Self(colour.0.to_vec())
    }
}

impl TryFrom<Ext<5>> for Colour {
    type Error = &'static str;

    fn try_from(ext: Ext<5>) -> Result<Self, Self::Error> {
        ext.0.try_into().map(Self).map_err(|_| "a colour has three bytes")
    }
}

#[test]
fn a_type_of_ones_own() {
    let packed = Packed::result(&[Colour([1, 2, 3])]).unwrap();
    assert_eq!(packed.as_bytes(), b"\x91\xc7\x03\x05\x01\x02\x03");
    assert!(packed.is_v1_safe());
    assert_eq!(packed.decode::<[Colour; 1]>().unwrap(), [Colour([1, 2, 3])]);
    let short = Packed::result(&Value::Ext(5, vec![1].into())).unwrap();
    assert_eq!(short.decode::<Colour>().unwrap_err().to_string(), "a colour has three bytes");
    let other = Packed::result(&Value::Ext(6, vec![1].into())).unwrap();
    assert_eq!(
        other.decode::<Colour>().unwrap_err().to_string(),
        "expected an ext of code 5, found 6"
    );
    assert!(Packed::result(&Ext::<-1>(vec![])).is_err());
}

/// `datetime.date(2018, 4, 17)` as Python 3.8 and later pickle it.
const PROTOCOL_5: &[u8] = b"\xc7\x2b\x7e\x80\x05\x95\x20\0\0\0\0\0\0\0\x8c\x08datetime\x94\x8c\x04date\x94\x93\x94C\x04\x07\xe2\x04\x11\x94\x85\x94R\x94.";

#[test]
fn protocol_5_never_leaves() {
    let alone = Bytes::from(PROTOCOL_5.to_vec());
    let shared = Bytes::from(PROTOCOL_5.to_vec());
    let other_owner = shared.clone();
    for body in [alone, shared, Bytes::from_static(PROTOCOL_5)] {
        let packed = check(body);
        assert_eq!(packed.as_bytes()[4], 4);
        assert_eq!(packed.value(), Date::new(2018, 4, 17).unwrap().into());
    }
    assert_eq!(other_owner, PROTOCOL_5, "what others hold is left alone");
    let typed = Ext::<126>(PROTOCOL_5[3..].to_vec());
    assert_eq!(Packed::result(&typed).unwrap().as_bytes()[4], 4);
}

#[test]
fn a_longer_name_stays_bytes() {
    let zone = |len: usize| {
        let name = "n".repeat(len);
        let len = u8::try_from(len).unwrap();
        let body = [
            &b"\x8c\x08datetime\x94\x8c\x08timezone\x94\x93\x94h\0\x8c\x09timedelta\x94\x93\x94"[..],
            b"K\0K\0K\0\x87\x94R\x94\x8c",
            &[len],
            name.as_bytes(),
            b"\x94\x86\x94R\x94.",
        ]
        .concat();
        [b"\x80\x04\x95", &(body.len() as u64).to_le_bytes()[..], &body].concat()
    };
    for (len, is_zone) in [(0, true), (128, true), (129, false), (180, false)] {
        let packed = Packed::result(&Value::Ext(123, zone(len).into())).unwrap();
        assert_eq!(packed.is_v1_safe(), is_zone, "{len}");
        assert_eq!(matches!(packed.value(), Value::TimeZone(_)), is_zone, "{len}");
    }
}
