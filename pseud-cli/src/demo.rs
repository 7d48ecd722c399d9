//! The methods of `pseud serve --demo`.

use pseud::proto::registry::NameRefused;
use pseud::proto::value::{Date, DateTime, Integer, OutOfRange, TimeDelta, TimeZone, Value};
use pseud::{Fault, Request, Server};
use serde::Deserialize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest `sleep`, in seconds: no longer than any caller waits.
const SLEEP_MAX: f64 = 3_600.0;

// What the methods take, each by position or by its name, as the functions in `--help` do.

#[derive(Deserialize)]
struct Hello<'a> {
    name: &'a str,
}

#[derive(Deserialize)]
struct Add {
    a: Value,
    b: Value,
}

#[derive(Deserialize)]
struct Text<'a> {
    s: &'a str,
}

#[derive(Deserialize)]
struct Fail<'a> {
    cls: &'a str,
    message: &'a str,
}

#[derive(Deserialize)]
struct Sleep {
    seconds: Value,
}

pub(crate) fn register(server: &Server) -> Result<(), NameRefused> {
    server.register_sync("hello", |request| {
        let Hello { name } = request.bind()?;
        Ok::<_, Fault>(format!("Hello {name}"))
    })?;
    server.register_sync("add", |request| {
        let Add { a, b } = request.bind()?;
        add(&a, &b)
    })?;
    server.register_sync("echo", |request| {
        let args = request.arguments().args_values();
        Ok::<_, Fault>((args, Value::from_iter(request.arguments().kwargs_values())))
    })?;
    server.register_sync("string.lower", |request| {
        let Text { s } = request.bind()?;
        Ok::<_, Fault>(s.to_lowercase())
    })?;
    server.register_sync("string.upper", |request| {
        let Text { s } = request.bind()?;
        Ok::<_, Fault>(s.to_uppercase())
    })?;
    server.register_sync("fail", |request| {
        let Fail { cls, message } = request.bind()?;
        Err::<(), _>(Fault::new(cls, message).with_traceback("in `fail`, as it was asked to"))
    })?;
    server.register_sync("whoami", |request| {
        request.bind::<()>()?;
        Ok::<_, Fault>(Value::Bin(request.user().id().clone()))
    })?;
    server.register_sync("types", |request| {
        request.bind::<()>()?;
        types().map_err(|error| Fault::new("Internal", error.to_string()))
    })?;
    server.register_sync("now", |request| {
        request.bind::<()>()?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = utc(since).map_err(|error| Fault::new("OverflowError", error.to_string()))?;
        Ok::<_, Fault>(Value::DateTime(Box::new(now)))
    })?;
    server.register("sleep", sleep)?;
    server.register("callback", callback)
}

fn add(a: &Value, b: &Value) -> Result<Value, Fault> {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        let sum = Integer::try_from(a.as_i128() + b.as_i128());
        return sum
            .map(Value::Int)
            .map_err(|_| Fault::new("OverflowError", "the sum is too large"));
    }
    match (number(a), number(b)) {
        (Some(a), Some(b)) => Ok(Value::F64(a + b)),
        _ => Err(Fault::new("TypeError", "two numbers are added")),
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(value.as_i128() as f64),
        Value::F64(value) => Some(*value),
        _ => None,
    }
}

async fn sleep(request: Request) -> Result<Value, Fault> {
    let Sleep { seconds } = request.bind()?;
    let span = number(&seconds).filter(|seconds| (0.0..=SLEEP_MAX).contains(seconds));
    let span = span.ok_or_else(|| Fault::new("ValueError", "0 to 3600 seconds are slept"))?;
    tokio::time::sleep(Duration::from_secs_f64(span)).await;
    Ok(seconds)
}

async fn callback(request: Request) -> Result<Value, Fault> {
    let mut args = request.bind::<Vec<Value>>()?.into_iter();
    let Some(Value::Str(name)) = args.next() else {
        return Err(Fault::new("TypeError", "the first argument is the name of a method"));
    };
    let args: Vec<Value> = args.collect();
    Ok(match request.caller().rpcudp() {
        Some(sender) => sender.call(&name, args).await?,
        None => request.caller().call(&name, args).await?,
    })
}

/// One value of each kind. An ext of no known meaning is left out: Python readers would have to be
/// taught it first.
fn types() -> Result<Value, OutOfRange> {
    let zone = TimeZone::new(TimeDelta::new(0, 7_200, 0)?)?.with_name("CEST")?;
    let day = Date::new(2024, 2, 29)?;
    let moment = DateTime::new(day, 12, 30, 0, 250_000)?;
    let aware = moment.clone().with_zone(zone.clone());
    let kinds = [
        ("None", Value::Nil),
        ("bool", true.into()),
        ("int", (-3).into()),
        ("int of 64 bits", u64::MAX.into()),
        ("float", 0.1.into()),
        ("str", "Çà va".into()),
        ("bytes", Value::Bin(bytes::Bytes::from_static(b"\x00\xff"))),
        ("list", vec![1, 2].into()),
        ("dict", Value::from_iter([(1, "one"), (2, "two")])),
        ("datetime", Value::DateTime(Box::new(moment))),
        ("aware datetime", Value::DateTime(Box::new(aware))),
        ("date", Value::Date(day)),
        ("timedelta", Value::TimeDelta(TimeDelta::new(0, -1, -500_000)?)),
        ("timezone", Value::TimeZone(zone)),
    ];
    Ok(kinds.into_iter().collect())
}

/// That long after the epoch.
fn utc(since: Duration) -> Result<DateTime, OutOfRange> {
    let (day, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let [hour, minute, second] =
        [second / 3_600, second / 60 % 60, second % 60].map(|part| part as u8);
    let moment = DateTime::new(civil(day)?, hour, minute, second, since.subsec_micros())?;
    Ok(moment.with_zone(TimeZone::UTC))
}

/// The date that many days after the epoch. Years are counted from March, so that the day which
/// leap years add is their last; 719 468 days lie between 1 March of year 0 and the epoch.
fn civil(days: u64) -> Result<Date, OutOfRange> {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = u16::try_from(era * 400 + year + later).unwrap_or(u16::MAX);
    Date::new(year, month as u8, day as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_pythons() {
        for (days, date) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (19_782, (2024, 2, 29)),
            (20_088, (2024, 12, 31)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
            (2_932_896, (9999, 12, 31)),
        ] {
            let (year, month, day) = date;
            assert_eq!(civil(days), Date::new(year, month, day), "{date:?}");
        }
        assert!(civil(2_932_897).is_err());
        let moment = utc(Duration::new(86_399, 5_000)).unwrap();
        assert_eq!((moment.hour(), moment.minute(), moment.second()), (23, 59, 59));
        assert_eq!(moment.microsecond(), 5);
    }

    #[test]
    fn sums_stay_integers_and_in_range() {
        assert_eq!(add(&2.into(), &(-3).into()), Ok((-1).into()));
        assert_eq!(add(&2.into(), &0.5.into()), Ok(2.5.into()));
        assert_eq!(add(&u64::MAX.into(), &1.into()).unwrap_err().class, "OverflowError");
        assert_eq!(add(&"a".into(), &1.into()).unwrap_err().class, "TypeError");
    }
}
