//! One node's beats: a task beside its links.

use super::Beating;
use super::backend::{HeartbeatBackend, Sign, Silent};
use crate::engine::hub::Hub;
use crate::engine::listing::PAGE_MAX;
use crate::panics::caught;
use crate::presence::status::PeerStatus;
use crate::runtime::Runtime;
use crate::runtime::time::sleep;
use pseud_proto::{PeerId, Reason};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// The shortest interval: below it a node would be busy with beats alone.
const INTERVAL_MIN: Duration = Duration::from_millis(10);

/// Beats until the node has ended. It keeps nothing alive.
pub(crate) async fn beat<R: Runtime>(hub: Arc<Hub>, Beating(backend): Beating, runtime: R) {
    let beats = Beats { backend, last: hub.now() };
    let interval = caught(|| beats.backend.interval(), unlogged).flatten();
    let mut ended = pin!(hub.shut_down());
    match interval.map(|interval| interval.max(INTERVAL_MIN)) {
        None => ended.await,
        Some(interval) => {
            let mut beating = pin!(beats.run(&hub, interval, &runtime));
            poll_fn(|cx| match ended.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(()),
                Poll::Pending => beating.as_mut().poll(cx),
            })
            .await;
        }
    }
}

/// What has to be said at its end, also where its runtime goes away.
struct Beats {
    backend: Arc<dyn HeartbeatBackend>,
    /// When the last beat began.
    last: Instant,
}

impl Drop for Beats {
    fn drop(&mut self) {
        let _ = caught(|| self.backend.stop(), unlogged);
    }
}

fn unlogged(panic: &str) {
    tracing::error!(panic, "a heartbeat plug-in panicked");
}

impl Beats {
    async fn run<R: Runtime>(mut self, hub: &Arc<Hub>, interval: Duration, runtime: &R) {
        loop {
            sleep(runtime, interval).await;
            let (began, mut after) = (hub.now(), None);
            loop {
                let page = hub.page(after, PAGE_MAX);
                let is_last = page.len() < PAGE_MAX;
                after = page.last().map(|listed| listed.session);
                let page = page.into_iter().map(|listed| PeerStatus::new(hub, listed)).collect();
                self.judge(hub, page);
                if is_last {
                    break;
                }
                turn(runtime).await;
            }
            self.last = began;
        }
    }

    /// The beat of those peers.
    fn judge(&self, hub: &Hub, page: Vec<PeerStatus>) {
        let (backend, now) = (&*self.backend, hub.now());
        let asked = caught(|| (backend.counts(), backend.timeout(), backend.sends()), unlogged);
        let Some((counts, timeout, sends)) = asked else { return };
        let mut silent: Vec<PeerId> = Vec::new();
        for peer in &page {
            let sign = match counts {
                Sign::Byte => peer.last_heard,
                Sign::Message => peer.last_message,
            };
            if sign >= self.last {
                caught(|| backend.handle_heartbeat(peer), unlogged);
            }
            let is_over = |timeout| now.saturating_duration_since(sign) >= timeout;
            if timeout.is_some_and(is_over)
                && caught(|| backend.handle_timeout(peer), unlogged) == Some(Silent::Ends)
            {
                silent.push(peer.session);
            }
        }
        if !sends && silent.is_empty() {
            return;
        }
        hub.act(|inner, now| {
            for peer in silent {
                inner.endpoint.disconnect_as(peer, Reason::HeartbeatTimeout, now);
            }
            if sends {
                page.iter().for_each(|peer| inner.endpoint.heartbeat(peer.session, now));
            }
        });
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
