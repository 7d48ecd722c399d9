//! Who decides may change while it serves, may be an object, and may say more than who a peer is.

use crate::guarded::{DENIED, calls_go_both_ways, connect, plain, refusal, serve};
use crate::{Runtime, Tokio, conversations, soon, yield_now};
use pseud::proto::User;
use pseud::{
    Authenticate, Authenticator, CallError, ConnectionEvent, Fault, Judging, Options, Question,
    Reason, Secret, Source, UserStore, Verdict,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

conversations! { Tokio:
    passwords_and_users_change_while_they_are_served,
    #[cfg(feature = "_curve")] keys_change_while_they_are_served,
    a_plug_in_fails_closed,
    what_an_object_says_of_a_user_reaches_handlers_predicates_and_watchers,
}

async fn passwords_and_users_change_while_they_are_served<R: Runtime>() {
    let store = UserStore::new();
    let options = Options::server("service").plain_server(Authenticator::users(&store));
    let (server, endpoint) = serve::<R>(options).await;
    assert_eq!(refusal::<R>(plain("one"), &endpoint).await, DENIED);
    store.set_password("charly", Secret::new("one"));
    let client = connect::<R>(plain("one"), &endpoint);
    calls_go_both_ways(&client, "charly").await;
    store.set_password("charly", Secret::new("two"));
    assert_eq!(refusal::<R>(plain("one"), &endpoint).await, DENIED);
    calls_go_both_ways(&client, "charly").await;
    // G-14: who is taken out is shown out, and does not come back.
    let mut events = client.events();
    assert!(store.remove("charly"));
    assert_eq!(server.disconnect_user("charly"), 1);
    while !matches!(soon(events.next()).await.unwrap(), ConnectionEvent::Disconnected { .. }) {}
    let back = soon(client.call::<String, _>("whoami", ())).await;
    // It heard why, or the link was lost before that and the next one is denied.
    let told = |reason| matches!(reason, Reason::Revoked | Reason::Denied);
    assert!(matches!(back, Err(CallError::NotExecuted(why)) if told(why)), "{back:?}");
    assert_eq!(refusal::<R>(plain("two"), &endpoint).await, DENIED);
}

async fn keys_change_while_they_are_served<R: Runtime>() {
    let [ours, first, second] = [(); 3].map(|()| crate::security::keys::<R>());
    let store = UserStore::new();
    store.add_key(*first.public(), "charly");
    let options =
        Options::server("service").curve_server([ours.clone()], Authenticator::users(&store));
    let (_server, endpoint) = serve::<R>(options).await;
    let with = |pair: &pseud::KeyPair| {
        Options::client("service").curve_client(pair.clone(), [*ours.public()])
    };
    calls_go_both_ways(&connect::<R>(with(&first), &endpoint), "charly").await;
    assert_eq!(refusal::<R>(with(&second), &endpoint).await, DENIED);
    store.add_key(*second.public(), "charly");
    calls_go_both_ways(&connect::<R>(with(&second), &endpoint), "charly").await;
    assert_eq!(store.remove_key(first.public()), Some("charly".into()));
    assert_eq!(refusal::<R>(with(&first), &endpoint).await, DENIED);
}

/// A plug-in that names that mechanism, and says so of who is known.
struct Careless {
    asks: bool,
    admits_unasked: bool,
}

impl pseud::AuthBackend for Careless {
    fn configure(&self, options: Options) -> Options {
        match self.asks {
            true => options.plain_server(Authenticator::passwords([("x", Secret::new("x"))])),
            false => options,
        }
    }

    fn authenticate(&self, _: Question, _: Source) -> Judging<'_> {
        Box::pin(std::future::ready(Verdict::Admit("charly".into())))
    }

    fn is_authenticated(&self, _: &User) -> bool {
        false
    }

    fn admits_unasked(&self) -> bool {
        self.admits_unasked
    }
}

/// Who would not be asked about anybody has not meant to let everybody in; and who is not known, where nobody
/// can log in, does not come in as nobody.
async fn a_plug_in_fails_closed<R: Runtime>() {
    let configured = |asks, admits_unasked| {
        let mut backends = pseud::AuthBackends::default();
        let own = Careless { asks, admits_unasked };
        backends.register(pseud::Role::Server, "own", Arc::new(own));
        let options = Options::server("service");
        backends.configure(pseud::Role::Server, "own", pseud::Security::default(), options)
    };
    let refused = configured(false, false);
    assert!(matches!(refused, Err(pseud::SetupError::Mechanism(_))), "{refused:?}");
    assert!(configured(false, true).is_ok());
    let (_server, endpoint) = serve::<R>(configured(true, false).unwrap()).await;
    assert_eq!(refusal::<R>(plain("x"), &endpoint).await, DENIED);
}

