//! Users and keys that are let in no more, and rights that change while their user is there.

use crate::Tokio;
use crate::guarded::{DENIED, calls_go_both_ways, connect, plain, refusal, register};
use crate::soon;
use pseud::{Authenticator, CallError, Client, Fault, Options, Reason, Secret, Server, User};
use std::time::{Duration, Instant};

/// Within that time, whoever was revoked is gone.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A server of those options, with a handler that never ends, and one for the staff alone.
async fn serve(options: Options) -> (Server, String) {
    let server = Server::with_options(options).unwrap();
    register(&server);
    server
        .register("forever", |_| async { std::future::pending::<Result<(), Fault>>().await })
        .unwrap();
    server.predicate("staff", |caller| caller.user().has_permission("staff"));
    server.domain("staff").register_sync("till", |_| Ok::<_, Fault>(7)).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    (server, endpoint.into())
}

async fn plain_server() -> (Server, String) {
    let users = Authenticator::passwords([("charly", Secret::new("one"))]);
    serve(Options::server("service").plain_server(users)).await
}

/// One call of that client is under way; how it ends.
async fn in_flight(server: &Server, client: &Client) -> impl Future<Output = CallError> + use<> {
    let call = tokio::spawn(client.call::<(), _>("forever", ()).into_future());
    soon(async {
        while server.stats().requests_open == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    async { soon(call).await.unwrap().unwrap_err() }
}

#[tokio::test]
async fn a_revoked_user_is_out_at_once_and_stays_out_though_its_password_is_right() {
    let (server, endpoint) = plain_server().await;
    let client = connect(plain("one"), &endpoint);
    calls_go_both_ways(&client, "charly").await;
    let flying = in_flight(&server, &client).await;
    let began = Instant::now();
    assert_eq!(server.revoke_user("charly"), 1);
    let flown = flying.await;
    assert!(matches!(flown, CallError::Unknown(Reason::Revoked)), "{flown:?}");
    let later = soon(client.call::<String, _>("whoami", ()).into_future()).await.unwrap_err();
    assert!(matches!(later, CallError::NotExecuted(Reason::Revoked)), "{later:?}");
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    assert_eq!(refusal::<Tokio>(plain("one"), &endpoint).await, DENIED);
    assert_eq!((server.revoke_user("charly"), server.revoke_user("")), (0, 0));
    assert!(server.reinstate_user("charly") && !server.reinstate_user("charly"));
    calls_go_both_ways(&connect::<Tokio>(plain("one"), &endpoint), "charly").await;
}

#[cfg(feature = "_curve")]
#[tokio::test]
async fn a_revoked_key_is_out_and_its_users_other_key_is_not() {
    use pseud::tokio::files::new_key_pair;
    let [ours, lost, kept] = [(); 3].map(|()| new_key_pair().unwrap());
    let keys = Authenticator::keys([(*lost.public(), "charly"), (*kept.public(), "charly")]);
    let options = Options::server("service").curve_server([ours.clone()], keys);
    let (server, endpoint) = serve(options).await;
    let with = |pair: &pseud::KeyPair| {
        Options::client("service").curve_client(pair.clone(), [*ours.public()])
    };
    let [of_lost, of_kept] = [&lost, &kept].map(|pair| connect(with(pair), &endpoint));
    calls_go_both_ways(&of_kept, "charly").await;
    calls_go_both_ways(&of_lost, "charly").await;
    let flying = in_flight(&server, &of_lost).await;
    assert_eq!(server.revoke_key(lost.public()), 1);
    let flown = flying.await;
    assert!(matches!(flown, CallError::Unknown(Reason::Revoked)), "{flown:?}");
    assert_eq!(refusal::<Tokio>(with(&lost), &endpoint).await, DENIED);
    calls_go_both_ways(&of_kept, "charly").await;
    assert!(server.reinstate_key(lost.public()) && !server.reinstate_key(lost.public()));
    calls_go_both_ways(&connect::<Tokio>(with(&lost), &endpoint), "charly").await;
}

#[tokio::test]
async fn what_a_user_may_do_changes_while_it_is_there() {
    let (server, endpoint) = plain_server().await;
    let client = connect::<Tokio>(plain("one"), &endpoint);
    calls_go_both_ways(&client, "charly").await;
    let till = || async { soon(client.call::<i32, _>("till", ()).into_future()).await };
    assert!(till().await.unwrap_err().is_service_not_found());
    let staff = User::new("charly").with_permission("staff");
    assert_eq!(server.update_user(&staff), 1);
    assert_eq!(till().await.unwrap(), 7);
    let [listed] = &server.peers().collect::<Vec<_>>()[..] else { panic!("one is there") };
    assert_eq!(listed.user(), &staff);
    assert_eq!(server.update_user(&"charly".into()), 1);
    assert!(till().await.unwrap_err().is_service_not_found());
    assert_eq!((server.update_user(&"alice".into()), server.update_user(&User::default())), (0, 0));
    // It is found, and shown out, by the same id.
    assert_eq!((server.sessions("charly").len(), server.disconnect_user("charly")), (1, 1));
}
