//! Text that others wrote, made fit to be shown: it can't command a terminal, hide part of itself,
//! turn a line around or end one.
//!
//! This is the one place that says what is fit. Its forms are [`shown`] for one line, [`page`] for
//! several, [`brief`] for what another program said, [`exact`] for names that must stay apart, and
//! [`Printed`] for output as it comes.

use std::borrow::Cow;
use std::fmt::Write;

use crate::escape::Class;
use crate::escape::Parser;
use crate::escape::is_invisible;
use crate::escape::last_character;

/// A line of output is cut here if it does not end by itself. In bytes.
const LONGEST: usize = 16 << 10;

/// So many characters of a line may be struck over; those after them stay.
const MOST_STRUCK: usize = 1024;

/// One line as a terminal would be left with, as plain text: without escape sequences and
/// characters that are not seen, without what a carriage return or a backspace took back. White
/// space, ends of lines included, is a space; what can't be shown is U+FFFD. A long text is cut.
pub fn shown(text: &str) -> Cow<'_, str> {
    let text = text.trim_end_matches(['\r', '\n']);
    if text.len() <= LONGEST && text.bytes().all(is_fit) {
        return Cow::Borrowed(text);
    }
    let mut parser = Parser::default();
    let mut line = Line::default();
    for byte in text.bytes() {
        parser.step(byte, |class, bytes| line.take(class, bytes));
        if line.text.len() > 2 * LONGEST {
            break;
        }
    }
    parser.finish(|class, bytes| line.take(class, bytes));
    let mut shown = line.shown().into_owned();
    if shown.len() > LONGEST {
        shown.truncate(shown.floor_char_boundary(LONGEST - "…".len()));
        shown.push('…');
    }
    Cow::Owned(shown)
}

/// As [`shown`], each line for itself.
pub fn page(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| is_fit(byte) || byte == b'\n') {
        return Cow::Borrowed(text);
    }
    let mut page = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        page.push_str(&shown(line));
        if line.ends_with('\n') {
            page.push('\n');
        }
    }
    Cow::Owned(page)
}

/// What another program said: as [`shown`], every run of white space one space, and no more than
/// `most` characters.
pub fn brief(text: &str, most: usize) -> String {
    let line = page(text);
    let mut words = line.split_whitespace().fold(String::new(), |mut words, word| {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        words
    });
    if let Some((end, _)) = words.char_indices().nth(most) {
        words.truncate(end);
        words.push('…');
    }
    words
}

/// A name or a path in one line with nothing left out, so that two that differ look different: what
/// [`shown`] would leave out or replace, and bytes that are not UTF-8, as escapes.
pub fn exact(name: &[u8]) -> String {
    let mut shown = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_visible(character) || character == ' ' {
                shown.push(character);
            } else {
                // A text takes all that is written to it.
                write!(shown, "{}", character.escape_default()).ok();
            }
        }
        for byte in chunk.invalid() {
            write!(shown, "\\x{byte:02x}").ok();
        }
    }
    shown
}

/// As [`exact`], for lines of a file: their ends and tabs stay.
pub fn exact_lines(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| is_fit(byte) || matches!(byte, b'\n' | b'\t')) {
        return Cow::Borrowed(text);
    }
    let mut exact_text = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let body = line.strip_suffix('\n').map_or(line, |body| body.strip_suffix('\r').unwrap_or(body));
        for (at, part) in body.split('\t').enumerate() {
            exact_text.push_str(if at == 0 { "" } else { "\t" });
            exact_text.push_str(&exact(part.as_bytes()));
        }
        exact_text.push_str(if line.ends_with('\n') { "\n" } else { "" });
    }
    Cow::Owned(exact_text)
}

/// Whether there are control characters: a text with one can't be a name.
pub fn has_controls(text: &str) -> bool {
    text.contains(char::is_control)
}

/// Output on its way to a reader, cut into lines that are fit to be shown.
#[derive(Debug, Default)]
pub struct Printed {
    parser: Parser,
    line: Line,
}

