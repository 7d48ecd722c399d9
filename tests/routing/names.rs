//! Names: which may be registered, which are served, and who handlers believe their callers to be.

use crate::{
    Runtime, Tokio, client, conversations, not_found, open_server, said, says, server, soon,
    try_says, user,
};
use pseud::proto::User;
use pseud::{Fault, NameRefused, Registry, Request, register};
use std::collections::BTreeMap;
use std::sync::Arc;

conversations! { Tokio:
    m_01_names_of_the_library_are_refused,
    m_01_dots_lead_nowhere,
    functions_are_served_under_their_own_names,
    methods_of_one_object_are_served_at_once,
    of_an_object_all_methods_are_served_or_none,
    m_07_who_calls_is_known_from_the_session_alone,
}

async fn m_01_names_of_the_library_are_refused<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    for registry in [server.registry(), server.domain("restricted"), Registry::global()] {
        for name in ["pseud", "pseud.caps", "pseud."] {
            let refused = NameRefused::Reserved(name.to_owned());
            assert_eq!(try_says(&registry, name, "ours"), Err(refused));
        }
        assert_eq!(try_says(&registry, "", "nobody's"), Err(NameRefused::Empty));
        let long = "x".repeat(256);
        assert_eq!(try_says(&registry, &long, "long"), Err(NameRefused::TooLong(256)));
    }
    not_found(&client::<R>(&endpoint), "pseud.caps").await;
}

async fn m_01_dots_lead_nowhere<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    says(&server.registry(), "this.is.a.name", "said");
    let client = client::<R>(&endpoint);
    assert_eq!(said(&client, "this.is.a.name").await, "said");
    for name in [
        ".",
        "this",
        "this.is.a",
        "this.is.a.name.",
        ".this.is.a.name",
        "this..is.a.name",
        "this.is.a.name.__class__",
        "__class__.__init__.__globals__",
        "_private",
        "This.is.a.name",
        "this.is.a.name:default",
        "this.is.a.name\0",
    ] {
        not_found(&client, name).await;
    }
}

async fn lower((text,): (String,), _: Request) -> Result<String, Fault> {
    Ok(text.to_lowercase())
}

mod string {
    use super::{Fault, Request};

    pub(super) async fn upper((text,): (String,), _: Request) -> Result<String, Fault> {
        Ok(text.to_uppercase())
    }
}

async fn pseud((): (), _: Request) -> Result<(), Fault> {
    Ok(())
}

async fn functions_are_served_under_their_own_names<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    register!(server, lower, string::upper).unwrap();
    register!(server.domain("restricted"), crate::names::lower,).unwrap();
    let client = client::<R>(&endpoint);
    for (name, cased) in [("lower", "abc"), ("upper", "ABC")] {
        let told: String = soon(client.call(name, ("aBc",))).await.unwrap();
        assert_eq!(told, cased);
    }
    assert!(server.domain("restricted").unregister("lower"));
    assert_eq!(register!(server, pseud), Err(NameRefused::Reserved("pseud".to_owned())));
}

struct Case {
    separator: &'static str,
}

async fn methods_of_one_object_are_served_at_once<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let collected = server
        .object("case", Arc::new(Case { separator: "-" }))
        .method("lower", |case, request| async move {
            let (left, right): (&str, &str) = request.args()?;
            Ok::<_, Fault>([left, case.separator, right].concat().to_lowercase())
        })
        .method_typed("upper", |case, (left, right): (String, String), _| async move {
            Ok::<_, Fault>([&left, case.separator, &right].concat().to_uppercase())
        })
        .method_sync("same", |case, request| {
            let (left, right): (&str, &str) = request.args()?;
            Ok::<_, Fault>([left, case.separator, right].concat())
        })
        .method_blocking("swapped", |case, request| {
            let (left, right): (&str, &str) = request.args()?;
            Ok::<_, Fault>([right, case.separator, left].concat())
        });
    let client = client::<R>(&endpoint);
    not_found(&client, "case.lower").await;
    collected.register().unwrap();
    for (name, joined) in [
        ("case.lower", "ab-cd"),
        ("case.upper", "AB-CD"),
        ("case.same", "aB-cD"),
        ("case.swapped", "cD-aB"),
    ] {
        let told: String = soon(client.call(name, ("aB", "cD"))).await.unwrap();
        assert_eq!(told, joined);
    }
    not_found(&client, "lower").await;
}

async fn of_an_object_all_methods_are_served_or_none<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let plain = |prefix| {
        let object = server.object(prefix, Arc::new(7));
        object.method_sync("seven", |seven, _| Ok::<_, Fault>(seven.to_string()))
    };
    let refused = plain("").method_sync("pseud", |_, _| Ok::<_, Fault>(())).register();
    assert_eq!(refused, Err(NameRefused::Reserved("pseud".to_owned())));
    plain("pseud").register().unwrap_err();
    let nameless = plain("case").method_sync("", |_, _| Ok::<_, Fault>(())).register();
    assert_eq!(nameless, Err(NameRefused::Empty));
    let client = client::<R>(&endpoint);
    not_found(&client, "seven").await;
    plain("").register().unwrap();
    assert_eq!(said(&client, "seven").await, "7");
}

async fn m_07_who_calls_is_known_from_the_session_alone<R: Runtime>() {
    let (server, endpoint) = server::<R>().await;
    server
        .register_sync("whoami", |request| {
            assert_eq!(request.user(), request.caller().user());
            Ok::<_, Fault>(request.user().to_string())
        })
        .unwrap();
    says(&server.domain("restricted"), "erase", "erased");
    let lambda = user::<R>("lambda", &endpoint);
    let claims = BTreeMap::from([("user", "admin"), ("user_id", "admin"), ("identity", "admin")]);
    let told: String = soon(lambda.call("whoami", ("admin",)).kwargs(&claims)).await.unwrap();
    assert_eq!(told, "lambda");
    let denied = soon(lambda.call::<String, _>("erase", ("admin",)).kwargs(&claims)).await;
    assert!(denied.is_err(), "{denied:?}");
    let told: String =
        soon(user::<R>("admin", &endpoint).call("whoami", ("lambda",))).await.unwrap();
    assert_eq!(told, User::new("admin").to_string());
}
