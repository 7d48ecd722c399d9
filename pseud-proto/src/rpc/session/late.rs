//! Answers to v1 peers that are not written yet: each has a moment after which its caller's reader
//! would die of it ([`LateGuard`](crate::LateGuard)).

use crate::base::deadline::Next;
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::time::Instant;

/// Such answers. Peers that need no guard have none, and others only while an answer waits.
#[derive(Debug, Default)]
pub(crate) struct Late(Option<Box<Guarded>>);

/// In the order of their positions in the output; never none.
#[derive(Debug, Default)]
struct Guarded {
    answers: VecDeque<Answered>,
    next: Next,
}

#[derive(Debug)]
struct Answered {
    /// Where it ends.
    end: u64,
    /// Until when it may be written.
    until: Instant,
    /// What was called.
    name: SmolStr,
}

impl Late {
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |guarded| guarded.answers.len())
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.as_ref()?.next.get()
    }

    /// An answer that ends there, behind all others.
    pub(crate) fn push(&mut self, end: u64, until: Instant, name: SmolStr) {
        let guarded = self.0.get_or_insert_default();
        guarded.next.note(until);
        guarded.answers.push_back(Answered { end, until, name });
    }

    /// All up to there is written.
    pub(crate) fn written(&mut self, written: u64) {
        let Some(Guarded { answers, .. }) = self.0.as_deref_mut() else { return };
        while answers.front().is_some_and(|answer| answer.end <= written) {
            answers.pop_front();
        }
        self.rest();
    }

    /// The answer that ends there is not sent. Returns what was called if it was here: that is told
    /// once.
    pub(crate) fn withhold(&mut self, end: u64) -> Option<SmolStr> {
        let answers = &mut self.0.as_mut()?.answers;
        let place = answers.binary_search_by_key(&end, |answer| answer.end).ok()?;
        let name = answers.remove(place)?.name;
        self.rest();
        Some(name)
    }

    /// Holds nothing, and no moment, where nothing is left.
    fn rest(&mut self) {
        if self.len() == 0 {
            self.0 = None;
        }
    }

    /// Takes out those whose moment has passed; says where they end, and what was called. The earliest
    /// moment of the others becomes the next one.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<(u64, SmolStr)> {
        let Some(Guarded { answers, next }) = self.0.as_deref_mut() else { return Vec::new() };
        next.clear();
        let mut overdue = Vec::new();
        answers.retain_mut(|answer| {
            let is_overdue = answer.until <= now;
            if is_overdue {
                overdue.push((answer.end, std::mem::take(&mut answer.name)));
            } else {
                next.note(answer.until);
            }
            !is_overdue
        });
        self.rest();
        overdue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_leaves_once_written_withheld_or_overdue() {
        let (mut late, now) = (Late::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        for (end, until) in [(10, 5), (20, 3), (30, 7), (40, 5)] {
            late.push(end, at(until), SmolStr::new(end.to_string()));
        }
        assert_eq!(late.next(), Some(at(3)));
        late.written(15);
        assert_eq!([40, 40, 10].map(|end| late.withhold(end)), [Some("40".into()), None, None]);
        assert_eq!(late.overdue(at(3)), [(20, "20".into())]);
        assert_eq!((late.len(), late.next()), (1, Some(at(7))));
        late.written(30);
        assert_eq!((late.len(), late.next()), (0, None));
        // Withheld where it is pulled, before its moment was noticed.
        late.push(50, at(9), SmolStr::default());
        assert!(late.withhold(50).is_some());
        assert_eq!((late.len(), late.next()), (0, None));
    }
}
