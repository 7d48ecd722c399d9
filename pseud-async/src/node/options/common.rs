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
            #[doc(alias = "timeout")]
            pub fn call_timeout(mut self, timeout: std::time::Duration) -> Self {
                self.config.call_timeout = timeout;
                self
            }

            /// What becomes of a call for which there is no room: as many as may be are pending, or queued for
            /// its peer. By default it waits, as a part of its time-out, in the order in which calls to
            /// that peer were made; with [`WhenFull::Refuse`](pseud_proto::WhenFull::Refuse) it is refused at
            /// once. A call may say otherwise: [`Call::when_full`](crate::Call::when_full).
            ///
            /// ```no_run
            /// use pseud::{CallError, Client, Options, WhenFull};
            ///
            /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
            /// let options = Options::client("service").when_full(WhenFull::Refuse);
            /// let client = Client::with_options(options)?;
            /// client.connect("tcp://127.0.0.1:5555")?;
            /// // Worth nothing later: it is left out where there is no room.
            /// if let Err(CallError::Refused(why)) = client.call::<(), _>("tick", ()).await
            ///     && why.is_transient()
            /// {
            ///     println!("left out: {why}");
            /// }
            /// // This one waits for its turn.
            /// let sum: i64 = client.call("add", (1, 2)).when_full(WhenFull::Wait).await?;
            /// # Ok(()) }
            /// ```
            #[must_use]
            pub fn when_full(mut self, when_full: pseud_proto::WhenFull) -> Self {
                self.config.when_full = when_full;
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