impl Printed {
    /// Takes a piece, cut anywhere; calls `line` for each line that it ends.
    pub fn push(&mut self, piece: &str, mut line: impl FnMut(&str)) {
        let mut rest = piece.as_bytes();
        while let Some(&byte) = rest.first() {
            let room = LONGEST.saturating_sub(self.line.text.len()).max(1);
            let is_at_rest = self.parser.is_at_rest();
            let fit =
                if is_at_rest { rest.iter().take(room).take_while(|&&byte| is_fit(byte)).count() } else { 0 };
            if fit > 0 {
                self.line.append(&rest[..fit]);
                rest = &rest[fit..];
            } else {
                rest = &rest[1..];
                self.parser.step(byte, |class, bytes| {
                    if class == Class::Break && bytes == b"\n" {
                        line(&self.line.shown());
                        self.line.clear();
                    } else {
                        self.line.take(class, bytes);
                    }
                });
            }
            let splits = rest.first().is_some_and(|byte| (0x80..0xc0).contains(byte));
            if self.line.text.len() >= LONGEST && !splits {
                line(&self.line.shown());
                self.line.clear();
            }
        }
    }

    /// The line that has begun, as far as it is known.
    pub fn open(&self) -> Cow<'_, str> {
        self.line.shown()
    }

    /// The last line, at the end of the output, if it was left open.
    pub fn finish(&mut self) -> Option<String> {
        let Self { mut parser, mut line } = std::mem::take(self);
        parser.finish(|class, bytes| line.take(class, bytes));
        (!line.text.is_empty()).then(|| line.shown().into_owned())
    }
}

/// What a line comes to.
#[derive(Debug, Default)]
struct Line {
    text: Vec<u8>,
    /// After a carriage return: what comes next is written over the line.
    returned: bool,
    /// Its last character was the last thing that came.
    open: bool,
    /// Characters that were struck over.
    struck: usize,
}

impl Line {
    fn take(&mut self, class: Class, bytes: &[u8]) {
        match class {
            Class::Text => self.append(bytes),
            Class::Break if bytes == b"\r" => {
                self.returned = true;
                self.open = false;
            }
            Class::Break => {
                // CR LF ends a line, and takes nothing back.
                self.returned &= bytes != b"\n";
                self.append(b" ");
                self.open = false;
            }
            Class::Back => {
                if self.open && self.struck < MOST_STRUCK {
                    self.text.truncate(self.text.len() - last_character(&self.text));
                    self.struck += 1;
                }
                self.open = false;
            }
            Class::Control | Class::Invisible => self.open = false,
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        if self.returned {
            self.clear();
        }
        self.text.extend_from_slice(bytes);
        self.open = true;
    }

    fn clear(&mut self) {
        self.text.clear();
        self.returned = false;
        self.open = false;
        self.struck = 0;
    }

    fn shown(&self) -> Cow<'_, str> {
        let text = String::from_utf8_lossy(&self.text);
        if text.bytes().all(is_fit) {
            return text;
        }
        let seen = |character: char| match character {
            character if is_visible(character) => character,
            character if character.is_whitespace() => ' ',
            _ => char::REPLACEMENT_CHARACTER,
        };
        Cow::Owned(text.chars().map(seen).collect())
    }
}

/// Whether a byte is a character that any terminal shows as it is.
fn is_fit(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte)
}

