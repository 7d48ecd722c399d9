//! A Python peer that is shown out: what was asked of it ends at once, and it does not come back.

use crate::live::{SERVICE, bounded, serve};
use crate::python::PythonPeer;
use pseud::{
    Authenticator, CallError, ConnectionEvent, Options, PresenceEvent, Reason, Secret, Server,
};
use serde_json::json;
use std::time::{Duration, Instant};

/// Within that time, whoever was revoked is gone.
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_revoked_python_client_is_out_at_once_and_its_calls_are_told_why() {
    bounded(async {
        let Some(python) = PythonPeer::start() else { return };
        let users = [("charly", Secret::new("sesame")), ("alice", Secret::new("sesame"))];
        let options = Options::server(SERVICE).plain_server(Authenticator::passwords(users));
        let server = Server::with_options(options.call_timeout(Duration::from_secs(60))).unwrap();
        serve(server.node());
        let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
        let mut presence = server.presence();
        for user in ["charly", "alice"] {
            let security = json!({"security_plugin": "plain", "user_id": user, "password": "sesame"});
            let client = json!({
                "name": user, "peer_id": SERVICE, "endpoint": endpoint.to_string(), "security": security,
            });
            python.ask("client", client).await;
            let joined = presence.next().await;
            assert!(matches!(joined, Some(PresenceEvent::Joined { .. })), "{joined:?}");
        }
        let charly = server.user("charly");
        let call = tokio::spawn(charly.call::<f64, _>("sleep", (60.0,)).into_future());
        python.ask("calls", json!({"name": "charly", "count": 1})).await;
        let mut events = server.events();
        let began = Instant::now();
        assert_eq!(server.revoke_user("charly"), 1);
        let ended = call.await.unwrap();
        assert!(matches!(ended, Err(CallError::Unknown(Reason::Revoked))), "{ended:?}");
        assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
        let left = presence.next().await;
        assert!(matches!(left, Some(PresenceEvent::Left { reason: Some(Reason::Revoked), .. })), "{left:?}");
        // libzmq comes again soon, and is refused.
        loop {
            match events.next().await.unwrap() {
                ConnectionEvent::HandshakeFailed { .. } => break,
                ConnectionEvent::Connected { .. } => panic!("it came in"),
                _ => {}
            }
        }
        assert!(!server.is_connected("charly"));
        let hello: String = server.user("alice").call("hello", ("again",)).await.unwrap();
        assert_eq!(hello, "Hello again");
    })
    .await;
}
