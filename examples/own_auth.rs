//! An authentication plug-in of one's own, chosen by its name: anybody may connect, over encrypted links,
//! and is served once it has logged in. Prints who comes, and what they are answered.
//!
//!     cargo run --example own_auth

use pseud::tokio::files::new_key_pair;
use pseud::{
    AuthBackend, AuthBackends, Authenticator, CallError, Client, Fault, Judging, KeyPair, Options,
    PeerInfo, Question, Role, Secret, Security, Server, Source, User, Verdict,
};
use std::error::Error;
use std::sync::Arc;

struct OwnAuth {
    pair: KeyPair,
}

impl AuthBackend for OwnAuth {
    fn configure(&self, options: Options) -> Options {
        options.curve_server([self.pair.clone()], Authenticator::any_key()).requires_login(true)
    }

    fn authenticate(&self, question: Question, _source: Source) -> Judging<'_> {
        // A database could be asked here.
        Box::pin(async move {
            match question {
                Question::Curve { .. } => Verdict::Admit(User::default()),
                Question::Login { login, password, .. } if password.matches(b"open sesame") => {
                    Verdict::Admit(login.into())
                }
                _ => Verdict::Deny,
            }
        })
    }

    fn predicate_arguments(&self, user: User) -> User {
        user.with_permission("greetings")
    }

    fn session_began(&self, info: &PeerInfo) {
        if !info.user.is_anonymous() {
            println!("{} is there", info.user);
        }
    }

    fn stop(&self) {
        println!("stopped");
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let pair = new_key_pair()?;
    let server_key = *pair.public();
    let mut backends = AuthBackends::default();
    backends.register(Role::Server, "own_auth", Arc::new(OwnAuth { pair }));

    let options = Options::server("service");
    let options = backends.configure(Role::Server, "own_auth", Security::default(), options)?;
    let server = Server::with_options(options)?;
    server.predicate("greetings", |caller| caller.user().has_permission("greetings"));
    let greetings = server.domain("greetings");
    greetings
        .register_sync("hello", |request| Ok::<_, Fault>(format!("Hello {}", request.user())))?;
    let endpoint = server.bind("tcp://127.0.0.1:0").await?;

    for (user, password) in [("john", "open sesame"), ("nobody", "open barley")] {
        let security = Security {
            user_id: user.into(),
            password: Secret::new(password),
            key_pair: Some(new_key_pair()?),
            peer_public_key: Some(server_key),
            ..Security::default()
        };
        let options = Options::client("service");
        let options = backends.configure(Role::Client, "untrusted_curve", security, options)?;
        let client = Client::with_options(options)?;
        client.connect(&endpoint)?;
        match client.call::<String, _>("hello", ()).await {
            Ok(greeting) => println!("{user}: {greeting}"),
            Err(CallError::NotExecuted(reason)) => println!("{user}: {reason:?}"),
            Err(error) => return Err(error.into()),
        }
    }
    server.shutdown();
    Ok(())
}
