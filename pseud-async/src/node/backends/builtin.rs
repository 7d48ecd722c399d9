//! Python pseud's own plug-ins, by their names there.

use super::backend::Role;
use super::keywords::Security;
use crate::auth::authenticator::Authenticator;
#[cfg(feature = "_curve")]
use crate::auth::curve_logins::CurveLogins;
use crate::node::options::Options;
use pseud_proto::zmtp::{Question, Verdict};
use std::future::ready;

type Configured = Result<Options, &'static str>;

pub(super) fn configure(
    role: Role,
    name: &str,
    security: Security,
    options: Options,
) -> Configured {
    match (role, name) {
        (_, "noop" | "noop_auth_backend") => Ok(options),
        (Role::Server, "plain") => {
            Ok(options.plain_server(Authenticator::passwords(security.users)))
        }
        (Role::Server, "trusted_peer") => Ok(options.plain_server(any_name())),
        // A client of `trusted_peer` is one of `plain`.
        (Role::Client, "plain" | "trusted_peer") => {
            Ok(options.plain_client(security.user_id, security.password))
        }
        #[cfg(feature = "_curve")]
        (_, "trusted_curve" | "untrusted_curve") => curve(role, name, security, options),
        _ => Err("there is no authentication plug-in of that name for that role"),
    }
}

/// Peers are who they say they are.
fn any_name() -> Authenticator {
    Authenticator::new(|question| {
        ready(match question {
            Question::Plain { username, .. } => Verdict::Admit(username.into()),
            _ => Verdict::Deny,
        })
    })
}

#[cfg(feature = "_curve")]
fn curve(role: Role, name: &str, security: Security, options: Options) -> Configured {
    let Security { user_id, password, key_pair, peer_public_key, users, keys } = security;
    let pair = key_pair.ok_or("CURVE needs a key pair")?;
    let is_trusted = name == "trusted_curve";
    match role {
        Role::Client => {
            let server = peer_public_key.ok_or("a client of CURVE needs its server's key")?;
            let options = options.curve_client(pair, [server]);
            Ok(if is_trusted { options } else { options.credentials(user_id, password) })
        }
        Role::Server if is_trusted => Ok(options.curve_server([pair], Authenticator::keys(keys))),
        Role::Server => {
            let logins = CurveLogins::new();
            users.into_iter().for_each(|(user, password)| logins.set_password(user, password));
            for (key, user) in keys {
                logins.trust(key, user.id());
            }
            let options = options.curve_server([pair], logins.authenticator());
            Ok(options.requires_login(true))
        }
    }
}
