//! The clock of a world, and who sleeps by it.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

/// What a turn of a task takes. Without it whoever polls in a loop until the clock has moved would never
/// see it move.
const TURN: Duration = Duration::from_micros(1);

/// A clock that stands still but for turns and jumps.
#[derive(Debug)]
pub(super) struct SimClock {
    start: Instant,
    state: Mutex<ClockState>,
}

#[derive(Debug, Default)]
struct ClockState {
    passed: Duration,
    /// By moment, then in the order in which they fell asleep.
    sleepers: BTreeMap<(Instant, u64), Waker>,
    next: u64,
}

impl SimClock {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), state: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, ClockState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Instant {
        self.start + self.passed()
    }

    /// Since the world began.
    pub(super) fn passed(&self) -> Duration {
        self.lock().passed
    }

    /// A turn begins: those whose moment has come meanwhile.
    pub(super) fn turn(&self) -> Vec<Waker> {
        let mut state = self.lock();
        state.passed += TURN;
        self.due(&mut state)
    }

    /// Jumps to the next moment for which anybody sleeps: who is to be woken then. `None`: nobody sleeps.
    pub(super) fn jump(&self) -> Option<Vec<Waker>> {
        let mut state = self.lock();
        let (&(at, _), _) = state.sleepers.first_key_value()?;
        state.passed = state.passed.max(at.saturating_duration_since(self.start));
        Some(self.due(&mut state))
    }

    fn due(&self, state: &mut ClockState) -> Vec<Waker> {
        let now = self.start + state.passed;
        let mut due = Vec::new();
        while let Some(first) = state.sleepers.first_entry() {
            if first.key().0 > now {
                break;
            }
            due.push(first.remove());
        }
        due
    }

    /// Nobody sleeps any more.
    pub(super) fn clear(&self) {
        let sleepers = take(&mut self.lock().sleepers);
        drop(sleepers);
    }
}

/// One who can be woken at a moment.
#[derive(Debug)]
pub(super) struct Alarm {
    clock: Arc<SimClock>,
    set: Option<(Instant, u64)>,
}

impl Alarm {
    pub(super) fn new(clock: &Arc<SimClock>) -> Self {
        Self { clock: clock.clone(), set: None }
    }

    /// Wakes that waker at that moment, and at no other.
    pub(super) fn set(&mut self, at: Instant, waker: &Waker) {
        let mut state = self.clock.lock();
        let old = self.set.take().and_then(|key| state.sleepers.remove(&key));
        let key = (at, state.next);
        state.next += 1;
        state.sleepers.insert(key, waker.clone());
        drop(state);
        drop(old);
        self.set = Some(key);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let Some(key) = self.set.take() else { return };
        let old = self.clock.lock().sleepers.remove(&key);
        drop(old);
    }
}
