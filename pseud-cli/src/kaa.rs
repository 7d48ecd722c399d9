//! kaa.rpc's side of `serve` and `call`.

use crate::cli::ServeArguments;
use crate::terminal;
use pseud::Registry;
use pseud::tokio::files::load_password;
use pseud::tokio::kaa::Options;
pub(crate) use pseud::tokio::kaa::{Client, Server};
use std::error::Error;
use std::io;
use std::path::Path;

/// Settings with the secret in that file; without one it is empty.
///
/// # Errors
/// The file cannot be used.
pub(crate) fn options(secret: Option<&Path>) -> io::Result<Options> {
    let mut options = Options::default();
    if let Some(file) = secret {
        options.config.secret = load_password(file)?;
    }
    Ok(options)
}

/// Serves what that registry holds, wherever it was asked for.
///
/// # Errors
/// An endpoint cannot be bound, or the secret cannot be read.
pub(crate) async fn serve(
    arguments: &ServeArguments,
    registry: Registry,
) -> Result<Server, Box<dyn Error>> {
    let options = options(arguments.kaa_secret_file.as_deref())?
        .registry(registry)
        .call_timeout(arguments.timeout)
        .expose_traceback(arguments.expose_traceback)
        .allow_plaintext(arguments.guard.allow_plaintext);
    let server = Server::with_options(options)?;
    for endpoint in &arguments.kaa {
        let bound = server.bind(endpoint).await?;
        if arguments.kaa_secret_file.is_none() {
            tracing::warn!(
                endpoint = %bound,
                "whoever reaches this endpoint may call: give --kaa-secret-file"
            );
        }
        terminal::say(&format!("listening on {bound} (kaa.rpc)"))?;
    }
    Ok(server)
}
