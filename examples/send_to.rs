//! A server calls one of its clients by its user, as Python's documentation has it: `trusted_peer` believes
//! who says that it is `client1`, whose password is empty, and `send_to('client1')` finds it.
//!
//!     cargo run --example send_to
//!     cargo run --example send_to -- tcp://127.0.0.1:5555     the server alone, for a client of yours

use pseud::{AuthBackends, Client, Fault, Options, Role, Secret, Security, Server};
use std::error::Error;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub(crate) struct Service {
    server: Server,
    /// Who has called.
    callers: UnboundedReceiver<String>,
}

impl Service {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let (named, options) = (AuthBackends::default(), Options::server("service"));
        let options =
            named.configure(Role::Server, "trusted_peer", Security::default(), options)?;
        let server = Server::with_options(options)?;
        let (call, callers) = unbounded_channel();
        server.register_sync("hello", move |request| {
            let (name,): (String,) = request.args()?;
            let _ = call.send(request.user().to_string());
            Ok::<_, Fault>(format!("Hello {name}"))
        })?;
        Ok(Self { server, callers })
    }

    pub(crate) async fn bind(&self, endpoint: &str) -> Result<String, Box<dyn Error>> {
        Ok(self.server.bind(endpoint).await?.into())
    }

    /// Once `client1` has said hello, it has registered what is called there.
    pub(crate) async fn call_client1(&mut self) -> Result<i64, Box<dyn Error>> {
        while self.callers.recv().await.ok_or("nobody serves hello any more")? != "client1" {}
        Ok(self.server.send_to("client1").call("addition", (2, 4)).await?)
    }
}

pub(crate) fn client1(endpoint: &str) -> Result<Client, Box<dyn Error>> {
    let security =
        Security { user_id: "client1".into(), password: Secret::new(""), ..Security::default() };
    let (named, options) = (AuthBackends::default(), Options::client("service"));
    let client =
        Client::with_options(named.configure(Role::Client, "plain", security, options)?)?;
    client
        .register_typed("addition", |(a, b): (i64, i64), _| async move { Ok::<_, Fault>(a + b) })?;
    client.connect(endpoint)?;
    Ok(client)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut service = Service::new()?;
    let _client = match std::env::args().nth(1) {
        Some(endpoint) => {
            println!("listening on {}", service.bind(&endpoint).await?);
            None
        }
        None => {
            let client = client1(&service.bind("tcp://127.0.0.1:0").await?)?;
            let greeting: String = client.call("hello", ("Me",)).await?;
            println!("{greeting}");
            Some(client)
        }
    };
    println!("client1: addition(2, 4) = {}", service.call_client1().await?);
    Ok(())
}
