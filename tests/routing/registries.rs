//! Registries: the process's, a node's own, and shared ones; and how long each lasts.

use crate::{
    ANYWHERE, Runtime, Tokio, bound, client, connected, conversations, not_found, open_server,
    options, said, says, soon,
};
use pseud::{Fault, Options, Registry};
use std::sync::{Arc, Weak};

conversations! { Tokio:
    the_global_registry_is_served_by_every_node_and_a_nodes_own_by_none_other,
    clients_serve_like_servers,
    a_free_standing_registry_is_shared_and_outlives_its_nodes,
    a_node_may_be_given_a_view_and_even_the_global_registry,
    a_nodes_own_handlers_go_with_it_whatever_they_hold,
    shared_handlers_go_when_nobody_holds_their_registry,
    an_ended_node_keeps_nothing,
}

async fn the_global_registry_is_served_by_every_node_and_a_nodes_own_by_none_other<R: Runtime>() {
    let (one, at_one) = open_server::<R>().await;
    let (_other, at_other) = open_server::<R>().await;
    says(&one.registry(), "registries.own", "own");
    // Later than the servers, and yet theirs.
    says(&Registry::global(), "registries.all", "all");
    let (one, other) = (client::<R>(&at_one), client::<R>(&at_other));
    assert_eq!(said(&one, "registries.all").await, "all");
    assert_eq!(said(&other, "registries.all").await, "all");
    assert_eq!(said(&one, "registries.own").await, "own");
    not_found(&other, "registries.own").await;
    assert!(Registry::global().unregister("registries.all"));
    not_found(&one, "registries.all").await;
}

async fn clients_serve_like_servers<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let desk = connected::<R>(options().identity("desk"), &endpoint);
    soon(desk.ready()).await;
    says(&desk.registry(), "registries.desk", "own");
    says(&Registry::global(), "registries.client", "global");
    says(&desk.domain("restricted"), "registries.client", "restricted");
    let peer = server.peer("desk");
    for (name, what) in [("registries.desk", "own"), ("registries.client", "global")] {
        let told: String = soon(peer.call(name, ())).await.unwrap();
        assert_eq!(told, what);
    }
}

async fn a_free_standing_registry_is_shared_and_outlives_its_nodes<R: Runtime>() {
    let worker = Registry::new();
    says(&worker, "before", "before");
    let (one, at_one) = bound::<R>(Options::server("service").registry(worker.clone())).await;
    let (_other, at_other) = bound::<R>(Options::server("service").registry(worker.clone())).await;
    let other = client::<R>(&at_other);
    says(&worker, "after", "after");
    says(&one.registry(), "through a node", "through a node");
    for name in ["before", "after", "through a node"] {
        assert_eq!(said(&client::<R>(&at_one), name).await, name);
        assert_eq!(said(&other, name).await, name);
    }
    one.shutdown();
    assert_eq!(said(&other, "through a node").await, "through a node");
    let (_third, at_third) = bound::<R>(Options::server("service").registry(worker)).await;
    assert_eq!(said(&client::<R>(&at_third), "before").await, "before");
}

/// A view registers where it is a view of, also when that is how a node got it.
async fn a_node_may_be_given_a_view_and_even_the_global_registry<R: Runtime>() {
    let worker = Registry::new();
    worker.predicate("staff", |_| true);
    let (server, endpoint) =
        bound::<R>(Options::server("service").registry(worker.domain("staff"))).await;
    says(&worker, "registries.view", "default");
    says(&server.registry(), "registries.view", "staff");
    assert_eq!(said(&client::<R>(&endpoint), "registries.view").await, "staff");
    let (server, endpoint) =
        bound::<R>(Options::server("service").registry(Registry::global())).await;
    says(&server.registry(), "registries.given", "global");
    assert_eq!(said(&client::<R>(&endpoint), "registries.given").await, "global");
    server.shutdown();
    assert!(Registry::global().unregister("registries.given"));
}

/// Registers a handler that holds `held`, and tells whether it is still there.
fn register_holder<T: Send + Sync + 'static>(registry: &Registry, held: T) -> Weak<()> {
    let alive = Arc::new(());
    let weak = Arc::downgrade(&alive);
    let holder = Arc::new((alive, held));
    registry
        .register_sync("holder", move |_| Ok::<_, Fault>(Arc::strong_count(&holder) as u64))
        .unwrap();
    weak
}

async fn a_nodes_own_handlers_go_with_it_whatever_they_hold<R: Runtime>() {
    let (server, _) = open_server::<R>().await;
    let view = server.domain("restricted");
    let handlers =
        [register_holder(&server.registry(), server.clone()), register_holder(&view, view.clone())];
    assert!(handlers.iter().all(|handler| handler.upgrade().is_some()));
    server.shutdown();
    assert!(handlers.iter().all(|handler| handler.upgrade().is_none()));
}

async fn shared_handlers_go_when_nobody_holds_their_registry<R: Runtime>() {
    let worker = Registry::new();
    let (one, _) = bound::<R>(Options::server("service").registry(worker.clone())).await;
    let (other, _) = bound::<R>(Options::server("service").registry(worker.clone())).await;
    let handler = register_holder(&worker, (one.clone(), other.clone()));
    one.shutdown();
    drop(worker);
    assert!(handler.upgrade().is_some(), "one of its nodes lives");
    other.shutdown();
    assert!(handler.upgrade().is_none());
}

async fn an_ended_node_keeps_nothing<R: Runtime>() {
    let (server, _) = open_server::<R>().await;
    server.shutdown();
    let handler = register_holder(&server.registry(), server.clone());
    assert!(handler.upgrade().is_none());
    assert!(!server.unregister("holder"));
    assert!(server.bind(ANYWHERE).await.is_err());
}
