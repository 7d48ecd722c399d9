//! Events that wait to be polled.
#![allow(clippy::box_collection, reason = "each link has this room, and hardly one such a queue")]

use crate::wire::zmtp::event::Event;
use std::collections::VecDeque;

/// Events of one portion of input.
pub(super) const EVENTS_AT_ONCE: usize = 32;

/// In the order of their coming. A link whose driver looks at each message where it came has no queue.
#[derive(Default)]
pub(super) struct WaitingEvents(Option<Box<VecDeque<Event>>>);

impl WaitingEvents {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.len())
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is empty, and holds no room but for one.
    #[inline]
    pub(super) fn is_drained(&self) -> bool {
        self.0.as_ref().is_none_or(|queue| queue.is_empty() && queue.capacity() <= 1)
    }

    /// One that was taken from the input. Behind a message another may come, as soon as that was polled.
    #[inline]
    pub(super) fn keep(&mut self, event: Event) {
        if !matches!(event, Event::Message(_)) {
            return self.tell(event);
        }
        let queue = self.0.get_or_insert_with(begin);
        if queue.len() == queue.capacity() {
            // One message after the other needs one place; where one is behind another, many may be.
            let places = if queue.is_empty() { 1 } else { queue.len().max(EVENTS_AT_ONCE) };
            queue.reserve_exact(places);
        }
        queue.push_back(event);
    }

    /// One that comes once, such as the handshake's: no room is kept for another.
    pub(super) fn tell(&mut self, event: Event) {
        let queue = self.0.get_or_insert_with(begin);
        queue.reserve(2);
        queue.push_back(event);
    }

    #[inline]
    pub(super) fn pop_front(&mut self) -> Option<Event> {
        self.0.as_mut()?.pop_front()
    }

    /// The newest, taken back. Where it was the only one nothing is left of the queue.
    pub(super) fn pop_back(&mut self) -> Option<Event> {
        let event = self.0.as_mut()?.pop_back();
        self.release();
        event
    }

    /// The queue of a burst of tiny messages has a hundred times the size of their bytes: it is not kept.
    pub(super) fn rest(&mut self) {
        self.0.take_if(|queue| queue.is_empty() && queue.capacity() > 1);
    }

    /// Holds nothing where it is empty.
    pub(super) fn release(&mut self) {
        self.0.take_if(|queue| queue.is_empty());
    }
}

impl IntoIterator for WaitingEvents {
    type Item = Event;
    type IntoIter = std::collections::vec_deque::IntoIter<Event>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.map(|queue| *queue).unwrap_or_default().into_iter()
    }
}

#[cold]
#[inline(never)]
fn begin() -> Box<VecDeque<Event>> {
    Box::default()
}
