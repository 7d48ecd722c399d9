//! Values as the tagged JSON in which `peer.py` says what it has.

use pseud::Value;
use pseud::proto::value::{Date, DateTime, TimeDelta, TimeZone};
use serde_json::{Value as Json, json};

use crate::talk::{bytes, hex};

/// What `encode` in `peer.py` makes of that value.
pub(crate) fn tagged(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => match value.as_u64() {
            Some(natural) => json!(natural),
            None => json!(value.as_i64()),
        },
        Value::F64(value) if value.is_finite() => json!(value),
        Value::F64(value) => json!({"$float": value.to_string().to_lowercase()}),
        Value::Str(text) => json!(text),
        Value::Bin(body) => bytes(body),
        Value::Array(items) => tuple(items),
        Value::Map(pairs) => map(pairs),
        Value::DateTime(moment) => datetime(moment),
        Value::Date(date) => json!({"$date": iso(*date)}),
        Value::TimeDelta(span) => json!({"$timedelta": parts(*span)}),
        Value::TimeZone(zone) => timezone(zone),
        Value::Ext(code, body) => json!({"$ext": [code, hex(body)]}),
        new => panic!("peer.py has no tag for {new:?}"),
    }
}

/// A tuple of them.
pub(crate) fn tuple(items: &[Value]) -> Json {
    json!({"$tuple": items.iter().map(tagged).collect::<Vec<_>>()})
}

fn map(pairs: &[(Value, Value)]) -> Json {
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| [tagged(key), tagged(value)]).collect();
    json!({"$map": pairs})
}

fn datetime(moment: &DateTime) -> Json {
    let [hour, minute, second] = [moment.hour(), moment.minute(), moment.second()];
    let fraction = match moment.microsecond() {
        0 => String::new(),
        microsecond => format!(".{microsecond:06}"),
    };
    let naive = format!("{}T{hour:02}:{minute:02}:{second:02}{fraction}", iso(moment.date()));
    let fold = u8::from(moment.fold());
    json!({"$datetime": naive, "fold": fold, "tz": moment.zone().map(timezone)})
}

fn iso(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

fn timezone(zone: &TimeZone) -> Json {
    json!({"$timezone": [parts(zone.offset().expect("an offset")), zone.name()]})
}

fn parts(span: TimeDelta) -> Json {
    json!([span.days(), span.seconds(), span.microseconds()])
}
