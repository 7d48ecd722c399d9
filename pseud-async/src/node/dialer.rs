//! Connecting: one task dials, drives the link, and dials again.

use super::connect;
use super::key_pairs::{KeyPairs, LinkSetup};
use super::options::Options;
use super::security;
use crate::endpoint_error::EndpointError;
use crate::engine::dial::Dial;
use crate::io_error::named;
use crate::link::driver::{Driver, LinkOf};
use crate::link::{Host, Origin};
use crate::runtime::Runtime;
use crate::runtime::abort::Abort;
use crate::runtime::time::sleep;
use pseud_proto::Reason;
use pseud_proto::address::Address;
use pseud_proto::backoff::{Backoff, Retry};
use std::future::{Future, poll_fn};
use std::io;
use std::iter::repeat;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

/// Starts to dial, for as long as the node lives.
pub(crate) fn connect<R: Runtime>(
    host: &Arc<Host>,
    options: &Options,
    address: &Address,
    runtime: &R,
    keys: &Arc<KeyPairs>,
) -> Result<Dialed<R>, EndpointError> {
    security::check_endpoint(options, address, "connect to")?;
    let setup = LinkSetup::new(options.connecting(), keys.clone());
    let address = address.clone();
    let dial = Dial::new(host.hub(), &address);
    let (timeout, current) = (options.connect_timeout, Arc::<Current<R>>::default());
    let dialed = Dialed { current: current.clone(), task: Abort::default() };
    let (host, abort, dialing) = (host.clone(), dialed.task.clone(), runtime.clone());
    let dialer = Dialer { host, dial, setup, address, timeout, current, runtime: dialing };
    runtime.spawn(abort.unless_aborted(dialer.run(options.retry)));
    Ok(dialed)
}

/// An endpoint that is dialed, and what ends that.
#[derive(Debug)]
pub(crate) struct Dialed<R: Runtime> {
    current: Arc<Current<R>>,
    task: Abort,
}

impl<R: Runtime> Dialed<R> {
    /// When this returns the link's session is over, and no other one begins.
    pub(crate) fn disconnect(&self) {
        match std::mem::replace(&mut *self.current.lock(), Now::Stopped).link() {
            // The link's task is not aborted: it goes on until the socket is closed in order.
            Some(link) => link.end(Reason::Disconnected),
            None => self.task.abort(),
        }
    }
}

/// What a dialer is at, for whoever wants to end it.
#[derive(Debug)]
struct Current<R: Runtime>(Mutex<Now<R>>);

impl<R: Runtime> Default for Current<R> {
    fn default() -> Self {
        Self(Mutex::new(Now::Trying))
    }
}

#[derive(Debug)]
enum Now<R: Runtime> {
    /// There is no link.
    Trying,
    /// Weak: who holds this must not keep the socket open when the link's task is gone.
    Linked(Weak<LinkOf<R>>),
    Stopped,
}

impl<R: Runtime> Now<R> {
    fn link(self) -> Option<Arc<LinkOf<R>>> {
        match self {
            Self::Linked(link) => link.upgrade(),
            Self::Trying | Self::Stopped => None,
        }
    }
}

impl<R: Runtime> Current<R> {
    fn lock(&self) -> MutexGuard<'_, Now<R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves on, unless it is to stop: says whether it may go on.
    fn set(&self, next: Now<R>) -> bool {
        let mut now = self.lock();
        if matches!(*now, Now::Stopped) {
            return false;
        }
        *now = next;
        true
    }
}

/// A link that lived so long counts as a success. Shorter ones do not: two peers that take one name
/// from each other would do so ten times a second.
const SETTLED: Duration = Duration::from_secs(5);

/// How long a link that has ended so must have lived to count as one. Who was replaced lived as long as
/// the other one waited, at most [`Backoff::replaced`]'s longest.
fn settled(reason: Reason, retry: Retry) -> Duration {
    match reason {
        Reason::Replaced | Reason::Occupied => SETTLED.saturating_add(retry.max.saturating_mul(2)),
        _ => SETTLED,
    }
}

