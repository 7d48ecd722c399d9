//! A relay between clients and their server that cuts links off: at any byte, in any of the ways in
//! which a TCP connection ends.

use crate::luck::Luck;
use std::iter::{repeat, repeat_with};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Where clients connect instead of to their server. Dropping it takes no more of them.
pub struct CuttingRelay {
    /// As `connect` wants it.
    pub endpoint: String,
    cuts: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Drop for CuttingRelay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// When a link is cut, and how either side is told.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// Bytes that pass from the client, and to it.
    up: usize,
    down: usize,
    after: Duration,
    near: Told,
    far: Told,
}

/// When a side hears of the end, and how. A client whose server has not heard yet comes back to a
/// server that still knows it.
#[derive(Debug, Clone, Copy)]
struct Told {
    late: Duration,
    ending: CutEnding,
}

#[derive(Debug, Clone, Copy)]
enum CutEnding {
    /// The stream ends; what still comes is taken, and lost.
    Fin,
    /// The connection is reset.
    Rst,
}

impl CuttingRelay {
    /// Opens one before that endpoint, of TCP. It cuts so many links at most; others live on.
    pub async fn open(endpoint: &str, cuts_max: usize, luck: Luck) -> Self {
        let far = endpoint.strip_prefix("tcp://").and_then(|far| far.parse().ok());
        let far: SocketAddr = far.expect("an endpoint of TCP");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a port");
        let near = listener.local_addr().expect("a bound address");
        let cuts = Arc::new(AtomicUsize::new(0));
        let drawn = Cut::drawn(luck).take(cuts_max).chain(repeat(Cut::NEVER));
        let accepting = tokio::spawn(accept(listener, far, drawn, cuts.clone()));
        Self { endpoint: format!("tcp://{near}"), cuts, accepting }
    }

    /// How many links it has cut.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }
}

async fn accept(
    listener: TcpListener,
    far: SocketAddr,
    mut drawn: impl Iterator<Item = Cut>,
    cuts: Arc<AtomicUsize>,
) {
    while let (Ok((near, _)), Some(cut)) = (listener.accept().await, drawn.next()) {
        let cuts = cuts.clone();
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(far).await else { return };
            if carry(near, far, cut).await {
                cuts.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}

impl Cut {
    /// No link lives longer than a test.
    const NEVER: Self = {
        let told = Told { late: Duration::ZERO, ending: CutEnding::Fin };
        let after = Duration::from_secs(3_600);
        Self { up: usize::MAX, down: usize::MAX, after, near: told, far: told }
    };

    fn drawn(mut luck: Luck) -> impl Iterator<Item = Self> {
        repeat_with(move || Self::draw(&mut luck))
    }

    /// After some bytes in one direction, or after some time; now and then within the handshake.
    fn draw(luck: &mut Luck) -> Self {
        let Self { mut up, mut down, mut after, .. } = Self::NEVER;
        let spans = [(1, 400), (400, 4_000), (4_000, 60_000), (60_000, 600_000)];
        let (from, to) = luck.one_of(&spans);
        match luck.between(0, 3) {
            0 => up = luck.between(from, to),
            1 => down = luck.between(from, to),
            _ => after = luck.millis(1, 100),
        }
        let [near, far] = [(); 2].map(|()| Told {
            late: luck.one_of(&[Duration::ZERO, Duration::from_millis(30)]),
            ending: luck.one_of(&[CutEnding::Fin, CutEnding::Rst]),
        });
        Self { up, down, after, near, far }
    }
}

/// Carries bytes both ways until the cut, or until a side ends. Says whether it was cut.
async fn carry(mut near: TcpStream, mut far: TcpStream, cut: Cut) -> bool {
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let was_cut = {
        let (near_reader, near_writer) = near.split();
        let (far_reader, far_writer) = far.split();
        tokio::select! {
            full = pump(near_reader, far_writer, cut.up) => full,
            full = pump(far_reader, near_writer, cut.down) => full,
            () = sleep(cut.after) => true,
        }
    };
    let Cut { near: near_told, far: far_told, .. } = if was_cut { cut } else { Cut::NEVER };
    tokio::join!(end(near, near_told), end(far, far_told));
    was_cut
}

/// Carries at most so many bytes. Says whether it has; it has not if a side ended before.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut left: usize,
) -> bool {
    let mut buffer = vec![0; 16 << 10];
    while left > 0 {
        let room = left.min(buffer.len());
        match from.read(&mut buffer[..room]).await {
            Ok(0) | Err(_) => return false,
            Ok(count) if to.write_all(&buffer[..count]).await.is_ok() => left -= count,
            Ok(_) => return false,
        }
    }
    true
}

async fn end(mut stream: TcpStream, told: Told) {
    sleep(told.late).await;
    match told.ending {
        CutEnding::Rst => drop(stream.set_zero_linger()),
        CutEnding::Fin => {
            let _ = stream.shutdown().await;
            let mut lost = vec![0; 16 << 10];
            let drained =
                async { while stream.read(&mut lost).await.is_ok_and(|count| count > 0) {} };
            let _ = timeout(Duration::from_secs(1), drained).await;
        }
    }
}
