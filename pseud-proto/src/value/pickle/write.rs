//! Dates to pickles, in protocol 4: every Python from 3.4 on reads it.

use crate::value::datetime::{Date, DateTime, TimeDelta, TimeZone};
use crate::value::pickle::codes::{DATE, DATETIME, DELTA, ZONE};

/// What has an ext of its own.
pub(crate) enum Dated<'a> {
    TimeZone(&'a TimeZone),
    TimeDelta(&'a TimeDelta),
    DateTime(&'a DateTime),
    Date(&'a Date),
}

/// Its ext code, and its pickle as CPython writes it.
pub(crate) fn write(value: &Dated<'_>) -> (i8, PickleWriter) {
    let mut writer = PickleWriter { bytes: [0; WRITTEN_MAX], len: 11, module: false };
    let code = match value {
        Dated::TimeZone(zone) => writer.zone(zone),
        Dated::TimeDelta(delta) => writer.delta(**delta),
        Dated::DateTime(moment) => writer.datetime(moment),
        Dated::Date(date) => writer.date(**date),
    };
    writer.close();
    (code, writer)
}

/// The longest: a datetime in a zone by its key, 125 bytes and the key.
const WRITTEN_MAX: usize = 125 + TimeZone::NAME_BYTES_MAX;

/// A pickle in the making.
pub(crate) struct PickleWriter {
    bytes: [u8; WRITTEN_MAX],
    len: usize,
    /// Whether the memo has the module's name already.
    module: bool,
}

impl PickleWriter {
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn date(&mut self, date: Date) -> i8 {
        let [y, year] = date.year().to_be_bytes();
        self.global("date");
        self.put(&[0x43, 4, y, year, date.month(), date.day(), 0x94]);
        self.call(0x85);
        DATE
    }

    fn datetime(&mut self, moment: &DateTime) -> i8 {
        let [y, year] = moment.date().year().to_be_bytes();
        let month = moment.date().month() | u8::from(moment.fold()) << 7;
        let [_, a, b, c] = moment.microsecond().to_be_bytes();
        self.global("datetime");
        self.put(&[0x43, 10, y, year, month, moment.date().day()]);
        self.put(&[moment.hour(), moment.minute(), moment.second(), a, b, c, 0x94]);
        match moment.zone() {
            None => self.call(0x85),
            Some(zone) => {
                self.zone(zone);
                self.call(0x86);
            }
        }
        DATETIME
    }

    fn delta(&mut self, delta: TimeDelta) -> i8 {
        self.global("timedelta");
        self.int(i64::from(delta.days()));
        self.int(i64::from(delta.seconds()));
        self.int(i64::from(delta.microseconds()));
        self.call(0x87);
        DELTA
    }

    fn zone(&mut self, zone: &TimeZone) -> i8 {
        let Some(offset) = zone.offset() else {
            return self.zoneinfo(zone.key().unwrap_or_default());
        };
        self.global("timezone");
        self.delta(offset);
        match zone.name() {
            None => self.call(0x85),
            Some(name) => {
                self.text(name);
                self.call(0x86);
            }
        }
        ZONE
    }

    /// `getattr(zoneinfo.ZoneInfo, '_unpickle')(key, True)`, with `True` as the number that it is.
    fn zoneinfo(&mut self, key: &str) -> i8 {
        for [module, name] in [["builtins", "getattr"], ["zoneinfo", "ZoneInfo"]] {
            self.text(module);
            self.text(name);
            self.put(&[0x93, 0x94]);
        }
        self.text("_unpickle");
        self.call(0x86);
        self.text(key);
        self.int(1);
        self.call(0x86);
        ZONE
    }

    /// A name in the module `datetime`; from the second one on the module comes from the memo.
    fn global(&mut self, name: &str) {
        match std::mem::replace(&mut self.module, true) {
            false => self.text("datetime"),
            true => self.put(&[0x68, 0]),
        }
        self.text(name);
        self.put(&[0x93, 0x94]);
    }

    /// A tuple of one, two or three and REDUCE, both memoized.
    fn call(&mut self, tuple: u8) {
        self.put(&[tuple, 0x94, 0x52, 0x94]);
    }

    fn text(&mut self, text: &str) {
        self.put(&[0x8c, u8::try_from(text.len()).unwrap_or_default()]);
        self.put(text.as_bytes());
        self.put(&[0x94]);
    }

    /// The smallest form, little-endian.
    fn int(&mut self, value: i64) {
        let [a, b, c, d, ..] = value.to_le_bytes();
        match value {
            0..=0xff => self.put(&[0x4b, a]),
            0x100..=0xffff => self.put(&[0x4d, a, b]),
            _ => self.put(&[0x4a, a, b, c, d]),
        }
    }

    /// STOP behind it all; PROTO and FRAME, with its length, before.
    fn close(&mut self) {
        self.put(b".");
        let [a, b, c, d, e, f, g, h] = (self.len as u64).saturating_sub(11).to_le_bytes();
        if let Some(front) = self.bytes.first_chunk_mut() {
            *front = [0x80, 4, 0x95, a, b, c, d, e, f, g, h];
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if let Some(place) = self.bytes.get_mut(self.len..end) {
            place.copy_from_slice(bytes);
            self.len = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_datetime_fits() {
        let offset = TimeDelta::new(-1, 65_536, 65_536).unwrap();
        let zone = TimeZone::new(offset).unwrap();
        let zone = zone.with_name("n".repeat(TimeZone::NAME_BYTES_MAX)).unwrap();
        let moment = DateTime::new(Date::new(9999, 12, 31).unwrap(), 23, 59, 59, 999_999);
        let moment = moment.unwrap().with_fold(true);
        let key = TimeZone::by_key("n".repeat(TimeZone::NAME_BYTES_MAX)).unwrap();
        for (zone, len) in [(zone, WRITTEN_MAX - 15), (key, WRITTEN_MAX)] {
            let moment = moment.clone().with_zone(zone);
            let (code, written) = write(&Dated::DateTime(&moment));
            assert_eq!(written.as_slice().len(), len);
            assert!(written.as_slice().ends_with(b"."));
            assert!(matches!(super::super::read(code, written.as_slice()), Ok(Some(_))));
        }
    }
}
