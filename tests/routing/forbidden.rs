//! Domains that are not for everybody, and what those are told who are left out.

use crate::{
    bound, client, connected, fault, not_found, open_server, options, said, says, server, user,
};
use pseud::proto::zmtp::MechanismName;
use pseud::{Options, Registry};

#[tokio::test]
async fn restricted_serves_users_with_that_permission() {
    let (server, endpoint) = server().await;
    says(&server.domain("restricted"), "erase", "erased");
    assert_eq!(said(&user("admin", &endpoint), "erase").await, "erased");
    not_found(&user("lambda", &endpoint), "erase").await;
    let (server, endpoint) = open_server().await;
    says(&server.domain("restricted"), "erase", "erased");
    not_found(&client(&endpoint), "erase").await;
}

#[tokio::test]
async fn a_predicate_of_ones_own_takes_the_place_of_a_ready_made_one() {
    let (server, endpoint) = server().await;
    says(&server.domain("restricted"), "erase", "erased");
    says(&server.registry(), "hello", "hello");
    server.predicate("restricted", |caller| caller.user().id() == "lambda");
    server.predicate("default", |caller| caller.user().id() == "admin");
    let (lambda, admin) = (user("lambda", &endpoint), user("admin", &endpoint));
    assert_eq!(said(&lambda, "erase").await, "erased");
    not_found(&admin, "erase").await;
    assert_eq!(said(&admin, "hello").await, "hello");
    not_found(&lambda, "hello").await;
}

#[tokio::test]
async fn a_nodes_own_predicate_comes_before_the_global_one() {
    let global = Registry::global();
    global.predicate("forbidden.both", |_| false);
    global.predicate("forbidden.global", |_| true);
    for domain in ["forbidden.both", "forbidden.global"] {
        says(&global.domain(domain), domain, "global");
    }
    let (server, endpoint) = open_server().await;
    let client = client(&endpoint);
    not_found(&client, "forbidden.both").await;
    assert_eq!(said(&client, "forbidden.global").await, "global");
    server.predicate("forbidden.both", |_| true);
    server.predicate("forbidden.global", |_| false);
    assert_eq!(said(&client, "forbidden.both").await, "global");
    not_found(&client, "forbidden.global").await;
}

#[tokio::test]
async fn a_domain_without_a_predicate_serves_nobody() {
    let (server, endpoint) = server().await;
    says(&server.domain("typo"), "erase", "erased");
    let admin = user("admin", &endpoint);
    not_found(&admin, "erase").await;
    says(&server.registry(), "erase", "only said so");
    assert_eq!(said(&admin, "erase").await, "only said so");
    server.predicate("typo", |_| true);
    assert_eq!(said(&admin, "erase").await, "erased");
}

#[tokio::test]
async fn predicates_know_the_mechanism_and_the_address() {
    let (secured, at_secured) = server().await;
    let (open, at_open) = bound(Options::server("service")).await;
    for server in [&secured, &open] {
        server.predicate("plain", |caller| caller.info().mechanism == MechanismName::Plain);
        server.predicate("loopback", |caller| caller.address().starts_with("127.0.0.1:"));
        server.predicate("named", |caller| caller.identity() == "desk");
        for domain in ["plain", "loopback", "named"] {
            says(&server.domain(domain), domain, "yes");
        }
    }
    let lambda = user("lambda", &at_secured);
    assert_eq!(said(&lambda, "plain").await, "yes");
    not_found(&lambda, "named").await;
    let desk = connected(options().identity("desk"), &at_open);
    assert_eq!(said(&desk, "named").await, "yes");
    assert_eq!(said(&desk, "loopback").await, "yes");
    not_found(&desk, "plain").await;
}

#[tokio::test]
async fn m_03_forbidden_and_missing_are_told_in_the_same_words() {
    let (server, endpoint) = server().await;
    server.predicate("panics", |_| panic!("on purpose"));
    server.predicate("denies", |_| false);
    server.predicate_async("denies late", |_| async {
        tokio::task::yield_now().await;
        false
    });
    let lambda = user("lambda", &endpoint);
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
#[tokio::test]
async fn m_03_arguments_are_not_judged_for_who_is_left_out() {
    let (server, endpoint) = server().await;
    let restricted = server.domain("restricted");
    restricted
        .register_typed("add", |(a, b): (i64, i64), _| async move { Ok::<_, pseud::Fault>(a + b) })
        .unwrap();
    not_found(&user("lambda", &endpoint), "add").await;
    assert_eq!(fault(&user("admin", &endpoint), "add").await.class, "TypeError");
}
