//! Calls in the name of others, and calls that go in circles.

use pseud::proto::{CallRefused, Capabilities};
use pseud::{
    Authenticator, CallError, Client, Fault, Options, Reason, Request, Secret, Server, User,
};
use pseud_testkit::raw::PATIENCE;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::timeout;

const ANYWHERE: &str = "tcp://127.0.0.1:0";

/// Whose request it is, what that user may do, and who brought it.
fn whose(request: &Request) -> (String, bool, Option<String>) {
    let (user, caller) = (request.user(), request.caller());
    let forwarder = caller.forwarded_by().map(User::to_string);
    (user.to_string(), user.has_permission("root"), forwarder)
}

/// A server that knows mallory, and a gateway that may forward; both may do all that root may.
async fn backend(change: impl FnOnce(&mut Options)) -> (Server, String) {
    let users = [
        (User::new("mallory").with_permission("root"), Secret::new("m")),
        (
            User::new("gateway").with_permission("root").with_permission(User::FORWARD),
            Secret::new("g"),
        ),
    ];
    let mut options = Options::server("backend").plain_server(Authenticator::passwords(users));
    change(&mut options);
    let server = Server::with_options(options).unwrap();
    server.register_sync("whose", |request| Ok::<_, Fault>(whose(&request))).unwrap();
    server.predicate("root", |caller| caller.user().has_permission("root"));
    let guarded = server.domain("root");
    guarded.register_sync("erase", |request| Ok::<_, Fault>(whose(&request))).unwrap();
    let endpoint = server.bind(ANYWHERE).await.unwrap();
    (server, endpoint.into())
}

/// A server that passes calls on to the backend, as that user: in its callers' names or in its own.
async fn proxy(
    user: &'static str,
    password: &'static str,
    backend: &str,
) -> (Server, Client, String) {
    let options = Options::client("backend").plain_client(user, Secret::new(password));
    let behind = Client::with_options(options).unwrap();
    behind.connect(backend).unwrap();
    timeout(PATIENCE, behind.ready()).await.unwrap();
    let callers = Authenticator::passwords([("alice", Secret::new("a"))]);
    let server = Server::with_options(Options::server("proxy").plain_server(callers)).unwrap();
    for (name, named) in [("named", true), ("own", false)] {
        let behind = behind.clone();
        let pass_on = move |request: Request| {
            let behind = behind.clone();
            async move {
                let (what,): (String,) = request.args()?;
                let call = behind.call::<(String, bool, Option<String>), _>(&what, ());
                let call = if named { call.on_behalf_of(&request) } else { call.within(&request) };
                call.await.map_err(|error| match error {
                    CallError::NotExecuted(reason) => Fault::new("Refused", format!("{reason:?}")),
                    other => panic!("{other:?}"),
                })
            }
        };
        server.register(name, pass_on).unwrap();
    }
    let endpoint = server.bind(ANYWHERE).await.unwrap();
    (server, behind, endpoint.into())
}

type Told = Result<(String, bool, Option<String>), CallError>;

