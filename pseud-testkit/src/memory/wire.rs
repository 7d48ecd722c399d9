//! Two ends and the pipes between them.

use super::clock::Clock;
use super::end::End;
use super::pipe::Pipe;
use std::time::{Duration, Instant};

/// A link: `client` opened it, `server` accepted it.
#[derive(Debug)]
pub struct Wire<A, B> {
    pub clock: Clock,
    pub client: A,
    pub server: B,
    /// From the client to the server.
    pub up: Pipe,
    /// From the server to the client.
    pub down: Pipe,
    /// At most so many bytes are written or read at once.
    pub chunk: usize,
}

impl<A: End, B: End> Wire<A, B> {
    /// Lets everything happen that happens without time passing.
    pub fn settle(&mut self) {
        while self.step() {}
    }

    /// One write and one read on each side. Says whether anything happened.
    pub fn step(&mut self) -> bool {
        let (now, chunk) = (self.clock.now(), self.chunk);
        let mut moved = self.up.take(&mut self.client, chunk, now);
        moved |= self.down.take(&mut self.server, chunk, now);
        moved |= self.up.give(&mut self.server, chunk, now);
        moved | self.down.give(&mut self.client, chunk, now)
    }

    /// Moves the clock, with everything that happens on the way.
    pub fn advance(&mut self, by: Duration) {
        let clock = self.clock.clone();
        advance(std::slice::from_mut(self), &clock, by);
    }

    /// Pulls the cable: what flies is lost.
    pub fn cut(&mut self) {
        self.up.cut();
        self.down.cut();
    }

    fn next(&self) -> Option<Instant> {
        let arrivals = [self.up.arrival(), self.down.arrival()];
        let deadlines = [self.client.poll_timeout(), self.server.poll_timeout()];
        arrivals.into_iter().chain(deadlines).flatten().min()
    }

    /// Tells both ends that time has passed.
    pub fn timeout(&mut self, now: Instant) {
        fire(&mut self.client, now);
        fire(&mut self.server, now);
    }
}

/// Lets everything happen on those wires that happens without time passing.
pub fn settle<A: End, B: End>(wires: &mut [Wire<A, B>]) {
    while wires.iter_mut().fold(false, |moved, wire| moved | wire.step()) {}
}

/// Moves the clock from event to event, at last to `by` from now.
pub fn advance<A: End, B: End>(wires: &mut [Wire<A, B>], clock: &Clock, by: Duration) {
    let end = clock.now() + by;
    settle(wires);
    while let Some(next) = wires.iter().filter_map(Wire::next).min().filter(|&at| at <= end) {
        clock.move_to(next);
        wires.iter_mut().for_each(|wire| wire.timeout(clock.now()));
        settle(wires);
    }
    clock.move_to(end);
}

/// A deadline that is due is over once it was handled: else a driver would spin.
fn fire(end: &mut impl End, now: Instant) {
    if end.poll_timeout().is_some_and(|at| at <= now) {
        end.timeout();
        assert!(end.poll_timeout().is_none_or(|at| at > now), "a deadline that stays due");
    }
}
