//! A fault's text as Python's pseud 1.0.1 writes it.

use super::Fault;

impl Fault {
    /// The text that Python's pseud 1.0.1 gives the exception that it makes of this fault: the remote
    /// traceback between two lines that say so, then the message. For those whose tools look for
    /// it.
    ///
    /// Byte for byte that text, which is not escaped: a peer wrote most of it. `str(exception)` there
    /// is this text for the classes that Python has, and `"{class}\n{text}"` for others.
    pub fn python_text(&self) -> String {
        let traceback = self.traceback.as_deref().unwrap_or("None");
        let mut text = "\n-- Beginning of remote traceback --\n".to_owned();
        for line in split_lines(traceback) {
            push_line(&mut text, line);
        }
        if traceback.is_empty() {
            push_line(&mut text, "");
        }
        text.push_str("-- End of remote traceback --\n\n");
        text.push_str(&self.message);
        text
    }
}

/// Four spaces and the line; of a blank one (spaces and tabs, as `textwrap.dedent` has it)
/// nothing.
fn push_line(text: &mut String, line: &str) {
    if !line.trim_matches([' ', '\t']).is_empty() {
        text.push_str("    ");
        text.push_str(line);
    }
    text.push('\n');
}

/// What ends a line for Python's `str.splitlines`, besides `\r\n`.
const LINE_ENDS: [char; 10] =
    ['\n', '\x0b', '\x0c', '\r', '\x1c', '\x1d', '\x1e', '\u{85}', '\u{2028}', '\u{2029}'];

/// Python's `str.splitlines`: what follows the last end of a line is a line only if it is something.
fn split_lines(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let line = text.split(LINE_ENDS).next().filter(|_| !text.is_empty())?;
        let end = text.get(line.len()..).unwrap_or_default();
        text = end.strip_prefix("\r\n").unwrap_or_else(|| {
            let mut rest = end.chars();
            rest.next();
            rest.as_str()
        });
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from 1.0.1 on Python 3.11. The recorded vectors are in `tests/value_vectors.rs`.
    #[test]
    fn every_end_of_a_line_is_pythons() {
        for (traceback, lines) in [
            (
                "a\u{b}b\u{c}c\u{1c}d\u{1d}e\u{1e}f\u{1f}g\u{85}h\u{2028}i\u{2029}j\rk\n\rl\r\n",
                "    a\n    b\n    c\n    d\n    e\n    f\u{1f}g\n    h\n    i\n    j\n    k\n\n    l\n",
            ),
            ("\n", "\n"),
            ("\n\n", "\n\n"),
            ("\r", "\n"),
            ("\u{85}", "\n"),
            ("a\n\u{a0}\n\u{3000}\n \t \n\u{b}", "    a\n    \u{a0}\n    \u{3000}\n\n\n"),
            ("  a\n \tb", "      a\n     \tb\n"),
            ("\u{1f}\n\0\n{}", "    \u{1f}\n    \0\n    {}\n"),
        ] {
            let fault = Fault::new("ValueError", "why").with_traceback(traceback);
            let text = format!(
                "\n-- Beginning of remote traceback --\n{lines}-- End of remote traceback --\n\nwhy"
            );
            assert_eq!(fault.python_text(), text);
        }
    }
}
