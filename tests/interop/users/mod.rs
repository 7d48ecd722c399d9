//! Servers that call their clients by user id: the reference's `send_to`, and what we have of it.

mod python_sends;
mod rust_sends;

use pseud::{Client, Fault, Options, Secret};

use crate::live::SERVICE;

/// Who logs in. The password is the name backwards.
const USERS: [&str; 3] = ["alice", "bob", "carol"];

fn password(user: &str) -> String {
    user.chars().rev().collect()
}

/// A Rust client, by login or of nobody, that says `says` as `who` and `desk.who`; it is connected.
async fn rust_client(options: Options, says: &'static str, endpoint: &str) -> Client {
    let client = Client::with_options(options).expect("a runtime is there");
    for name in ["who", "desk.who"] {
        client.register_sync(name, move |_| Ok::<_, Fault>(says)).expect("a fair name");
    }
    client.connect(endpoint).expect("the endpoints of servers are well-formed");
    client.ready().await;
    client
}

fn logged_in(user: &str) -> Options {
    Options::client(SERVICE).plain_client(user, Secret::new(password(user)))
}
