//! A request, as its handler sees it.

#[cfg(feature = "rpcudp")]
use crate::datagram::shared::SharedSocket;
use crate::serve::caller::Caller;
use crate::serve::cancelled::Cancelled;
#[cfg(feature = "rpcudp")]
use pseud_proto::rpcudp::TicketId;
use pseud_proto::value::{Arguments, BadArguments};
use pseud_proto::{RequestId, User};
use serde::Deserialize;
use smol_str::SmolStr;
use std::fmt;
#[cfg(feature = "rpcudp")]
use std::sync::Arc;

/// What a handler is given: the caller's arguments, checked, and a way back to the caller.
///
/// ```no_run
/// use pseud::{Fault, Request};
///
/// async fn divide(request: Request) -> Result<f64, Fault> {
///     let (dividend, divisor): (f64, f64) = request.args()?; // else a TypeError is told
///     if divisor == 0.0 {
///         return Err(Fault::new("ZeroDivisionError", "division by zero"));
///     }
///     println!("{:?} divides", request.caller().user().id());
///     Ok(dividend / divisor)
/// }
///
/// # fn run(server: pseud::Server) -> Result<(), Box<dyn std::error::Error>> {
/// server.register("divide", divide)?;
/// # Ok(()) }
/// ```
pub struct Request {
    pub(crate) asked: Asked,
    pub(crate) caller: Caller,
    pub(crate) name: SmolStr,
    pub(crate) arguments: Arguments,
}

/// What waits for the answer.
pub(crate) enum Asked {
    /// A request of its caller's session.
    Session(RequestId),
    /// A datagram.
    #[cfg(feature = "rpcudp")]
    Datagram(Arc<SharedSocket>, TicketId),
}

impl Request {
    /// The dotted name that was called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The positional arguments as a tuple: `let (name, count): (String, u32) = request.args()?`.
    /// `&str` and bytes may be borrowed from the request, and [`SharedBytes`](pseud_proto::value::SharedBytes) share
    /// its buffer. Keywords are not looked at: they are read by
    /// [`kwargs`](Self::kwargs), or together with these by [`bind`](Self::bind), which knows what a
    /// Python caller means by `f(name='Charly')`.
    ///
    /// # Errors
    /// Too few, too many, or of other types: becomes the `TypeError` that the caller is told.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, BadArguments> {
        self.arguments.args()
    }

    /// The keyword arguments, as a struct or a map.
    ///
    /// # Errors
    /// As for [`args`](Self::args).
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, BadArguments> {
        self.arguments.kwargs()
    }

    /// Positional and keyword arguments together, as [`register_typed`](crate::Registry::register_typed)
    /// binds them: see [`Arguments::bind`].
    ///
    /// # Errors
    /// As for [`args`](Self::args).
    pub fn bind<'a, T: Deserialize<'a>>(&'a self) -> Result<T, BadArguments> {
        self.arguments.bind()
    }

    /// The arguments as dynamic values, and as they are on the wire.
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// Tells when the caller's link has ended, or this node: to stop work that would be for nothing. A
    /// caller that gave its call up (it timed out, or was dropped) does not say so: bound long work by a
    /// time-out of its own.
    ///
    /// An async handler that waits is [dropped](crate::OnDisconnect::Cancel) then, unless that was set
    /// otherwise. One that waits for this gets one last poll: what it does in that before it returns or
    /// waits again is done, what it would do after that is not. A clone of this that was handed to
    /// other tasks or threads tells them.
    ///
    /// Of a datagram (`Wire::Rpcudp`) nobody knows whether its sender is still there: there it tells of
    /// this side's end, and that the request has waited for its endpoint's `request_timeout`.
    ///
    /// A blocking handler runs to its end, and until then counts as one of the
    /// `Limits::requests_open_max` that all peers share: one that takes long should
    /// [ask](Cancelled::is_cancelled), lest peers that call and leave keep everybody else out.
    pub fn cancelled(&self) -> Cancelled {
        match &self.asked {
            Asked::Session(request) => Cancelled::new(self.caller.seat.clone(), *request),
            #[cfg(feature = "rpcudp")]
            Asked::Datagram(socket, ticket) => Cancelled::of_datagram(socket.clone(), *ticket),
        }
    }

    /// Whether its caller is gone, before its handler has begun.
    pub(crate) fn is_unwanted(&self) -> bool {
        match &self.asked {
            Asked::Session(_) => self.caller.seat.is_over(),
            #[cfg(feature = "rpcudp")]
            Asked::Datagram(..) => self.cancelled().is_cancelled(),
        }
    }

    /// Whose request it is: Python's `with_identity`, without asking for it. Nothing that the caller
    /// writes into its arguments changes it. See [`Caller::user`].
    pub fn user(&self) -> &User {
        self.caller.user()
    }

    /// Whoever called: who it is, and the way to call it back on the connection that it opened.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("name", &self.name).field("caller", &self.caller).finish()
    }
}
