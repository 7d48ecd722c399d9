//! What `pseud call` proves: its flags, and the settings that they make.

use crate::parse::{name, public_key};
use clap::Args;
use pseud::Options;
use pseud::proto::zmtp::PublicKey;
use pseud::tokio::files::{load_key_pair, load_shown_password};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What `call` proves to its server.
#[derive(Debug, Args)]
pub(crate) struct Credentials {
    /// Our key pair, a file of `pseud keygen`: the link is encrypted.
    #[arg(long, value_name = "FILE", requires = "server_keys")]
    pub(crate) key: Option<PathBuf>,
    /// The server's public key, which `pseud keygen` printed there. Two while it changes.
    // One key in 85 begins with a hyphen.
    #[arg(
        long,
        value_name = "Z85",
        requires = "key",
        value_parser = public_key,
        allow_hyphen_values = true,
        group = "server_keys"
    )]
    pub(crate) server_key: Vec<PublicKey>,
    /// The same, out of a file that holds nothing else: `pseud keygen > FILE` there.
    #[arg(long, value_name = "FILE", requires = "key", group = "server_keys")]
    pub(crate) server_key_file: Vec<PathBuf>,
    /// Who we are, for a server of --security plain or trusted-peer; together with --key for one of
    /// untrusted-curve (one of trusted-curve does not ask).
    #[arg(long, value_name = "NAME", requires = "password_file", value_parser = name)]
    pub(crate) user: Option<String>,
    /// A file with our password, which only its owner may read (mode 600). The end of its last line is
    /// no part of it; an empty file is an empty password.
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(crate) password_file: Option<PathBuf>,
    /// Let the password, or with --kaa all calls, cross a network in clear.
    #[arg(long)]
    pub(crate) allow_plaintext: bool,
}

impl Credentials {
    /// The settings with them.
    ///
    /// # Errors
    /// A file cannot be used.
    pub(crate) fn put_to(&self, options: Options) -> io::Result<Options> {
        match (&self.key, &self.user, &self.password_file) {
            (Some(file), ..) => {
                let files = self.server_key_file.iter().map(|file| load_public_key(file));
                let known = files.collect::<io::Result<Vec<_>>>()?;
                let known = self.server_key.iter().copied().chain(known);
                let options = options.curve_client(load_key_pair(file)?, known);
                match (&self.user, &self.password_file) {
                    (Some(user), Some(file)) => {
                        Ok(options.credentials(user, load_shown_password(file)?))
                    }
                    _ => Ok(options),
                }
            }
            (None, Some(user), Some(file)) => {
                let options = options.plain_client(user, load_shown_password(file)?);
                Ok(options.allow_plaintext(self.allow_plaintext))
            }
            (None, ..) => Ok(options),
        }
    }
}

/// A file with one public key and nothing else, as `pseud keygen` prints it.
fn load_public_key(file: &Path) -> io::Result<PublicKey> {
    // Nobody's secret, so anybody may read it.
    let mut text = String::new();
    let read = File::open(file).and_then(|file| file.take(1_024).read_to_string(&mut text));
    let key = read.and_then(|_| public_key(text.trim()).map_err(|error| invalid_data(&error)));
    let naming = |error: io::Error| {
        io::Error::new(error.kind(), format!("cannot use {}: {error}", file.display()))
    };
    key.map_err(naming)
}

fn invalid_data(cause: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}
