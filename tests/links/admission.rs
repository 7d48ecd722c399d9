//! Who waits at the admission: answers that come late or never, clients that leave meanwhile, and
//! authenticators that fail.

use crate::guarded::{
    DENIED, UNAVAILABLE, calls_go_both_ways, connect, plain, refusal, refused, register, serve,
};
use crate::{Runtime, SOON, Tokio, conversations, new_client, new_server, now, soon};
use pseud::proto::{Misbehaved, PeerError};
use pseud::{Authenticator, Options, Question, Secret, Verdict};
use pseud_testkit::raw::{self, AnyStream, RawPeer};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

conversations! { Tokio:
    an_answer_that_never_comes_ends_with_the_handshakes_time,
    an_answer_behind_the_deadline_is_for_nobody,
    clients_that_vanish_while_they_are_asked_about_leave_nothing,
    g_12_of_many_questions_at_once_the_first_wait_and_the_rest_hear_at_once,
    a_panic_while_it_is_awaited_hurts_nobody_else,
    who_was_refused_for_good_does_not_hammer,
}

/// A question about that name; whoever sends the verdict hears whether anybody still waits for it.
type Asked = (String, oneshot::Sender<Verdict>);

/// As libzmq spells it to clients of PLAIN.
const ERROR_500: &[u8] = b"^RROR\x03500";

/// An authenticator whose questions a test answers. It panics if a sender is dropped instead.
fn desk() -> (Authenticator, mpsc::UnboundedReceiver<Asked>) {
    let (asked, questions) = mpsc::unbounded_channel();
    let authenticator = Authenticator::new(move |question| {
        let (verdict, answered) = oneshot::channel();
        asked.send((name_in(question), verdict)).unwrap();
        async { answered.await.expect("on purpose") }
    });
    (authenticator, questions)
}

