//! Domains that are not for everybody, and what those are told who are left out.

use crate::{
    Runtime, Tokio, bound, client, connected, conversations, fault, not_found, open_server,
    options, said, says, server, user, yield_now,
};
use pseud::proto::zmtp::MechanismName;
use pseud::{Options, Registry};

conversations! { Tokio:
    restricted_serves_users_with_that_permission,
    a_predicate_of_ones_own_takes_the_place_of_a_ready_made_one,
    a_nodes_own_predicate_comes_before_the_global_one,
    a_domain_without_a_predicate_serves_nobody,
    predicates_know_the_mechanism_and_the_address,
    m_03_forbidden_and_missing_are_told_in_the_same_words,
    m_03_arguments_are_not_judged_for_who_is_left_out,
}

async fn restricted_serves_users_with_that_permission<R: Runtime>() {
    let (server, endpoint) = server::<R>().await;
    says(&server.domain("restricted"), "erase", "erased");
    assert_eq!(said(&user::<R>("admin", &endpoint), "erase").await, "erased");
    not_found(&user::<R>("lambda", &endpoint), "erase").await;
    let (server, endpoint) = open_server::<R>().await;
    says(&server.domain("restricted"), "erase", "erased");
    not_found(&client::<R>(&endpoint), "erase").await;
}

async fn a_predicate_of_ones_own_takes_the_place_of_a_ready_made_one<R: Runtime>() {
    let (server, endpoint) = server::<R>().await;
    says(&server.domain("restricted"), "erase", "erased");
    says(&server.registry(), "hello", "hello");
    server.predicate("restricted", |caller| caller.user().id() == "lambda");
    server.predicate("default", |caller| caller.user().id() == "admin");
    let (lambda, admin) = (user::<R>("lambda", &endpoint), user::<R>("admin", &endpoint));
    assert_eq!(said(&lambda, "erase").await, "erased");
    not_found(&admin, "erase").await;
    assert_eq!(said(&admin, "hello").await, "hello");
    not_found(&lambda, "hello").await;
}

async fn a_nodes_own_predicate_comes_before_the_global_one<R: Runtime>() {
    let global = Registry::global();
    global.predicate("forbidden.both", |_| false);
    global.predicate("forbidden.global", |_| true);
    for domain in ["forbidden.both", "forbidden.global"] {
        says(&global.domain(domain), domain, "global");
    }
    let (server, endpoint) = open_server::<R>().await;
    let client = client::<R>(&endpoint);
    not_found(&client, "forbidden.both").await;
    assert_eq!(said(&client, "forbidden.global").await, "global");
    server.predicate("forbidden.both", |_| true);
    server.predicate("forbidden.global", |_| false);
    assert_eq!(said(&client, "forbidden.both").await, "global");
    not_found(&client, "forbidden.global").await;
}

async fn a_domain_without_a_predicate_serves_nobody<R: Runtime>() {
    let (server, endpoint) = server::<R>().await;
    says(&server.domain("typo"), "erase", "erased");
    let admin = user::<R>("admin", &endpoint);
    not_found(&admin, "erase").await;
    says(&server.registry(), "erase", "only said so");
    assert_eq!(said(&admin, "erase").await, "only said so");
    server.predicate("typo", |_| true);
    assert_eq!(said(&admin, "erase").await, "erased");
}

async fn predicates_know_the_mechanism_and_the_address<R: Runtime>() {
    let (secured, at_secured) = server::<R>().await;
    let (open, at_open) = bound::<R>(Options::server("service")).await;
    for server in [&secured, &open] {
        server.predicate("plain", |caller| caller.info().mechanism == MechanismName::Plain);
        server.predicate("loopback", |caller| caller.address().starts_with("127.0.0.1:"));
        server.predicate("named", |caller| caller.identity() == "desk");
        for domain in ["plain", "loopback", "named"] {
            says(&server.domain(domain), domain, "yes");
        }
    }
    let lambda = user::<R>("lambda", &at_secured);
    assert_eq!(said(&lambda, "plain").await, "yes");
    not_found(&lambda, "named").await;
    let desk = connected::<R>(options().identity("desk"), &at_open);
    assert_eq!(said(&desk, "named").await, "yes");
    assert_eq!(said(&desk, "loopback").await, "yes");
    not_found(&desk, "plain").await;
}

async fn m_03_forbidden_and_missing_are_told_in_the_same_words<R: Runtime>() {
    let (server, endpoint) = server::<R>().await;
    server.predicate("panics", |_| panic!("on purpose"));
    server.predicate("denies", |_| false);
    server.predicate_async("denies late", |_| async {
        yield_now().await;
        false
    });
    let lambda = user::<R>("lambda", &endpoint);
    not_found(&lambda, "secret").await;
    for domain in ["restricted", "panics", "denies", "denies late", "without a predicate"] {
        let registry = server.domain(domain);
        says(&registry, "secret", "told");
        not_found(&lambda, "secret").await;
        assert!(registry.unregister("secret"));
    }
    not_found(&lambda, "secret").await;
}

/// The same also where the arguments would not do: nobody has looked at them.
async fn m_03_arguments_are_not_judged_for_who_is_left_out<R: Runtime>() {
    let (server, endpoint) = server::<R>().await;
    let restricted = server.domain("restricted");
    restricted
        .register_typed("add", |(a, b): (i64, i64), _| async move { Ok::<_, pseud::Fault>(a + b) })
        .unwrap();
    not_found(&user::<R>("lambda", &endpoint), "add").await;
    assert_eq!(fault(&user::<R>("admin", &endpoint), "add").await.class, "TypeError");
}
