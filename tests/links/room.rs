//! Calls that wait for room: at one peer, in its queue, and in the node.

use crate::{
    Runtime, Server, Tokio, conversations, is_simulated, join_all, new_client, new_server, server,
    soon, spawn, until, yield_now,
};
use pseud::proto::CallRefused;
use pseud::{CallError, Executed, Fault, Limits, Node, Options, Reason, Request, WhenFull};
use pseud_testkit::conversation::{Client, ConversationTask};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

conversations! { Tokio:
    two_thousand_at_once_are_all_answered on 2 threads,
    two_thousand_at_once_before_there_is_a_link on 2 threads,
    twenty_of_a_mebibyte_at_once_are_all_answered on 2 threads,
    a_limit_of_so_many_at_one_peer_means_that,
    a_limit_of_so_many_in_all_means_that,
    a_limit_of_a_few_bytes_lets_one_after_the_other_pass,
    calls_to_one_peer_keep_their_order,
    peers_take_turns,
    who_has_waited_for_too_long_has_not_run,
    who_is_given_up_leaves_the_line,
    what_is_to_be_refused_is_refused_at_once,
    calls_that_wait_end_with_their_session,
    calls_that_wait_end_with_their_node,
    who_drains_waits_for_them,
    s_08_peers_that_never_answer_leave_room_for_others,
}

/// Enough to wait for many times over.
const PATIENCE: Duration = Duration::from_secs(60);

fn limited(limit: impl FnOnce(&mut Limits)) -> Options {
    let mut options = Options::client("service").call_timeout(PATIENCE);
    limit(&mut options.config.limits);
    options
}

fn of<R: Runtime>(options: Options, endpoint: &str) -> Client<R> {
    let client = new_client::<R>(options);
    client.connect(endpoint).unwrap();
    client
}

/// So many calls of `name` at once, each with its number: the answers, in their order.
async fn all_at_once(node: &Node, name: &'static str, count: u32) -> Vec<Result<u32, CallError>> {
    let call = |n| spawn(node.call::<u32, _>(name, (n,)));
    soon(join_all((0..count).map(call).collect::<Vec<_>>())).await
}

async fn all_are_answered<R: Runtime>(options: Options, count: u32, is_ready: bool) {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    server.register_typed("same", |(n,): (u32,), _| async move { Ok::<_, Fault>(n) }).unwrap();
    let client = of::<R>(options, &endpoint);
    if is_ready {
        soon(client.ready()).await;
    }
    let answers = all_at_once(client.node(), "same", count).await;
    assert!(answers.into_iter().map(Result::unwrap).eq(0..count));
    assert_eq!(server.stats().requests_shed, 0);
    all_is_over(client.node());
}

fn all_is_over(node: &Node) {
    let stats = node.stats();
    assert_eq!((stats.calls_pending, stats.calls_waiting, stats.queued_bytes), (0, 0, 0));
}

/// A simulated world has fewer, and narrower limits.
fn in_this_world() -> (Options, u32) {
    match is_simulated() {
        true => (limited(|limits| limits.calls_pending_per_peer_max = 100), 200),
        false => (limited(|_| {}), 2_000),
    }
}

async fn two_thousand_at_once_are_all_answered<R: Runtime>() {
    let (options, count) = in_this_world();
    all_are_answered::<R>(options, count, true).await;
}

async fn two_thousand_at_once_before_there_is_a_link<R: Runtime>() {
    let (options, count) = in_this_world();
    all_are_answered::<R>(options, count, false).await;
}

async fn twenty_of_a_mebibyte_at_once_are_all_answered<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let len = |(text,): (String,), _| async move { Ok::<_, Fault>(text.len()) };
    server.register_typed("len", len).unwrap();
    let (options, size) = match is_simulated() {
        true => (limited(|limits| limits.queue_bytes_soft_max = 64 << 10), 16 << 10),
        false => (limited(|_| {}), 1 << 20),
    };
    let client = of::<R>(options, &endpoint);
    soon(client.ready()).await;
    let call = |_| spawn(client.call::<usize, _>("len", ("x".repeat(size),)));
    let lengths = soon(join_all((0..20).map(call).collect::<Vec<_>>())).await;
    assert!(lengths.into_iter().all(|length| length.unwrap() == size));
    all_is_over(client.node());
}

/// What such a call gives.
type Answer = Result<u32, CallError>;

