//! Connecting: one task dials, drives the link, and dials again.

use crate::driver::drive;
use crate::failure::{invalid, named};
use crate::options::Options;
use crate::security;
use crate::socket::Stream;
use pseud_async::{Dial, Hub, Origin};
use pseud_proto::Reason;
use pseud_proto::address::Address;
use pseud_proto::backoff::{Backoff, Retry};
use pseud_proto::zmtp::ConnectionConfig;
use std::future::{Future, poll_fn};
use std::io;
use std::iter::repeat;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{Duration, Instant, sleep};

/// Starts to dial, for as long as the hub lives; returns what ends it.
pub(crate) fn connect(
    hub: &Arc<Hub>,
    options: &Options,
    endpoint: &str,
    handle: &Handle,
) -> io::Result<AbortHandle> {
    let address = Address::to_connect(endpoint).map_err(invalid)?;
    security::judge_endpoint(options, &address, "connect to", endpoint)?;
    let mut config = options.connection.clone();
    config.probe = options.probe;
    let config = Arc::new(config);
    let (dial, hub, endpoint) = (Dial::new(hub, endpoint), hub.clone(), endpoint.to_owned());
    let dialer = Dialer { hub, dial, config, address, endpoint };
    Ok(handle.spawn(dialer.run(options.retry)).abort_handle())
}

/// A link that lived so long counts as a success. Shorter ones do not: two peers that take one name
/// from each other would do so ten times a second.
const SETTLED: Duration = Duration::from_secs(5);

struct Dialer {
    hub: Arc<Hub>,
    dial: Dial,
    config: Arc<ConnectionConfig>,
    address: Address,
    endpoint: String,
}

impl Dialer {
    async fn run(self, retry: Retry) {
        let (endpoint, mut backoff) = (&self.endpoint, Backoff::new(retry));
        for attempt in (0_u32..).chain(repeat(u32::MAX)) {
            let (mut refused, began) = (false, Instant::now());
            match self.link(attempt).await {
                None | Some(Ok((Reason::Shutdown, _))) => return,
                Some(Ok((reason, ready))) => {
                    self.dial.ended(reason, ready);
                    // The same credentials are not shown again soon.
                    refused = reason == Reason::Denied;
                    tracing::info!(%endpoint, %reason, "link closed; connecting again");
                    if ready && began.elapsed() >= SETTLED {
                        backoff.succeeded();
                    }
                }
                Some(Err(error)) => {
                    tracing::info!(%error, "trying again");
                    self.dial.failed(&error);
                }
            }
            let wait = match refused {
                true => backoff.refused(random()),
                false => backoff.failed(random()),
            };
            if self.unless_shut_down(sleep(wait)).await.is_none() {
                return;
            }
        }
    }

    /// `None`: this side shut down. A link hears of that by itself.
    async fn link(&self, attempt: u32) -> Option<io::Result<(Reason, bool)>> {
        self.dial.connecting();
        let stream = match self.unless_shut_down(Stream::connect(&self.address)).await? {
            Ok(stream) => stream,
            Err(error) => return Some(Err(named("connect to", &self.endpoint, &error))),
        };
        let origin = Origin::Dialed { attempt, dial: &self.dial };
        match drive(&self.hub, self.config.clone(), origin, stream) {
            Ok(driven) => Some(Ok(driven.await)),
            Err(error) => Some(Err(error)),
        }
    }

    async fn unless_shut_down<F: Future>(&self, future: F) -> Option<F::Output> {
        let (mut future, mut ended) = (pin!(future), pin!(self.hub.shut_down()));
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => ended.as_mut().poll(cx).map(|()| None),
        })
        .await
    }
}

fn random() -> u32 {
    Hub::seed().map_or(u32::MAX, |[a, b, c, d, ..]| u32::from_ne_bytes([a, b, c, d]))
}
