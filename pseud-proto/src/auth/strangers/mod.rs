//! Strangers, while their handshakes last and while their failures are remembered: the bookkeeping of
//! [`StrangerLimits`]. It takes no clock and no entropy, as all of the core.

mod failures;
mod limits;
mod source;

pub use limits::StrangerLimits;

use bytes::Bytes;
use failures::Ledger;
use source::Block;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Instant;

/// Of how many newcomers one tenth is: the share that is dropped first, as OpenSSH's default
/// (`MaxStartups 10:30:100`).
const DROPPED_FIRST: u64 = 3;
const DROPPED_OF: u64 = 10;

/// Who comes, who is let through to a handshake, and who has to wait.
#[derive(Debug, Default)]
pub struct Strangers {
    limits: StrangerLimits,
    /// Handshakes in progress, by source; sources without any have no entry.
    handshakes: BTreeMap<Block, usize>,
    /// Questions in work, alike.
    questions: BTreeMap<Block, usize>,
    sources: Ledger<Block>,
    /// By what they say they are: any bytes, 255 at most (PLAIN).
    users: Ledger<Bytes>,
    /// By both: who guesses at which name.
    guesses: Ledger<(Block, Bytes)>,
    stats: StrangerStats,
}

/// Why a stranger is not let through to a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StrangerDropped {
    /// There are many ([`StrangerLimits::handshakes_drop_from`], `handshakes_max`).
    Crowded,
    /// There are many of its source ([`StrangerLimits::handshakes_per_source_max`]).
    SourceCrowded,
    /// Its source has failed too often of late ([`StrangerLimits::source_failures_free`]).
    SourceWaits,
}

/// How a handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeEnd {
    /// It was completed by somebody who is known: half of the source's failures are forgotten, once in
    /// [`StrangerLimits::failures_halve_after`].
    Completed,
    /// It was broken off by either side, or completed by nobody who is known, which says nothing of the
    /// source.
    Abandoned,
    /// The source has failed: it was denied, broke the protocol, or took too long.
    Failed,
}

/// What happened to strangers. Counters are since birth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StrangerStats {
    /// Handshakes in progress now.
    pub handshakes: usize,
    /// Dropped as [`StrangerDropped::Crowded`].
    pub dropped_crowded: u64,
    /// Dropped as [`StrangerDropped::SourceCrowded`].
    pub dropped_source_crowded: u64,
    /// Dropped as [`StrangerDropped::SourceWaits`].
    pub dropped_source_waits: u64,
    /// Questions that were not put, since there were many wrong passwords for that name of late, or many of that
    /// source were in work.
    pub questions_refused: u64,
    /// Sources whose failures are remembered now.
    pub sources: usize,
    /// Names whose wrong passwords are remembered now.
    pub users: usize,
}

