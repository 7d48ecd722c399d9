//! One registry, two wires: the same handlers, and predicates that see which wire, which address, which
//! user.

use super::endpoint;
use pseud::rpcudp::{Endpoint, Options};
use pseud::{CallError, Client, Fault, Reason, Registry, Request, Server, Wire};
use std::time::Duration;

async fn who(request: Request) -> Result<(String, String, bool), Fault> {
    let caller = request.caller();
    let wire = format!("{:?}", caller.wire());
    Ok((wire, caller.address().to_owned(), caller.user().is_anonymous()))
}

#[tokio::test]
async fn the_same_handlers_over_both() {
    let registry = Registry::new();
    registry.register("who", who).unwrap();
    registry.predicate("sessions", |caller| caller.wire() == Wire::Pseud);
    registry.domain("sessions").register_sync("only", |_| Ok::<_, Fault>("a session")).unwrap();
    registry.predicate("datagrams", |caller| {
        caller.wire() == Wire::Rpcudp
            && caller.rpcudp().is_some_and(|peer| peer.address().ip().is_loopback())
    });
    registry.domain("datagrams").register_sync("both", |_| Ok::<_, Fault>("a datagram")).unwrap();
    registry.register_sync("both", |_| Ok::<_, Fault>("anything else")).unwrap();
    registry.predicate_async("later", async |caller| {
        tokio::task::yield_now().await;
        caller.wire() == Wire::Rpcudp
    });
    registry.domain("later").register_sync("waits", |_| Ok::<_, Fault>("it waited")).unwrap();
    registry
        .register_blocking("blocks", |request| {
            Ok::<_, Fault>(format!("on a thread, {:?}", request.caller().wire()))
        })
        .unwrap();

    let server =
        Server::with_options(pseud::Options::server("service").registry(registry.clone())).unwrap();
    let address = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let client = Client::new("service").unwrap();
    client.connect(&address).unwrap();

    let options = Options::default().registry(registry.clone());
    let datagrams = Endpoint::bind_with("127.0.0.1:0".parse().unwrap(), options).unwrap();
    let (caller, to) = (endpoint(), datagrams.local_addr());

    let (wire, _, anonymous): (String, String, bool) = client.call("who", ()).await.unwrap();
    assert_eq!((wire.as_str(), anonymous), ("Pseud", true));
    let told: (String, String, bool) = caller.call(to, "who", ()).await.unwrap();
    assert_eq!(told, ("Rpcudp".to_owned(), caller.local_addr().to_string(), true));

    assert_eq!(client.call::<String, _>("only", ()).await.unwrap(), "a session");
    let only = caller.call::<String, _>(to, "only", ()).timeout(Duration::from_millis(100));
    assert!(matches!(only.await, Err(CallError::Unknown(Reason::TimedOut))));
    assert_eq!(client.call::<String, _>("both", ()).await.unwrap(), "anything else");
    assert_eq!(caller.call::<String, _>(to, "both", ()).await.unwrap(), "a datagram");
    assert!(client.call::<String, _>("waits", ()).await.unwrap_err().is_service_not_found());
    assert_eq!(caller.call::<String, _>(to, "waits", ()).await.unwrap(), "it waited");
    assert_eq!(client.call::<String, _>("blocks", ()).await.unwrap(), "on a thread, Pseud");
    assert_eq!(caller.call::<String, _>(to, "blocks", ()).await.unwrap(), "on a thread, Rpcudp");

    // The registry outlives either of them.
    drop(datagrams);
    assert_eq!(client.call::<String, _>("both", ()).await.unwrap(), "anything else");
}

/// A sender is nobody's session: to call it as one is refused, not lost.
#[tokio::test]
async fn a_sender_is_no_session() {
    let [server, client] = [endpoint(), endpoint()];
    server
        .register("back", |request: Request| async move {
            let error = request.caller().call::<(), _>("x", ()).await.unwrap_err();
            assert!(error.is_retry_safe());
            Ok::<_, Fault>(error.to_string().len())
        })
        .unwrap();
    assert!(client.call::<usize, _>(server.local_addr(), "back", ()).await.unwrap() > 0);
}