/// What a database might say of a user.
struct Account {
    desk: u32,
}

/// Accounts behind a trait object, which answer after a while.
struct Accounts(AtomicUsize);

impl Authenticate for Accounts {
    fn authenticate(&self, question: Question, source: Source) -> Judging<'_> {
        Box::pin(async move {
            yield_now().await;
            assert!(source.address.starts_with("127.0.0.1:"), "{source:?}");
            match question {
                Question::Plain { username, password } if password.matches(b"open sesame") => {
                    let desk = self.0.fetch_add(1, Ordering::Relaxed) as u32;
                    Verdict::Admit(User::new(username).with_extension(Account { desk }))
                }
                _ => Verdict::Deny,
            }
        })
    }
}

async fn what_an_object_says_of_a_user_reaches_handlers_predicates_and_watchers<R: Runtime>() {
    let accounts = Arc::new(Accounts(AtomicUsize::new(6)));
    let options = Options::server("service").plain_server(Authenticator::object(accounts.clone()));
    let (server, endpoint) = serve::<R>(options).await;
    server
        .register_sync("desk", |request| {
            let account = request.user().extension::<Account>();
            Ok::<_, Fault>(account.map(|account| account.desk))
        })
        .unwrap();
    server.predicate("seventh", |caller| {
        caller.user().extension::<Account>().is_some_and(|account| account.desk == 7)
    });
    server.domain("seventh").register_sync("only", |_| Ok::<_, Fault>("seven")).unwrap();
    let mut events = server.events();
    assert_eq!(refusal::<R>(plain("wrong"), &endpoint).await, DENIED);
    let [sixth, seventh] = [6, 7].map(|_| plain("open sesame"));
    let sixth = connect::<R>(sixth, &endpoint);
    let desk: u32 = soon(sixth.call("desk", ())).await.unwrap();
    assert_eq!(desk, 6);
    let refused = soon(sixth.call::<String, _>("only", ())).await.unwrap_err();
    assert!(refused.is_service_not_found(), "{refused:?}");
    let seventh = connect::<R>(seventh, &endpoint);
    let only: String = soon(seventh.call("only", ())).await.unwrap();
    assert_eq!(only, "seven");
    let mut desks = Vec::new();
    while desks.len() < 2 {
        if let ConnectionEvent::Connected { user, .. } = soon(events.next()).await.unwrap() {
            desks.extend(user.extension::<Account>().map(|account| account.desk));
        }
    }
    assert_eq!(desks, [6, 7]);
    assert_eq!(accounts.0.load(Ordering::Relaxed), 8);
}

/// What a plug-in of ours was told, in order.
#[cfg(feature = "_curve")]
struct Told {
    steps: std::sync::Mutex<Vec<String>>,
    /// Nobody is believed before it is closed.
    gate: Arc<tokio::sync::Semaphore>,
}

#[cfg(feature = "_curve")]
impl Told {
    fn new() -> Arc<Self> {
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        Arc::new(Self { steps: Default::default(), gate })
    }

    fn note(&self, what: &str, who: &pseud::PeerInfo) {
        let who = format!("{what} {} ({})", who.identity.escape_ascii(), who.user);
        self.steps.lock().unwrap().push(who);
    }
}

#[cfg(feature = "_curve")]
impl pseud::AuthBackend for Told {
    fn configure(&self, options: Options) -> Options {
        options.credentials("john", Secret::new("right"))
    }

    fn register_routing_id(&self, info: &pseud::PeerInfo) {
        self.note("register_routing_id", info);
    }

    fn save_last_work(
        &self,
        server: &pseud::PeerInfo,
        work: pseud::LastWork,
    ) -> Option<pseud::LastWork> {
        use pseud::LastWork;
        self.note("save_last_work", server);
        match work.name() {
            "secret" => None,
            "old" => Some(LastWork::new("echo", &("new",), &()).unwrap()),
            "endless" => Some(LastWork::new("x".repeat(300), &(), &()).unwrap()),
            "careless" => panic!("a step that panics sends nothing again"),
            _ => Some(work),
        }
    }

    fn handle_authenticated(&self, server: &pseud::PeerInfo) {
        self.note("handle_authenticated", server);
    }

