//! One node's beats: a task beside its links, and what it asks whoever judges silence.

use super::status::PeerStatus;
use crate::engine::hub::Hub;
use crate::engine::listing::PAGE_MAX;
use crate::panics::caught;
use crate::runtime::Runtime;
use crate::runtime::time::sleep;
use pseud_proto::{PeerId, Reason, To};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// What counts as a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sign {
    /// Any byte, also the answer to a PING.
    Byte,
    /// A message: a call, an answer, a HEARTBEAT, a probe. A peer that only answers PINGs gives none.
    Message,
}

/// What becomes of a peer that has been silent for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnSilence {
    /// Its session ends, as [`Reason::HeartbeatTimeout`](pseud_proto::Reason::HeartbeatTimeout), and its link
    /// is closed.
    Ends,
    /// Nothing: it is judged again at the next beat.
    Stays,
}

/// Judges who is silent: a plug-in, as the task knows it. See
/// [`HeartbeatBackend`](crate::HeartbeatBackend).
pub(crate) trait Beats: fmt::Debug + Send + Sync {
    fn interval(&self) -> Option<Duration>;
    fn sends(&self) -> bool;
    fn counts(&self) -> Sign;
    fn timeout(&self) -> Option<Duration>;
    fn handle_heartbeat(&self, peer: &PeerStatus);
    fn handle_timeout(&self, peer: &PeerStatus) -> OnSilence;
    fn stop(&self);
}

/// The shortest interval: below it a node would be busy with beats alone.
const INTERVAL_MIN: Duration = Duration::from_millis(10);

/// Beats until the node has ended. It keeps nothing alive.
pub(crate) async fn beat<R: Runtime>(hub: Arc<Hub>, beats: Arc<dyn Beats>, runtime: R) {
    let pulse = Pulse { beats, last: hub.now() };
    let interval = caught(|| pulse.beats.interval(), unlogged).flatten();
    let mut ended = pin!(hub.shut_down());
    match interval.map(|interval| interval.max(INTERVAL_MIN)) {
        None => ended.await,
        Some(interval) => {
            let mut beating = pin!(pulse.run(&hub, interval, &runtime));
            poll_fn(|cx| match ended.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(()),
                Poll::Pending => beating.as_mut().poll(cx),
            })
            .await;
        }
    }
}

/// What has to be said at its end, also where its runtime goes away.
struct Pulse {
    beats: Arc<dyn Beats>,
    /// When the last beat began.
    last: Instant,
}

impl Drop for Pulse {
    fn drop(&mut self) {
        let _ = caught(|| self.beats.stop(), unlogged);
    }
}

fn unlogged(panic: &str) {
    tracing::error!(panic, "a heartbeat plug-in panicked");
}

impl Pulse {
    async fn run<R: Runtime>(mut self, hub: &Arc<Hub>, interval: Duration, runtime: &R) {
        loop {
            sleep(runtime, interval).await;
            let (began, mut after) = (hub.now(), None);
            let due = self.last.checked_add(interval).unwrap_or(began);
            loop {
                let page = hub.page(after, PAGE_MAX);
                let is_last = page.len() < PAGE_MAX;
                after = page.last().map(|listed| listed.seat.peer);
                let page = page.into_iter().map(PeerStatus::new).collect();
                self.judge(hub, page, due);
                if is_last {
                    break;
                }
                turn(runtime).await;
            }
            self.last = began;
        }
    }

    /// The beat of those peers, which was `due` then. Silence counts until then: what has come since our
    /// process was stopped, or its threads were busy, is read before the next beat.
    fn judge(&self, hub: &Hub, page: Vec<PeerStatus>, due: Instant) {
        let beats = &*self.beats;
        let asked = caught(|| (beats.counts(), beats.timeout(), beats.sends()), unlogged);
        let Some((counts, timeout, sends)) = asked else { return };
        let mut silent: Vec<PeerId> = Vec::new();
        for peer in &page {
            let sign = match counts {
                Sign::Byte => peer.last_heard,
                Sign::Message => peer.last_message,
            };
            if sign >= self.last {
                caught(|| beats.handle_heartbeat(peer), unlogged);
            }
            let is_over = |timeout| due.saturating_duration_since(sign) >= timeout;
            if timeout.is_some_and(is_over)
                && caught(|| beats.handle_timeout(peer), unlogged) == Some(OnSilence::Ends)
            {
                silent.push(peer.session);
            }
        }
        if !sends && silent.is_empty() {
            return;
        }
        for peer in silent {
            hub.disconnect(&To::Peer(peer), Reason::HeartbeatTimeout);
        }
        if sends {
            page.iter().for_each(|peer| hub.heartbeat(peer.session));
        }
    }
}

/// Lets others have their turn.
async fn turn<R: Runtime>(runtime: &R) {
    let mut had = false;
    poll_fn(|cx| match std::mem::replace(&mut had, true) {
        true => Poll::Ready(()),
        false => {
            runtime.yield_now(cx);
            Poll::Pending
        }
    })
    .await;
}
