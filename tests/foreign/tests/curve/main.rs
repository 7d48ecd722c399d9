//! Calls over CURVE between this library and stacks that others wrote in Rust, in both roles, through
//! a relay that keeps what it carried: their numbers count by one (S-01).
//!
//! | module | what it is |
//! |---|---|
//! | `stack` | what a foreign socket must do, and a pseud peer on top of it |
//! | `rzmq`, `omq` | those sockets |

mod omq;
mod rzmq;
mod stack;

use pseud::proto::Malformed;
use pseud::{Authenticator, Client, ConnectionEvent, Fault, Options, Reason, Request, Server};
use pseud_testkit::path::{CarriedLink, Change, Relay, numbers};
use stack::{SERVICE, Stack, client_pair, server_pair};
use std::time::Duration;
use tokio::time::timeout;

/// Calls in each direction of a conversation.
pub(crate) const CALLS: u64 = 200;
/// Frames of a message of pseud's.
const FRAMES: usize = 5;
/// How often our side PINGs in silence.
const BEAT: Duration = Duration::from_millis(20);
/// How long a conversation may take.
const LONG: Duration = Duration::from_secs(60);

/// A foreign client calls our server, which calls it back.
async fn client_of<S: Stack>() {
    let known = Authenticator::keys([(*client_pair().public(), "somebody")]);
    let mut options = Options::server(SERVICE).curve_server([server_pair()], known);
    options.connection.heartbeat.interval = Some(BEAT);
    let server = Server::with_options(options).expect("a runtime is there");
    let back = |request: Request| async move {
        let (number,): (u64,) = request.args()?;
        let doubled: u64 = request.caller().call("double", (number,)).await?;
        Ok::<_, Fault>(doubled)
    };
    server.register("back", back).expect("a free name");
    let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
    let (relay, near) = relay_to(&endpoint).await;
    let client = S::client(&near).await;
    timeout(LONG, stack::calls(&client, CALLS)).await.expect("it does not stop");
    client.close().await;
    drop(server);
    assert_counted(&relay.carried().await);
}

/// Our client calls a foreign server, which calls it back.
async fn server_of<S: Stack>() {
    let (foreign, endpoint) = S::server().await;
    let (relay, near) = relay_to(&endpoint).await;
    let serving = tokio::spawn(async move {
        stack::serves(&foreign, CALLS).await;
        foreign
    });
    let mut options =
        Options::client(SERVICE).curve_client(client_pair(), [*server_pair().public()]);
    options.connection.heartbeat.interval = Some(BEAT);
    let client = Client::with_options(options).expect("a runtime is there");
    let double = |request: Request| {
        let (number,): (u64,) = request.args()?;
        Ok::<_, Fault>(2 * number)
    };
    client.register_sync("double", double).expect("a free name");
    client.connect(&near).expect("a well-formed endpoint");
    for number in stack::FIRST..stack::FIRST + CALLS {
        let call = client.call::<u64, _>("back", (number,));
        assert_eq!(timeout(LONG, call).await.expect("it does not stop").expect("it is served"), 7);
    }
    let foreign = timeout(LONG, serving).await.expect("it does not stop").expect("it is well");
    client.disconnect(&near).expect("it is connected there");
    assert_counted(&relay.carried().await);
    foreign.close().await;
}

async fn relay_to(endpoint: &str) -> (Relay, String) {
    let far = endpoint.strip_prefix("tcp://").and_then(|far| far.parse().ok());
    let relay = Relay::to(far.expect("an endpoint of TCP"), Change::Nothing).await;
    let near = format!("tcp://{}", relay.address);
    (relay, near)
}

/// Each number is the one behind the last, in both directions, from the first command of a side.
fn assert_counted(carried: &CarriedLink) {
    let (up, down) = (numbers(&carried.up), numbers(&carried.down));
    for (direction, numbers) in [("up", &up[..]), ("down", &down[1..])] {
        assert!(numbers.len() > 2 * CALLS as usize * FRAMES, "{direction}: {}", numbers.len());
        assert!(numbers.iter().copied().eq((1..).map(Some).take(numbers.len())), "{direction}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_rzmq_counts_by_one() {
    client_of::<rzmq::Peer>().await;
}

/// Where rzmq is asked for heartbeats the first one ends a link of CURVE: see `rzmq`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ping_of_rzmqs_in_clear_ends_its_link() {
    let known = Authenticator::keys([(*client_pair().public(), "somebody")]);
    let mut options = Options::server(SERVICE).curve_server([server_pair()], known);
    options.connection.heartbeat.interval = Some(BEAT);
    let server = Server::with_options(options).expect("a runtime is there");
    let mut events = server.events();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
    let client = rzmq::Peer::client_with(&endpoint, Some(BEAT)).await;
    let end = async {
        loop {
            if let Some(ConnectionEvent::Disconnected { reason, .. }) = events.next().await {
                return reason;
            }
        }
    };
    let end = timeout(LONG, end).await.expect("it ends");
    assert_eq!(end, Reason::PeerFault(Malformed::BadCommand.into()));
    client.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_rzmq_counts_by_one() {
    server_of::<rzmq::Peer>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_omq_counts_by_one() {
    client_of::<omq::Peer>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_omq_counts_by_one() {
    server_of::<omq::Peer>().await;
}
