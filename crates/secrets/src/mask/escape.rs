//! Which bytes of a terminal's stream are text, and which are its control (ECMA-48).

/// What a byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Text.
    Text,
    /// White space or a control character: text may have been broken here.
    Break,
    /// Part of an escape sequence.
    Escape,
    /// Backspace.
    Back,
}

/// Where in a sequence the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Ground,
    /// After ESC.
    Escape,
    /// After ESC and an intermediate byte.
    Intermediate,
    /// In a control sequence; how many bytes more it may have.
    Control(u8),
    /// In an operating system command, device control string or the like; the same.
    String(u16),
    /// In such a string, after ESC.
    StringEscape,
}

/// No sequence in use is longer; past it the bytes are text again, so that garbage can't blind
/// the second view. In bytes.
const LONGEST_CONTROL: u8 = 64;
const LONGEST_STRING: u16 = 2048;

/// Tells text from control, byte by byte.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Parser(State);

impl Parser {
    /// Whether the next byte is in no sequence.
    pub(crate) fn at_ground(self) -> bool {
        self.0 == State::Ground
    }

    /// What `byte` is.
    pub(crate) fn step(&mut self, byte: u8) -> Class {
        let (state, class) = match (self.0, byte) {
            (State::Escape | State::StringEscape, b'[') => (State::Control(LONGEST_CONTROL), Class::Escape),
            (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => {
                (State::String(LONGEST_STRING), Class::Escape)
            }
            (State::Escape | State::Intermediate | State::StringEscape, 0x20..0x30) => {
                (State::Intermediate, Class::Escape)
            }
            (State::Control(left), 0x20..0x40) if left > 0 => (State::Control(left - 1), Class::Escape),
            (State::Escape | State::Intermediate | State::StringEscape, 0x30..0x7f)
            | (State::Control(_), 0x40..0x7f)
            | (State::String(_), 0x07) => (State::Ground, Class::Escape),
            (State::String(_), 0x1b) => (State::StringEscape, Class::Escape),
            (State::String(left), _) if left > 0 && !matches!(byte, b'\n' | 0x18 | 0x1a) => {
                (State::String(left - 1), Class::Escape)
            }
            _ => ground(byte),
        };
        self.0 = state;
        class
    }
}

fn ground(byte: u8) -> (State, Class) {
    match byte {
        0x1b => (State::Escape, Class::Escape),
        0x08 => (State::Ground, Class::Back),
        0..=0x20 | 0x7f => (State::Ground, Class::Break),
        _ => (State::Ground, Class::Text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(stream: &str) -> String {
        let mut parser = Parser::default();
        let text = stream.bytes().filter(|&byte| parser.step(byte) == Class::Text);
        String::from_utf8(text.collect()).unwrap()
    }

    #[test]
    fn sequences_are_no_text() {
        assert_eq!(text("a\x1b[31;1mb\x1b[0mc"), "abc");
        assert_eq!(text("a\x1b]0;title\x07b\x1b]8;;https://x\x1b\\c"), "abc");
        assert_eq!(text("a\x1bPq#0\x1b\\b\x1b(Bc\x1b=d\x1b7e"), "abcde");
        assert_eq!(text("a b\tc\r\nd"), "abcd");
    }

    #[test]
    fn garbage_ends() {
        assert_eq!(text("a\x1b]never ended\nb"), "ab");
        assert_eq!(text("a\x1b[\nb"), "ab");
        let endless = format!("\x1b]{}", "x".repeat(5000));
        assert!(text(&endless).len() > 2900);
    }
}
