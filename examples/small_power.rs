//! One name, two handlers: who calls decides which of them serves. Prints what an ordinary user and
//! an admin are answered.
//!
//!     cargo run --example small_power

use pseud::{Authenticator, Client, Fault, Options, Secret, Server, User};
use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The ready-made domain `restricted` serves users that have the permission of that name.
    let users = Authenticator::passwords([
        (User::new("lambda"), Secret::new("sesame")),
        (User::new("admin").with_permission("restricted"), Secret::new("open sesame")),
    ]);
    let server = Server::with_options(Options::server("service").plain_server(users))?;
    server.register_sync("try_to_call_me", |_| Ok::<_, Fault>("small power"))?;
    let restricted = server.domain("restricted");
    restricted.register_sync("try_to_call_me", |_| Ok::<_, Fault>("great power"))?;
    let endpoint = server.bind("tcp://127.0.0.1:0").await?;

    for (user, password) in [("lambda", "sesame"), ("admin", "open sesame")] {
        println!("{user}: {}", try_to_call(&endpoint, user, password).await?);
    }
    Ok(())
}

async fn try_to_call(endpoint: &str, user: &str, password: &str) -> Result<String, Box<dyn Error>> {
    let client =
        Client::with_options(Options::client("service").plain_client(user, Secret::new(password)))?;
    client.connect(endpoint)?;
    Ok(client.call("try_to_call_me", ()).await?)
}