async fn alice_asks(endpoint: &str, name: &str, what: &str) -> Told {
    let client =
        Client::with_options(Options::client("proxy").plain_client("alice", Secret::new("a")))
            .unwrap();
    client.connect(endpoint).unwrap();
    timeout(PATIENCE, client.call(name, (what,))).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m_05_a_forwarder_is_believed_and_lends_none_of_its_rights() {
    let (_backend, endpoint) = backend(|_| {}).await;
    let (_proxy, _behind, endpoint) = proxy("gateway", "g", &endpoint).await;
    let named = alice_asks(&endpoint, "named", "whose").await.unwrap();
    assert_eq!(named, ("alice".to_owned(), false, Some("gateway".to_owned())));
    let own = alice_asks(&endpoint, "own", "whose").await.unwrap();
    assert_eq!(own, ("gateway".to_owned(), true, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m_05_predicates_judge_the_user_in_whose_name_it_is() {
    let (_backend, endpoint) = backend(|_| {}).await;
    let (_proxy, _behind, endpoint) = proxy("gateway", "g", &endpoint).await;
    match alice_asks(&endpoint, "named", "erase").await {
        Err(CallError::Fault(fault)) => {
            assert_eq!(fault, Fault::new("Refused", format!("{:?}", Reason::NoSuchService)));
        }
        other => panic!("{other:?}"),
    }
    let own = alice_asks(&endpoint, "own", "erase").await.unwrap();
    assert_eq!(own, ("gateway".to_owned(), true, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m_05_a_user_forged_by_an_untrusted_peer_is_refused() {
    let (backend, endpoint) = backend(|_| {}).await;
    let (_proxy, behind, endpoint) = proxy("mallory", "m", &endpoint).await;
    match alice_asks(&endpoint, "named", "whose").await {
        Err(CallError::Fault(fault)) => {
            assert_eq!(fault, Fault::new("Refused", format!("{:?}", Reason::Unauthorized)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(backend.stats().requests_refused, 1);
    let own: (String, bool, Option<String>) = behind.call("whose", ()).await.unwrap();
    assert_eq!(own, ("mallory".to_owned(), true, None), "and nobody else noticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m_05_a_peer_that_reads_no_names_is_asked_nothing_in_one() {
    let v1 = |options: &mut Options| options.config.capabilities = Capabilities::NONE;
    let (backend, endpoint) = backend(v1).await;
    let (_proxy, _behind, endpoint) = proxy("gateway", "g", &endpoint).await;
    match alice_asks(&endpoint, "named", "whose").await {
        Err(CallError::Fault(fault)) => {
            assert_eq!(fault, Fault::new("Refused", format!("{:?}", Reason::Unsupported)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(backend.stats().requests_served, 0);
}

/// Calls back whoever called, until that is refused; says how deep it came.
async fn down(request: Request, refused: Arc<AtomicUsize>) -> Result<u32, Fault> {
    // A name in parts is the same call, and as far.
    let caller = request.caller();
    let call = match caller.hops() % 2 {
        0 => caller.call::<u32, _>("go.down", ()),
        _ => caller.service("go").call("down", ()),
    };
    match call.await {
        Ok(depth) => Ok(depth + 1),
        Err(CallError::Refused(CallRefused::TooManyHops { max: 32 })) => {
            refused.fetch_add(1, Ordering::Relaxed);
            Ok(0)
        }
        Err(CallError::Fault(fault)) if fault.class == "Overloaded" => Ok(0),
        Err(error) => Err(Fault::new("Unexpected", error.to_string())),
    }
}

/// How deep two sides come that call each other back, and how often hops were too many.
async fn circle(change: impl Fn(&mut Options)) -> (u32, usize) {
    let refused = Arc::new(AtomicUsize::new(0));
    let (mut serving, mut calling) = (Options::server("service"), Options::client("service"));
    change(&mut serving);
    change(&mut calling);
    let (server, client) =
        (Server::with_options(serving).unwrap(), Client::with_options(calling).unwrap());
    for node in [server.node(), client.node()] {
        let refused = refused.clone();
        node.registry().register("go.down", move |request| down(request, refused.clone())).unwrap();
    }
    client.connect(server.bind(ANYWHERE).await.unwrap()).unwrap();
    let depth = timeout(PATIENCE, client.call::<u32, _>("go.down", ())).await.unwrap().unwrap();
    timeout(PATIENCE, async { tokio::join!(server.drained(), client.drained()) }).await.unwrap();
    for node in [server.node(), client.node()] {
        assert_eq!((node.stats().calls_pending, node.stats().requests_open), (0, 0));
    }
    (depth, refused.load(Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_12_a_circle_of_calls_ends_after_32_hops() {
    assert_eq!(circle(|_| {}).await, (32, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_12_a_circle_of_v1_peers_ends_at_their_limits() {
    let v1 = |options: &mut Options| {
        options.config.capabilities = Capabilities::NONE;
        options.config.limits.requests_open_per_peer_max = 50;
    };
    assert_eq!(circle(v1).await, (99, 0));
}
