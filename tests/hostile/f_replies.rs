//! Answers that a client is sent (pseud's Protocol v1): each call has one outcome, whatever comes.

use crate::rogue::{Rogue, outcome};
use pseud::proto::pseud::Dropped;
use pseud::proto::{Capabilities, PeerError};
use pseud::{CallError, Fault, Reason};
use pseud_testkit::raw::RawPeer;
use pseud_testkit::raw::{AUTHENTICATED, ERROR, OK, UNAUTHORIZED, WORK, envelope, frame, text};
use std::time::Duration;

/// Says what no call waits for.
async fn say(wire: &mut RawPeer, id: &[u8], kind: u8, body: &[u8]) {
    wire.send(&envelope(id, kind, body)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_08_authenticated_unasked() {
    let (rogue, mut wire) = Rogue::new().await;
    let (calling, id) = rogue.call(&mut wire).await;
    for id in [&id[..], &[1; 16], b""] {
        say(&mut wire, id, AUTHENTICATED, b"Welcome").await;
    }
    rogue.canary().await;
    say(&mut wire, &id, OK, &[5]).await;
    assert_eq!(outcome(calling).await.unwrap(), 5);
    // It also checks that nothing was sent again.
    rogue.answered(&mut wire).await;
    rogue.over(&[(Dropped::Unsolicited, 3)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_09_unauthorized() {
    let (rogue, mut wire) = Rogue::new().await;
    let (calling, id) = rogue.call(&mut wire).await;
    say(&mut wire, &[1; 16], UNAUTHORIZED, b"who are you?").await;
    say(&mut wire, &id, UNAUTHORIZED, b"who are you?").await;
    say(&mut wire, &id, UNAUTHORIZED, b"who are you?").await;
    say(&mut wire, &id, OK, &[5]).await;
    let error = outcome(calling).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(Reason::Unauthorized)), "{error:?}");
    rogue.canary().await;
    // It also checks that no credentials were sent.
    rogue.answered(&mut wire).await;
    rogue.over(&[(Dropped::UnknownReply, 3)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_10_results_that_are_not_msgpack() {
    let (rogue, mut wire) = Rogue::new().await;
    let deep = vec![0x91; 2_000_000];
    let bodies: [&[u8]; 8] = [
        b"",
        b"\xc1",
        b"\x92\x01",
        b"\x07\x07",
        b"\xdd\xff\xff\xff\xff",
        b"\xdb",
        b"\xa5abc",
        &deep,
    ];
    for body in bodies {
        let error = rogue.answer_with(&mut wire, OK, body).await.unwrap_err();
        let head = &body[..body.len().min(8)];
        assert!(matches!(error, CallError::Executed(Reason::BadReply)), "{head:x?}: {error:?}");
        rogue.canary().await;
    }
    let error = rogue.answer_with(&mut wire, OK, &text("no number")).await.unwrap_err();
    assert!(matches!(error, CallError::Result(_)), "{error:?}");
    rogue.answered(&mut wire).await;
    rogue.over(&[]).await;
}

async fn fault(rogue: &Rogue, wire: &mut RawPeer, body: &[u8]) -> Fault {
    match rogue.answer_with(wire, ERROR, body).await {
        Err(CallError::Fault(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_11_errors_of_another_shape() {
    let (rogue, mut wire) = Rogue::new().await;
    let (a, b) = (text("a"), text("b"));
    let list = |items: &[&[u8]]| [&[0x90 | items.len() as u8], &items.concat()[..]].concat();
    let shapes = [
        vec![],
        vec![0xc1],
        text("ValueError"),
        vec![0x80],
        list(&[]),
        list(&[&a, &b]),
        list(&[&a, &b, &a, &[0x80], &a]),
        list(&[&[1], &b, &a]),
        list(&[&a, &[0xc0], &a]),
        list(&[&a, &b, &[0x90]]),
        vec![0xdd, 0xff, 0xff, 0xff, 0xff],
        [&[0x93], &a[..], b"\xdb\xff\xff\xff\xffb"].concat(),
    ];
    for shape in shapes {
        assert_eq!(fault(&rogue, &mut wire, &shape).await.class, "?", "{shape:x?}");
        rogue.canary().await;
    }
    rogue.answered(&mut wire).await;
    rogue.over(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_11_fourth_items() {
    let (rogue, mut wire) = Rogue::new().await;
    let large = [&b"\x82\xa7outcome\xacnot_executed\xa1x"[..], &text(&"x".repeat(2_000))].concat();
    let deep = [&b"\x82\xa7outcome\xacnot_executed\xa1x"[..], &[0x91; 900], b"\xc0"].concat();
    let odd: [&[u8]; 7] = [b"", b"\xc0", b"\xa1x", b"\x80", b"\x80\x80", &large, &deep];
    for item in odd {
        let body = [&b"\x94\xa1E\xa3why\xc0"[..], item].concat();
        let fault = fault(&rogue, &mut wire, &body).await;
        assert_eq!((&*fault.class, &*fault.message), ("E", "why"), "{item:x?}");
        rogue.canary().await;
    }
    let refused = b"\x94\xa1E\xa3why\xc0\x82\xa7outcome\xacnot_executed\xa4code\xa8draining";
    let error = rogue.answer_with(&mut wire, ERROR, refused).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(Reason::Draining)), "{error:?}");
    rogue.answered(&mut wire).await;
    rogue.over(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_11_a_fourth_item_that_was_not_asked_for() {
    let v1 = |options: &mut pseud::Options| options.config.capabilities = Capabilities::NONE;
    let (rogue, mut wire) = Rogue::with(v1).await;
    let refused = b"\x94\xa1E\xa3why\xc0\x82\xa7outcome\xacnot_executed\xa4code\xa8draining";
    assert_eq!(fault(&rogue, &mut wire, refused).await.class, "?");
    rogue.answered(&mut wire).await;
    rogue.over(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_11_f_12_errors_of_great_length() {
    let (rogue, mut wire) = Rogue::new().await;
    let long = text(&"e\u{301}".repeat(800_000));
    let body = [&[0x93], &long[..], &long, &long].concat();
    let fault = fault(&rogue, &mut wire, &body).await;
    rogue.canary().await;
    // A character that was cut in two is shown as one that is unknown.
    assert!((125..=130).contains(&fault.class.len()), "{}", fault.class.len());
    for text in [&fault.message, fault.traceback.as_ref().unwrap()] {
        assert!((8_189..=8_194).contains(&text.len()), "{}", text.len());
    }
    rogue.answered(&mut wire).await;
    rogue.over(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_12_classes_are_data() {
    let (rogue, mut wire) = Rogue::new().await;
    for class in [
        "exit",
        "eval",
        "StopIteration",
        "../../x",
        "__class__",
        "",
        "a\0b",
        "\x1b[2J\r\n",
        "\u{202e}x",
    ] {
        let body = [&[0x93], &text(class)[..], &text("why"), &[0xc0]].concat();
        let fault = fault(&rogue, &mut wire, &body).await;
        assert_eq!((&fault.class[..], &fault.message[..]), (class, "why"));
        let shown = fault.to_string();
        assert!(!shown.contains(char::is_control) && !shown.contains('\u{202e}'), "{shown:?}");
        rogue.canary().await;
    }
    rogue.answered(&mut wire).await;
    rogue.over(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_13_results_over_the_limit() {
    let small = |options: &mut pseud::Options| options.config.limits.body_bytes_max = 1_000;
    let (rogue, mut wire) = Rogue::with(small).await;
    let error = rogue.answer_with(&mut wire, OK, &[0; 1_001]).await.unwrap_err();
    assert!(matches!(error, CallError::Executed(Reason::TooLarge)), "{error:?}");
    rogue.canary().await;
    let error = rogue.answer_with(&mut wire, ERROR, &[0; 1_001]).await.unwrap_err();
    assert!(matches!(error, CallError::Unknown(Reason::TooLarge)), "{error:?}");
    rogue.canary().await;
    rogue.answered(&mut wire).await;
    rogue.over(&[]).await;
}

/// An answer that no frame may have: its call ends as soon as that is known, and the rest is passed over
/// without being kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_13_answers_over_the_limit_of_frames() {
    let small = |options: &mut pseud::Options| options.connection.limits.frame_bytes_max = 2_000;
    let (rogue, mut wire) = Rogue::with(small).await;
    for (kind, size) in [(OK, 2_001), (ERROR, 2_001), (OK, 20_000_000)] {
        let (calling, id) = rogue.call(&mut wire).await;
        let answer = envelope(&id, kind, &vec![0x90; size]);
        let (begun, rest) = answer.split_at(answer.len() - size);
        wire.send(begun).await;
        let error = outcome(calling).await.unwrap_err();
        match kind {
            OK => assert!(matches!(error, CallError::Executed(Reason::TooLarge)), "{error:?}"),
            _ => assert!(matches!(error, CallError::Unknown(Reason::TooLarge)), "{error:?}"),
        }
        rogue.canary().await;
        wire.send(rest).await;
        rogue.answered(&mut wire).await;
    }
    // One that nobody waits for, before and behind which others are heard.
    let (calling, id) = rogue.call(&mut wire).await;
    let late = envelope(&[1; 16], OK, &[0x90; 5_000]);
    wire.send(&[late, envelope(&id, OK, &[5])].concat()).await;
    assert_eq!(outcome(calling).await.unwrap(), 5);
    rogue.answered(&mut wire).await;
    rogue.over(&[(Dropped::UnknownReply, 1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_13_what_is_no_answer_ends_its_link_and_the_calls_hear_why() {
    let small = |options: &mut pseud::Options| options.connection.limits.frame_bytes_max = 2_000;
    let why = PeerError::TooLarge { what: "frame bytes", size: 2_001, max: 2_000 };
    let nobody_means_it = 1 << 33;
    let huge = PeerError::TooLarge { what: "frame bytes", size: nobody_means_it, max: 2_000 };
    let body = vec![0x90; 2_001];
    let giant = |id: &[u8]| {
        let mut answer = envelope(id, OK, &[0x90; 300]);
        answer.truncate(answer.len() - 300);
        let at = answer.len() - 8;
        answer[at..].copy_from_slice(&nobody_means_it.to_be_bytes());
        answer
    };
    type Message<'a> = (&'a dyn Fn(&[u8]) -> Vec<u8>, PeerError);
    let messages: [Message<'_>; 4] = [
        (&|_| envelope(&[7; 16], WORK, &body), why),
        (&|id| envelope(id, UNAUTHORIZED, &body), why),
        (&|_| frame(0, &body), why),
        (&giant, huge),
    ];
    for (message, why) in messages {
        let (rogue, mut wire) = Rogue::with(small).await;
        let (calling, id) = rogue.call(&mut wire).await;
        wire.try_send(&message(&id)).await;
        let error = outcome(calling).await.unwrap_err();
        let told = Reason::PeerFault(why);
        assert!(matches!(error, CallError::Unknown(reason) if reason == told), "{error:?}");
        rogue.canary().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_01_forged_ids() {
    let (rogue, mut wire) = Rogue::new().await;
    let (calling, id) = rogue.call(&mut wire).await;
    for bit in 0..128 {
        let mut forged = id.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        say(&mut wire, &forged, OK, &[5]).await;
    }
    for len in (0..16).chain([17, 64]) {
        let forged: Vec<u8> = id.iter().copied().cycle().take(len).collect();
        say(&mut wire, &forged, OK, &[5]).await;
    }
    rogue.canary().await;
    say(&mut wire, &id, OK, &[9]).await;
    assert_eq!(outcome(calling).await.unwrap(), 9);
    rogue.answered(&mut wire).await;
    rogue.over(&[(Dropped::UnknownReply, 128 + 18)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_02_the_right_id_from_the_wrong_peer() {
    let (rogue, mut wire) = Rogue::new().await;
    let mut other = rogue.lure("other").await;
    let (calling, id) = rogue.call(&mut wire).await;
    for kind in [OK, ERROR, UNAUTHORIZED] {
        say(&mut other, &id, kind, &[5]).await;
    }
    // The victim does not serve: its answer tells that it is done with what came before.
    other.send(&pseud_testkit::raw::work(b"1", "sync")).await;
    assert_eq!(other.answer().await.1, ERROR);
    rogue.canary().await;
    say(&mut wire, &id, OK, &[9]).await;
    assert_eq!(outcome(calling).await.unwrap(), 9);
    rogue.over(&[(Dropped::UnknownReply, 3)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_03_the_first_answer_counts() {
    let (rogue, mut wire) = Rogue::new().await;
    let error = [&[0x93], &text("E")[..], &text("why"), &[0xc0]].concat();
    for kinds in [[OK, OK], [OK, ERROR], [ERROR, OK], [ERROR, UNAUTHORIZED]] {
        let (calling, id) = rogue.call(&mut wire).await;
        let body = |kind| if kind == ERROR { &error[..] } else { &[5][..] };
        // At once, so that both are there before the caller is.
        let both = kinds.map(|kind| envelope(&id, kind, body(kind))).concat();
        wire.send(&both).await;
        match outcome(calling).await {
            Ok(5) => assert_eq!(kinds[0], OK),
            Err(CallError::Fault(_)) => assert_eq!(kinds[0], ERROR),
            other => panic!("{other:?}"),
        }
        rogue.canary().await;
    }
    rogue.answered(&mut wire).await;
    rogue.over(&[(Dropped::UnknownReply, 4)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_04_answers_that_come_late() {
    let limit = Duration::from_millis(100);
    let (rogue, mut wire) = Rogue::with(|options| options.config.call_timeout = limit).await;
    let (calling, id) = rogue.call(&mut wire).await;
    let error = outcome(calling).await.unwrap_err();
    assert!(matches!(error, CallError::Unknown(Reason::TimedOut)), "{error:?}");
    rogue.canary().await;
    say(&mut wire, &id, OK, &[5]).await;
    let (calling, id) = rogue.call(&mut wire).await;
    calling.abort();
    assert!(calling.await.unwrap_err().is_cancelled());
    say(&mut wire, &id, OK, &[5]).await;
    wire.send(&pseud_testkit::raw::work(b"1", "sync")).await;
    assert_eq!(wire.answer().await.1, ERROR);
    rogue.over(&[(Dropped::UnknownReply, 2)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_05_an_answer_on_a_new_link() {
    let (rogue, mut wire) = Rogue::new().await;
    let (calling, id) = rogue.call(&mut wire).await;
    assert_eq!(wire.finish().await, b"");
    let error = outcome(calling).await.unwrap_err();
    assert!(matches!(error, CallError::Unknown(Reason::PeerGone)), "{error:?}");
    rogue.canary().await;
    let mut wire = rogue.lure("rogue").await;
    say(&mut wire, &id, OK, &[5]).await;
    rogue.answered(&mut wire).await;
    rogue.over(&[(Dropped::UnknownReply, 1)]).await;
}
