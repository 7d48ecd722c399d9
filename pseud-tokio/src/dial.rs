//! Connecting: one task dials, drives the link, and dials again.

use crate::accept::{invalid, named};
use crate::driver::drive;
use crate::options::Options;
use crate::security;
use crate::socket::Stream;
use pseud_async::Hub;
use pseud_proto::address::Address;
use pseud_proto::backoff::{Backoff, Retry};
use pseud_proto::zmtp::{ConnectionConfig, Side};
use pseud_proto::{Incompatible, PeerError, Reason};
use std::future::{Future, poll_fn};
use std::io;
use std::iter::repeat;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::task::{AbortHandle, spawn};
use tokio::time::sleep;

/// Starts to dial, for as long as the hub lives; returns what ends it.
pub(crate) fn connect(
    hub: &Arc<Hub>,
    options: &Options,
    endpoint: &str,
) -> io::Result<AbortHandle> {
    let address = Address::to_connect(endpoint).map_err(invalid)?;
    security::judge_endpoint(options, &address, "connect to", endpoint)?;
    let mut config = options.connection.clone();
    // libzmq's bound side learns our route by it, before we have called anything.
    config.probe = true;
    let (hub, config, endpoint) = (hub.clone(), Arc::new(config), endpoint.to_owned());
    let dialer = Dialer { hub, config, address, endpoint };
    Ok(spawn(dialer.run(options.retry)).abort_handle())
}

/// What a server says of credentials that will not do. The same ones are not shown again soon.
const NEVER_AGAIN: Reason = Reason::PeerFault(PeerError::Incompatible(Incompatible::Refused(400)));

struct Dialer {
    hub: Arc<Hub>,
    config: Arc<ConnectionConfig>,
    address: Address,
    endpoint: String,
}

impl Dialer {
    async fn run(self, retry: Retry) {
        let (endpoint, mut backoff) = (&self.endpoint, Backoff::new(retry));
        for attempt in (0_u32..).chain(repeat(u32::MAX)) {
            let mut refused = false;
            match self.unless_shut_down(self.link(attempt)).await {
                None | Some(Ok((Reason::Shutdown, _))) => return,
                Some(Ok((NEVER_AGAIN, _))) => {
                    tracing::warn!(%endpoint, "refused: what we show there admits us not");
                    refused = true;
                }
                Some(Ok((reason, ready))) => {
                    tracing::info!(%endpoint, %reason, "link closed; connecting again");
                    if ready {
                        backoff.succeeded();
                    }
                }
                Some(Err(error)) => {
                    tracing::info!(%error, "trying again");
                    self.hub.tell_failed(endpoint, &error);
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

    async fn link(&self, attempt: u32) -> io::Result<(Reason, bool)> {
        self.hub.tell_connecting(&self.endpoint);
        let stream = Stream::connect(&self.address).await;
        let stream = stream.map_err(|error| named("connect to", &self.endpoint, &error))?;
        drive(&self.hub, self.config.clone(), Side::Connecting, attempt, stream).await
    }

    async fn unless_shut_down<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => self.hub.poll_shut_down(cx).map(|()| None),
        })
        .await
    }
}

fn random() -> u32 {
    Hub::seed().map_or(u32::MAX, |[a, b, c, d, ..]| u32::from_ne_bytes([a, b, c, d]))
}
