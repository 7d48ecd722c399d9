//! The exceptions of Python that a fault may be.

use std::fmt;

macro_rules! exceptions {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The exceptions that a Python peer raises as what they are, and that do it no harm.
        ///
        /// Outgoing they are a [`Fault`](crate::Fault)'s class:
        /// `Fault::new(Exception::ValueError, "no such colour")`. Inbound,
        /// [`Fault::exception`](crate::Fault::exception) tells which one it is. A class is data: it is
        /// compared with these names and never looked up as code. Other classes may be sent, too;
        /// Python raises those as plain `Exception`, with the name in the text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Exception {
            $($(#[$doc])* $name,)*
        }

        impl Exception {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its class, as it is on the wire.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

exceptions! {
    /// Anything that has no class of its own.
    Exception,
    /// A value of the right type that is not allowed.
    ValueError,
    /// A value of the wrong type, or arguments that do not fit.
    TypeError,
    /// No such key.
    KeyError,
    /// No item at that place.
    IndexError,
    /// No such key or item.
    LookupError,
    /// No such attribute.
    AttributeError,
    /// A calculation that has no result.
    ArithmeticError,
    /// A division by zero.
    ZeroDivisionError,
    /// A number that is too large.
    OverflowError,
    /// Whatever went wrong while it ran.
    RuntimeError,
    /// What is not there yet.
    NotImplementedError,
    /// The operating system said no.
    OSError,
    /// It may not do that.
    PermissionError,
    /// A connection failed or ended.
    ConnectionError,
    /// It took too long.
    TimeoutError,
    /// No memory is left.
    MemoryError,
    /// Nothing of that name is served: pseud's own class.
    ServiceNotFoundError,
    /// The caller is not authenticated: pseud's own class.
    UnauthorizedError,
}

impl Exception {
    /// The one of exactly that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|exception| exception.name() == name)
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Exception> for String {
    fn from(exception: Exception) -> Self {
        exception.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways_and_match_exactly() {
        for &exception in Exception::ALL {
            assert_eq!(Exception::named(exception.name()), Some(exception));
        }
        for unknown in ["", "valueerror", "ValueError ", "SystemExit", "MyError", "exit"] {
            assert_eq!(Exception::named(unknown), None);
        }
    }
}
