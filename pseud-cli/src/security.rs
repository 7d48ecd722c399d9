//! Who must prove what to `pseud serve`: its flags, and the settings that they make.

use crate::credentials::Credentials;
use crate::parse::{name, public_key, user};
use crate::users::{Directory, Proof};
use clap::{Args, ValueEnum};
use pseud::proto::zmtp::{KeyPair, PublicKey};
use pseud::tokio::files::{load_key_pair, load_password};
use pseud::{AuthBackends, Authenticator, CurveLogins, Options, Role};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How peers prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Security {
    /// They do not.
    None,
    /// By name and password, in clear: those of --users, or of --user.
    Plain,
    /// They are believed: who says a name is that user, whatever its password. With --users only the
    /// names of the file, which have their permissions there.
    TrustedPeer,
    /// By a key of --users or --allow; links are encrypted.
    TrustedCurve,
    /// By name and password of --users, or of --user, shown once they are there; links are encrypted.
    /// Anybody connects, and is served once it has logged in; its key is then trusted for that user.
    UntrustedCurve,
}

/// What `serve` asks of its peers.
#[derive(Debug, Clone, Args)]
pub(crate) struct Guard {
    /// How peers prove who they are.
    #[arg(long, value_enum, default_value = "none")]
    pub(crate) security: Security,
    /// The users, with their passwords or keys: a file of `pseud user`, which only its owner may read
    /// (mode 600). Read again on SIGHUP.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "allow"])]
    pub(crate) users: Option<PathBuf>,
    /// The one user of --security plain or untrusted-curve, without --users. With --connect alone: who we
    /// are at the server there, as for `pseud call`.
    #[arg(
        long,
        value_name = "NAME",
        requires = "password_file",
        conflicts_with = "allow",
        value_parser = name
    )]
    pub(crate) user: Option<String>,
    /// A file with that user's password, which only its owner may read (mode 600). The end of its last
    /// line is no part of it.
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(crate) password_file: Option<PathBuf>,
    /// Let passwords, and with --kaa all calls, cross a network in clear.
    #[arg(long)]
    pub(crate) allow_plaintext: bool,
    /// Our key pair for --security trusted-curve and untrusted-curve, or beside --server-key: a file of
    /// `pseud keygen`. A server may have two while it changes: peers may know either.
    /// A server's are read again on SIGHUP: new links have what they hold then.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// --security trusted-curve without --users: a user and its public key, which peers prove; may be given more than once. A user may have
    /// several keys, a key one user.
    #[arg(long, value_name = "NAME=Z85", requires = "key", value_parser = user)]
    pub(crate) allow: Vec<(String, PublicKey)>,
    /// With --connect alone: the public key of the server there, to whom --key proves who we are. Two while
    /// it changes.
    // One key in 85 begins with a hyphen.
    #[arg(
        long,
        value_name = "Z85",
        requires_all = ["key", "connect"],
        conflicts_with_all = ["bind", "security"],
        value_parser = public_key,
        allow_hyphen_values = true
    )]
    pub(crate) server_key: Vec<PublicKey>,
    /// The same, out of a file that holds nothing else.
    #[arg(
        long,
        value_name = "FILE",
        requires_all = ["key", "connect"],
        conflicts_with_all = ["bind", "security"]
    )]
    pub(crate) server_key_file: Vec<PathBuf>,
}

impl Guard {
    /// The settings with it, and the users that may change.
    ///
    /// # Errors
    /// A file cannot be used; flags are missing, too many, or of another mechanism.
    pub(crate) fn put_to(&self, options: Options) -> io::Result<(Options, Option<Arc<Directory>>)> {
        let has_password = self.user.is_some() || self.password_file.is_some();
        let (has_key, has_allow) = (!self.key.is_empty(), !self.allow.is_empty());
        match self.security {
            Security::None if has_password || has_key || has_allow || self.users.is_some() => {
                Err(usage(
                    "nobody would be asked: --users, --user and --password-file, --key and --allow need a \
                     --security",
                ))
            }
            Security::None => Ok((options, None)),
            Security::Plain if has_key || has_allow => {
                Err(usage("--key and --allow need --security trusted-curve"))
            }
            Security::Plain => {
                let (authenticator, users) = self.by_password()?;
                Ok((self.plain(options, authenticator), users))
            }
            Security::TrustedPeer if has_password || has_key || has_allow => Err(usage(
                "--security trusted-peer believes names: it has no use for --user, --password-file, --key \
                 and --allow",
            )),
            Security::TrustedPeer => self.by_name(options),
            Security::TrustedCurve if has_password => {
                Err(usage("--user and --password-file need --security plain or untrusted-curve"))
            }
            Security::TrustedCurve => {
                let pairs = self.key_pairs()?;
                let (authenticator, users) = self.by_key()?;
                Ok((options.curve_server(pairs, authenticator), users))
            }
            Security::UntrustedCurve if has_allow => Err(usage(
                "--allow needs --security trusted-curve; for untrusted-curve see --users",
            )),
            Security::UntrustedCurve => {
                let pairs = self.key_pairs()?;
                let (authenticator, users) = self.by_login()?;
                Ok((options.curve_server(pairs, authenticator).requires_login(true), users))
            }
        }
    }

