//! Text of strangers on a terminal.

use std::io::Write;

/// The text without characters that steer a terminal or are not seen: they are written as `\n`,
/// `\u{1b}`. Quotes and backslashes stay as they are.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\'' | '"' | '\\' => safe.push(character),
            _ => safe.extend(character.escape_debug()),
        }
    }
    safe
}

/// One line on stderr; where nobody reads it, it is lost.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// One line on stdout, at once.
pub(crate) fn say(line: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_steers_a_terminal_is_shown_instead() {
        assert_eq!(escape("\x1b[31m\n\u{9b}\u{202e}"), r"\u{1b}[31m\n\u{9b}\u{202e}");
        assert_eq!(escape(r#"'ça' "va" C:\"#), r#"'ça' "va" C:\"#);
    }
}
