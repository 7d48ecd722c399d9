//! What a handler's `?` makes a fault of: errors of the standard library, texts, boxed errors.

use super::{Exception, Fault};
use std::error::Error;
use std::io::{self, ErrorKind};

macro_rules! faults {
    ($exception:ident: $($error:ty),*) => {
        $(
            #[doc = concat!("A `", stringify!($exception), "` of that text.")]
            impl From<$error> for Fault {
                fn from(error: $error) -> Self {
                    Self::new(Exception::$exception, error.to_string())
                }
            }
        )*
    };
}

faults! { ValueError:
    std::num::ParseIntError, std::num::ParseFloatError, std::str::ParseBoolError,
    std::char::ParseCharError, std::char::CharTryFromError, std::net::AddrParseError,
    std::str::Utf8Error, std::string::FromUtf8Error, std::string::FromUtf16Error
}
faults! { OverflowError: std::num::TryFromIntError }
faults! { TypeError: std::array::TryFromSliceError }
faults! { MemoryError: std::collections::TryReserveError }
faults! { Exception: &str, String }

/// The exception that Python raises for the same, or the nearest that does its reader no harm.
impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::new(exception(error.kind()), error.to_string()).caused_by(&error)
    }
}

fn exception(kind: ErrorKind) -> Exception {
    match kind {
        ErrorKind::PermissionDenied => Exception::PermissionError,
        ErrorKind::TimedOut => Exception::TimeoutError,
        ErrorKind::OutOfMemory => Exception::MemoryError,
        ErrorKind::InvalidInput | ErrorKind::InvalidData => Exception::ValueError,
        ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::NotConnected
        | ErrorKind::BrokenPipe => Exception::ConnectionError,
        _ => Exception::OSError,
    }
}

/// A boxed `Fault` is itself, a boxed `io::Error` is told by its kind, anything else is an
/// `Exception`. The chain of its sources is the traceback.
impl From<Box<dyn Error + Send + Sync>> for Fault {
    fn from(error: Box<dyn Error + Send + Sync>) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(fault) => return *fault,
            Err(error) => error,
        };
        match error.downcast::<io::Error>() {
            Ok(error) => (*error).into(),
            Err(error) => {
                Self::new(Exception::Exception, error.to_string()).caused_by(error.as_ref())
            }
        }
    }
}

/// Sources of an error that are told: a chain may be a ring.
const SOURCES_MAX: usize = 64;

impl Fault {
    /// The same with the chain of that error's sources as its traceback, a line each.
    fn caused_by(self, error: &(dyn Error + 'static)) -> Self {
        let chain = std::iter::successors(error.source(), |error| (*error).source());
        let lines: Vec<_> =
            chain.take(SOURCES_MAX).map(|source| format!("caused by: {source}")).collect();
        self.with_traceback(lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no configuration")]
    struct Unconfigured(#[source] io::Error);

    fn told<E: Into<Fault>>(error: E) -> (Exception, String, String) {
        let fault = error.into();
        (fault.exception().unwrap(), fault.message, fault.traceback.unwrap())
    }

    #[test]
    fn the_standard_librarys_errors_have_a_class_and_say_what_they_say() {
        let no_text = String::from_utf8(vec![0xff]).unwrap_err();
        for (fault, exception) in [
            (Fault::from("x".parse::<i32>().unwrap_err()), Exception::ValueError),
            ("x".parse::<f64>().unwrap_err().into(), Exception::ValueError),
            ("x".parse::<bool>().unwrap_err().into(), Exception::ValueError),
            ("x".parse::<std::net::IpAddr>().unwrap_err().into(), Exception::ValueError),
            (no_text.utf8_error().into(), Exception::ValueError),
            (no_text.into(), Exception::ValueError),
            (u8::try_from(256_i32).unwrap_err().into(), Exception::OverflowError),
            ("no seats".into(), Exception::Exception),
        ] {
            assert_eq!(fault.exception(), Some(exception), "{fault}");
            assert!(!fault.message.is_empty() && fault.traceback.as_deref() == Some(""));
        }
        let bad = "12a".parse::<i32>().unwrap_err();
        assert_eq!(told(bad.clone()), (Exception::ValueError, bad.to_string(), String::new()));
    }

    #[test]
    fn an_io_error_is_told_by_its_kind() {
        for (kind, exception) in [
            (ErrorKind::NotFound, Exception::OSError),
            (ErrorKind::PermissionDenied, Exception::PermissionError),
            (ErrorKind::TimedOut, Exception::TimeoutError),
            (ErrorKind::ConnectionRefused, Exception::ConnectionError),
            (ErrorKind::BrokenPipe, Exception::ConnectionError),
            (ErrorKind::InvalidInput, Exception::ValueError),
            (ErrorKind::OutOfMemory, Exception::MemoryError),
            (ErrorKind::UnexpectedEof, Exception::OSError),
            (ErrorKind::Other, Exception::OSError),
        ] {
            let told = told(io::Error::new(kind, "why"));
            assert_eq!(told, (exception, "why".to_owned(), String::new()));
        }
    }

    #[test]
    fn a_boxed_error_says_its_own_text_and_keeps_its_sources_for_the_traceback() {
        let disk = io::Error::new(ErrorKind::NotFound, Unconfigured(io::Error::other("/etc/app")));
        let boxed: Box<dyn Error + Send + Sync> = Box::new(Unconfigured(disk));
        let text = "caused by: no configuration\ncaused by: /etc/app".to_owned();
        assert_eq!(told(boxed), (Exception::Exception, "no configuration".to_owned(), text));
        let boxed: Box<dyn Error + Send + Sync> = Box::new(Fault::new("SoldOut", "no seats"));
        assert_eq!(Fault::from(boxed), Fault::new("SoldOut", "no seats"));
        let boxed: Box<dyn Error + Send + Sync> = Box::new(io::Error::from(ErrorKind::TimedOut));
        assert_eq!(told(boxed).0, Exception::TimeoutError);
        let boxed: Box<dyn Error + Send + Sync> = "no seats".into();
        assert_eq!(told(boxed).1, "no seats");
    }
}
