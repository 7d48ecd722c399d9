//! Dotted name and domain → handler, exact match: names are table keys, never paths to walk.
//!
//! One name may have a handler in each of several domains; who may reach a domain is for the driver
//! to say. [`candidates`] tells in which order they are to be tried.

mod names;
#[cfg(test)]
mod tests;

pub use crate::registry::names::{NAME_BYTES_MAX, NameRefused, check_name};

use std::collections::BTreeMap;

/// The domain of a handler that was registered without one.
pub const DEFAULT_DOMAIN: &str = "default";

/// Handlers by dotted name and domain. `H` is whatever the driver calls a handler.
#[derive(Debug, Clone)]
pub struct Handlers<H> {
    names: BTreeMap<String, Entries<H>>,
}

/// The handlers of one name.
#[derive(Debug, Clone)]
struct Entries<H> {
    default: Option<H>,
    /// Those of other domains, by the time at which they were registered.
    restricted: Vec<(Box<str>, H)>,
}

impl<H> Handlers<H> {
    /// Nothing registered.
    pub fn new() -> Self {
        Self { names: BTreeMap::new() }
    }

    /// Puts `handler` under `name` in the default domain; registering again replaces, and returns what
    /// stood there.
    ///
    /// # Errors
    /// See [`check_name`].
    pub fn register(&mut self, name: &str, handler: H) -> Result<Option<H>, NameRefused> {
        self.register_in(DEFAULT_DOMAIN, name, handler)
    }

    /// The same in that domain. Registering again also makes it the newest of its name.
    ///
    /// # Errors
    /// See [`check_name`].
    pub fn register_in(
        &mut self,
        domain: &str,
        name: &str,
        handler: H,
    ) -> Result<Option<H>, NameRefused> {
        check_name(name)?;
        Ok(self.register_reserved(domain, name, handler))
    }

    /// The same of a name that is [reserved](NameRefused::Reserved): for the library's own handlers.
    pub fn register_reserved(&mut self, domain: &str, name: &str, handler: H) -> Option<H> {
        let entries = self.names.entry(name.to_owned()).or_insert_with(Entries::new);
        let replaced = entries.take(domain);
        entries.put(domain, handler);
        replaced
    }

    /// Takes the handler of `name` in the default domain away; requests that it is serving go on.
    pub fn unregister(&mut self, name: &str) -> Option<H> {
        self.unregister_in(DEFAULT_DOMAIN, name)
    }

    /// The same in that domain.
    pub fn unregister_in(&mut self, domain: &str, name: &str) -> Option<H> {
        let entries = self.names.get_mut(name)?;
        let removed = entries.take(domain);
        if entries.is_empty() {
            self.names.remove(name);
        }
        removed
    }

    /// The handler of exactly that name in the default domain.
    pub fn find(&self, name: &str) -> Option<&H> {
        self.names.get(name)?.default.as_ref()
    }

    /// Whether nothing is registered, in no domain.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Forgets all handlers, and returns them to be dropped by the caller.
    pub fn clear(&mut self) -> impl Iterator<Item = H> + use<H> {
        std::mem::take(&mut self.names).into_values().flat_map(|Entries { default, restricted }| {
            restricted.into_iter().map(|(_, handler)| handler).chain(default)
        })
    }
}

impl<H> Default for Handlers<H> {
    fn default() -> Self {
        Self::new()
    }
}

/// The handlers of `name` with their domains, in the order in which they are to be tried; the first
/// whose domain takes the caller serves. `registries`: the most local first.
///
/// It is Python pseud's order:
/// 1. domains that are not the default one, also a distant registry's before a local default one;
/// 2. then the more local registry;
/// 3. then, within a registry, whichever was registered last.
pub fn candidates<'a, H, const N: usize>(
    registries: [&'a Handlers<H>; N],
    name: &str,
) -> impl Iterator<Item = (&'a str, &'a H)> + use<'a, H, N> {
    let known = registries.map(|registry| registry.names.get(name));
    let restricted = known.into_iter().flatten().flat_map(|entries| {
        entries.restricted.iter().rev().map(|(domain, handler)| (&**domain, handler))
    });
    let default = known.into_iter().flatten().filter_map(|entries| entries.default.as_ref());
    restricted.chain(default.map(|handler| (DEFAULT_DOMAIN, handler)))
}

impl<H> Entries<H> {
    fn new() -> Self {
        Self { default: None, restricted: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.default.is_none() && self.restricted.is_empty()
    }

    fn take(&mut self, domain: &str) -> Option<H> {
        if domain == DEFAULT_DOMAIN {
            return self.default.take();
        }
        let index = self.restricted.iter().position(|(known, _)| **known == *domain)?;
        Some(self.restricted.remove(index).1)
    }

    fn put(&mut self, domain: &str, handler: H) {
        match domain {
            DEFAULT_DOMAIN => self.default = Some(handler),
            other => self.restricted.push((other.into(), handler)),
        }
    }
}