impl Strangers {
    /// None yet.
    pub fn new(limits: StrangerLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// What is counted.
    pub fn stats(&self) -> StrangerStats {
        StrangerStats { sources: self.sources.len(), users: self.users.len(), ..self.stats }
    }

    /// Somebody has connected, from there; `None` is a Unix socket. `luck` is drawn evenly, for each. Where
    /// it is let through, [`end`](Self::end) is owed.
    ///
    /// # Errors
    /// It is not: its connection is to be closed.
    pub fn begin(
        &mut self,
        from: Option<IpAddr>,
        luck: u32,
        now: Instant,
    ) -> Result<(), StrangerDropped> {
        let source = Block::of(from);
        let begun = self.check(from, source, luck, now);
        match begun {
            Ok(()) => {
                self.stats.handshakes += 1;
                *self.handshakes.entry(source).or_default() += 1;
            }
            Err(StrangerDropped::Crowded) => self.stats.dropped_crowded += 1,
            Err(StrangerDropped::SourceCrowded) => self.stats.dropped_source_crowded += 1,
            Err(StrangerDropped::SourceWaits) => self.stats.dropped_source_waits += 1,
        }
        begun
    }

    fn check(
        &self,
        from: Option<IpAddr>,
        source: Block,
        luck: u32,
        now: Instant,
    ) -> Result<(), StrangerDropped> {
        let (limits, open) = (&self.limits, self.stats.handshakes);
        if self.is_bounded(from) {
            let free = limits.source_failures_free;
            if self.sources.waits_until(&source, free, limits, now).is_some() {
                return Err(StrangerDropped::SourceWaits);
            }
            let of_source = self.handshakes.get(&source).copied().unwrap_or_default();
            if of_source >= limits.handshakes_per_source_max {
                return Err(StrangerDropped::SourceCrowded);
            }
        }
        match is_dropped(open, limits, luck) {
            true => Err(StrangerDropped::Crowded),
            false => Ok(()),
        }
    }

    /// Whether it is bounded by its source.
    fn is_bounded(&self, from: Option<IpAddr>) -> bool {
        from.is_some_and(|ip| self.limits.bounds_loopback || !ip.to_canonical().is_loopback())
    }

    /// The handshake of somebody who was let through is over.
    pub fn end(&mut self, from: Option<IpAddr>, how: HandshakeEnd, now: Instant) {
        let source = Block::of(from);
        if leave(&mut self.handshakes, source) {
            self.stats.handshakes = self.stats.handshakes.saturating_sub(1);
        }
        match how {
            HandshakeEnd::Completed => self.sources.forgive(&source, &self.limits, now),
            HandshakeEnd::Abandoned => {}
            HandshakeEnd::Failed => self.sources.add(source, &self.limits, now),
        }
    }

    /// Whether that name's password may be checked for who comes from there. While a name has to wait,
    /// only sources that have not failed with it may ask: whoever guesses keeps out nobody else who knows it,
    /// and what else he knows does not help him. A source that has to wait may not, over links that it has
    /// already.
    pub fn may_ask(&mut self, user: &Bytes, from: Option<IpAddr>, now: Instant) -> bool {
        let (limits, source) = (&self.limits, Block::of(from));
        let free = limits.user_failures_free;
        let waits = self.users.waits_until(user, free, limits, now).is_some();
        let free = limits.source_failures_free;
        let source_waits =
            self.is_bounded(from) && self.sources.waits_until(&source, free, limits, now).is_some();
        let has_guessed = || self.guesses.count(&(source, user.clone()), limits, now) > 0;
        let refused = source_waits || waits && has_guessed();
        self.stats.questions_refused += u64::from(refused);
        !refused
    }

    /// Somebody is about to be asked about who comes from there: says whether there is a place. Then
    /// [`answered`](Self::answered) is owed, once the work is over, which may be after the link is. A source has as
    /// many at once as handshakes ([`StrangerLimits::handshakes_per_source_max`]), whether they are of handshakes
    /// or of logins behind them.
    pub fn asks(&mut self, from: Option<IpAddr>) -> bool {
        let (source, max) = (Block::of(from), self.limits.handshakes_per_source_max);
        let is_bounded = self.is_bounded(from);
        let of_source = self.questions.entry(source).or_default();
        let has_place = !is_bounded || *of_source < max;
        *of_source += usize::from(has_place);
        if *of_source == 0 {
            self.questions.remove(&source);
        }
        self.stats.questions_refused += u64::from(!has_place);
        has_place
    }

    /// That work is over.
    pub fn answered(&mut self, from: Option<IpAddr>) {
        leave(&mut self.questions, Block::of(from));
    }

    /// What somebody showed from there once its handshake was over was right, or wrong.
    pub fn logged_in(&mut self, from: Option<IpAddr>, is_right: bool, now: Instant) {
        let source = Block::of(from);
        match is_right {
            true => self.sources.forgive(&source, &self.limits, now),
            false => self.sources.add(source, &self.limits, now),
        }
    }

    /// The password for that name that was shown from there was wrong, or nobody has that name: both are
    /// remembered alike.
    pub fn denied(&mut self, user: &Bytes, from: Option<IpAddr>, now: Instant) {
        self.users.add(user.clone(), &self.limits, now);
        self.guesses.add((Block::of(from), user.clone()), &self.limits, now);
    }

    /// The password for that name that was shown from there was right: who mistyped it before did not guess.
    pub fn admitted(&mut self, user: &Bytes, from: Option<IpAddr>) {
        self.guesses.forget(&(Block::of(from), user.clone()));
    }
}

/// One of that source is over: says whether there was one. Sources without any have no entry.
fn leave(open: &mut BTreeMap<Block, usize>, source: Block) -> bool {
    let Some(of_source) = open.get_mut(&source) else { return false };
    *of_source = of_source.saturating_sub(1);
    if *of_source == 0 {
        open.remove(&source);
    }
    true
}

/// Whether a newcomer is dropped beside `open` others: never below `handshakes_drop_from`, always at
/// `handshakes_max`, and by luck in between (OpenSSH's `sshd.c`, `should_drop_connection`).
fn is_dropped(open: usize, limits: &StrangerLimits, luck: u32) -> bool {
    let (from, max) = (limits.handshakes_drop_from, limits.handshakes_max);
    if open >= max {
        return true;
    }
    let Some(over) = open.checked_sub(from) else { return false };
    let span = (max - from) as u64;
    // The share dropped rises linearly from `DROPPED_FIRST` of `DROPPED_OF` to all.
    let share = DROPPED_FIRST * span + (DROPPED_OF - DROPPED_FIRST) * over as u64;
    u128::from(luck) * u128::from(DROPPED_OF * span) < u128::from(share) << u32::BITS
}

#[cfg(test)]
mod tests;
