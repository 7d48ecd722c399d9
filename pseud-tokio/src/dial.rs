//! Connecting: one task dials, drives the link, and dials again.

use crate::accept::{invalid, named, unsupported};
use crate::driver::drive;
use pseud_async::Hub;
use pseud_proto::Reason;
use pseud_proto::address::Address;
use pseud_proto::backoff::{Backoff, Retry};
use pseud_proto::zmtp::{ConnectionConfig, Side};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Starts to dial, for as long as the hub lives.
pub(crate) fn connect(
    hub: &Arc<Hub>,
    config: &Arc<ConnectionConfig>,
    retry: Retry,
    endpoint: &str,
) -> io::Result<()> {
    let address = Address::to_connect(endpoint).map_err(invalid)?;
    let Address::Tcp { host, port } = address else { return Err(unsupported(endpoint)) };
    let mut config = ConnectionConfig::clone(config);
    // libzmq's bound side learns our route by it, before we have called anything.
    config.probe = true;
    let dialer = Dialer { hub: hub.clone(), config: Arc::new(config), host, port };
    tokio::spawn(dialer.run(Backoff::new(retry), endpoint.to_owned()));
    Ok(())
}

struct Dialer {
    hub: Arc<Hub>,
    config: Arc<ConnectionConfig>,
    host: String,
    port: u16,
}

impl Dialer {
    async fn run(self, mut backoff: Backoff, endpoint: String) {
        loop {
            match self.unless_shut_down(self.link(&endpoint)).await {
                None => return,
                Some(Ok((Reason::Shutdown, _))) => return,
                Some(Ok((reason, ready))) => {
                    tracing::info!(%endpoint, %reason, "link closed; connecting again");
                    if ready {
                        backoff.succeeded();
                    }
                }
                Some(Err(error)) => tracing::info!(%error, "trying again"),
            }
            let random =
                Hub::seed().map_or(u32::MAX, |[a, b, c, d, ..]| u32::from_ne_bytes([a, b, c, d]));
            if self.unless_shut_down(sleep(backoff.failed(random))).await.is_none() {
                return;
            }
        }
    }

    async fn link(&self, endpoint: &str) -> io::Result<(Reason, bool)> {
        let connected = TcpStream::connect((self.host.as_str(), self.port)).await;
        let stream = connected.map_err(|error| named("connect to", endpoint, &error))?;
        drive(&self.hub, self.config.clone(), Side::Connecting, stream).await
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