fn name_in(question: Question) -> String {
    match question {
        Question::Plain { username, .. } => String::from_utf8(username.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn guarded(authenticator: Authenticator, questions_parked_max: usize) -> Options {
    let mut options = Options::server("service").plain_server(authenticator);
    options.admission.questions_parked_max = questions_parked_max;
    options
}

/// A client of that name that tries again fast.
fn eager(name: &str) -> Options {
    let mut options = Options::client("service").plain_client(name, Secret::new("x"));
    options.retry.max = Duration::from_millis(100);
    options.config.call_timeout = SOON;
    options
}

type Stranger<R> = RawPeer<AnyStream<R>>;

/// A peer of bare bytes that has shown its name and a password.
async fn stranger<R: Runtime>(endpoint: &str, name: &str) -> Stranger<R> {
    let mut stranger = RawPeer::dial_on(endpoint).await;
    stranger.send(&raw::greeting_of("PLAIN")).await;
    let hello = [&[name.len() as u8][..], name.as_bytes(), b"\x01x"].concat();
    stranger.send(&raw::command("HELLO", &hello)).await;
    stranger
}

/// The body of the first command behind the greeting.
async fn first_command<R: Runtime>(stranger: &mut Stranger<R>) -> Vec<u8> {
    stranger.greeting().await;
    stranger.frame().await.body
}

/// Until somebody is admitted under that name; others wait for ever.
async fn admit(questions: &mut mpsc::UnboundedReceiver<Asked>, name: &str) -> Vec<Asked> {
    let mut waiting = Vec::new();
    loop {
        let (asked, verdict) = soon(questions.recv()).await.unwrap();
        if asked != name {
            waiting.push((asked, verdict));
        } else if verdict.send(Verdict::Admit(asked.into())).is_ok() {
            return waiting;
        }
    }
}

async fn an_answer_that_never_comes_ends_with_the_handshakes_time<R: Runtime>() {
    let mut options = guarded(Authenticator::new(|_| pending()), 1);
    options.connection.handshake_timeout = Duration::from_millis(200);
    let (server, endpoint) = serve::<R>(options).await;
    let mut events = server.events();
    let _client = connect::<R>(plain("open sesame"), &endpoint);
    assert_eq!(refused(&mut events).await, TIMED_OUT);
}

const TIMED_OUT: PeerError = PeerError::Misbehaved(Misbehaved::HandshakeTimeout);

async fn an_answer_behind_the_deadline_is_for_nobody<R: Runtime>() {
    let (authenticator, mut questions) = desk();
    let mut options = guarded(authenticator, 1);
    options.connection.handshake_timeout = Duration::from_millis(200);
    let (server, endpoint) = serve::<R>(options).await;
    let mut events = server.events();
    let _late = stranger::<R>(&endpoint, "late").await;
    let (_, mut verdict) = soon(questions.recv()).await.unwrap();
    assert_eq!(refused(&mut events).await, TIMED_OUT);
    soon(verdict.closed()).await;
    assert!(verdict.send(Verdict::Admit("late".into())).is_err());
    // Its place is free, and no one else is there.
    let client = connect::<R>(eager("second"), &endpoint);
    admit(&mut questions, "second").await;
    calls_go_both_ways(&client, "second").await;
    assert_eq!(server.stats().sessions, 1);
}

/// A stranger who is asked about. Where answers were given before, their tasks may not have run yet:
/// until then there is no room.
async fn room<R: Runtime>(
    endpoint: &str,
    questions: &mut mpsc::UnboundedReceiver<Asked>,
    events: &mut pseud::Events,
) -> (Stranger<R>, oneshot::Sender<Verdict>) {
    loop {
        let mut stream = stranger::<R>(endpoint, "gone").await;
        tokio::select! {
            biased;
            asked = questions.recv() => return (stream, asked.unwrap().1),
            command = first_command(&mut stream) => assert_eq!(command, ERROR_500),
        }
        refused(events).await;
    }
}

async fn clients_that_vanish_while_they_are_asked_about_leave_nothing<R: Runtime>() {
    const PLACES: usize = 4;
    let (authenticator, mut questions) = desk();
    let (server, endpoint) = serve::<R>(guarded(authenticator, PLACES)).await;
    let mut events = server.events();
    for _ in 0..3 {
        let mut gone = Vec::new();
        for _ in 0..PLACES {
            gone.push(soon(room::<R>(&endpoint, &mut questions, &mut events)).await);
        }
        let vanished = PeerError::Misbehaved(Misbehaved::HandshakeIncomplete);
        let mut verdicts = Vec::new();
        for (stream, verdict) in gone {
            // With our greeting unread, so without a farewell: the other side's next read fails.
            drop(stream);
            assert_eq!(refused(&mut events).await, vanished);
            verdicts.push(verdict);
        }
        // The questions are in work until they are answered, and their places taken.
        let mut late = stranger::<R>(&endpoint, "late").await;
        assert_eq!(first_command(&mut late).await, ERROR_500);
        refused(&mut events).await;
        for verdict in verdicts {
            verdict.send(Verdict::Admit("gone".into())).unwrap();
        }
    }
    assert_eq!(server.stats().sessions, 0);
    // All places are free: nobody is answered that there are too many.
    let names: Vec<String> = (0..PLACES).map(|n| format!("client {n}")).collect();
    let mut waiting = Vec::new();
    for name in &names {
        let client = connect::<R>(eager(name), &endpoint);
        let (asked, verdict) = soon(questions.recv()).await.unwrap();
        assert_eq!(&asked, name);
        waiting.push((client, verdict));
    }
    for ((client, verdict), name) in waiting.into_iter().zip(&names) {
        verdict.send(Verdict::Admit(name.clone().into())).unwrap();
        calls_go_both_ways(&client, name).await;
    }
}

async fn g_12_of_many_questions_at_once_the_first_wait_and_the_rest_hear_at_once<R: Runtime>() {
    let (authenticator, mut questions) = desk();
    let (server, endpoint) = serve::<R>(guarded(authenticator, 3)).await;
    let mut asked = Vec::new();
    for _ in 0..3 {
        let stream = stranger::<R>(&endpoint, "one of many").await;
        asked.push((stream, soon(questions.recv()).await.unwrap().1));
    }
    for _ in 3..8 {
        let mut stream = stranger::<R>(&endpoint, "one too many").await;
        assert_eq!(first_command(&mut stream).await, ERROR_500);
        assert_eq!(stream.closed().await, b"", "and that is all");
    }
    assert!(questions.try_recv().is_err(), "nobody was asked about them");
    for (mut stream, verdict) in asked {
        verdict.send(Verdict::Admit("one".into())).unwrap();
        assert_eq!(first_command(&mut stream).await, b"\x07WELCOME");
    }
    let client = connect::<R>(eager("later"), &endpoint);
    admit(&mut questions, "later").await;
    calls_go_both_ways(&client, "later").await;
    assert_eq!(server.stats().sessions, 1);
}

fn another_runtime() -> tokio::runtime::Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Ends it with all its tasks, from where blocking is allowed.
async fn kill(runtime: tokio::runtime::Runtime) {
    tokio::task::spawn_blocking(|| runtime.shutdown_timeout(SOON)).await.unwrap();
}

#[tokio::test]
async fn an_authenticator_whose_task_is_killed_has_failed_and_others_stay() {
    let elsewhere = another_runtime();
    let handle = elsewhere.handle().clone();
    let (began, mut begun) = mpsc::unbounded_channel();
    let authenticator = Authenticator::new(move |question| {
        let (name, began) = (name_in(question), began.clone());
        let is_known = name == "known";
        let task = handle.spawn(async move {
            if !is_known {
                began.send(()).unwrap();
                pending::<()>().await;
            }
            Verdict::Admit(name.into())
        });
        // Panics once that task is killed.
        async { task.await.unwrap() }
    });
    let (server, endpoint) = serve::<Tokio>(guarded(authenticator, 1)).await;
    let known = connect::<Tokio>(eager("known"), &endpoint);
    calls_go_both_ways(&known, "known").await;
    let mut asked = stranger::<Tokio>(&endpoint, "asked").await;
    soon(begun.recv()).await.unwrap();
    calls_go_both_ways(&known, "known").await;
    kill(elsewhere).await;
    let command = first_command(&mut asked).await;
    assert_eq!(command, ERROR_500);
    // And so has everyone after it, whose task is never run.
    assert_eq!(refusal::<Tokio>(plain("open sesame"), &endpoint).await, UNAVAILABLE);
    calls_go_both_ways(&known, "known").await;
    assert_eq!(server.stats().sessions, 1);
}

#[tokio::test]
async fn a_server_that_dies_while_it_asks_admits_nobody_and_its_successor_does() {
    let first = another_runtime();
    let (authenticator, mut questions) = desk();
    let (server, endpoint) = first.spawn(serve::<Tokio>(guarded(authenticator, 1))).await.unwrap();
    let client = new_client::<Tokio>(eager("charly"));
    client.register_sync("name", |_| Ok::<_, pseud::Fault>("desk")).unwrap();
    let mut events = client.events();
    client.connect(&endpoint).unwrap();
    let (_, mut verdict) = soon(questions.recv()).await.unwrap();
    kill(first).await;
    soon(verdict.closed()).await;
    refused(&mut events).await;
    assert_eq!(server.stats().sessions, 0);

    let all = Authenticator::new(|question| async { Verdict::Admit(name_in(question).into()) });
    let successor = new_server::<Tokio>(guarded(all, 1));
    register(&successor);
    successor.bind(&endpoint).await.unwrap();
    calls_go_both_ways(&client, "charly").await;
}

async fn a_panic_while_it_is_awaited_hurts_nobody_else<R: Runtime>() {
    let (authenticator, mut questions) = desk();
    let (server, endpoint) = serve::<R>(guarded(authenticator, 2)).await;
    let mut unlucky = stranger::<R>(&endpoint, "unlucky").await;
    let (_, unlucky_verdict) = soon(questions.recv()).await.unwrap();
    let waiting = connect::<R>(eager("waiting"), &endpoint);
    let (_, waiting_verdict) = soon(questions.recv()).await.unwrap();
    drop(unlucky_verdict);
    let command = first_command(&mut unlucky).await;
    assert_eq!(command, ERROR_500);
    waiting_verdict.send(Verdict::Admit("waiting".into())).unwrap();
    calls_go_both_ways(&waiting, "waiting").await;
    assert_eq!(server.stats().sessions, 1);
}

/// Of the times only lower bounds are looked at: a busy machine can but be later.
async fn who_was_refused_for_good_does_not_hammer<R: Runtime>() {
    const PATIENCE: Duration = Duration::from_secs(1);
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let never = Authenticator::new(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Verdict::Deny)
    });
    let (_server, endpoint) = serve::<R>(guarded(never, 1)).await;
    let mut options = plain("open sesame");
    // Any other failure would be tried again within a few milliseconds.
    options.retry.first = Duration::from_millis(1);
    options.retry.max = PATIENCE;
    let client = new_client::<R>(options);
    let mut events = client.events();
    let start = now();
    client.connect(&endpoint).unwrap();
    assert_eq!(refused(&mut events).await, DENIED);
    assert_eq!(refused(&mut events).await, DENIED);
    let took = now() - start;
    assert!(took >= PATIENCE, "{took:?}");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}
