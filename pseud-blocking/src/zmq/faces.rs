//! What a server and a client over libzmq have alike.

/// Endpoints, the end, and what a node has.
macro_rules! endpoints {
    ($name:ident) => {
        impl $name {
            /// What handlers and other threads may hold of it: it registers and calls, but neither binds nor
            /// connects.
            pub fn node(&self) -> &Node {
                &self.0.node
            }

            /// Serves `name` with a plain function, where its request arrives: it must not block. See
            /// [`Registry::register_sync`](crate::Registry::register_sync).
            ///
            /// # Errors
            /// As for [`register`](Self::register).
            pub fn register_sync<F, T, E>(
                &self,
                name: &str,
                handler: F,
            ) -> Result<(), pseud_async::NameRefused>
            where
                F: Fn(pseud_async::Request) -> Result<T, E> + Send + Sync + 'static,
                T: serde::Serialize,
                E: pseud_async::HandlerError,
            {
                self.registry().register_sync(name, handler)
            }

            /// Listens on an endpoint of libzmq's: `tcp://host:port` (host `*` for any, port `*` or 0 for a
            /// free one), `ipc://path`, `inproc://name`. Returns it as libzmq has it.
            ///
            /// # Errors
            /// The endpoint is malformed or cannot be bound, or the node has ended.
            pub fn bind(&self, endpoint: impl IntoAddress) -> Result<Address, EndpointError> {
                self.0.bind(endpoint.into_address()?)
            }

            /// Connects to an endpoint, and again whenever that connection ends. Returns at once.
            ///
            /// # Errors
            /// The endpoint is malformed or connected to already, or the node has ended.
            pub fn connect(&self, endpoint: impl IntoAddress) -> Result<(), EndpointError> {
                self.0.connect(endpoint.into_address()?)
            }

            /// Listens no more on an endpoint, written as [`bind`](Self::bind) returned it.
            ///
            /// # Errors
            /// It is not bound.
            pub fn unbind(&self, endpoint: impl IntoAddress) -> Result<(), EndpointError> {
                self.0.unbind(endpoint.into_address()?)
            }

            /// Closes the connection to an endpoint, and does not connect to it again.
            ///
            /// # Errors
            /// It is not connected to.
            pub fn disconnect(&self, endpoint: impl IntoAddress) -> Result<(), EndpointError> {
                self.0.disconnect(endpoint.into_address()?)
            }

            /// Ends gracefully: takes no new requests, lets what is open finish for that long at most, then
            /// ends everything, and waits until libzmq has sent what it was handed, for a second at most.
            ///
            /// # Errors
            /// This thread must not block.
            pub fn drain(&self, at_most: Duration) -> io::Result<Drain> {
                self.0.drain(at_most)
            }
        }

        impl Deref for $name {
            type Target = Node;

            fn deref(&self) -> &Node {
                &self.0.node
            }
        }
    };
}

pub(super) use endpoints;
