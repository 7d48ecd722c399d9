//! Two agents that take one name from each other: both hear of it, and neither does so ever faster (E-08).

use crate::soon;
use pseud::tokio::files::new_key_pair;
use pseud::{
    Authenticator, CallError, Client, ConnectionEvent, Events, KeyPair, Options, Reason, Secret,
    Server, UserSessions,
};
use std::time::{Duration, Instant};

/// The first wait is drawn from this to twice it, and doubles each time.
const FIRST: Duration = Duration::from_millis(40);

/// When its links began, and when they ended since the other one came.
async fn losses(events: &mut Events, count: u32) -> Vec<(Instant, Instant)> {
    let (mut all, mut lost) = (Vec::new(), None);
    while all.len() < count as usize {
        match soon(events.next()).await.expect("its node lives") {
            ConnectionEvent::Disconnected { reason, .. } => {
                assert_eq!(reason, Reason::Replaced);
                lost = Some(Instant::now());
            }
            ConnectionEvent::Connected { .. } => {
                all.extend(lost.take().map(|lost| (lost, Instant::now())));
            }
            _ => {}
        }
    }
    all
}

async fn evict_each_other(server: Options, agent: impl Fn() -> Options) {
    let server = Server::with_options(server).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let start = || {
        let mut options = agent();
        options.retry.first = FIRST;
        let agent = Client::with_options(options).unwrap();
        let events = agent.events();
        agent.connect(&endpoint).unwrap();
        (agent, events)
    };
    let (one, mut of_one) = start();
    soon(one.ready()).await;
    let (other, mut of_other) = start();
    let (first, second) = tokio::join!(losses(&mut of_one, 4), losses(&mut of_other, 3));
    for lost in [first, second] {
        for (n, (lost, back)) in (0..).zip(lost) {
            let wait = FIRST * 2_u32.pow(n);
            // It hears of its loss a little after its wait has begun.
            assert!(back - lost >= wait / 2, "{n}: {:?}", back - lost);
        }
    }
    drop((one, other));
}

#[tokio::test]
async fn e_08_two_agents_with_one_name() {
    let agent = || Options::client("service").identity("desk");
    evict_each_other(Options::server("service"), agent).await;
}

#[tokio::test]
async fn e_08_two_agents_with_one_key() {
    let (ours, theirs): (KeyPair, KeyPair) = (new_key_pair().unwrap(), new_key_pair().unwrap());
    let known = || Authenticator::keys([(*theirs.public(), "desk")]);
    let server = || Options::server("service").curve_server([ours.clone()], known());
    let agent = || Options::client("service").curve_client(theirs.clone(), [*ours.public()]);
    evict_each_other(server(), || agent().identity("desk")).await;
    // Without a name the policy says whether one user may be there twice.
    evict_each_other(server().user_sessions(UserSessions::Newest), agent).await;
}

/// Of two with one user the first stays: the other is told so each time, and comes back ever later; its calls say
/// why, and it comes in once the first has left.
#[tokio::test]
async fn e_08_who_comes_second_is_told_that_its_user_is_there() {
    let known = Authenticator::passwords([("desk", Secret::new("right"))]);
    let options = Options::server("service").plain_server(known);
    let server = Server::with_options(options.user_sessions(UserSessions::Oldest)).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let start = || {
        let mut options = Options::client("service").plain_client("desk", Secret::new("right"));
        options.retry.first = FIRST;
        let agent = Client::with_options(options).unwrap();
        let events = agent.events();
        agent.connect(&endpoint).unwrap();
        (agent, events)
    };
    let (one, _events) = start();
    soon(one.ready()).await;
    let (other, mut events) = start();
    let (mut began, mut ended) = (0, Vec::new());
    while ended.len() < 4 {
        match soon(events.next()).await.expect("its node lives") {
            ConnectionEvent::Connected { .. } => began += 1,
            ConnectionEvent::Disconnected { reason, .. } => {
                assert_eq!(reason, Reason::Occupied);
                ended.push(Instant::now());
            }
            ConnectionEvent::HandshakeFailed { error, .. } => panic!("not told: {error}"),
            _ => {}
        }
    }
    assert_eq!(began, 4);
    for (n, pair) in (0..).zip(ended.windows(2)) {
        let wait = pair[1] - pair[0];
        assert!(wait >= FIRST * 2_u32.pow(n) / 2, "{n}: {wait:?}");
    }
    // It waits for the next link, or was on its way to one.
    let called = other.call::<(), _>("anything", ()).timeout(Duration::from_millis(1));
    let called = soon(called).await.unwrap_err();
    let (CallError::NotExecuted(why) | CallError::Unknown(why)) = called else {
        panic!("{called:?}")
    };
    assert_eq!(why, Reason::Occupied);
    assert!(server.is_connected("desk"));
    one.shutdown();
    soon(other.ready()).await;
}

#[tokio::test]
async fn who_comes_back_by_itself_is_not_told_that_it_was_replaced() {
    let server = Server::new("service").unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let desk = Client::with_options(Options::client("service").identity("desk")).unwrap();
    let mut events = desk.events();
    desk.connect(&endpoint).unwrap();
    soon(desk.ready()).await;
    server.shutdown();
    loop {
        if let ConnectionEvent::Disconnected { reason, .. } = soon(events.next()).await.unwrap() {
            assert_eq!(reason, Reason::PeerGone);
            return;
        }
    }
}