fn report_closed(endpoint: &Address, reason: Reason, wait: Duration) {
    let wait = wait.as_secs_f64();
    match reason {
        Reason::Replaced => tracing::warn!(
            %endpoint,
            "another link took over our name there: does a second process use it? Connecting again in \
             {wait:.1} s, later each time"
        ),
        Reason::Occupied => tracing::warn!(
            %endpoint,
            "our user is there already: does a second process use it? Connecting again in {wait:.1} s, later \
             each time"
        ),
        _ => tracing::info!(%endpoint, %reason, "link closed; connecting again in {wait:.1} s"),
    }
}

struct Dialer<R: Runtime> {
    host: Arc<Host>,
    dial: Dial,
    setup: LinkSetup,
    address: Address,
    timeout: Duration,
    current: Arc<Current<R>>,
    runtime: R,
}

impl<R: Runtime> Dialer<R> {
    async fn run(self, retry: Retry) {
        let (endpoint, mut backoff) = (&self.address, Backoff::new(retry));
        for attempt in (0_u32..).chain(repeat(u32::MAX)) {
            let (mut ended, began) = (None, self.runtime.now());
            match self.link(attempt).await {
                None | Some(Ok((Reason::Shutdown | Reason::Disconnected, _))) => return,
                Some(Ok((reason, ready))) => {
                    self.dial.ended(reason, ready);
                    ended = Some(reason);
                    let lasted = self.runtime.now().saturating_duration_since(began);
                    if ready && lasted >= settled(reason, retry) {
                        backoff.succeeded();
                    }
                }
                Some(Err(FailureReported)) => self.dial.failed(),
            }
            let random = self.random();
            let wait = match ended {
                // Who was denied does not show the same credentials again soon: a server slows down who guesses.
                Some(reason) if reason.is_denial() => backoff.refused(random),
                Some(Reason::Replaced | Reason::Occupied) => backoff.replaced(random),
                _ => backoff.failed(random),
            };
            if let Some(reason) = ended {
                report_closed(endpoint, reason, wait);
            }
            if self.unless_shut_down(sleep(&self.runtime, wait)).await.is_none() {
                return;
            }
        }
    }

    /// `None`: this side shut down, or disconnected. A link hears of that by itself.
    async fn link(&self, attempt: u32) -> Option<Result<(Reason, bool), FailureReported>> {
        self.dial.connecting();
        let failed = |error| self.notify(&error);
        let connecting = connect::connect(&self.runtime, &self.address, self.timeout, failed);
        let Some(stream) = self.unless_shut_down(connecting).await? else {
            return Some(Err(FailureReported));
        };
        let origin = Origin::Dialed { attempt, dial: &self.dial };
        let config = self.setup.clone().next();
        let driver = match Driver::new(&self.host, config, origin, stream, &self.runtime) {
            Ok(driver) => driver,
            Err(error) => {
                self.notify(&error);
                return Some(Err(FailureReported));
            }
        };
        if !self.current.set(Now::Linked(Arc::downgrade(driver.link()))) {
            driver.link().end(Reason::Disconnected);
            return None;
        }
        let ended = driver.run().await;
        self.current.set(Now::Trying).then_some(Ok(ended))
    }

    fn random(&self) -> u32 {
        self.runtime.seed().map_or(u32::MAX, |[a, b, c, d, ..]| u32::from_ne_bytes([a, b, c, d]))
    }

    /// Tells of an address, or a whole endpoint, that cannot be had.
    fn notify(&self, error: &io::Error) {
        let error = named("connect to", &self.address, error);
        tracing::info!(%error, "trying again");
        self.dial.report_failed(&error);
    }

    async fn unless_shut_down<F: Future>(&self, future: F) -> Option<F::Output> {
        let (mut future, mut ended) = (pin!(future), pin!(self.host.hub().shut_down()));
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => ended.as_mut().poll(cx).map(|()| None),
        })
        .await
    }
}

/// There was no link, and whoever watches was told why.
struct FailureReported;
