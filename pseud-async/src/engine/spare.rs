//! A spare vector, kept from one use to the next.

use std::cell::Cell;
use std::fmt;
use std::thread::LocalKey;

/// More room than this is not kept.
const KEPT_MAX: usize = 32;

/// An empty vector that a thread keeps, so that what passes through it several times a millisecond takes no
/// allocation. Whoever finds it taken makes one.
pub(crate) struct Spare<T>(Cell<Vec<T>>);

impl<T> Spare<T> {
    pub(crate) const fn new() -> Self {
        Self(Cell::new(Vec::new()))
    }
}

impl<T> fmt::Debug for Spare<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spare")
    }
}

/// A thread's spare vector.
pub(crate) trait SpareKey<T> {
    /// Takes it.
    fn take(&'static self) -> Vec<T>;
    /// Gives it back. What is left in it is dropped.
    fn keep(&'static self, values: Vec<T>);
}

impl<T> SpareKey<T> for LocalKey<Spare<T>> {
    fn take(&'static self) -> Vec<T> {
        // A thread that is at its end has none.
        self.try_with(|spare| spare.0.take()).unwrap_or_default()
    }

    fn keep(&'static self, mut values: Vec<T>) {
        values.clear();
        if values.capacity() <= KEPT_MAX {
            let _ = self.try_with(|spare| spare.0.set(values));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        static NUMBERS: Spare<u8> = const { Spare::new() };
    }

    #[test]
    fn it_is_kept_while_it_is_small() {
        let mut numbers = NUMBERS.take();
        assert_eq!(NUMBERS.take().capacity(), 0, "it is taken");
        numbers.extend([1; KEPT_MAX]);
        let capacity = numbers.capacity();
        NUMBERS.keep(numbers);
        let mut numbers = NUMBERS.take();
        assert_eq!((numbers.len(), numbers.capacity()), (0, capacity));
        numbers.reserve(KEPT_MAX + 1);
        NUMBERS.keep(numbers);
        assert_eq!(NUMBERS.take().capacity(), 0, "that was too much");
    }
}
