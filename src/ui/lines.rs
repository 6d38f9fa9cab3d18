//! Output as lines that are safe to show: no escape sequences, no overwritten beginnings.

use std::borrow::Cow;

/// A line is cut here if it does not end by itself.
const LONGEST: usize = 16 << 10;

/// Cuts pieces of output into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    open: String,
}

impl Lines {
    /// Takes a piece; calls `line` for each line that it ends.
    pub(super) fn push(&mut self, piece: &str, mut line: impl FnMut(&str)) {
        for part in piece.split_inclusive('\n') {
            self.open.push_str(part);
            if part.ends_with('\n') || self.open.len() > LONGEST {
                line(&shown(&self.open));
                self.open.clear();
            } else if let Some(start) = overwritten(&self.open) {
                self.open.drain(..start);
            }
        }
    }

    /// The line that has begun, as far as it is known.
    pub(super) fn open(&self) -> Cow<'_, str> {
        shown(&self.open)
    }

    /// The last line, at the end of the output, if it was left open.
    pub(super) fn finish(&mut self) -> Option<String> {
        let open = std::mem::take(&mut self.open);
        (!open.is_empty()).then(|| shown(&open).into_owned())
    }
}

/// Where the part begins that a carriage return has not overwritten, if something follows one.
fn overwritten(line: &str) -> Option<usize> {
    let end = line.trim_end_matches(['\r', '\n']).len();
    line[..end].rfind('\r').map(|at| at + 1)
}

/// What a terminal would be left with, as plain text. The output of a rented host must not control
/// the reader's terminal.
pub fn shown(line: &str) -> Cow<'_, str> {
    let line = line.trim_end_matches(['\r', '\n']);
    let line = &line[overwritten(line).unwrap_or(0)..];
    if line.chars().any(char::is_control) { Cow::Owned(without_controls(line)) } else { Cow::Borrowed(line) }
}

fn without_controls(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\t' | '\n' => plain.push(' '),
            '\u{1b}' => match chars.next() {
                // CSI: parameters up to a final byte.
                Some('[') => while chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
                // OSC, DCS, SOS, PM, APC: a text up to BEL or ST.
                Some(']' | 'P' | 'X' | '^' | '_') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' || c == '\u{9c}' {
                            break;
                        }
                        if c == '\u{1b}' {
                            chars.next_if_eq(&'\\');
                            break;
                        }
                    }
                }
                // A character set has one more.
                Some('(' | ')' | '*' | '+') => drop(chars.next()),
                _ => {}
            },
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&str]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for piece in pieces {
            lines.push(piece, |line| seen.push(line.to_owned()));
        }
        seen.extend(lines.finish());
        seen
    }

    #[test]
    fn pieces_become_lines() {
        assert_eq!(all(&["a\nb", "c\n", "\nd"]), ["a", "bc", "", "d"]);
        assert_eq!(all(&["a\r\nb\r\n"]), ["a", "b"]);
        assert_eq!(all(&[]), Vec::<String>::new());
    }

    #[test]
    fn progress_bars_leave_their_last_state() {
        assert_eq!(all(&["10 %\r50 %", "\r100 %\n"]), ["100 %"]);
        assert_eq!(all(&["10 %\r", "50 %\r", "60 %"]), ["60 %"]);
        let mut lines = Lines::default();
        for n in 0..10_000 {
            lines.push(&format!("\rstep {n}"), |_| panic!("no line ends"));
        }
        assert_eq!(lines.open(), "step 9999");
        assert!(lines.open.len() < 100);
    }

    #[test]
    fn nothing_drives_the_terminal() {
        assert_eq!(shown("\u{1b}[1;31mred\u{1b}[0m"), "red");
        assert_eq!(shown("\u{1b}]52;c;ZXZpbA==\u{7}x\u{1b}]0;t\u{1b}\\y"), "xy");
        assert_eq!(shown("a\u{8}b\u{7}c\td\u{9b}e"), "abc de");
        assert_eq!(shown("\u{1b}(Bx\u{1b}[2Jy\u{1b}"), "xy");
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let seen = all(&[&"x".repeat(40_000)]);
        assert_eq!(seen.iter().map(String::len).sum::<usize>(), 40_000);
    }
}
