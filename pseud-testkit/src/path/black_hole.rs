//! A relay that stops forwarding: both connections stay open, and nothing passes any more, as where a
//! firewall has forgotten a link.

use std::net::SocketAddr;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Where clients connect instead of to their server. Dropping it closes all that it carries.
pub struct BlackHole {
    /// As `connect` wants it.
    pub endpoint: String,
    swallows: watch::Sender<bool>,
    _carrying: JoinSet<()>,
}

impl BlackHole {
    /// Opens one before that endpoint, of TCP.
    pub async fn open(endpoint: &str) -> Self {
        let far = endpoint.strip_prefix("tcp://").and_then(|far| far.parse().ok());
        let far: SocketAddr = far.expect("an endpoint of TCP");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a port");
        let near = listener.local_addr().expect("a bound address");
        let (swallows, told) = watch::channel(false);
        let mut carrying = JoinSet::new();
        carrying.spawn(accept(listener, far, told));
        Self { endpoint: format!("tcp://{near}"), swallows, _carrying: carrying }
    }

    /// From now on nothing passes, either way; when that was.
    pub fn swallow(&self) -> Instant {
        self.swallows.send_replace(true);
        Instant::now()
    }
}

async fn accept(listener: TcpListener, far: SocketAddr, told: watch::Receiver<bool>) {
    let mut carrying = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let Ok(far) = TcpStream::connect(far).await else { continue };
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        carrying.spawn(carry(near_in, far_out, told.clone()));
        carrying.spawn(carry(far_in, near_out, told.clone()));
    }
}

/// One direction. It holds its halves as long as it is not dropped.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut told: watch::Receiver<bool>) {
    let mut buffer = [0; 16 << 10];
    loop {
        let count = tokio::select! {
            biased;
            () = swallowed(&mut told) => std::future::pending().await,
            read = from.read(&mut buffer) => read.unwrap_or(0),
        };
        if count == 0 || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

async fn swallowed(told: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone with the relay, and this with it.
    let _ = told.wait_for(|swallows| *swallows).await;
}