    fn stop(&self) {
        panic!("a step that panics ends nothing else");
    }
}

/// A server that believes john, and a client with that plug-in that takes it for a v1 peer: what it calls first
/// is challenged before it shows anything.
#[cfg(feature = "_curve")]
async fn logs_in(told: &Arc<Told>) -> (pseud::Server, pseud::Client, pseud::Events) {
    use pseud::tokio::files::new_key_pair;
    use pseud::{AuthBackends, Role, Security, Server};
    let [ours, theirs] = [(); 2].map(|()| new_key_pair().unwrap());
    let server_key = *ours.public();
    let gate = told.gate.clone();
    let logins = Authenticator::new(move |question| {
        let gate = gate.clone();
        async move {
            match question {
                Question::Login { .. } => {
                    let _ = gate.acquire().await;
                    Verdict::Admit("john".into())
                }
                _ => Verdict::Admit(User::default()),
            }
        }
    });
    let options = Options::server("service").curve_server([ours], logins);
    let server = Server::with_options(options.requires_login(true)).unwrap();
    server.register_sync("hello", |_| Ok::<_, Fault>("hello")).unwrap();
    let echo = |request: pseud::Request| request.args::<(String,)>().map(|(text,)| text);
    server.register_sync("echo", echo).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut backends = AuthBackends::default();
    backends.register(Role::Client, "told", told.clone());
    let mut options =
        Options::client("service").identity("desk").curve_client(theirs, [server_key]);
    options.config.capabilities = pseud::proto::Capabilities::NONE;
    let options = backends.configure(Role::Client, "told", Security::default(), options).unwrap();
    let client = pseud::Client::with_options(options).unwrap();
    let events = client.events();
    client.connect(&endpoint).unwrap();
    (server, client, events)
}

#[cfg(feature = "_curve")]
#[tokio::test]
async fn a_clients_plug_in_is_told_of_each_step() {
    let told = Told::new();
    let (_server, client, mut events) = logs_in(&told).await;
    told.gate.close();
    let hello: String = soon(client.call("hello", ())).await.unwrap();
    assert_eq!(hello, "hello");
    let (mut challenged, mut authenticated) = (0, 0);
    while authenticated == 0 {
        match soon(events.next()).await.unwrap() {
            ConnectionEvent::Challenged { .. } => challenged += 1,
            ConnectionEvent::Authenticated { .. } => authenticated += 1,
            _ => {}
        }
    }
    assert_eq!(challenged, 1);
    client.shutdown();
    let steps = ["register_routing_id", "save_last_work", "handle_authenticated"];
    let steps = steps.map(|step| format!("{step} service ()"));
    assert_eq!(*told.steps.lock().unwrap(), steps);
}

/// What the plug-in keeps is sent again: the call, another one whose answer its caller then has, or none.
#[cfg(feature = "_curve")]
#[tokio::test]
async fn a_clients_plug_in_says_what_is_sent_again() {
    let told = Told::new();
    let (server, client, mut events) = logs_in(&told).await;
    let _ = server.register_sync("secret", |_| -> Result<(), Fault> { unreachable!("unsaid") });
    let _ = server.register_sync("careless", |_| -> Result<(), Fault> { unreachable!("unsaid") });
    soon(client.ready()).await;
    let call = |name: &str| client.call::<String, _>(name, ("as it was",));
    let challenged = async {
        let mut challenged = 0;
        while challenged < 5 {
            let event = events.next().await.unwrap();
            challenged += usize::from(matches!(event, ConnectionEvent::Challenged { .. }));
        }
        told.gate.close();
    };
    let calls = async {
        tokio::join!(call("secret"), call("echo"), call("old"), call("endless"), call("careless"))
    };
    let ((), (secret, kept, old, endless, careless)) =
        soon(async { tokio::join!(challenged, calls) }).await;
    let unsent =
        |reason| move |ended| matches!(ended, Err(CallError::NotExecuted(why)) if why == reason);
    assert!(unsent(Reason::Unauthorized)(secret));
    assert!(unsent(Reason::Unauthorized)(careless));
    assert!(unsent(Reason::Unsupported)(endless));
    assert_eq!(kept.unwrap(), "as it was");
    assert_eq!(old.unwrap(), "new");
    // It is believed: nothing is asked any more.
    assert_eq!(soon(client.call::<String, _>("echo", ("later",))).await.unwrap(), "later");
    let steps = told.steps.lock().unwrap();
    assert_eq!(steps.iter().filter(|step| step.starts_with("save_last_work")).count(), 5);
}
