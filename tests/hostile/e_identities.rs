//! Who gets which name (HOSTILE E), where one logs in: beside a canary that has.

use crate::bench::Bench;
use crate::g_logins::{bench, hello, says};
use crate::secured::PASSWORD;
use pseud::{Fault, Reason};
use pseud_testkit::raw::{AUTHENTICATED, OK, PATIENCE, RawPeer, UNAUTHORIZED, fresh_id, work};
use tokio::time::timeout;

/// Of that identity, and logged in.
async fn logged_in(bench: &Bench, name: &str, login: &str, password: &str) -> RawPeer {
    let mut wire = bench.peer_named(name).await;
    assert_eq!(says(&mut wire, &hello(login, password)).await, AUTHENTICATED);
    wire
}

/// The session that is called by that name.
fn holder(bench: &Bench, name: &str) -> Option<String> {
    Some(bench.server.peer(name).info()?.address.to_string())
}

/// That this one is called by that name, as soon as it is welcome: AUTHENTICATED may be read before that.
async fn comes_to_hold(bench: &Bench, name: &str, wire: &RawPeer) {
    let held = async {
        while holder(bench, name) != at(wire) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, held).await.expect("it takes the name");
}

fn at(wire: &RawPeer) -> Option<String> {
    Some(wire.stream.local_addr().unwrap().to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e_01_e_02_a_name_moves_to_the_same_user_alone() {
    let bench = bench(|_| {}).await;
    let mut old = logged_in(&bench, "desk", "mallory", "own").await;
    comes_to_hold(&bench, "desk", &old).await;
    // Somebody who has not said who it is, or is somebody else, takes nothing.
    let mut new = bench.peer_named("desk").await;
    assert_eq!(holder(&bench, "desk"), at(&old));
    let other = logged_in(&bench, "desk", "canary", PASSWORD).await;
    assert_eq!(holder(&bench, "desk"), at(&old));
    old.spy().await;
    assert_eq!(says(&mut new, &hello("mallory", "own")).await, AUTHENTICATED);
    comes_to_hold(&bench, "desk", &new).await;
    old.closed().await;
    assert_eq!(bench.end(&old).await, Reason::Replaced);
    new.spy().await;
    bench.canary().await;
    drop((new, other));
    bench.over(2, &[]).await;
}

/// Predicates and handlers see who it has shown to be, whatever it says besides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e_06_who_logs_in_is_that_user_and_no_other() {
    let bench = bench(|_| {}).await;
    let whoami = |request: pseud::Request| Ok::<_, Fault>(request.user().to_string());
    bench.server.register_sync("whoami", whoami).unwrap();
    // Its identity is the canary's user, and so is what it claims with a wrong password.
    let mut wire = bench.peer_named("canary").await;
    assert_eq!(says(&mut wire, &hello("canary", "own")).await, UNAUTHORIZED);
    assert_eq!(says(&mut wire, &hello("mallory", "own")).await, AUTHENTICATED);
    let id = fresh_id();
    wire.send(&work(&id, "whoami")).await;
    assert_eq!(wire.answer().await, (id, OK, b"\xa7mallory".to_vec()));
    assert_eq!(bench.server.sessions("canary").len(), 1);
    bench.canary().await;
    drop(wire);
    bench.until(|stats| stats.sessions == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e_08_a_user_that_comes_again_and_again() {
    let bench = bench(|_| {}).await;
    let mut last = logged_in(&bench, "desk", "mallory", "own").await;
    for _ in 0..200 {
        let mut old =
            std::mem::replace(&mut last, logged_in(&bench, "desk", "mallory", "own").await);
        old.closed().await;
    }
    bench.canary().await;
    // Nothing is left of those before.
    bench.until(|stats| stats.sessions == 2).await;
    comes_to_hold(&bench, "desk", &last).await;
    assert_eq!(bench.server.sessions("mallory").len(), 1);
    last.spy().await;
    drop(last);
    bench.over(1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e_09_an_answer_never_reaches_the_next_owner_of_a_name() {
    let bench = bench(|_| {}).await;
    let mut old = logged_in(&bench, "desk", "mallory", "own").await;
    old.call("wait").await;
    bench.until_spied(1).await;
    let mut new = logged_in(&bench, "desk", "mallory", "own").await;
    old.closed().await;
    bench.release.notify_one();
    // In step: nothing came before the answer to its own call.
    new.spy().await;
    bench.canary().await;
    assert_eq!(new.finish().await, b"");
    // What its handler may have answered by then was for nobody.
    bench.until(|stats| stats.sessions == 1 && stats.requests_open == 0).await;
    assert_eq!((bench.spied(), bench.stats().requests_served), (2, 4));
    bench.canary().await;
}
