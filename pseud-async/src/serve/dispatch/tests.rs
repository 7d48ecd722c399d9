//! Requests that arrive together.

use super::*;
use crate::engine::joining::Newcomer;
use crate::runtime::tests::ByHand;
use pseud_proto::peer::PeerInfo;
use pseud_proto::session::Portion;
use pseud_proto::zmtp::Parts;
use pseud_proto::{Config, Fault};
use std::sync::Mutex;

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
