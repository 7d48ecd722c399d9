//! Requests that arrive together.

use super::*;
use crate::engine::joining::Newcomer;
use crate::runtime::tests::ByHand;
use pseud_proto::peer::PeerInfo;
use pseud_proto::session::Portion;
use pseud_proto::zmtp::Parts;
use pseud_proto::{Config, Fault, LateGuard};
use std::sync::Mutex;
use std::time::Duration;

/// The names that are called, in one read, of a node whose handlers write theirs down; `change` is what the
/// one called `a` does besides.
fn called(names: &[&str], change: fn(&Served)) -> Vec<&'static str> {
    let hub = Arc::new(Hub::new(Arc::new(Config::default()), ByHand::default()).unwrap());
    let (served, ran) = (Arc::new(Served::own()), Arc::new(Mutex::new(Vec::new())));
    for name in ["a", "b"] {
        let (changed, ran) = (Arc::downgrade(&served), ran.clone());
        let handler = move |_| {
            ran.lock().unwrap().push(name);
            changed.upgrade().filter(|_| name == "a").inspect(|served| change(served));
            Ok::<_, Fault>(())
        };
        served.registry().register_sync(name, handler).unwrap();
    }
    let dispatcher = Dispatcher { hub: hub.clone(), served, on_disconnect: OnDisconnect::Cancel };
    let seat = Newcomer::without_link(&hub, PeerInfo::new("".into()));
    let ((), mut effects) = seat.visit(|session, noted| {
        for (id, name) in names.iter().enumerate() {
            let body = [b"\x93\xa1", name.as_bytes(), b"\x90\x80"].concat();
            let work = [b"".as_slice(), b"v1", &[id as u8 + 1], b"\x03", &body];
            let message = Parts::from_frames(&work).unwrap();
            noted.take(session, message, &mut Portion::exact(&hub.budget), hub.now()).unwrap();
        }
    });
    assert_eq!(effects.requests(), names.len());
    let served = dispatcher.serve_all(effects.take_arrived(), &seat);
    served.answers.deliver(&seat, hub.now());
    assert_eq!(hub.budget.taken().requests, 0);
    ran.lock().unwrap().clone()
}

#[test]
fn what_a_handler_changes_holds_for_the_next_request_of_the_same_read() {
    assert_eq!(called(&["a", "b", "a", "b"], |_| {}), ["a", "b", "a", "b"]);
    assert_eq!(
        called(&["b", "a", "b"], |served| _ = served.registry().unregister("b")),
        ["b", "a"]
    );
    let nobody = |served: &Served| served.registry().predicate("default", |_| false);
    assert_eq!(called(&["b", "a", "b", "a"], nobody), ["b", "a"]);
    assert_eq!(called(&["b", "a", "b"], Served::end), ["b", "a"]);
}

/// Spends some time as it is dropped.
struct Slow(Duration);

impl Drop for Slow {
    fn drop(&mut self) {
        let began = Instant::now();
        while began.elapsed() < self.0 {
            std::thread::yield_now();
        }
    }
}

/// A handler has unregistered itself, and its drop takes longer than its caller waits: a late answer ends Python's
/// reader.
#[test]
fn an_answer_is_as_late_as_what_goes_before_it() {
    let (short, long) = (Duration::from_millis(20), Duration::from_secs(60));
    for (wait, held) in [(long, Duration::ZERO), (short, short)] {
        let hub = Arc::new(Hub::new(Arc::new(Config::default()), ByHand::default()).unwrap());
        let served = Arc::new(Served::own());
        let (own, slow) = (Arc::downgrade(&served), Slow(held));
        let handler = move |_| {
            let _slow = &slow;
            own.upgrade().inspect(|own| _ = own.registry().unregister("a"));
            Ok::<_, Fault>(())
        };
        served.registry().register_sync("a", handler).unwrap();
        let dispatcher =
            Dispatcher { hub: hub.clone(), served, on_disconnect: OnDisconnect::Cancel };
        let info = PeerInfo::new("".into()).with_late_guard(Some(LateGuard::After(wait)));
        let seat = Newcomer::without_link(&hub, info);
        let work = [b"".as_slice(), b"v1", b"1", b"\x03", b"\x93\xa1a\x90\x80"];
        let (handled, mut effects) = seat.handle_message(Parts::from_frames(&work).unwrap());
        handled.unwrap();
        let served = dispatcher.serve_all(effects.take_arrived(), &seat);
        let now = served.at.unwrap();
        let sent = seat.act(|session, noted| {
            served.answers.put(session, noted, now);
            session.poll_transmit(now, noted).is_some()
        });
        assert_eq!(sent, held.is_zero());
        assert_eq!(hub.budget.taken().requests, 0);
    }
}
