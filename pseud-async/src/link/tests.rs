//! When a link writes: at once where nothing else is open, else once for all who speak together.

use super::{CarrierConfig, Host, Ingest, Origin, StreamLink};
use crate::call::pending::Pending;
use crate::call::route::Route;
use crate::engine::joining::Newcomer;
use crate::runtime::Writer;
use crate::runtime::tests::ByHand;
use pseud_proto::peer::PeerInfo;
use pseud_proto::value::Packed;
use pseud_proto::zmtp::{Connection, ConnectionConfig, Event, Outgoing, Side, Token};
use pseud_proto::{CallOptions, Config, WhenFull};
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

/// What the link has written, and how often.
#[derive(Default)]
struct Written(Mutex<(Vec<u8>, usize)>);

impl Writer for Written {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let (bytes, writes) = &mut *self.0.lock().unwrap();
        *writes += 1;
        slices.iter().for_each(|slice| bytes.extend_from_slice(slice));
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }

    fn poll_write_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A link and the other end of it.
struct Pair {
    link: Arc<StreamLink<Written>>,
    other: Connection,
    /// Of the link's task.
    wakes: Arc<Wakes>,
}

impl Pair {
    fn new() -> Self {
        Self::of(Config::default())
    }

    fn of(config: Config) -> Self {
        let host = Host::new(Arc::new(config), ByHand::default()).unwrap();
        let config = Arc::new(ConnectionConfig::default());
        let host = Arc::new(host);
        let origin = Origin::Accepted { late_guard: None };
        let link = StreamLink::new(
            &host,
            CarrierConfig::Zmtp(config.clone()),
            origin,
            Written::default(),
            "memory".into(),
        )
        .unwrap();
        let other = Connection::new(config, Side::Connecting, [7; 32], Instant::now());
        let wakes = Arc::new(Wakes::default());
        link.register(&Waker::from(wakes.clone()));
        let mut this = Self { link, other, wakes };
        for _ in 0..3 {
            this.poll();
            this.hear();
        }
        assert!(this.link.is_ready());
        this
    }

    /// What the link's task does with what it was told.
    fn poll(&mut self) {
        self.link.register(&Waker::from(self.wakes.clone()));
        if self.link.take_flush() {
            self.link.flush().unwrap();
        }
    }

    /// How often the link has written since, and the ids of the calls in that.
    fn said(&mut self) -> (usize, Vec<Vec<u8>>) {
        let (mut bytes, writes) = std::mem::take(&mut *self.link.writer().0.lock().unwrap());
        self.other.handle_input(&mut bytes, Instant::now()).unwrap();
        let events = std::iter::from_fn(|| self.other.poll_event());
        let ids = events.filter_map(|event| match event {
            Event::Message(parts) => parts.iter().nth(2).map(<[u8]>::to_vec),
            _ => None,
        });
        (writes, ids.collect())
    }

    /// The link reads what the other end has to say.
    fn hear(&mut self) {
        let fed = self.read();
        self.link.settle(fed).unwrap();
    }

    /// The same, before what comes of it is done.
    fn read(&mut self) -> Ingest {
        self.said();
        let mut bytes = Vec::new();
        loop {
            let mut slices = [IoSlice::new(&[]); 32];
            let (count, before) = (self.other.slices(&mut slices), bytes.len());
            slices[..count].iter().for_each(|slice| bytes.extend_from_slice(slice));
            let written = bytes.len() - before;
            self.other.advance(written);
            if written == 0 {
                break;
            }
        }
        self.link.handle_input(&mut bytes)
    }

    fn answer(&mut self, ids: &[Vec<u8>]) {
        for id in ids {
            let frames = [b"", b"v1".as_slice(), id, b"\x01"];
            let body = (&b"\x07"[..]).into();
            let message = Outgoing { frames: &frames, body, ..Outgoing::default() };
            self.other.send(message, Token(0));
        }
        self.hear();
    }

    /// Somebody calls, and waits.
    fn call(&self) -> Pending {
        let seat = self.link.seat.get().unwrap().clone();
        let info = seat.look(|session| session.info().clone());
        call(Route::to_session(seat, info), CallOptions::default())
    }

    fn wakes(&self) -> usize {
        self.wakes.0.swap(0, Ordering::Relaxed)
    }
}

fn call(route: Arc<Route>, options: CallOptions) -> Pending {
    let packed = Packed::call(&(), &()).unwrap();
    let mut pending = Pending::send(&route, "name".into(), packed, options, None).unwrap();
    assert!(is_pending(&mut pending));
    pending
}

