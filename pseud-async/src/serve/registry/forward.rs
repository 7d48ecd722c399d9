//! Registering at whoever has a registry: a node, or a socket of datagrams.

/// The methods of [`Registry`](crate::Registry) that go to `self.registry()`.
macro_rules! forward {
    () => {
        /// Serves `name` with an async handler. See [`Registry::register`](crate::Registry::register).
        ///
        /// # Errors
        /// The empty name, one of more than 255 bytes, and `pseud.*`, which is reserved.
        pub fn register<F, Fut, T, E>(
            &self,
            name: &str,
            handler: F,
        ) -> Result<(), crate::NameRefused>
        where
            F: Fn(crate::Request) -> Fut + Send + Sync + 'static,
            Fut: std::future::Future<Output = Result<T, E>> + Send + 'static,
            T: serde::Serialize,
            E: crate::HandlerError,
        {
            self.registry().register(name, handler)
        }

        /// The same with typed arguments. See [`Registry::register_typed`](crate::Registry::register_typed).
        ///
        /// # Errors
        /// The empty name, one of more than 255 bytes, and `pseud.*`, which is reserved.
        pub fn register_typed<A, F, Fut, T, E>(
            &self,
            name: &str,
            handler: F,
        ) -> Result<(), crate::NameRefused>
        where
            A: serde::de::DeserializeOwned + 'static,
            F: Fn(A, crate::Request) -> Fut + Send + Sync + 'static,
            Fut: std::future::Future<Output = Result<T, E>> + Send + 'static,
            T: serde::Serialize,
            E: crate::HandlerError,
        {
            self.registry().register_typed(name, handler)
        }

        /// Serves `name` with a plain function, which must not block. See [`Registry::register_sync`](crate::Registry::register_sync).
        ///
        /// # Errors
        /// The empty name, one of more than 255 bytes, and `pseud.*`, which is reserved.
        pub fn register_sync<F, T, E>(
            &self,
            name: &str,
            handler: F,
        ) -> Result<(), crate::NameRefused>
        where
            F: Fn(crate::Request) -> Result<T, E> + Send + Sync + 'static,
            T: serde::Serialize,
            E: crate::HandlerError,
        {
            self.registry().register_sync(name, handler)
        }

        /// Serves `name` with a function that blocks or computes. See [`Registry::register_blocking`](crate::Registry::register_blocking).
        ///
        /// # Errors
        /// The empty name, one of more than 255 bytes, and `pseud.*`, which is reserved.
        pub fn register_blocking<F, T, E>(
            &self,
            name: &str,
            handler: F,
        ) -> Result<(), crate::NameRefused>
        where
            F: Fn(crate::Request) -> Result<T, E> + Send + Sync + 'static,
            T: serde::Serialize,
            E: crate::HandlerError,
        {
            self.registry().register_blocking(name, handler)
        }

        /// Collects methods of one object to be served at once. See [`Registry::object`](crate::Registry::object).
        pub fn object<O: ?Sized>(
            &self,
            prefix: &str,
            object: std::sync::Arc<O>,
        ) -> crate::Object<O> {
            self.registry().object(prefix, object)
        }

        /// Serves `name` no more; requests that run go on. See [`Registry::unregister`](crate::Registry::unregister).
        pub fn unregister(&self, name: &str) -> bool {
            self.registry().unregister(name)
        }

        /// Its registry, registering in that domain. See [`Registry::domain`](crate::Registry::domain).
        pub fn domain(&self, domain: &str) -> crate::Registry {
            self.registry().domain(domain)
        }

        /// Says whom that domain serves. See [`Registry::predicate`](crate::Registry::predicate).
        pub fn predicate(
            &self,
            domain: &str,
            predicate: impl Fn(&crate::Caller) -> bool + Send + Sync + 'static,
        ) {
            self.registry().predicate(domain, predicate)
        }

        /// The same with a predicate that may have to wait. See [`Registry::predicate_async`](crate::Registry::predicate_async).
        pub fn predicate_async<F, Fut>(&self, domain: &str, predicate: F)
        where
            F: Fn(crate::Caller) -> Fut + Send + Sync + 'static,
            Fut: std::future::Future<Output = bool> + Send + 'static,
        {
            self.registry().predicate_async(domain, predicate)
        }
    };
}

pub(crate) use forward;