    /// The settings of a node that only connects: what it proves to the server there.
    ///
    /// # Errors
    /// A file cannot be used; flags are missing, or for those who come to us.
    pub(crate) fn log_in(&self, options: Options) -> io::Result<Options> {
        if self.users.is_some() || !self.allow.is_empty() {
            return Err(usage("nobody comes to us without --bind: --users and --allow need it"));
        }
        if self.security != Security::None {
            return Err(usage(
                "--security is for who comes to us: without --bind, --user or --key and --server-key say who we are",
            ));
        }
        let key = match &self.key[..] {
            [] => None,
            [key] => Some(key.clone()),
            _ => return Err(usage("one --key is ours where we connect")),
        };
        if key.is_some() && self.server_key.is_empty() && self.server_key_file.is_empty() {
            return Err(usage("--key needs --server-key, or --security"));
        }
        let credentials = Credentials {
            key,
            server_key: self.server_key.clone(),
            server_key_file: self.server_key_file.clone(),
            user: self.user.clone(),
            password_file: self.password_file.clone(),
            allow_plaintext: self.allow_plaintext,
        };
        credentials.put_to(options)
    }

    fn plain(&self, options: Options, authenticator: Authenticator) -> Options {
        options.plain_server(authenticator).allow_plaintext(self.allow_plaintext)
    }

    fn by_name(&self, options: Options) -> io::Result<(Options, Option<Arc<Directory>>)> {
        if let Some(file) = &self.users {
            let users = Directory::open(file.clone())?;
            return Ok((self.plain(options, users.authenticator(Proof::Name)), Some(users)));
        }
        let named = AuthBackends::default();
        let keywords = pseud::Security::default();
        let options = named.configure(Role::Server, "trusted_peer", keywords, options);
        let options = options.map_err(io::Error::other)?;
        Ok((options.allow_plaintext(self.allow_plaintext), None))
    }

    fn by_password(&self) -> io::Result<(Authenticator, Option<Arc<Directory>>)> {
        match (&self.users, &self.user, &self.password_file) {
            (Some(file), ..) => self.by_file(file, Proof::Own),
            (None, Some(user), Some(file)) => {
                let users = [(user.clone(), load_password(file)?)];
                Ok((Authenticator::passwords(users), None))
            }
            _ => Err(usage("--security plain needs --users, or --user and --password-file")),
        }
    }

    fn by_key(&self) -> io::Result<(Authenticator, Option<Arc<Directory>>)> {
        match &self.users {
            Some(file) => self.by_file(file, Proof::Own),
            None if self.allow.is_empty() => {
                Err(usage("--security trusted-curve needs --users, or --allow"))
            }
            None if self.is_ambiguous() => {
                Err(usage("one key is given to several users: see --allow"))
            }
            None => {
                let users = self.allow.iter().map(|(user, key)| (*key, user.clone()));
                Ok((Authenticator::keys(users), None))
            }
        }
    }

    fn by_login(&self) -> io::Result<(Authenticator, Option<Arc<Directory>>)> {
        match (&self.users, &self.user, &self.password_file) {
            (Some(file), ..) => self.by_file(file, Proof::Login),
            (None, Some(user), Some(file)) => {
                let logins = CurveLogins::new();
                logins.set_password(user.clone(), load_password(file)?);
                Ok((logins.authenticator(), None))
            }
            _ => Err(usage(
                "--security untrusted-curve needs --users, or --user and --password-file",
            )),
        }
    }

    fn by_file(
        &self,
        file: &Path,
        proof: Proof,
    ) -> io::Result<(Authenticator, Option<Arc<Directory>>)> {
        let users = Directory::open(file.to_owned())?;
        let lacking = users.lacking();
        let (lacking, needs) = match self.security {
            Security::Plain => (lacking.password, "password"),
            Security::TrustedCurve => (lacking.key, "key"),
            _ => (lacking.both, "password or a key"),
        };
        if lacking > 0 {
            tracing::warn!(users = lacking, "users without a {needs} cannot come in");
        }
        Ok((users.authenticator(proof), Some(users)))
    }

    /// Whether we are a server of CURVE, whose keys may change.
    pub(crate) fn is_curve_server(&self) -> bool {
        matches!(self.security, Security::TrustedCurve | Security::UntrustedCurve)
    }

    /// Our key pairs, as their files have them now.
    ///
    /// # Errors
    /// A file cannot be used; there are none, or too many.
    pub(crate) fn key_pairs(&self) -> io::Result<Vec<KeyPair>> {
        match &self.key[..] {
            [] => Err(usage("--security trusted-curve and untrusted-curve need --key")),
            [_, _, _, ..] => {
                Err(usage("give two --key at most: the present one and one before or behind it"))
            }
            files => files.iter().map(load_key_pair).collect(),
        }
    }

    /// Whether a key stands for several users: only one of them would be known.
    fn is_ambiguous(&self) -> bool {
        let users: BTreeMap<_, _> = self.allow.iter().map(|(user, key)| (key, user)).collect();
        self.allow.iter().any(|(user, key)| users.get(key) != Some(&user))
    }
}

fn usage(cause: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, cause)
}
