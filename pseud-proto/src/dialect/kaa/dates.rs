//! Dates as pickles have them: calls of the module `datetime`'s classes, read by their shape.

use super::pickle::node::{Graph, NodeId, ObjectNode, PickleNode};
use crate::value::{Date, DateTime, TimeDelta, TimeZone, Value};

/// The date that an object is, where it is one that exists.
pub(crate) fn read(graph: &Graph<'_>, object: &ObjectNode) -> Option<Value> {
    let ("datetime", class) = graph.global(object.class)? else { return None };
    let args = graph.items(object.args)?;
    match class {
        "date" => date(graph, args).map(Value::Date),
        "datetime" => datetime(graph, args).map(|moment| Value::DateTime(Box::new(moment))),
        "timedelta" => delta(graph, args).map(Value::TimeDelta),
        "timezone" => zone(graph, args).map(Value::TimeZone),
        _ => None,
    }
}

/// The arguments of an object of that class of `datetime`. Whoever asks names the one class that may be
/// there: an object may be inside itself, and whatever it is must not be asked again.
fn args_of<'g>(graph: &'g Graph<'_>, id: NodeId, class: &str) -> Option<&'g [NodeId]> {
    let object = graph.object(id)?;
    match graph.global(object.class)? {
        ("datetime", name) if name == class => graph.items(object.args),
        _ => None,
    }
}

fn date(graph: &Graph<'_>, args: &[NodeId]) -> Option<Date> {
    let [state] = args else { return None };
    let [y, year, month, day] = *bytes::<4>(graph, *state)?;
    Date::new(u16::from_be_bytes([y, year]), month, day).ok()
}

/// Python 3.6 and later keep the fold in the month's highest bit.
fn datetime(graph: &Graph<'_>, args: &[NodeId]) -> Option<DateTime> {
    let (state, zone_of) = match args {
        [state] => (*state, None),
        [state, zone] => (*state, Some(*zone)),
        _ => return None,
    };
    let [y, year, month, day, hour, minute, second, a, b, c] = *bytes::<10>(graph, state)?;
    let date = Date::new(u16::from_be_bytes([y, year]), month & 0x7f, day).ok()?;
    let microsecond = u32::from_be_bytes([0, a, b, c]);
    let moment = DateTime::new(date, hour, minute, second, microsecond).ok()?;
    let moment = moment.with_fold(month >= 0x80);
    let Some(zone_of) = zone_of else { return Some(moment) };
    Some(moment.with_zone(zone(graph, args_of(graph, zone_of, "timezone")?)?))
}

fn delta(graph: &Graph<'_>, args: &[NodeId]) -> Option<TimeDelta> {
    let [days, seconds, microseconds] = args else { return None };
    let int = |id: &NodeId| match graph.get(*id) {
        PickleNode::Int(value) => Some(*value),
        _ => None,
    };
    TimeDelta::new(int(days)?, int(seconds)?, int(microseconds)?).ok()
}

fn zone(graph: &Graph<'_>, args: &[NodeId]) -> Option<TimeZone> {
    let (offset, name) = match args {
        [offset] => (offset, None),
        [offset, name] => (offset, Some(graph.text(*name)?)),
        _ => return None,
    };
    let offset = delta(graph, args_of(graph, *offset, "timedelta")?)?;
    let zone = TimeZone::new(offset).ok()?;
    name.map_or(Some(zone.clone()), |name| zone.with_name(name).ok())
}

/// A state of that many bytes: bytes, or a `str` of Python 2.
fn bytes<const N: usize>(graph: &Graph<'_>, id: NodeId) -> Option<Box<[u8; N]>> {
    let bytes: Vec<u8> = match graph.get(id) {
        PickleNode::Bytes(bytes) if bytes.len() == N => bytes.to_vec(),
        PickleNode::Text(text) if text.len() == N => text.bytes().collect(),
        PickleNode::Latin1(text) => {
            // Of one that is longer only so much is looked at as shows that it is.
            let chars = graph.text(*text)?.chars().take(N + 1).map(u8::try_from);
            chars.collect::<Result<_, _>>().ok()?
        }
        _ => return None,
    };
    bytes.into_boxed_slice().try_into().ok()
}
