//! Clients that log in, whose server is an attacker that wants their password, or their calls twice
//! (HOSTILE G-05, G-11, F-08, F-09).

use crate::rogue::{Rogue, outcome};
use crate::secured::PASSWORD;
use pseud::proto::pseud::Dropped;
use pseud::{CallError, Client, Options, Reason, Secret, SetupError};
use pseud_testkit::raw::{AUTHENTICATED, HELLO, OK, RawPeer, UNAUTHORIZED, WORK, envelope};

fn victim(options: &mut Options) {
    let login = std::mem::take(options).credentials("victim", Secret::new(PASSWORD));
    *options = login.allow_plaintext(true);
}

/// A victim that may show its password, and whose server is v1: it says nothing by itself.
async fn rogue() -> (Rogue, RawPeer) {
    Rogue::with(victim).await
}

async fn challenge(wire: &mut RawPeer, id: &[u8]) {
    wire.send(&envelope(id, UNAUTHORIZED, b"Authentication Required")).await;
}

#[tokio::test]
async fn g_05_no_password_is_shown_in_clear_unless_that_is_allowed() {
    let options = Options::client("rogue").credentials("victim", Secret::new(PASSWORD));
    let made = Client::with_options(options).map(drop);
    let Err(SetupError::Mechanism(why)) = made else { panic!("{made:?}") };
    assert!(why.contains("allow_plaintext"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g_05_f_09_a_password_is_shown_for_a_live_call_and_twice_at_most() {
    let (rogue, mut wire) = rogue().await;
    // For nothing that it asked, nothing is shown.
    for id in [&[1; 16][..], b""] {
        challenge(&mut wire, id).await;
    }
    let (calling, id) = rogue.call(&mut wire).await;
    for shown in 1..=2 {
        challenge(&mut wire, &id).await;
        let (of, kind, body) = wire.answer().await;
        assert_eq!((&of, kind), (&id, HELLO), "{shown}");
        assert!(body.ends_with(PASSWORD.as_bytes()));
    }
    challenge(&mut wire, &id).await;
    let error = outcome(calling).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(Reason::Unauthorized)), "{error:?}");
    // The link is of no use any more: nothing else is said over it.
    assert_eq!(wire.closed().await, b"", "no third HELLO");
    assert_eq!(rogue.end(&wire).await, Reason::Unauthorized);
    rogue.canary().await;
    rogue.over(&[(Dropped::UnknownReply, 2)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g_11_f_08_only_what_was_challenged_goes_again_and_once() {
    let (rogue, mut wire) = rogue().await;
    let (first, one) = rogue.call(&mut wire).await;
    let (second, other) = rogue.call(&mut wire).await;
    challenge(&mut wire, &one).await;
    assert_eq!(wire.answer().await.1, HELLO);
    // One that answers no HELLO means nothing; the one that does sends that call again, and no other.
    for id in [&other, &one, &one] {
        wire.send(&envelope(id, AUTHENTICATED, b"Welcome")).await;
    }
    let (id, kind, _) = wire.answer().await;
    assert_eq!((&id, kind), (&one, WORK));
    for (calling, id) in [(first, one), (second, other)] {
        wire.send(&envelope(&id, OK, &[7])).await;
        assert_eq!(outcome(calling).await.unwrap(), 7);
    }
    rogue.answered(&mut wire).await;
    rogue.over(&[(Dropped::Unsolicited, 2)]).await;
}

/// It was not run, and is not sent over the next link by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g_11_a_challenged_call_whose_link_is_lost() {
    let (rogue, mut wire) = rogue().await;
    let (calling, id) = rogue.call(&mut wire).await;
    challenge(&mut wire, &id).await;
    assert_eq!(wire.answer().await.1, HELLO);
    wire.reset();
    let error = outcome(calling).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(Reason::PeerGone)), "{error:?}");
    rogue.over(&[]).await;
}
