//! A feed of who came and went, for others: flapping is coalesced.

use super::flaps::Flaps;
use super::stream::{Presence, PresenceEvent};
use crate::engine::hub::Hub;
use bytes::Bytes;
use futures_core::Stream;
use pseud_proto::peer::PeerInfo;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Who is there, or not: all sessions of a user together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Who {
    /// Whoever authentication says is that user.
    User(Bytes),
    /// Who is no user, by its identity, which proves nothing.
    Identity(Bytes),
}

impl Who {
    fn of(info: &PeerInfo) -> Self {
        match info.user.is_anonymous() {
            true => Self::Identity(info.identity.clone()),
            false => Self::User(info.user.id().clone()),
        }
    }
}

/// Somebody is there, or is there no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub who: Who,
    /// Whether there is a session of it.
    pub is_connected: bool,
}

/// A stream of [`Change`]s, for others to see: who is there at its beginning, then who comes and goes. Of
/// each no more than one change in an interval is told, and the last state always.
///
/// It remembers who is there, and who was within the last interval, 16 384 of those at most: beyond that, who
/// leaves is told of at once, as often as it comes and goes.
///
/// ```no_run
/// use std::time::Duration;
///
/// # async fn run(server: pseud::Server) {
/// let mut feed = server.presence_feed(Duration::from_secs(5));
/// while let Some(change) = feed.next().await {
///     println!("{:?} {}", change.who, if change.is_connected { "is there" } else { "has left" });
/// }
/// # }
/// ```
pub struct PresenceFeed {
    hub: Arc<Hub>,
    presence: Presence,
    flaps: Flaps<Who>,
    timer: Option<(Instant, Sleep)>,
}

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

impl fmt::Debug for PresenceFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresenceFeed").field("presence", &self.presence).finish_non_exhaustive()
    }
}

impl PresenceFeed {
    pub(crate) fn new(hub: &Arc<Hub>, interval: Duration) -> Self {
        let (presence, flaps) = (Presence::new(hub.clone()), Flaps::new(interval));
        Self { hub: hub.clone(), presence, flaps, timer: None }
    }

    /// The next change; `None` once the node has shut down. Cancel-safe.
    pub async fn next(&mut self) -> Option<Change> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next change, polled.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Change>> {
        loop {
            let now = self.hub.now();
            if let Some(told) = self.flaps.handle_timeout(now) {
                return Poll::Ready(Some(change(told)));
            }
            let told = match self.presence.poll_next(cx) {
                Poll::Ready(Some(PresenceEvent::Joined { info, .. })) => {
                    self.flaps.joined(Who::of(&info), now)
                }
                Poll::Ready(Some(PresenceEvent::Left { info, .. })) => {
                    self.flaps.left(Who::of(&info), now)
                }
                Poll::Ready(Some(PresenceEvent::Lagged(_))) => None,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending if self.sleeps(cx) => return Poll::Pending,
                Poll::Pending => None,
            };
            if let Some(told) = told {
                return Poll::Ready(Some(change(told)));
            }
        }
    }

    /// Whether nothing is due yet.
    fn sleeps(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(at) = self.flaps.deadline() else { return true };
        if self.timer.as_ref().is_none_or(|(armed, _)| *armed != at) {
            self.timer = Some((at, self.hub.runtime.sleep(at)));
        }
        let Some((_, sleep)) = &mut self.timer else { return true };
        let is_due = sleep.as_mut().poll(cx).is_ready();
        if is_due {
            self.timer = None;
        }
        !is_due
    }
}

fn change((who, is_connected): (Who, bool)) -> Change {
    Change { who, is_connected }
}

/// Ends once the node has shut down.
impl Stream for PresenceFeed {
    type Item = Change;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Change>> {
        self.get_mut().poll_next(cx)
    }
}
