//! Four servers of one kind: of users, of nobody, and two that share a registry.

use std::sync::Arc;

use serde_json::{Value, json};

use super::table::{By, Scope};
use super::{PERMISSIONS, known};
use crate::live::SERVICE;
use crate::python::PythonPeer;

/// What serves.
pub(super) enum Servers {
    /// Servers of one Python process, and where they listen.
    Python(Arc<PythonPeer>, Endpoints),
}

/// Where to find the servers.
pub(super) struct Endpoints {
    users: String,
    nobody: String,
    left: String,
    right: String,
}

impl Servers {
    pub(super) async fn python(python: &Arc<PythonPeer>) -> Self {
        python.ask("registry", json!({"name": "shared"})).await;
        let users = json!({
            "security": {"security_plugin": "plain"}, "known": known(),
            "permissions": {"admin": PERMISSIONS, "lambda": ["read"]},
        });
        let endpoints = Endpoints {
            users: python_server(python, "server of users", users).await,
            nobody: python_server(python, "server of nobody", json!({})).await,
            left: python_server(python, "left", json!({"registry": "shared"})).await,
            right: python_server(python, "right", json!({"registry": "shared"})).await,
        };
        Self::Python(python.clone(), endpoints)
    }

    /// Where that caller connects to.
    pub(super) fn endpoint(&self, by: By) -> &str {
        let Self::Python(_, endpoints) = self;
        match by {
            By::Admin | By::Lambda => &endpoints.users,
            By::Nobody => &endpoints.nobody,
            By::Left => &endpoints.left,
            By::Right => &endpoints.right,
        }
    }

    pub(super) fn are_python(&self) -> bool {
        matches!(self, Self::Python(..))
    }

    /// Registers a handler that says `answer`; without one, who calls.
    pub(super) async fn offer(
        &self,
        scope: Scope,
        domain: &'static str,
        name: &str,
        answer: Option<&'static str>,
    ) {
        match self {
            Self::Python(python, _) => {
                for registry in python_registries(scope) {
                    let fields = json!({
                        "registry": registry, "method": name, "domain": domain, "answer": answer,
                    });
                    python.ask("offer", fields).await;
                }
            }
        }
    }

    /// Takes it away; whether it was there.
    pub(super) async fn withdraw(&self, scope: Scope, domain: &str, name: &str) -> bool {
        match self {
            Self::Python(python, _) => {
                let mut was_served = true;
                for registry in python_registries(scope) {
                    let fields = json!({"registry": registry, "method": name, "domain": domain});
                    was_served &= python.ask("withdraw", fields).await == json!(true);
                }
                was_served
            }
        }
    }
}

async fn python_server(python: &PythonPeer, name: &str, mut fields: Value) -> String {
    fields["name"] = json!(name);
    fields["user_id"] = json!(SERVICE);
    fields["endpoint"] = json!("tcp://127.0.0.1:*");
    let bound = python.ask("server", fields).await;
    bound["endpoint"].as_str().expect("a bound server says where").to_owned()
}

/// Registries as `peer.py` calls them.
fn python_registries(scope: Scope) -> &'static [&'static str] {
    match scope {
        Scope::Own => &["server of users", "server of nobody"],
        Scope::Global => &["global"],
        Scope::Shared => &["shared"],
    }
}
