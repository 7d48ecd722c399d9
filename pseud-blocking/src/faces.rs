//! What faces here have alike: handlers on threads, and waiting for a node.

/// Methods that a blocking node has instead of those of [`Node`](pseud_async::Node), and a blocking endpoint
/// of datagrams instead of its own.
macro_rules! handlers {
    ($name:ident) => {
        impl $name {
            /// Serves `name` with a plain function, on a thread of the pool: it may block, compute, and call.
            /// See [`Registry::register_blocking`](crate::Registry::register_blocking); for what is done at
            /// once, [`Registry::register_sync`](crate::Registry::register_sync) spares the thread.
            ///
            /// # Errors
            /// The empty name, one of more than 255 bytes, and `pseud.*`, which is reserved.
            pub fn register<F, T, E>(
                &self,
                name: &str,
                handler: F,
            ) -> Result<(), pseud_async::NameRefused>
            where
                F: Fn(pseud_async::Request) -> Result<T, E> + Send + Sync + 'static,
                T: serde::Serialize,
                E: pseud_async::HandlerError,
            {
                self.registry().register_blocking(name, handler)
            }

            /// The same with typed arguments: what does not fit is a `TypeError` of the caller's.
            ///
            /// # Errors
            /// As for [`register`](Self::register).
            pub fn register_typed<A, F, T, E>(
                &self,
                name: &str,
                handler: F,
            ) -> Result<(), pseud_async::NameRefused>
            where
                A: serde::de::DeserializeOwned + 'static,
                F: Fn(A, pseud_async::Request) -> Result<T, E> + Send + Sync + 'static,
                T: serde::Serialize,
                E: pseud_async::HandlerError,
            {
                self.register(name, move |request| {
                    let args = request.bind().map_err(pseud_proto::Fault::from)?;
                    handler(args, request).map_err(pseud_async::HandlerError::into_fault)
                })
            }
        }
    };
}

/// Waiting for a node.
macro_rules! waiting {
    ($name:ident) => {
        impl $name {
            /// Serves until this node ends: by [`shutdown`](crate::Node::shutdown) of another clone, or by
            /// `drain`. For programs that do nothing else: what is bound is served anyhow.
            ///
            /// # Errors
            /// This thread must not block.
            pub fn serve(&self) -> std::io::Result<()> {
                let mut events = self.events();
                while $crate::block_on(events.next())?.is_some() {}
                Ok(())
            }

            /// Waits until the configured server's link is ready: for as long as that takes, and not at all
            /// where no server is configured.
            ///
            /// # Errors
            /// This thread must not block.
            pub fn ready(&self) -> std::io::Result<()> {
                Ok($crate::block_on(self.node().ready())?)
            }
        }
    };
}

pub(crate) use {handlers, waiting};
