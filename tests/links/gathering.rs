//! Calls that are made together leave together, whoever polls whom first.

use pseud::{Fault, Options, Server};
use pseud_async::adapter::{self, Runtime, SocketAddress, Writer};
use pseud_tokio::Tokio;
use pseud_tokio::adapter::{Listener, ReadHalf, Stream, Timer, WriteHalf};
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How often clients of [`Counting`] have written.
static WRITES: AtomicUsize = AtomicUsize::new(0);

/// tokio, whose connections count their writes.
#[derive(Debug, Clone)]
struct Counting(Tokio);

impl Runtime for Counting {
    type Stream = CountingStream;
    type Listener = CountingListener;
    type Timer = Timer;

    fn current() -> io::Result<Self> {
        Tokio::current().map(Self)
    }

    fn now(&self) -> Instant {
        Runtime::now(&self.0)
    }

    fn spawn(&self, future: impl Future<Output: Send> + Send + 'static) {
        Runtime::spawn(&self.0, future);
    }

    fn spawn_blocking(&self, run: impl FnOnce() + Send + 'static) {
        Runtime::spawn_blocking(&self.0, run);
    }

    fn timer(&self, at: Instant) -> Timer {
        self.0.timer(at)
    }

    fn yield_now(&self, cx: &mut Context<'_>) {
        self.0.yield_now(cx);
    }

    fn enter<T>(&self, run: impl FnOnce() -> T) -> T {
        self.0.enter(run)
    }

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.0.resolve(host, port).await
    }

    async fn connect(&self, to: &SocketAddress) -> io::Result<CountingStream> {
        self.0.connect(to).await.map(CountingStream)
    }

    async fn bind(&self, at: &SocketAddress, mode: Option<u32>) -> io::Result<CountingListener> {
        self.0.bind(at, mode).await.map(CountingListener)
    }
}

struct CountingListener(Listener);

impl adapter::Listener for CountingListener {
    type Stream = CountingStream;

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<CountingStream>> {
        self.0.poll_accept(cx).map_ok(CountingStream)
    }

    fn tcp_address(&self) -> io::Result<Option<SocketAddr>> {
        self.0.tcp_address()
    }
}

struct CountingStream(Stream);

impl adapter::Stream for CountingStream {
    type Reader = ReadHalf;
    type Writer = CountingWriter;

    fn peer_address(&self) -> io::Result<String> {
        self.0.peer_address()
    }

    fn is_connected_to_itself(&self) -> io::Result<bool> {
        self.0.is_connected_to_itself()
    }

    fn split(self) -> io::Result<(ReadHalf, CountingWriter)> {
        let (reader, writer) = self.0.split()?;
        Ok((reader, CountingWriter(writer)))
    }
}

struct CountingWriter(WriteHalf);

impl Writer for CountingWriter {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        WRITES.fetch_add(1, Ordering::Relaxed);
        self.0.try_write(slices)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_write_ready(cx)
    }
}

/// A worker of tokio's polls what was woken last before all that waits: a link's task that the first caller wakes.
#[test]
fn what_many_tasks_of_a_worker_call_is_written_together() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().unwrap();
    let conversation = async {
        let server = Server::with_options(Options::server("service")).unwrap();
        let (began, ends) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (begin, end) = (began.clone(), ends.clone());
        let wait = move |_| {
            begin.notify_one();
            let end = end.clone();
            async move {
                end.notified().await;
                Ok::<_, Fault>(())
            }
        };
        server.register("wait", wait).unwrap();
        server.register("one", |_| async { Ok::<_, Fault>(1) }).unwrap();
        let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
        let client = pseud_async::Client::<Counting>::with_options(Options::client("service"));
        let client = Arc::new(client.unwrap());
        client.connect(&endpoint).unwrap();
        client.ready().await;
        // Nobody who calls now is alone.
        let waiting = tokio::spawn(client.call::<(), _>("wait", ()));
        began.notified().await;
        let before = WRITES.load(Ordering::Relaxed);
        let calls: Vec<_> =
            (0..32).map(|_| tokio::spawn(client.call::<u8, _>("one", ()))).collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap(), 1);
        }
        let writes = WRITES.load(Ordering::Relaxed) - before;
        assert!((1..=4).contains(&writes), "{writes}");
        ends.notify_one();
        waiting.await.unwrap().unwrap();
    };
    let conversation = async { tokio::time::timeout(Duration::from_secs(60), conversation).await };
    runtime.block_on(async { tokio::spawn(conversation).await.unwrap().unwrap() });
}
