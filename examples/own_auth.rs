//! Authentication plug-ins of one's own, one for each side, chosen by their name: anybody may connect, over
//! encrypted links, and is served once it has logged in. Prints who comes, and what they are answered.
//!
//!     cargo run --example own_auth

use pseud::tokio::files::new_key_pair;
use pseud::{
    AuthBackend, AuthBackends, Authenticator, CallError, Client, Fault, Judging, KeyPair, LastWork,
    Options, PeerInfo, PublicKey, Question, Role, Secret, Security, Server, Source, TrustedKeys,
    User, Verdict,
};
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

/// The server's side. It remembers whose key has logged in, and by which identity its users are called.
struct OwnAuth {
    pair: KeyPair,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    keys: TrustedKeys,
    identities: HashMap<String, bytes::Bytes>,
}

impl OwnAuth {
    fn known<R>(&self, act: impl FnOnce(&mut Known) -> R) -> R {
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn judge(&self, question: Question) -> Verdict {
        match question {
            Question::Curve { client_key } => {
                let user = self.known(|known| known.keys.user_id(&client_key).cloned());
                Verdict::Admit(user.map(User::from).unwrap_or_default())
            }
            // Python's `handle_hello`.
            Question::Login { login, password, client_key: Some(key) }
                if password.matches(b"open sesame") =>
            {
                self.known(|known| known.keys.trust(key, &login));
                Verdict::Admit(login.into())
            }
            _ => Verdict::Deny,
        }
    }
}

impl AuthBackend for OwnAuth {
    fn configure(&self, options: Options) -> Options {
        options.curve_server([self.pair.clone()], Authenticator::any_key()).requires_login(true)
    }

    fn authenticate(&self, question: Question, _source: Source) -> Judging<'_> {
        // A database could be asked here.
        Box::pin(async move { self.judge(question) })
    }

    fn is_authenticated(&self, user: &User) -> bool {
        // Whoever is banned since then has to log in again, and will not be let in.
        !user.is_anonymous() && user.id() != "banned"
    }

    fn predicate_arguments(&self, user: User) -> User {
        let shouts = user.id() == "john";
        user.with_permission("greetings").with_extension(Shouts(shouts))
    }

    fn register_routing_id(&self, info: &PeerInfo) {
        if !info.user.is_anonymous() {
            let (user, identity) = (info.user.to_string(), info.identity.clone());
            println!("{user} is there");
            self.known(|known| known.identities.insert(user, identity));
        }
    }

    fn routing_id(&self, user_id: &[u8]) -> Option<bytes::Bytes> {
        let user = if user_id == b"whoever shouts" { b"john" } else { user_id };
        let user = std::str::from_utf8(user).ok()?;
        self.known(|known| known.identities.get(user).cloned())
    }

    fn stop(&self) {
        println!("stopped");
    }
}

/// What predicates and handlers are told beside a user.
struct Shouts(bool);

/// A client's side.
struct OwnLogin {
    login: &'static str,
    password: Secret,
    server_key: PublicKey,
    pair: KeyPair,
}

impl AuthBackend for OwnLogin {
    fn configure(&self, options: Options) -> Options {
        let options = options.curve_client(self.pair.clone(), [self.server_key]);
        options.credentials(self.login, self.password.clone())
    }

    fn save_last_work(&self, server: &PeerInfo, work: LastWork) -> Option<LastWork> {
        // Where a call overtakes our login. What is returned is sent again: another call may be, or none.
        eprintln!("{}: {} asks who we are, for {}", self.login, server.address, work.name());
        Some(work)
    }

    fn handle_authenticated(&self, server: &PeerInfo) {
        println!("{}: {} believes us", self.login, server.identity.escape_ascii());
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let pair = new_key_pair()?;
    let server_key = *pair.public();
    let mut backends = AuthBackends::default();
    let own = OwnAuth { pair, known: Mutex::default() };
    backends.register(Role::Server, "own_auth", Arc::new(own));

    let options = Options::server("service");
    let options = backends.configure(Role::Server, "own_auth", Security::default(), options)?;
    let server = Server::with_options(options)?;
    server.predicate("greetings", |caller| caller.user().has_permission("greetings"));
    server.domain("greetings").register_sync("hello", |request| {
        let greeting = format!("Hello {}", request.user());
        let shouts = request.user().extension().is_some_and(|Shouts(shouts)| *shouts);
        Ok::<_, Fault>(if shouts { greeting.to_uppercase() } else { greeting })
    })?;
    let endpoint = server.bind("tcp://127.0.0.1:0").await?;

    for (login, password) in [("john", "open sesame"), ("nobody", "open barley")] {
        let (password, pair) = (Secret::new(password), new_key_pair()?);
        let own = OwnLogin { login, password, server_key, pair };
        backends.register(Role::Client, "own_auth", Arc::new(own));
        let options = Options::client("service");
        let options = backends.configure(Role::Client, "own_auth", Security::default(), options)?;
        let client = Client::with_options(options)?;
        client.register_sync("name", move |_| Ok::<_, Fault>(login))?;
        client.connect(&endpoint)?;
        match client.call::<String, _>("hello", ()).await {
            Ok(greeting) => println!("{login}: {greeting}"),
            Err(CallError::NotExecuted(reason)) => println!("{login}: {reason:?}"),
            Err(error) => return Err(error.into()),
        }
        if login == "john" {
            let name: String = server.send_to("whoever shouts").call("name", ()).await?;
            println!("whoever shouts: {name}");
        }
    }
    server.shutdown();
    Ok(())
}
