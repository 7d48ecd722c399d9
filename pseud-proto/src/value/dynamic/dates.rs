//! Dates in exts as [`Value`]s.

use crate::value::dynamic::value::Value;
use crate::value::pickle::{FoundDate, Shape};

impl FoundDate<'_> {
    /// The value; `None` where it could not be written again, since a zone has a key of a library's
    /// and no offset: who passes it on dynamically passes on the ext.
    pub(crate) fn value(self) -> Option<Value> {
        let zone = match &self.shape {
            Shape::Zone(zone) | Shape::DateTime(_, Some(zone)) => Some(zone),
            _ => None,
        };
        let lost = zone.is_some_and(|zone| zone.offset.is_none()) && !self.is_zoneinfo();
        (!lost).then(|| self.shape.into())
    }
}

impl From<Shape<'_>> for Value {
    fn from(shape: Shape<'_>) -> Self {
        match shape {
            Shape::Zone(zone) => Self::TimeZone(zone.into()),
            Shape::Delta(delta) => Self::TimeDelta(delta),
            Shape::DateTime(naive, None) => Self::DateTime(naive.into()),
            Shape::DateTime(naive, Some(zone)) => {
                Self::DateTime(naive.with_zone(zone.into()).into())
            }
            Shape::Date(date) => Self::Date(date),
        }
    }
}