/// Handlers that say when they begin, and end when they are let.
#[derive(Clone, Default)]
struct Held {
    /// What was called, in the order in which it was.
    made: Arc<Mutex<Vec<u32>>>,
    begun: Arc<Mutex<Vec<u32>>>,
    open: Arc<AtomicUsize>,
    is_open: Arc<AtomicBool>,
}

impl Held {
    fn register<R: Runtime>(server: &Server<R>) -> Self {
        let this = Self::default();
        let held = this.clone();
        let hold = move |request: Request| {
            let held = held.clone();
            async move {
                let (n,): (u32,) = request.args()?;
                held.begun.lock().unwrap().push(n);
                held.open.fetch_add(1, Ordering::SeqCst);
                until(|| held.is_open.load(Ordering::SeqCst)).await;
                held.open.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, Fault>(n)
            }
        };
        server.register("hold", hold).unwrap();
        this
    }

    /// A call of it, in a task of its own.
    fn call<R: Runtime>(&self, client: &Client<R>, n: u32) -> ConversationTask<Answer> {
        self.call_within(client, n, PATIENCE)
    }

    fn call_within<R: Runtime>(
        &self,
        client: &Client<R>,
        n: u32,
        within: Duration,
    ) -> ConversationTask<Answer> {
        let (made, call) = (self.made.clone(), client.call("hold", (n,)).timeout(within));
        spawn(async move {
            made.lock().unwrap().push(n);
            call.await
        })
    }

    /// Those that were begun; they are so in the order in which they were called.
    fn in_order(&self) -> Vec<u32> {
        let (begun, made) = (self.begun(), self.made.lock().unwrap());
        let mut rest = made.iter();
        assert!(begun.iter().all(|n| rest.any(|made| made == n)), "{begun:?} of {made:?}");
        begun
    }

    fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    fn begun(&self) -> Vec<u32> {
        self.begun.lock().unwrap().clone()
    }

    fn release(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }
}

/// So many are held at a time, and the others wait.
async fn so_many_at_a_time<R: Runtime>(max: usize, options: Options) {
    const COUNT: usize = 20;
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let held = Held::register(&server);
    let client = of::<R>(options, &endpoint);
    soon(client.ready()).await;
    let call = |n| held.call(&client, n);
    let calls: Vec<_> = (0..COUNT as u32).map(call).collect();
    until(|| held.open() == max && client.stats().calls_waiting == COUNT - max).await;
    for _ in 0..100 {
        yield_now().await;
        assert_eq!((held.open(), client.stats().calls_pending), (max, max));
    }
    held.release();
    let answers = soon(join_all(calls)).await;
    assert!(answers.into_iter().map(Result::unwrap).eq(0..COUNT as u32));
    assert_eq!(held.in_order().len(), COUNT);
    all_is_over(client.node());
}

async fn a_limit_of_so_many_at_one_peer_means_that<R: Runtime>() {
    for max in 1..=8 {
        let options = limited(|limits| limits.calls_pending_per_peer_max = max);
        so_many_at_a_time::<R>(max, options).await;
    }
}

async fn a_limit_of_so_many_in_all_means_that<R: Runtime>() {
    for max in 1..=8 {
        so_many_at_a_time::<R>(max, limited(|limits| limits.calls_pending_max = max)).await;
    }
}

/// A queue that is empty takes one of any size.
async fn a_limit_of_a_few_bytes_lets_one_after_the_other_pass<R: Runtime>() {
    for max in 1..=8 {
        let options = limited(|limits| limits.queue_bytes_soft_max = max);
        all_are_answered::<R>(options, 50, true).await;
    }
}

async fn calls_to_one_peer_keep_their_order<R: Runtime>() {
    const COUNT: u32 = 60;
    for early in [0, COUNT / 2] {
        let server = new_server::<R>(Options::server("service"));
        let held = Held::register(&server);
        held.release();
        let options = limited(|limits| {
            limits.calls_pending_per_peer_max = 3;
            limits.queue_bytes_soft_max = 200;
        });
        let client = new_client::<R>(options);
        let call = |n| held.call(&client, n);
        // Some before there is anybody to call.
        let mut calls: Vec<_> = (0..early).map(call).collect();
        until(|| client.stats().calls_made == u64::from(early)).await;
        let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
        client.connect(&endpoint).unwrap();
        calls.extend((early..COUNT).map(call));
        soon(join_all(calls)).await.into_iter().for_each(|answer| assert!(answer.is_ok()));
        assert_eq!(held.in_order().len(), COUNT as usize);
    }
}

