//! Four servers of one kind: of users, of nobody, and two that share a registry.

use std::collections::BTreeMap;
use std::sync::Arc;

use pseud::{
    Authenticator, Fault, Options, Registry, Request, Secret, Server, User, Value as Wire,
};
use serde_json::{Value, json};

use super::scenario::{By, Scope};
use super::{known, logins, permissions};
use crate::live::SERVICE;
use crate::python::PythonPeer;

/// What serves.
pub(super) enum Servers {
    Rust(RustServers, Endpoints),
    /// Servers of one Python process, and where they listen.
    Python(Arc<PythonPeer>, Endpoints),
}

/// Servers of this process.
pub(super) struct RustServers {
    users: Server,
    nobody: Server,
    shared: Registry,
    /// Only there to serve.
    _sharing: [Server; 2],
}

/// Where to find the servers.
pub(super) struct Endpoints {
    users: String,
    nobody: String,
    left: String,
    right: String,
}

impl Servers {
    pub(super) async fn rust() -> Self {
        let (shared, options) = (Registry::new(), || Options::server(SERVICE));
        let admitted = Authenticator::passwords(logins().map(|(name, password)| {
            let permissions = permissions(name).iter().copied();
            (permissions.fold(User::new(name), User::with_permission), Secret::new(password))
        }));
        let (users, users_at) = rust_server(options().plain_server(admitted)).await;
        let (nobody, nobody_at) = rust_server(options()).await;
        let (left, left_at) = rust_server(options().registry(shared.clone())).await;
        let (right, right_at) = rust_server(options().registry(shared.clone())).await;
        let endpoints =
            Endpoints { users: users_at, nobody: nobody_at, left: left_at, right: right_at };
        [users.registry(), nobody.registry(), shared.clone()].iter().for_each(guard);
        // For whatever registry a handler of that domain stands in.
        Registry::global().predicate("closed", |_| false);
        Self::Rust(RustServers { users, nobody, shared, _sharing: [left, right] }, endpoints)
    }

    pub(super) async fn python(python: &Arc<PythonPeer>) -> Self {
        python.ask("registry", json!({"name": "shared"})).await;
        let users = json!({
            "security": {"security_plugin": "plain"}, "known": known(),
            "permissions": logins().map(|(name, _)| (name, permissions(name))).collect::<BTreeMap<_, _>>(),
        });
        let endpoints = Endpoints {
            users: python_server(python, "server of users", users).await,
            nobody: python_server(python, "server of nobody", json!({})).await,
            left: python_server(python, "left server", json!({"registry": "shared"})).await,
            right: python_server(python, "right server", json!({"registry": "shared"})).await,
        };
        Self::Python(python.clone(), endpoints)
    }

    /// Where that caller connects to.
    pub(super) fn endpoint(&self, by: By) -> &str {
        let (Self::Rust(_, endpoints) | Self::Python(_, endpoints)) = self;
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
            Self::Rust(servers, _) => {
                for registry in servers.registries(scope) {
                    rust_offer(&registry.domain(domain), name, answer);
                }
            }
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
            Self::Rust(servers, _) => {
                let registries = servers.registries(scope).into_iter();
                registries
                    .fold(true, |all, registry| registry.domain(domain).unregister(name) & all)
            }
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

impl RustServers {
    fn registries(&self, scope: Scope) -> Vec<Registry> {
        match scope {
            Scope::Own => vec![self.users.registry(), self.nobody.registry()],
            Scope::Global => vec![Registry::global()],
            Scope::Shared => vec![self.shared.clone()],
        }
    }
}

async fn rust_server(options: Options) -> (Server, String) {
    let server = Server::with_options(options).expect("a runtime is there");
    let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
    (server, endpoint.into())
}

/// The predicates of `registries.py`; `restricted` is ready-made on both sides.
fn guard(registry: &Registry) {
    registry.predicate("open", |_| true);
    registry.predicate_async("ajar", |_| async {
        tokio::task::yield_now().await;
        true
    });
    registry.predicate("broken", |_| panic!("as this predicate does"));
    registry.predicate("known", |caller| !caller.user().is_anonymous());
}

fn rust_offer(registry: &Registry, name: &str, answer: Option<&'static str>) {
    let handler = move |request: Request| {
        let user = || Wire::Bin(request.user().id().to_vec().into());
        Ok::<_, Fault>(answer.map_or_else(user, Wire::from))
    };
    registry.register_sync(name, handler).expect("a fair name");
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
