//! The order in which handlers of one name are tried: Python's.

use crate::{
    Client, Runtime, Server, Tokio, client, conversations, not_found, open_server, said, says,
    server, user,
};
use pseud::Registry;

conversations! { Tokio:
    a_global_restricted_handler_comes_before_a_local_default_one,
    a_local_handler_comes_before_a_newer_global_one,
    the_newest_comes_first_and_registering_again_moves_up,
    all_three_rules_in_conflict,
    who_is_refused_by_one_domain_is_served_by_the_next,
}

/// Both registries serve everybody in every domain, so that only the order decides.
async fn all_open<R: Runtime>(domains: &[&str]) -> (Server<R>, Client<R>) {
    let (server, endpoint) = open_server::<R>().await;
    domains.iter().for_each(|domain| server.predicate(domain, |_| true));
    let client = client::<R>(&endpoint);
    (server, client)
}

async fn a_global_restricted_handler_comes_before_a_local_default_one<R: Runtime>() {
    let (server, client) = all_open::<R>(&["order.a"]).await;
    says(&Registry::global().domain("order.a"), "order.first", "global, restricted");
    says(&server.registry(), "order.first", "local, default");
    assert_eq!(said(&client, "order.first").await, "global, restricted");
}

async fn a_local_handler_comes_before_a_newer_global_one<R: Runtime>() {
    let (server, client) = all_open::<R>(&["order.b"]).await;
    says(&server.registry(), "order.second", "local");
    says(&Registry::global(), "order.second", "global");
    assert_eq!(said(&client, "order.second").await, "local");
    says(&server.domain("order.b"), "order.second", "local, restricted");
    let global = Registry::global().domain("order.b");
    says(&global, "order.second", "global, restricted");
    assert_eq!(said(&client, "order.second").await, "local, restricted");
    assert!(global.unregister("order.second"));
}

async fn the_newest_comes_first_and_registering_again_moves_up<R: Runtime>() {
    let (server, client) = all_open::<R>(&["a", "b"]).await;
    let (a, b) = (server.domain("a"), server.domain("b"));
    says(&a, "third", "a");
    says(&b, "third", "b");
    assert_eq!(said(&client, "third").await, "b");
    says(&a, "third", "a again");
    assert_eq!(said(&client, "third").await, "a again");
    assert!(a.unregister("third"));
    assert_eq!(said(&client, "third").await, "b");
}

async fn all_three_rules_in_conflict<R: Runtime>() {
    const NAME: &str = "order.all";
    let (server, client) = all_open::<R>(&["order.x", "order.y"]).await;
    let (local, global) = (server.registry(), Registry::global());
    says(&global.domain("order.x"), NAME, "global x");
    says(&local.domain("order.x"), NAME, "local x");
    says(&local.domain("order.y"), NAME, "local y");
    says(&local, NAME, "local default");
    says(&global.domain("order.y"), NAME, "global y");
    says(&global.domain("order.x"), NAME, "global x again");
    says(&global, NAME, "global default");
    for (first, registry) in [
        ("local y", local.domain("order.y")),
        ("local x", local.domain("order.x")),
        ("global x again", global.domain("order.x")),
        ("global y", global.domain("order.y")),
        ("local default", local),
        ("global default", global),
    ] {
        assert_eq!(said(&client, NAME).await, first);
        assert!(registry.unregister(NAME));
    }
    not_found(&client, NAME).await;
}

async fn who_is_refused_by_one_domain_is_served_by_the_next<R: Runtime>() {
    let (server, endpoint) = server::<R>().await;
    server.predicate("admins", |caller| caller.user().id() == "admin");
    server.predicate("nobody", |_| false);
    says(&server.registry(), "power", "small");
    says(&server.domain("admins"), "power", "great");
    says(&server.domain("nobody"), "power", "none");
    assert_eq!(said(&user::<R>("lambda", &endpoint), "power").await, "small");
    assert_eq!(said(&user::<R>("admin", &endpoint), "power").await, "great");
}