/// Of one peer there is always more to come. Others have their turns.
async fn peers_take_turns<R: Runtime>() {
    let options = || Options::server("service").call_timeout(PATIENCE);
    for max in [1, 2, 8] {
        let mut options = options();
        options.config.limits.calls_pending_max = max;
        let server = new_server::<R>(options);
        let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut clients = Vec::new();
        for name in ["greedy", "quiet"] {
            let client = new_client::<R>(Options::client("service").identity(name));
            let order = order.clone();
            let tell = move |_| {
                order.lock().unwrap().push(name);
                Ok::<_, Fault>(())
            };
            client.register_sync("tell", tell).unwrap();
            client.connect(&endpoint).unwrap();
            soon(client.ready()).await;
            clients.push(client);
        }
        let begin = |name, count| {
            let peer = server.peer(name);
            (0..count).map(|_| spawn(peer.call::<(), _>("tell", ()))).collect::<Vec<_>>()
        };
        let mut calls = begin("greedy", 200);
        until(|| server.stats().calls_made == 200).await;
        calls.extend(begin("quiet", 5));
        soon(join_all(calls)).await.into_iter().for_each(Result::unwrap);
        let order = order.lock().unwrap();
        let quiet = order.iter().rposition(|name| *name == "quiet").unwrap();
        assert!(quiet + 50 < order.len(), "{quiet} of {}: limit {max}", order.len());
    }
}

fn one_at_a_time(limits: &mut Limits) {
    limits.calls_pending_per_peer_max = 1;
}

async fn who_has_waited_for_too_long_has_not_run<R: Runtime>() {
    for is_of_the_node in [false, true] {
        let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
        let held = Held::register(&server);
        let options = limited(|limits| match is_of_the_node {
            true => limits.calls_pending_max = 1,
            false => one_at_a_time(limits),
        });
        let client = of::<R>(options, &endpoint);
        soon(client.ready()).await;
        let call = |n, within| held.call_within(&client, n, within);
        let first = call(0, PATIENCE);
        until(|| held.open() == 1).await;
        let short = [1, 2, 3].map(|n| call(n, Duration::from_millis(40)));
        until(|| client.stats().calls_waiting == 3).await;
        let last = call(4, PATIENCE);
        for answer in soon(join_all(short)).await {
            assert!(matches!(answer, Err(CallError::NotExecuted(Reason::TimedOut))), "{answer:?}");
        }
        held.release();
        let answers = soon(join_all([first, last])).await;
        assert!(answers.into_iter().map(Result::unwrap).eq([0, 4]));
        assert_eq!(held.begun(), [0, 4]);
        all_is_over(client.node());
    }
}

async fn who_is_given_up_leaves_the_line<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let held = Held::register(&server);
    let client = of::<R>(limited(one_at_a_time), &endpoint);
    soon(client.ready()).await;
    let call = |n| held.call(&client, n);
    let mut calls = vec![call(0)];
    until(|| held.open() == 1).await;
    calls.extend((1..10).map(call));
    until(|| client.stats().calls_waiting == 9).await;
    let (even, odd): (Vec<_>, Vec<_>) = (0..).zip(calls).partition(|(n, _)| n % 2 == 0);
    odd.iter().for_each(|(_, call)| call.abort());
    until(|| client.stats().calls_waiting == 4).await;
    held.release();
    let answers = soon(join_all(even.into_iter().map(|(_, call)| call))).await;
    assert!(answers.into_iter().map(Result::unwrap).eq([0, 2, 4, 6, 8]));
    let mut begun = held.in_order();
    begun.sort_unstable();
    assert_eq!(begun, [0, 2, 4, 6, 8]);
    all_is_over(client.node());
}

async fn what_is_to_be_refused_is_refused_at_once<R: Runtime>() {
    for refuses in [false, true] {
        let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
        let held = Held::register(&server);
        let options = limited(one_at_a_time);
        let options = if refuses { options.when_full(WhenFull::Refuse) } else { options };
        let client = of::<R>(options, &endpoint);
        soon(client.ready()).await;
        let first = spawn(client.call::<u32, _>("hold", (0,)));
        until(|| held.open() == 1).await;
        let second = spawn(client.call::<u32, _>("hold", (1,)).when_full(WhenFull::Wait));
        until(|| client.stats().calls_waiting == 1).await;
        let call = client.call::<u32, _>("hold", (2,));
        let call = if refuses { call } else { call.when_full(WhenFull::Refuse) };
        let refused = soon(call).await.unwrap_err();
        let is_full = matches!(refused, CallError::Refused(CallRefused::TooManyPending { max: 1 }));
        assert!(is_full && refused.is_transient() && refused.is_retry_safe(), "{refused:?}");
        held.release();
        assert_eq!(soon(first).await.unwrap().unwrap(), 0);
        assert_eq!(soon(second).await.unwrap().unwrap(), 1);
    }
}

