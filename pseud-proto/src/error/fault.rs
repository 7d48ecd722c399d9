//! What a handler raised.

use super::Exception;
use std::fmt;

/// A handler's exception as the wire has it: ERROR `[class, message, traceback]`.
///
/// The class is data: it is never looked up as code. [`exception`](Self::exception) names the ones
/// that Python has:
///
/// ```
/// use pseud_proto::{Exception, Fault};
///
/// let fault = Fault::new(Exception::KeyError, "no such user");
/// assert_eq!(fault.exception(), Some(Exception::KeyError));
/// assert_eq!(Fault::new("TicketSoldOut", "").exception(), None);
/// ```
///
/// In a handler `?` makes one of an [`io::Error`](std::io::Error) (the class follows its kind), of what
/// the standard library's parsers and number conversions fail with (`ValueError`,
/// `OverflowError`), of a text and of a boxed error (`Exception`), and of a nested call's failure.
/// What the caller is told is the error's `Display`, and nothing else of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The exception's class, without a module: `ValueError`.
    pub class: String,
    /// Its message.
    pub message: String,
    /// Where it was raised, as text: empty where its peer exposes none, `None` where it sent nil.
    pub traceback: Option<String>,
}

impl Fault {
    /// A fault with that class (an [`Exception`] or a text) and message, and an empty traceback.
    pub fn new(class: impl Into<String>, message: impl Into<String>) -> Self {
        let traceback = Some(String::new());
        Self { class: class.into(), message: message.into(), traceback }
    }

    /// The same with a traceback. It leaves this process only under `Config::expose_traceback`.
    #[must_use]
    pub fn with_traceback(mut self, traceback: impl Into<String>) -> Self {
        self.traceback = Some(traceback.into());
        self
    }

    /// Whether the same call may end otherwise a little later: the peer had no room for it, or was
    /// shutting down, and runs nothing. Of what a handler raised only the application can tell: false.
    pub fn is_transient(&self) -> bool {
        matches!(&*self.class, "Overloaded" | "Draining")
    }

    /// Whether it says that nothing of that name is served there. A Python handler may let such an
    /// exception out of a call of its own: then it ran.
    pub fn is_service_not_found(&self) -> bool {
        self.exception() == Some(Exception::ServiceNotFoundError)
    }

    /// Which of Python's exceptions its class is; `None` for any other class.
    pub fn exception(&self) -> Option<Exception> {
        Exception::named(&self.class)
    }
}

/// In one line, `KeyError: no such user`; the class alone where there is no message. What a peer wrote is
/// escaped.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.class, &*self.message) {
            (class, "") => Escaped(class).fmt(f),
            ("", message) => Escaped(message).fmt(f),
            (class, message) => write!(f, "{}: {}", Escaped(class), Escaped(message)),
        }
    }
}

impl std::error::Error for Fault {}

/// A peer's text for logs and terminals: what does not print, line breaks and text direction among
/// it, is escaped.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            '"' | '\'' | '\\' => write!(f, "{char}"),
            char => write!(f, "{}", char.escape_debug()),
        })
    }
}
