//! What the vectors recorded from Python say that a value means: JSON with tags (`$bytes` in hex, `$tuple`,
//! `$map`, …).

use pseud_proto::value::Value;
use serde_json::Value as Json;

pub(crate) fn hex(text: &str) -> Vec<u8> {
    assert_eq!(text.len() % 2, 0);
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// Whether a value is what the tagged JSON says. JSON objects have lost their order.
pub(crate) fn means(value: &Value, json: &Json) -> bool {
    match (value, json) {
        (Value::Nil, Json::Null) => true,
        (Value::Bool(value), Json::Bool(json)) => value == json,
        (Value::Int(value), Json::Number(json)) => json.as_i128() == Some(value.as_i128()),
        (Value::F64(value), Json::Number(json)) => {
            json.is_f64() && json.as_f64().map(f64::to_bits) == Some(value.to_bits())
        }
        (Value::Str(value), Json::String(json)) => value == json,
        (Value::Array(items), Json::Array(json)) => all_mean(items, json),
        (_, Json::Object(tags)) => match tags.iter().next() {
            Some((tag, json)) if tag.starts_with('$') => tagged(value, tag, json),
            _ => value.as_map().is_some_and(|pairs| {
                let holds = |(key, json): (&String, &Json)| {
                    value.get(key).is_some_and(|value| means(value, json))
                };
                pairs.len() == tags.len() && tags.iter().all(holds)
            }),
        },
        _ => false,
    }
}

fn all_mean(items: &[Value], json: &[Json]) -> bool {
    items.len() == json.len() && items.iter().zip(json).all(|(item, json)| means(item, json))
}

fn tagged(value: &Value, tag: &str, json: &Json) -> bool {
    match (value, tag) {
        (Value::Array(items), "$tuple") => all_mean(items, json.as_array().unwrap()),
        (Value::Bin(bytes), "$bytes") => bytes[..] == hex(json.as_str().unwrap()),
        (Value::Int(value), "$bigint") => value.to_string() == json.as_str().unwrap(),
        (Value::F64(value), "$float") => {
            format!("{value}").to_lowercase() == json.as_str().unwrap()
        }
        (Value::Ext(code, bytes), "$ext") => {
            json[0] == *code && bytes[..] == hex(json[1].as_str().unwrap())
        }
        (Value::Map(pairs), "$map") => {
            let json = json.as_array().unwrap();
            let pairs = pairs.iter().zip(json);
            json.len() == pairs.len()
                && pairs
                    .into_iter()
                    .all(|((key, value), json)| means(key, &json[0]) && means(value, &json[1]))
        }
        (Value::Date(date), "$date") => {
            *json == serde_json::json!([date.year(), date.month(), date.day()])
        }
        (Value::TimeDelta(span), "$timedelta") => {
            *json == serde_json::json!([span.days(), span.seconds(), span.microseconds()])
        }
        (Value::TimeZone(zone), "$tz") => *json == seconds(zone),
        (Value::DateTime(moment), "$datetime") => datetime(moment) == dated(json),
        _ => false,
    }
}

fn seconds(zone: &pseud_proto::value::TimeZone) -> Json {
    (zone.offset().unwrap().total_microseconds() as f64 / 1e6).into()
}

/// Year to microsecond, fold, offset: of ours, and of the recorded one.
pub(crate) fn datetime(moment: &pseud_proto::value::DateTime) -> Json {
    let date = moment.date();
    let parts = serde_json::json!([
        date.year(),
        date.month(),
        date.day(),
        moment.hour(),
        moment.minute(),
        moment.second(),
        moment.microsecond(),
    ]);
    let zone = moment.zone().map_or(Json::Null, seconds);
    serde_json::json!({ "parts": parts, "fold": u8::from(moment.fold()), "tz": zone })
}

pub(crate) fn dated(json: &Json) -> Json {
    let zone = match &json["tz"] {
        // dateutil's UTC, as 0.0.5 made it from the name.
        Json::String(name) if name.ends_with("/UTC')") => 0.0.into(),
        zone => zone.clone(),
    };
    serde_json::json!({ "parts": json["parts"], "fold": json["fold"], "tz": zone })
}
