//! Dotted name → handler, exact match: names are table keys, never paths to walk.

use std::collections::BTreeMap;

/// Handlers by dotted name. `H` is whatever the driver calls a handler.
#[derive(Debug)]
pub struct Registry<H> {
    handlers: BTreeMap<String, H>,
}

/// A name that cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameRefused {
    /// The empty name.
    #[error("a handler needs a name")]
    Empty,
    /// `pseud` and `pseud.*` belong to the library.
    #[error("the name {0:?} is reserved: `pseud.*` belongs to the library")]
    Reserved(String),
}

impl<H> Registry<H> {
    /// Nothing registered.
    pub fn new() -> Self {
        Self { handlers: BTreeMap::new() }
    }

    /// Puts `handler` under `name`; registering again replaces, and returns what stood there.
    pub fn register(&mut self, name: &str, handler: H) -> Result<Option<H>, NameRefused> {
        if name.is_empty() {
            return Err(NameRefused::Empty);
        }
        if name == "pseud" || name.starts_with("pseud.") {
            return Err(NameRefused::Reserved(name.to_owned()));
        }
        Ok(self.handlers.insert(name.to_owned(), handler))
    }

    /// Takes the handler of `name` away; requests that it is serving go on.
    pub fn unregister(&mut self, name: &str) -> Option<H> {
        self.handlers.remove(name)
    }

    /// The handler of exactly that name.
    pub fn find(&self, name: &str) -> Option<&H> {
        self.handlers.get(name)
    }

    /// Forgets all handlers, and returns them to be dropped by the caller.
    pub fn clear(&mut self) -> impl Iterator<Item = H> + use<H> {
        std::mem::take(&mut self.handlers).into_values()
    }
}

impl<H> Default for Registry<H> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_exactly_and_replace() {
        let mut registry = Registry::new();
        assert_eq!(registry.register("string.lower", 1), Ok(None));
        assert_eq!(registry.register("string.lower", 2), Ok(Some(1)));
        assert_eq!(registry.find("string.lower"), Some(&2));
        assert_eq!(registry.find("string"), None);
        assert_eq!(registry.find("string..lower"), None);
        assert_eq!(registry.unregister("string.lower"), Some(2));
        assert_eq!(registry.find("string.lower"), None);
    }

    #[test]
    fn m_01_reserved_names_are_refused() {
        let mut registry = Registry::new();
        assert_eq!(registry.register("", ()), Err(NameRefused::Empty));
        assert!(matches!(registry.register("pseud.caps", ()), Err(NameRefused::Reserved(_))));
        assert_eq!(registry.register("pseudonym", ()), Ok(None));
    }
}