/// Whether something is seen where the character stands, and nothing else happens.
fn is_visible(character: char) -> bool {
    match character {
        // Letters and marks by their class, and blank all the same.
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{3164}'
        | '\u{ffa0}' => false,
        // For private use: what fonts for terminals draw their icons with.
        '\u{e000}'..='\u{f8ff}' => true,
        _ if character.is_ascii() => !character.is_ascii_control(),
        _ if is_invisible(character) => false,
        _ => {
            // In a text, unlike alone, a mark on a letter is left as it is.
            let mut room = [b'a', 0, 0, 0, 0];
            let len = 1 + character.encode_utf8(&mut room[1..]).len();
            std::str::from_utf8(&room[..len]).is_ok_and(|text| text.escape_debug().count() == 2)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(pieces: &[&str]) -> Vec<String> {
        let mut printed = Printed::default();
        let mut seen = Vec::new();
        for piece in pieces {
            printed.push(piece, |line| seen.push(line.to_owned()));
        }
        seen.extend(printed.finish());
        seen
    }

    #[test]
    fn pieces_become_lines() {
        assert_eq!(all(&["a\nb", "c\n", "\nd"]), ["a", "bc", "", "d"]);
        assert_eq!(all(&["a\r\nb\r\n"]), ["a", "b"]);
        assert_eq!(all(&[]), Vec::<String>::new());
        assert_eq!(all(&["a\x1b[3", "1mb\x1b]0;", "t\x07c\u{200b}", "d"]), ["abcd"]);
    }

    #[test]
    fn progress_bars_leave_their_last_state() {
        assert_eq!(all(&["10 %\r50 %", "\r100 %\n"]), ["100 %"]);
        assert_eq!(all(&["10 %\r", "50 %\r", "60 %"]), ["60 %"]);
        let mut printed = Printed::default();
        for n in 0..10_000 {
            printed.push(&format!("\rstep {n}"), |_| panic!("no line ends"));
        }
        assert_eq!(printed.open(), "step 9999");
        assert!(printed.line.text.len() < 100);
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        for (letter, times) in [("x", 40_000), ("é", 40_000), ("€", 40_001), ("\u{202e}€", 40_001)] {
            let seen = all(&[&letter.repeat(times)]);
            assert!(seen.len() > 1 && seen.iter().all(|line| line.len() <= LONGEST + 4));
            assert_eq!(seen.iter().map(|line| line.chars().count()).sum::<usize>(), times);
            assert!(!seen.concat().contains('\u{fffd}'));
        }
        assert!(shown(&"é".repeat(40_000)).ends_with("é…"));
    }

    #[test]
    fn nothing_drives_the_terminal() {
        assert_eq!(shown("\u{1b}[1;31mred\u{1b}[0m"), "red");
        assert_eq!(shown("\u{1b}]52;c;ZXZpbA==\u{7}x\u{1b}]0;t\u{1b}\\y"), "xy");
        assert_eq!(shown("a\u{7}c\td\u{9b}1me\nf\r\n"), "ac de f");
        assert_eq!(shown("\u{1b}(Bx\u{1b}[2Jy\u{1b}"), "xy");
        assert_eq!(shown("N\u{8}Na\u{8}am\u{8}me\u{8}\u{8}"), "Nam");
        assert_eq!(shown("a\r\nb\rc"), "c");
        assert_eq!(page("a\r\nb\rc\n\u{1b}[1mä\n"), "a\nc\nä\n");
    }

    #[test]
    fn nothing_hides_or_turns_around() {
        assert_eq!(shown("gpu\u{202e}txt.\u{2066}x\u{61c}\u{200b}\u{e0041}y"), "gputxt.x\u{fffd}y");
        assert_eq!(shown("a\u{3164}b\u{a0}c\u{3000}d\u{378}e"), "a\u{fffd}b c d\u{fffd}e");
        let fit = "ä e\u{301} ✓ 日本 😀 \u{e0b0} עברית";
        assert_eq!(shown(fit), fit);
        assert_eq!(exact(fit.as_bytes()), fit);
    }

    #[test]
    fn names_that_differ_look_different() {
        assert_eq!(exact("a/ä b".as_bytes()), "a/ä b");
        assert_eq!(exact(b"a\x1b[2J\n\xff"), "a\\u{1b}[2J\\n\\xff");
        assert_eq!(exact("a\u{202e}\u{3164}b".as_bytes()), "a\\u{202e}\\u{3164}b");
        assert_eq!(exact_lines("\ta\u{202e}\r\n\u{1b}\r"), "\ta\\u{202e}\n\\u{1b}\\r");
    }

    #[test]
    fn what_a_program_said_is_brief() {
        assert_eq!(brief(" a\r\n\tb \u{1b}[31mc\n", 9), "a b c");
        assert_eq!(brief("abcdef", 3), "abc…");
        assert_eq!(brief("abc", 3), "abc");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_fit(text in "\\PC{0,9}|[\\x00-\\u{ff}]{0,40}|(\\PC|\u{1b}|[\\[\\]m;\\x08\r\n]){0,40}") {
            let once = shown(&text);
            prop_assert!(once.chars().all(|character| !character.is_control() && !is_invisible(character)));
            prop_assert_eq!(shown(&once), once.trim_end_matches(['\r', '\n']));
            prop_assert!(page(&text).split('\n').all(|line| shown(line) == line));
            prop_assert!(shown(&exact(text.as_bytes())) == exact(text.as_bytes()));
        }

        #[test]
        fn cuts_change_nothing(text in "([a-cé€]|\u{1b}|\u{9b}|\u{200b}|[\\[\\]m;\\x07\\x08\r\n]){0,60}", cut in 0usize..200) {
            let cut = text.floor_char_boundary(cut.min(text.len()));
            prop_assert_eq!(all(&[&text[..cut], &text[cut..]]), all(&[&text]));
        }
    }
}
