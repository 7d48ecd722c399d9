//! Dotted names, part by part.

use super::Call;
use crate::call::route::Route;
use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};
use std::fmt;
use std::sync::Arc;

/// What is before the last dot of the names that are called: a handle, cheap to clone and to keep.
///
/// What Python writes as
///
/// ```python
/// await client.string.lower('ABC')
/// await client.send_to('desk').screen.lamp.switch(True, colour='red')
/// ```
///
/// is here
///
/// ```no_run
/// use pseud_async::{CallError, Node};
/// use std::collections::BTreeMap;
///
/// # async fn run(client: Node, server: Node) -> Result<(), CallError> {
/// let string = client.service("string");
/// let abc: String = string.call("lower", ("ABC",)).await?;
/// let abc = string.call::<String, _>("lower", ("ABC",)).await?; // the same
///
/// let lamp = server.peer("desk").service("screen").service("lamp");
/// lamp.call::<(), _>("switch", (true,)).kwargs(BTreeMap::from([("colour", "red")])).await?;
/// # Ok(()) }
/// ```
///
/// What is different: arguments are a tuple, one of them is `("ABC",)` and none is `()`; the result's
/// type is asked for, by a `let` or as the first type after `call::`; `Value` is any. A call is sent
/// when it is awaited; to let several run at once, spawn or join them.
///
/// A service is nothing but a name: nothing is asked of the peer before a call, and
/// `service("a").service("b").call("c", ())`, `service("a.b").call("c", ())` and `call("a.b.c", ())`
/// are the same call. A part that is empty makes the call
/// [`CallRefused::NameEmpty`](pseud_proto::CallRefused::NameEmpty).
#[derive(Clone)]
pub struct Service {
    route: Arc<Route>,
    name: SmolStr,
    /// How many calls led to those that are made here.
    hops: u32,
}

impl Service {
    pub(crate) fn new(route: Arc<Route>, name: &str) -> Self {
        Self { route, name: SmolStr::new(name), hops: 0 }
    }

    /// The same, with calls to which that many led.
    pub(crate) fn hops(self, hops: u32) -> Self {
        Self { hops, ..self }
    }

    /// Its dotted name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The service of that name within this one.
    pub fn service(&self, name: impl AsRef<str>) -> Self {
        let name = join(&self.name, name.as_ref());
        Self { name, ..self.clone() }
    }

    /// Calls `name` of this service. `args` is a tuple: `("ABC",)`, `()`. See [`Call`].
    pub fn call<T, A: Serialize>(&self, name: impl AsRef<str>, args: A) -> Call<T, A> {
        let name = join(&self.name, name.as_ref());
        Call::new(self.route.clone(), name, args).hops(self.hops)
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("to", &self.route).field("name", &self.name).finish()
    }
}

/// The empty name, which no call may have, if a part of it is empty: `string.` is nobody's intention.
fn join(service: &str, name: &str) -> SmolStr {
    match service.is_empty() || name.is_empty() {
        true => SmolStr::default(),
        false => format_smolstr!("{service}.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_by_dots_and_none_may_be_empty() {
        assert_eq!(join("string", "lower"), "string.lower");
        assert_eq!(join(&join("this.is", "a"), "name"), "this.is.a.name");
        for name in [join("", "lower"), join("string", ""), join(&join("", "a"), "b")] {
            assert_eq!(name, "");
        }
        assert!(!join("fifteen.bytes.1", "seven.7").is_heap_allocated());
    }
}