fn is_pending(pending: &mut Pending) -> bool {
    Pin::new(pending).poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

#[test]
fn callers_who_were_woken_together_are_written_together() {
    let mut pair = Pair::new();
    pair.wakes();
    // The first writes at once, others have the link's task woken, once.
    let mut calls: Vec<_> = (0..3).map(|_| pair.call()).collect();
    assert_eq!(pair.wakes(), 1);
    let (writes, mut ids) = pair.said();
    assert_eq!((writes, ids.len()), (1, 1));
    pair.poll();
    let (writes, rest) = pair.said();
    assert_eq!((writes, rest.len()), (1, 2));
    ids.extend(rest);
    for _ in 0..4 {
        pair.answer(&ids);
        assert!(calls.iter_mut().all(|call| !is_pending(call)));
        calls = (0..3).map(|_| pair.call()).collect();
        assert_eq!((pair.wakes(), pair.said().0), (0, 0), "the link's task flushes anyway");
        pair.poll();
        let (writes, next) = pair.said();
        assert_eq!((writes, next.len()), (1, 3));
        ids = next;
    }
}

#[test]
fn one_call_at_a_time_is_written_by_its_caller() {
    let mut pair = Pair::new();
    pair.wakes();
    for _ in 0..4 {
        let mut call = pair.call();
        let (writes, ids) = pair.said();
        assert_eq!((pair.wakes(), writes, ids.len()), (0, 1, 1));
        pair.answer(&ids);
        assert!(!is_pending(&mut call));
        pair.poll();
        assert_eq!(pair.said().0, 0);
    }
}

/// A call waits for a place of the node's, which is given back while a request of its peer's is looked at that takes
/// more than a few bytes: whoever finds the place free is the link's task, as it charges for the request.
#[test]
fn a_call_that_is_sent_as_a_request_is_opened_is_written() {
    let mut config = Config::default();
    config.limits.calls_pending_max = 1;
    let mut pair = Pair::of(config);
    let hub = pair.link.host.hub().clone();
    let another = Newcomer::without_link(&hub, PeerInfo::new("another".into()));
    let info = another.look(|session| session.info().clone());
    let other = call(Route::to_session(another, info), CallOptions::default());
    let seat = pair.link.seat.get().unwrap().clone();
    let info = seat.look(|session| session.info().clone());
    let mut options = CallOptions::default();
    options.when_full = Some(WhenFull::Wait);
    let _waits = call(Route::to_session(seat.clone(), info), options);
    let body = [&b"\x93\xa1x\x91\xc5\x20\x00"[..], &[0; 0x2000], b"\x80"].concat();
    let frames = [b"", b"v1".as_slice(), b"1", b"\x03"];
    pair.other
        .send(Outgoing { frames: &frames, body: body.into(), ..Outgoing::default() }, Token(0));
    let fed = pair.read();
    pair.wakes();
    // It is that session's turn; before it hears so, its link's task goes on.
    let (mut other, mut fed) = (Some(other), Some(fed));
    hub.room.give_turns(
        |_| true,
        |peer| {
            assert_eq!(peer, seat.peer);
            drop(other.take());
            pair.link.settle(fed.take().unwrap()).unwrap();
            seat.act(|_, noted| noted.give_turn());
        },
    );
    pair.poll();
    let (_, ids) = pair.said();
    assert_eq!(ids.len(), 2, "the call, and the answer");
}

/// Answers of kaa.rpc wait in the link, a few having been looked at; then it goes.
#[cfg(feature = "kaa")]
#[test]
fn answers_that_wait_count_when_the_link_goes() {
    use pseud_proto::Reason;
    use pseud_proto::kaa;
    const CALLS: u32 = 100;
    let config = Arc::new(kaa::Config::new("s3cret"));
    let host = Host::new(Arc::new(Config::default()), ByHand::default()).unwrap();
    let origin = Origin::Accepted { late_guard: None };
    let carrier = CarrierConfig::Kaa { config: config.clone(), buffer_size: None };
    let link =
        StreamLink::new(&Arc::new(host), carrier, origin, Written::default(), "memory".into());
    let link = link.unwrap();
    link.register(Waker::noop());
    let now = Instant::now();
    let mut other = kaa::Connection::new(config, Side::Connecting, [7; 32], now);
    for _ in 0..4 {
        link.take_flush();
        link.flush().unwrap();
        let (mut bytes, _) = std::mem::take(&mut *link.writer().0.lock().unwrap());
        other.handle_input(&mut bytes, now).unwrap();
        let mut slices = [IoSlice::new(&[]); 8];
        let count = other.slices(&mut slices);
        let mut bytes: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
        other.advance(bytes.len());
        let fed = link.handle_input(&mut bytes);
        link.settle(fed).unwrap();
    }
    let seat = link.seat.get().unwrap().clone();
    let mut calls: Vec<_> = (0..CALLS)
        .map(|_| {
            let info = seat.look(|session| session.info().clone());
            let (route, packed) =
                (Route::to_session(seat.clone(), info), Packed::call(&(), &()).unwrap());
            Pending::send(&route, "name".into(), packed, CallOptions::default(), None).unwrap()
        })
        .collect();
    assert!(calls.iter_mut().all(is_pending));
    link.flush().unwrap();
    // RETN of 1, to each but the last.
    let answer = |seq: u32| [&seq.to_le_bytes()[..], b"RETN\x05\0\0\0\x80\x02K\x01."].concat();
    let mut bytes = (1..CALLS).flat_map(answer).collect::<Vec<_>>();
    let mut fed = Ingest::default();
    let taken = link.handle_some(&mut bytes, &mut fed);
    assert_eq!(taken, bytes.len());
    assert!(fed.waits && fed.result.is_ok());
    link.gone(Reason::PeerGone);
    let outcomes = calls.into_iter().map(|mut call| {
        match Pin::new(&mut call).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => format!("{outcome:?}"),
            Poll::Pending => panic!("the link is gone"),
        }
    });
    let outcomes: Vec<_> = outcomes.collect();
    let (last, others) = outcomes.split_last().unwrap();
    assert!(last.contains("PeerGone"), "{last}");
    assert!(others.iter().all(|other| !other.contains("PeerGone")), "{others:?}");
}
