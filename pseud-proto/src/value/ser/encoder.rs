//! What is being written, and what is known of it.

use crate::base::stored::Stored;
use crate::value::check::{Check, ExtSummary, Root};
use crate::value::msgpack::out::{Family, Out};
use crate::value::ser::error::{EncodeError, Failure};
use serde::ser::Serialize;

/// The serializer: `&mut` of it.
///
/// A value's own `Serialize` is not trusted. What it leaves behind where one of its parts has failed
/// is no value, so the first error is kept and is what encoding ends with, whoever ignores it.
///
/// All else is one whole value: serde gives a `Serialize` one serializer, which one call of a method
/// uses up, and nothing but such a call makes the `Ok` that it returns. Counts and pairs are checked where
/// a container ends, and a panic that is caught on its way leaves a part [open](Self::open). So what was
/// written need not be walked over; builds with debug assertions do, and compare.
pub(super) struct Encoder {
    pub(super) out: Out,
    pub(super) depth: usize,
    pub(super) in_key: bool,
    /// The next map at the root has names for keys.
    pub(super) keywords: bool,
    /// The last thing written was `()`.
    pub(super) unit: bool,
    /// The first error.
    failed: Option<Failure>,
    /// Parts that are begun and not written to their end.
    unfinished: u32,
    /// What is in it so far.
    pub(super) found: ExtSummary,
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self {
            out: Out::new(),
            depth: 0,
            in_key: false,
            keywords: false,
            unit: false,
            failed: None,
            unfinished: 0,
            found: ExtSummary::default(),
        }
    }

    /// Writes a part of the value.
    #[inline]
    pub(super) fn nested<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        self.found.size.nodes = self.found.size.nodes.saturating_add(1);
        self.unfinished = self.unfinished.wrapping_add(1);
        let written = value.serialize(&mut *self);
        self.unfinished = self.unfinished.wrapping_sub(1);
        self.kept(written)
    }

    /// Remembers that it failed; the error is the first one.
    #[inline]
    pub(super) fn kept<T>(&mut self, result: Result<T, Failure>) -> Result<T, Failure> {
        match result {
            Ok(value) => Ok(value),
            Err(error) => Err(self.first(error)),
        }
    }

    #[cold]
    fn first(&mut self, error: Failure) -> Failure {
        self.failed.get_or_insert(error).clone()
    }

    /// What was written, which is those values one behind the other.
    #[inline]
    pub(super) fn finish(&mut self, roots: &[Root]) -> Result<(Stored, ExtSummary), EncodeError> {
        if let Some(error) = self.failed.take() {
            return Err(error.into_error());
        }
        if self.unfinished != 0 {
            return Err(EncodeError::Unfinished);
        }
        debug_assert!(self.is_sound(roots), "{roots:?} {:?}", self.found);
        Ok((self.out.take(), self.found))
    }

    /// Whether the check of peers' bodies finds the same in it.
    fn is_sound(&self, roots: &[Root]) -> bool {
        let mut check = Check::of_own(self.out.as_slice()).with_negative_exts(true);
        let values = roots.iter().try_for_each(|root| check.value(*root));
        values.and_then(|()| check.end()).is_ok() && check.found() == self.found
    }

    /// The value at `start` has to be of that family; `()` is its empty form.
    #[inline]
    pub(super) fn root(
        &mut self,
        start: usize,
        family: Family,
        refusal: EncodeError,
    ) -> Result<(), EncodeError> {
        match self.out.as_slice().get(start) {
            Some(0xc0) if self.unit => {
                self.out.set(start, family.empty());
                self.found.size.depth = self.found.size.depth.max(1);
                Ok(())
            }
            Some(&marker) if family.has(marker) => Ok(()),
            _ => Err(refusal),
        }
    }

    pub(super) fn write_ext(&mut self, code: i8, payload: &[u8]) -> Result<(), Failure> {
        self.found.ext(code, payload).map_err(|_| EncodeError::Ext)?;
        self.out.ext(code, payload, length(payload.len())?);
        Ok(())
    }
}

#[inline]
pub(super) fn length(len: usize) -> Result<u32, Failure> {
    u32::try_from(len).map_err(|_| EncodeError::TooLong.into())
}