/// Some calls that wait at a session; what became of them when it has ended.
async fn waiting_at_an_end<R: Runtime>(
    end: impl AsyncFnOnce(&Server<R>, &Client<R>),
) -> Vec<CallError> {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let held = Held::register(&server);
    let client = of::<R>(limited(one_at_a_time), &endpoint);
    soon(client.ready()).await;
    let call = |n| held.call(&client, n);
    let mut calls = vec![call(0)];
    until(|| held.open() == 1).await;
    calls.extend((1..5).map(call));
    until(|| client.stats().calls_waiting == 4).await;
    end(&server, &client).await;
    let ended = soon(join_all(calls)).await.into_iter().map(Result::unwrap_err).collect();
    assert_eq!(held.begun(), [0]);
    all_is_over(client.node());
    ended
}

async fn calls_that_wait_end_with_their_session<R: Runtime>() {
    let ended = waiting_at_an_end::<R>(async |server, _| server.shutdown()).await;
    assert!(matches!(ended[0], CallError::Unknown(_)), "{ended:?}");
    for error in &ended[1..] {
        assert!(matches!(error, CallError::NotExecuted(_)), "{ended:?}");
    }
}

async fn calls_that_wait_end_with_their_node<R: Runtime>() {
    let ended = waiting_at_an_end::<R>(async |_, client| client.shutdown()).await;
    for (n, error) in ended.iter().enumerate() {
        let executed = if n == 0 { Executed::Maybe } else { Executed::No };
        let is_so = matches!(error, CallError::Closed { executed: told } if *told == executed);
        assert!(is_so, "{ended:?}");
    }
}

async fn who_drains_waits_for_them<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let held = Held::register(&server);
    let client = of::<R>(limited(one_at_a_time), &endpoint);
    soon(client.ready()).await;
    let call = |n| held.call(&client, n);
    let calls: Vec<_> = (0..5).map(call).collect();
    until(|| client.stats().calls_waiting == 4 && held.open() == 1).await;
    let drained = client.drained();
    held.release();
    soon(drained).await;
    assert_eq!(held.in_order().len(), 5);
    let answers = soon(join_all(calls)).await;
    assert!(answers.into_iter().map(Result::unwrap).eq(0..5));
}

/// As many as the node allows are called and never answer; who does is called as before.
async fn s_08_peers_that_never_answer_leave_room_for_others<R: Runtime>() {
    const PEERS: usize = 8;
    const EACH: usize = 100;
    const MAX: usize = 512;
    let mut options = Options::server("service").call_timeout(PATIENCE);
    options.config.limits.calls_pending_max = MAX;
    let server = new_server::<R>(options);
    let endpoint: String = server.bind("tcp://127.0.0.1:0").await.unwrap().into();
    let mut silent = Vec::new();
    for n in 0..PEERS {
        let client = new_client::<R>(Options::client("service").identity(format!("silent {n}")));
        let forever = |_| async { std::future::pending::<Result<(), Fault>>().await };
        client.register("hello", forever).unwrap();
        client.connect(&endpoint).unwrap();
        soon(client.ready()).await;
        silent.push(client);
    }
    let mut calls = Vec::new();
    for n in 0..PEERS {
        let silent = server.peer(format!("silent {n}"));
        calls.extend((0..EACH).map(|_| spawn(silent.call::<(), _>("hello", ()))));
    }
    until(|| server.stats().calls_made == (PEERS * EACH) as u64).await;
    // The last quarter is for those with few, as each of them was at first.
    let pending = server.stats().calls_pending;
    assert!((MAX - MAX / 4..MAX).contains(&pending), "{pending}");
    let honest = new_client::<R>(Options::client("service").identity("honest"));
    honest.register_sync("hello", |_| Ok::<_, Fault>("hello")).unwrap();
    honest.connect(&endpoint).unwrap();
    soon(honest.ready()).await;
    for _ in 0..50 {
        let refuse = WhenFull::Refuse;
        let hello = server.peer("honest").call::<String, _>("hello", ()).when_full(refuse);
        assert_eq!(soon(hello).await.unwrap(), "hello");
    }
    calls.iter().for_each(|call| call.abort());
    until(|| server.stats().calls_pending + server.stats().calls_waiting == 0).await;
}
