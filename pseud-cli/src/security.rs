//! Who proves what: the flags of `serve` and `call`, and the settings that they make.

use crate::parse::{name, public_key, user};
use clap::{Args, ValueEnum};
use pseud::proto::zmtp::PublicKey;
use pseud::tokio::files::{load_key_pair, load_password};
use pseud::{Authenticator, Options};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

/// How peers prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Security {
    /// They do not.
    None,
    /// By --user and its password, in clear.
    Plain,
    /// By a key of --allow; links are encrypted.
    TrustedCurve,
}

/// What `serve` asks of its peers.
#[derive(Debug, Args)]
pub(crate) struct Guard {
    /// How peers prove who they are.
    #[arg(
        long,
        value_enum,
        default_value = "none",
        requires_ifs = [
            ("plain", "user"), ("plain", "password_file"),
            ("trusted-curve", "key"), ("trusted-curve", "allow"),
        ]
    )]
    pub(crate) security: Security,
    /// The one user of --security plain.
    #[arg(
        long,
        value_name = "NAME",
        requires = "password_file",
        conflicts_with_all = ["key", "allow"],
        value_parser = name
    )]
    pub(crate) user: Option<String>,
    /// A file with the user's password, which only its owner may read (mode 600). The end of its last
    /// line is no part of it.
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(crate) password_file: Option<PathBuf>,
    /// Let passwords cross a network in clear.
    #[arg(long)]
    pub(crate) allow_plaintext: bool,
    /// Our key pair for --security trusted-curve: a file of `pseud keygen`. Two while it changes:
    /// peers may know either.
    #[arg(long, value_name = "FILE", requires = "allow")]
    pub(crate) key: Vec<PathBuf>,
    /// A user and its public key, which peers prove; may be given more than once. A user may have
    /// several keys, a key one user.
    #[arg(long, value_name = "NAME=Z85", requires = "key", value_parser = user)]
    pub(crate) allow: Vec<(String, PublicKey)>,
}

/// What `call` proves to its server.
#[derive(Debug, Args)]
pub(crate) struct Credentials {
    /// Our key pair, a file of `pseud keygen`: the link is encrypted.
    #[arg(long, value_name = "FILE", requires = "server_key", conflicts_with = "user")]
    pub(crate) key: Option<PathBuf>,
    /// The server's public key, which `pseud keygen` printed there. Two while it changes.
    // One key in 85 begins with a hyphen.
    #[arg(
        long,
        value_name = "Z85",
        requires = "key",
        value_parser = public_key,
        allow_hyphen_values = true
    )]
    pub(crate) server_key: Vec<PublicKey>,
    /// Who we are, for a server of --security plain.
    #[arg(long, value_name = "NAME", requires = "password_file", value_parser = name)]
    pub(crate) user: Option<String>,
    /// A file with our password, which only its owner may read (mode 600). The end of its last line is
    /// no part of it.
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(crate) password_file: Option<PathBuf>,
    /// Let the password cross a network in clear.
    #[arg(long)]
    pub(crate) allow_plaintext: bool,
}

impl Guard {
    /// The settings with it.
    ///
    /// # Errors
    /// A file cannot be used; there are too many; or flags of one mechanism are given for another.
    pub(crate) fn put_to(&self, options: Options) -> io::Result<Options> {
        match (self.security, &self.user, &self.password_file, &self.key[..]) {
            (Security::Plain, Some(user), Some(file), []) => {
                let users = [(user.clone(), load_password(file)?)];
                let options = options.plain_server(Authenticator::passwords(users));
                Ok(options.allow_plaintext(self.allow_plaintext))
            }
            (Security::TrustedCurve, None, None, [_, _, _, ..]) => {
                Err(usage("give two --key at most: the present one and one before or behind it"))
            }
            (Security::TrustedCurve, None, None, _) if self.is_ambiguous() => {
                Err(usage("one key is given to several users: see --allow"))
            }
            (Security::TrustedCurve, None, None, files @ [_, ..]) => {
                let pairs: Vec<_> = files.iter().map(load_key_pair).collect::<Result<_, _>>()?;
                let users = self.allow.iter().map(|(user, key)| (*key, user.clone()));
                Ok(options.curve_server(pairs, Authenticator::keys(users)))
            }
            (Security::None, None, None, []) => Ok(options),
            (Security::None, ..) => Err(usage(
                "nobody would be asked: --user and --password-file need --security plain, --key and \
                 --allow --security trusted-curve",
            )),
            (Security::Plain, ..) => Err(usage("--key and --allow need --security trusted-curve")),
            (Security::TrustedCurve, ..) => {
                Err(usage("--user and --password-file need --security plain"))
            }
        }
    }

    /// Whether a key stands for several users: only one of them would be known.
    fn is_ambiguous(&self) -> bool {
        let users: BTreeMap<_, _> = self.allow.iter().map(|(user, key)| (key, user)).collect();
        self.allow.iter().any(|(user, key)| users.get(key) != Some(&user))
    }
}

impl Credentials {
    /// The settings with them.
    ///
    /// # Errors
    /// A file cannot be used.
    pub(crate) fn put_to(&self, options: Options) -> io::Result<Options> {
        match (&self.key, &self.user, &self.password_file) {
            (Some(file), ..) => {
                Ok(options.curve_client(load_key_pair(file)?, self.server_key.iter().copied()))
            }
            (None, Some(user), Some(file)) => {
                let options = options.plain_client(user, load_password(file)?);
                Ok(options.allow_plaintext(self.allow_plaintext))
            }
            (None, ..) => Ok(options),
        }
    }
}

fn usage(cause: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, cause)
}
