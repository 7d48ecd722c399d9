//! A hub whose tasks run when a test polls them.

use crate::engine::hub::Hub;
use crate::engine::joining::Newcomer;
use crate::engine::seat::Seat;
use crate::runtime::tests::ByHand;
use crate::serve::dispatch::Dispatcher;
use crate::serve::on_disconnect::OnDisconnect;
use crate::serve::registry::service_table::Served;
use crate::serve::request::Request;
use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::Dropped;
use pseud_proto::zmtp::Parts;
use pseud_proto::{Config, Fault, Reason};
use std::future::{Future, pending};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

pub(crate) type Diary = Arc<Mutex<Vec<&'static str>>>;

pub(crate) const LARGE: usize = 100_000;

/// A hub that runs no more than three handlers, with two large requests, and what they write down.
pub(crate) struct Bench {
    pub(crate) hub: Arc<Hub>,
    pub(crate) dispatcher: Dispatcher,
    runtime: ByHand,
    woken: Arc<Woken>,
    pub(crate) diary: Diary,
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Held by a handler: writes down that it is dropped, and may panic.
pub(crate) struct Held(pub(crate) Diary, pub(crate) bool);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.lock().unwrap().push("dropped");
        assert!(!self.1, "on purpose");
    }
}

impl Bench {
    pub(crate) fn new(on_disconnect: OnDisconnect) -> Self {
        let runtime = ByHand::default();
        let mut config = Config::default();
        config.limits.requests_open_max = 3;
        config.limits.requests_open_bytes_max = 2 * LARGE + LARGE / 2;
        let hub = Arc::new(Hub::new(Arc::new(config), runtime.clone()).unwrap());
        let served = Arc::new(Served::own());
        let dispatcher = Dispatcher { hub: hub.clone(), served, on_disconnect };
        let (woken, diary) = (Arc::default(), Diary::default());
        let bench = Self { hub, dispatcher, runtime, woken, diary };
        bench.register("waits", |_, _| pending());
        bench.register("asks", |request, diary| async move {
            request.cancelled().await;
            diary.lock().unwrap().push("told");
            pending::<()>().await;
        });
        bench.register("ends", |request, _| async move { request.cancelled().await });
        bench.register("breaks", |_, diary| async move {
            let _held = Held(diary, true);
            pending::<()>().await;
        });
        bench
    }

    /// A handler of that name, which waits with what it holds.
    fn register<Fut>(&self, name: &str, run: fn(Request, Diary) -> Fut)
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        let diary = self.diary.clone();
        let handler = move |request| {
            let (held, running) = (Held(diary.clone(), false), run(request, diary.clone()));
            async move {
                let _held = held;
                running.await;
                Ok::<_, Fault>(())
            }
        };
        self.dispatcher.served.registry().register(name, handler).unwrap();
    }

    pub(crate) fn join(&self) -> Arc<Seat> {
        Newcomer::without_link(&self.hub, PeerInfo::new("".into()))
    }

    pub(crate) fn leave(&self, seat: &Seat) {
        seat.end(Reason::PeerGone);
    }

    /// That peer calls that name with so many bytes.
    pub(crate) fn call(&self, seat: &Arc<Seat>, name: &str, size: usize) {
        let head = [&[0x93, 0xa0 | name.len() as u8], name.as_bytes(), b"\x91\xc6"].concat();
        let body = [&head, &(size as u32).to_be_bytes()[..], &vec![0; size], b"\x80"].concat();
        let parts = Parts::from_frames(&[b"", b"v1".as_slice(), b"", b"\x03", &body]).unwrap();
        let (handled, mut effects) = seat.handle_message(parts);
        handled.unwrap();
        let arrived = effects.take_arrived();
        seat.perform(&mut effects, true);
        let served = self.dispatcher.serve_all(arrived, seat);
        served.answers.deliver(seat, seat.hub.now());
    }

    /// Requests that have a place, and their bytes.
    pub(crate) fn open(&self) -> (usize, usize) {
        let taken = self.hub.budget.taken();
        (taken.requests, taken.request_bytes)
    }

    /// Polls every task once, and lets go of those that are done; how many are left.
    pub(crate) fn turn(&self) -> usize {
        self.runtime.turn(&Waker::from(self.woken.clone()))
    }

    /// Lets what waits for a thread have it.
    pub(crate) fn run_jobs(&self) {
        self.runtime.run_jobs();
    }

    pub(crate) fn woken(&self) -> usize {
        self.woken.0.swap(0, Ordering::SeqCst)
    }

    pub(crate) fn diary(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.diary.lock().unwrap())
    }

    /// No handler runs, nobody waits for a signal, and that many were for nobody.
    pub(crate) fn over(&self, on_disconnect: u64) {
        assert_eq!(self.open(), (0, 0));
        let stats = self.hub.stats();
        assert_eq!(stats.dropped(Dropped::CallerGone), on_disconnect);
        assert_eq!(stats.requests_open, 0);
    }
}
