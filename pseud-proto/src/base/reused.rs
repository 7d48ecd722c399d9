//! Large buffers that come again: what one message lay in is what the next one is read into, or written to.
//!
//! An allocator gives large memory back to the system where it lies at the end of the heap, and takes it anew for the
//! next message, page by page: with bodies of 64 KiB that costs more than all else.

use bytes::{Bytes, BytesMut};
use std::cell::RefCell;
use std::ops::RangeInclusive;

/// What is kept: below this nothing is given back to the system, above it lies what glibc takes from the system in
/// any case (`M_MMAP_THRESHOLD`).
const KEPT: RangeInclusive<usize> = 16 * 1024..=128 * 1024;

thread_local! {
    /// The last few that this thread has made, also while somebody reads them: of a call both bodies of both ends.
    static LAST: RefCell<[Bytes; 4]> = const { RefCell::new([const { Bytes::new() }; 4]) };
}

/// An empty buffer for so many bytes that nobody reads any more, and that is hardly larger.
pub(crate) fn take(size: usize) -> Option<BytesMut> {
    if !KEPT.contains(&size) {
        return None;
    }
    LAST.try_with(|last| {
        let mut last = last.try_borrow_mut().ok()?;
        last.iter_mut().find_map(|bytes| {
            let mut buffer = match std::mem::take(bytes).try_into_mut() {
                Ok(buffer) => buffer,
                Err(shared) => {
                    *bytes = shared;
                    return None;
                }
            };
            buffer.clear();
            if (size..=size.saturating_add(size / 4)).contains(&buffer.capacity()) {
                return Some(buffer);
            }
            *bytes = buffer.freeze();
            None
        })
    })
    .ok()?
}

/// Those bytes are to come again when nobody reads them any more; `capacity`: what they lie in. What takes more than
/// may be [kept](KEPT) is left to the allocator, however little of it is used.
pub(crate) fn keep(bytes: &Bytes, capacity: usize) {
    if !KEPT.contains(&bytes.len()) || !KEPT.contains(&capacity) {
        return;
    }
    let _ = LAST.try_with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            // In the place of one that was taken, or was of no use to the last who looked; else of the oldest.
            let free = last.iter().position(Bytes::is_empty).unwrap_or(last.len() - 1);
            let front = last.get_mut(..=free).unwrap_or_default();
            front.rotate_right(1);
            front.iter_mut().take(1).for_each(|first| *first = bytes.clone());
        }
    });
}

/// What all lies in that this thread keeps and nobody reads: it is let go.
#[cfg(test)]
pub(crate) fn release() -> usize {
    let capacity = |bytes: &mut Bytes| match std::mem::take(bytes).try_into_mut() {
        Ok(buffer) => buffer.capacity(),
        Err(_) => 0,
    };
    LAST.with_borrow_mut(|last| last.iter_mut().map(capacity).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_again_once_nobody_reads_it() {
        let size = 64 << 10;
        assert!(take(size).is_none());
        let bytes = Bytes::from(vec![1; size]);
        let place = bytes.as_ptr();
        keep(&bytes, size);
        assert!(take(size).is_none(), "it is read");
        let part = bytes.slice(7..9);
        drop(bytes);
        assert!(take(size).is_none(), "a part of it is");
        drop(part);
        assert!(take(size / 2).is_none() && take(size + 1).is_none(), "not for other sizes");
        let again = take(size).unwrap();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        assert!(again.capacity() >= size);
        assert!(take(size).is_none(), "it is taken");
    }

    #[test]
    fn of_many_the_last_few_are_kept_and_none_that_are_small_or_huge() {
        let all: Vec<Bytes> = (0..5).map(|_| Bytes::from(vec![0; 20_000])).collect();
        all.iter().for_each(|bytes| keep(bytes, bytes.len()));
        [1_000, 1 << 20].into_iter().for_each(|size| keep(&Bytes::from(vec![0; size]), size));
        drop(all);
        assert!(take(1_000).is_none() && take(1 << 20).is_none());
        let taken: Vec<_> = std::iter::from_fn(|| take(20_000)).collect();
        assert_eq!(taken.len(), 4);
    }

    #[test]
    fn what_is_kept_is_bounded_by_its_capacity() {
        for capacity in [1 << 20, 129 << 10] {
            let mut large = BytesMut::with_capacity(capacity);
            large.extend_from_slice(&[7; 20_000]);
            let capacity = large.capacity();
            let bytes = large.freeze();
            keep(&bytes, capacity);
            assert_eq!(release(), 0, "{capacity}");
        }
    }
}
