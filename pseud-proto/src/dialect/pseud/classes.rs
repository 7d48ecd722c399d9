//! Classes of errors that a v1 peer survives.

use crate::error::Fault;
use std::borrow::Cow;

/// Names in CPython's builtins (any version's) that a v1 reader is not made to call, besides those
/// that begin with `_` or a lower-case letter. It looks an ERROR's class up there and calls what it
/// finds with one string: `SystemExit` would end the process, `UnicodeDecodeError` its reader.
///
/// Not listed, since one string makes them and they do no harm: [`Exception`](crate::Exception).
const WITHHELD: &[&str] = &[
    "AssertionError",
    "BaseException",
    "BaseExceptionGroup",
    "BlockingIOError",
    "BrokenPipeError",
    "BufferError",
    "BytesWarning",
    "ChildProcessError",
    "ConnectionAbortedError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "DeprecationWarning",
    "EOFError",
    "Ellipsis",
    "EncodingWarning",
    "EnvironmentError",
    "ExceptionGroup",
    "False",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "FutureWarning",
    "GeneratorExit",
    "IOError",
    "ImportCycleError",
    "ImportError",
    "ImportWarning",
    "IndentationError",
    "InterruptedError",
    "IsADirectoryError",
    "KeyboardInterrupt",
    "ModuleNotFoundError",
    "NameError",
    "None",
    "NotADirectoryError",
    "NotImplemented",
    "PendingDeprecationWarning",
    "ProcessLookupError",
    "PythonFinalizationError",
    "RecursionError",
    "ReferenceError",
    "ResourceWarning",
    "RuntimeWarning",
    "StandardError",
    "StopAsyncIteration",
    "StopIteration",
    "SyntaxError",
    "SyntaxWarning",
    "SystemError",
    "SystemExit",
    "TabError",
    "True",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UnicodeTranslateError",
    "UnicodeWarning",
    "UserWarning",
    "Warning",
    "WindowsError",
];

/// The class and message that say the same to a v1 peer without harming it: a class that its
/// builtins have (or could have) and that is not known to be harmless goes as `Exception`, with
/// the name in the text. What is empty leaves no line in it.
pub(crate) fn v1_class<'a>(fault: &'a Fault) -> (&'a str, Cow<'a, str>) {
    if is_v1_safe(&fault.class) {
        return (&fault.class, Cow::Borrowed(&fault.message));
    }
    let text = match (fault.class.as_str(), fault.message.as_str()) {
        ("", message) => Cow::Borrowed(message),
        (class, "") => Cow::Borrowed(class),
        (class, message) => Cow::Owned(format!("{class}\n{message}")),
    };
    ("Exception", text)
}

fn is_v1_safe(class: &str) -> bool {
    let could_be_builtin = class.starts_with(|first: char| first == '_' || first.is_lowercase());
    !class.is_empty() && !could_be_builtin && !WITHHELD.contains(&class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f_12_no_class_that_harms_a_v1_reader_leaves() {
        for class in ["SystemExit", "StopIteration", "UnicodeDecodeError", "exit", "__import__"] {
            let fault = Fault::new(class, "why");
            assert_eq!(v1_class(&fault), ("Exception", format!("{class}\nwhy").into()));
        }
    }

    #[test]
    fn what_is_empty_leaves_no_line() {
        for (class, message, text) in [("", "why", "why"), ("exit", "", "exit"), ("", "", "")] {
            assert_eq!(v1_class(&Fault::new(class, message)), ("Exception", text.into()));
        }
    }

    #[test]
    fn safe_and_unknown_classes_go_as_they_are() {
        for class in ["ValueError", "ServiceNotFoundError", "Overloaded", "MyError"] {
            assert_eq!(v1_class(&Fault::new(class, "why")), (class, "why".into()));
        }
    }
}
