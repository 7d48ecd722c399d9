//! A web application whose handlers call connected peers by name: a browser's request goes on to a peer that
//! sits behind NAT, on the connection which that peer opened, and its answer is the response.
//!
//!     cargo run --example axum
//!
//! prints where peers connect and where browsers do. In two other shells:
//!
//!     cargo run -p pseud-cli -- serve --name desk --demo --connect tcp://127.0.0.1:PORT
//!     curl http://127.0.0.1:PORT/desk/hello/Charly

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use pseud::{CallError, Reason, Server};
use std::error::Error;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::new("service")?;
    println!("peers: {}", server.bind("tcp://127.0.0.1:0").await?);
    let app = Router::new().route("/{peer}/hello/{name}", get(hello)).with_state(server);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("browsers: http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

type Response = Result<String, (StatusCode, String)>;

/// A server is cheap to clone, and every handler may have one. A browser that leaves drops this future, and
/// with it the call.
async fn hello(
    State(server): State<Server>,
    Path((peer, name)): Path<(String, String)>,
) -> Response {
    let greeting = server.peer(peer).call("hello", (name,)).await;
    greeting.map_err(|error| (status(&error), format!("{error}\n")))
}

/// What a browser is told of a call that has no result.
fn status(error: &CallError) -> StatusCode {
    match error {
        CallError::NotExecuted(Reason::NotConnected) => StatusCode::NOT_FOUND,
        CallError::Unknown(Reason::TimedOut) => StatusCode::GATEWAY_TIMEOUT,
        error if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    }
}
