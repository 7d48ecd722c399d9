//! What is set up alike whatever a node's wire.

/// Those settings of a type that has the fields.
macro_rules! common {
    ($options:ident) => {
        impl $options {
            /// How long an address may take to accept our connection. Default 3 s: see
            /// [the field](Self#structfield.connect_timeout).
            #[must_use]
            pub fn connect_timeout(mut self, timeout: std::time::Duration) -> Self {
                self.connect_timeout = timeout;
                self
            }

            /// How long a call waits for its answer, and for the link before it, unless it says otherwise.
            /// Default 5 s.
            #[must_use]
            pub fn call_timeout(mut self, timeout: std::time::Duration) -> Self {
                self.config.call_timeout = timeout;
                self
            }

            /// Serves what that registry holds, now and later, instead of one of its own: several nodes, of other
            /// wires too, may share it. It outlives them. Python's `registry` argument.
            #[must_use]
            pub fn registry(mut self, registry: crate::Registry) -> Self {
                self.registry = Some(registry);
                self
            }

            /// What becomes of async handlers that wait while their caller leaves. Default:
            /// [`OnDisconnect::Cancel`](crate::OnDisconnect::Cancel), they are dropped.
            #[must_use]
            pub fn on_disconnect(mut self, on_disconnect: crate::OnDisconnect) -> Self {
                self.on_disconnect = on_disconnect;
                self
            }

            /// Bounds of tables and queues.
            #[must_use]
            pub fn limits(mut self, limits: pseud_proto::Limits) -> Self {
                self.config.limits = limits;
                self
            }

            /// Sends the tracebacks of handlers to their callers. Default false: they carry file paths.
            #[must_use]
            pub fn expose_traceback(mut self, expose: bool) -> Self {
                self.config.expose_traceback = expose;
                self
            }

            /// Lets what must not be read by others cross a network in clear: see
            /// [the field](Self#structfield.allow_plaintext).
            #[must_use]
            pub fn allow_plaintext(mut self, allow: bool) -> Self {
                self.allow_plaintext = allow;
                self
            }
        }
    };
}

pub(crate) use common;
