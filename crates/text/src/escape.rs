//! Which bytes of a terminal's stream are text, and which command the terminal: ECMA-48, as xterm
//! reads it in UTF-8.
//!
//! The mask and the screen look through this one parser, so that the mask sees what the screen
//! will show. No crate does what it takes: `vte` and `anstyle-parse` tell what a sequence means and
//! not which bytes it has, and read a C1 control that is written in UTF-8 as text.

/// What bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Text.
    Text,
    /// White space: text may have been broken here.
    Break,
    /// A control character or part of an escape sequence: nothing that is seen.
    Control,
    /// A character that has no width and is not seen.
    Invisible,
    /// Backspace: a character that stands right before it is struck over.
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
    /// In a control sequence (CSI).
    Control,
    /// In an operating system command (OSC), which BEL ends too.
    Command,
    /// In a device control string or the like (DCS, SOS, PM, APC).
    String,
}

/// So many bytes in a row that are not seen are taken for what they are; the next is text again, so
/// that nothing blinds a reader for ever and nobody has to keep more. In bytes.
const LONGEST: u32 = 1 << 20;

/// Bytes looked at together.
const CHUNK: usize = 32;

/// Tells text from control, byte by byte, each as it comes. It knows no characters beyond ASCII:
/// those are text.
///
/// CAN, SUB and the end of a line end any sequence, ESC begins the next one in any.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sequence {
    state: State,
    /// Bytes of the sequence so far.
    len: u32,
}

impl Sequence {
    /// Whether a sequence begins with `byte`, wherever it stands.
    #[inline]
    pub fn begins_with(byte: u8) -> bool {
        byte == 0x1b
    }

    /// Whether the next byte is in no sequence.
    pub fn at_ground(self) -> bool {
        self.state == State::Ground
    }

    /// What `byte` is.
    pub fn step(&mut self, byte: u8) -> Class {
        let (state, class) = match (self.state, byte) {
            (_, 0x1b) => (State::Escape, Class::Control),
            (_, 0x18 | 0x1a) | (State::Command, 0x07) => (State::Ground, Class::Control),
            (State::Ground, _) | (_, b'\n') => (State::Ground, alone(byte)),
            (State::Command | State::String, _) => (self.state, Class::Control),
            // Other control characters do their work within a sequence, which goes on.
            (_, ..0x20 | 0x7f) => (self.state, alone(byte)),
            (State::Escape, b']') => (State::Command, Class::Control),
            (State::Escape, b'P' | b'X' | b'^' | b'_') => (State::String, Class::Control),
            (State::Escape | State::Intermediate, 0x20..0x30) => (State::Intermediate, Class::Control),
            (State::Escape, b'[') | (State::Control, 0x20..0x40) => (State::Control, Class::Control),
            (_, 0x20..0x7f) => (State::Ground, Class::Control),
            (_, 0x80..) => (State::Ground, Class::Text),
        };
        self.state = state;
        self.len = if state == State::Ground || byte == 0x1b { 0 } else { self.len + 1 };
        if self.len >= LONGEST {
            *self = Self::default();
            return alone(byte);
        }
        class
    }

    /// Takes a C1 control, U+0080 to U+009F, which is a sequence's beginning in one character.
    fn take_c1(&mut self, control: char) -> Class {
        self.len = 0;
        self.state = match control {
            '\u{9b}' => State::Control,
            '\u{9d}' => State::Command,
            '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => State::String,
            _ => State::Ground,
        };
        Class::Control
    }

    fn in_string(self) -> bool {
        matches!(self.state, State::Command | State::String)
    }
}

/// What a byte is that belongs to no sequence.
fn alone(byte: u8) -> Class {
    match byte {
        0x08 => Class::Back,
        b'\t'..=b'\r' | b' ' => Class::Break,
        ..0x20 | 0x7f => Class::Control,
        _ => Class::Text,
    }
}

/// The parser of a stream in UTF-8: sequences, and beyond ASCII the C1 controls and the characters
/// that are not seen. Lone bytes from 0x80 are not UTF-8, and text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parser {
    sequence: Sequence,
    /// The start of a character that may not be text.
    partial: [u8; 4],
    partial_len: u8,
    /// Bytes since the last that are seen.
    unseen: u32,
}

impl Parser {
    /// Whether a byte can change what the next are, or is part of a character that is not seen.
    /// All others are [`Class::Text`] or [`Class::Break`] at rest.
    #[inline]
    #[expect(clippy::needless_bitwise_bool, reason = "without a branch, so that many are done at once")]
    pub fn is_special(byte: u8) -> bool {
        ((byte < 0x20) & (byte.wrapping_sub(b'\t') > 4))
            | (byte == 0x7f)
            | (byte == 0xc2)
            | (byte == 0xe2)
            | (byte == 0xef)
            | (byte == 0xf3)
    }

    /// How many bytes at the start of `bytes` are [`Class::Text`] or [`Class::Break`] for a parser at
    /// rest, each on its own: all before a control character, a character that may not be seen, or a
    /// byte that `stops`, unless it `passes` before the next.
    #[inline]
    pub fn plain_prefix(bytes: &[u8], stops: impl Fn(u8) -> bool, passes: impl Fn(u8, u8) -> bool) -> usize {
        let is_stop = |byte: u8| Self::is_special(byte) | stops(byte);
        let mut at = 0;
        loop {
            // Without an early exit, so that it is done for many bytes at once.
            while let Some(chunk) = bytes[at..].first_chunk::<CHUNK>()
                && !chunk.iter().fold(false, |seen, &byte| seen | is_stop(byte))
            {
                at += CHUNK;
            }
            let Some(next) = bytes[at..].iter().position(|&byte| is_stop(byte)) else { return bytes.len() };
            at += next;
            let byte = bytes[at];
            let passes = |second| is_text(byte, second) || !Self::is_special(byte) && passes(byte, second);
            if !bytes.get(at + 1).is_some_and(|&second| passes(second)) {
                return at;
            }
            at += 1;
        }
    }

    /// Whether the next byte depends on none before it.
    pub fn is_at_rest(self) -> bool {
        self.sequence.at_ground() && self.partial_len == 0 && self.unseen == 0
    }

    /// How many bytes have no class yet.
    pub fn pending(self) -> usize {
        usize::from(self.partial_len)
    }

    /// Takes the next byte, and calls `settled` with those that have a class from now on, in order.
    pub fn step(&mut self, byte: u8, mut settled: impl FnMut(Class, &[u8])) {
        if self.partial_len > 0 {
            if (0x80..0xc0).contains(&byte) {
                self.partial[self.pending()] = byte;
                self.partial_len += 1;
                if self.pending() == width(self.partial[0]) {
                    self.take_character(&mut settled);
                }
                return;
            }
            self.take_partial(&mut settled);
        }
        if width(byte) > 1 && Self::is_special(byte) {
            self.partial[0] = byte;
            self.partial_len = 1;
        } else {
            let class = self.sequence.step(byte);
            self.settle(class, &[byte], &mut settled);
        }
    }

    /// Takes that nothing follows. The parser is as new afterwards.
    pub fn finish(&mut self, mut settled: impl FnMut(Class, &[u8])) {
        self.take_partial(&mut settled);
        *self = Self::default();
    }

    fn take_character(&mut self, settled: &mut impl FnMut(Class, &[u8])) {
        let (partial, len) = (self.partial, self.pending());
        self.partial_len = 0;
        let bytes = &partial[..len];
        let character = std::str::from_utf8(bytes).ok().and_then(|text| text.chars().next());
        let class = match character {
            Some(control @ '\u{80}'..='\u{9f}') => self.sequence.take_c1(control),
            _ if self.sequence.in_string() => {
                bytes.iter().fold(Class::Text, |_, &byte| self.sequence.step(byte))
            }
            Some(character) if is_invisible(character) => {
                self.sequence = Sequence::default();
                Class::Invisible
            }
            _ => {
                self.sequence = Sequence::default();
                Class::Text
            }
        };
        self.settle(class, bytes, settled);
    }

    /// What began as a character is none.
    fn take_partial(&mut self, settled: &mut impl FnMut(Class, &[u8])) {
        let (partial, len) = (self.partial, self.pending());
        self.partial_len = 0;
        for &byte in &partial[..len] {
            let class = self.sequence.step(byte);
            self.settle(class, &[byte], settled);
        }
    }

    fn settle(&mut self, class: Class, bytes: &[u8], settled: &mut impl FnMut(Class, &[u8])) {
        if matches!(class, Class::Text | Class::Break) {
            self.unseen = 0;
            return settled(class, bytes);
        }
        self.unseen += u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if self.unseen <= LONGEST {
            return settled(class, bytes);
        }
        *self = Self::default();
        settled(Class::Text, bytes);
    }
}

/// Whether a special byte is text, since the next shows that it begins no character that may be unseen.
fn is_text(first: u8, second: u8) -> bool {
    match first {
        0xc2 => !matches!(second, 0x80..=0x9f | 0xad),
        0xe2 => !matches!(second, 0x80 | 0x81),
        0xef => !matches!(second, 0xb8 | 0xbb | 0xbf),
        0xf3 => second != 0xa0,
        _ => false,
    }
}

/// How many bytes a character has that begins with `byte`.
fn width(byte: u8) -> usize {
    match byte {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

/// How many bytes the last character of `text` has, which may be no UTF-8.
pub fn last_character(text: &[u8]) -> usize {
    let tail = text.iter().rev().zip(1..=4);
    let mut starts = tail.skip_while(|(byte, _)| (0x80..0xc0).contains(*byte));
    starts
        .next()
        .map(|(&byte, len)| (width(byte), len))
        .filter(|(width, len)| width >= len)
        .map_or_else(|| text.len().min(1), |(_, len)| len)
}

/// Whether a character has no width and only says how others are drawn: soft hyphen, marks of
/// direction, zero-width space and joiners, separators, variation selectors, byte order mark, tags.
/// Those that begin with other bytes than [`Parser::is_special`] knows are not among them.
pub fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn classes(stream: &[u8]) -> Vec<Class> {
        let mut classes = Vec::new();
        let mut parser = Parser::default();
        let mut note = |class, bytes: &[u8]| classes.extend(std::iter::repeat_n(class, bytes.len()));
        for &byte in stream {
            parser.step(byte, &mut note);
        }
        parser.finish(&mut note);
        classes
    }

    fn text(stream: &str) -> String {
        let classes = classes(stream.as_bytes());
        assert_eq!(classes.len(), stream.len());
        let text = stream.bytes().zip(classes).filter(|(_, class)| *class == Class::Text);
        String::from_utf8(text.map(|(byte, _)| byte).collect()).unwrap()
    }

    #[test]
    fn sequences_are_no_text() {
        assert_eq!(text("a\x1b[31;1mb\x1b[0mc\x1b[4:3md\x1b[?25le\x1b[!pf"), "abcdef");
        assert_eq!(text("a\x1b]0;title\x07b\x1b]8;;https://x\x1b\\c"), "abc");
        assert_eq!(text("a\x1bPq#0\x07-\x1b\\b\x1b(Bc\x1b=d\x1b7e\x1b#8f\x1b cg"), "abcdefg");
        assert_eq!(text("a b\tc\r\nd\0e\x07f\x7fg"), "abcdefg");
    }

    #[test]
    fn c1_controls_are_read_as_characters() {
        assert_eq!(text("a\u{85}b\u{9b}1mc\u{9d}0;t\u{9c}d\u{90}q\x1b\\e\u{9b}é"), "abcdeé");
        assert_eq!(text("ä\u{a0}ö\u{ad}ü\u{2014}\u{20ac}\u{ff21}"), "ä\u{a0}öü\u{2014}\u{20ac}\u{ff21}");
        assert_eq!(classes(b"a\x9bb"), [Class::Text; 3]);
    }

    #[test]
    fn marks_of_direction_and_tags_are_not_seen() {
        assert_eq!(text("a\u{202e}b\u{2066}c\u{200b}d\u{feff}e\u{e0041}f\u{fe0f}g"), "abcdefg");
    }

    #[test]
    fn garbage_ends() {
        assert_eq!(text("a\x1b]never ended\nb"), "ab");
        assert_eq!(text("a\x1b[\nb"), "ab");
        assert_eq!(text("a\x1b[12\x18b\x1b]0;\x1ac\x1b[1\x1b[2md"), "abcd");
        assert_eq!(text("a\x1b\u{e9}b\x1b[\u{e9}c\x1b]\u{e9}\x07d"), "a\u{e9}b\u{e9}cd");
        assert_eq!(text("a\x1b[3\x001mb"), "ab");
        let long = format!("\x1b[{}m\x1b]{}\x07", "1;".repeat(5000), "\u{20ac}".repeat(5000));
        assert_eq!(text(&format!("a{long}b")), "ab");
    }

    #[test]
    fn nothing_blinds_for_ever() {
        for one in ["x", "\0", "\u{200b}", "\x1b[m"] {
            let endless = format!("\x1b]{}", one.repeat(3 << 20));
            let first = classes(endless.as_bytes()).iter().position(|class| *class == Class::Text);
            assert!(first.is_some_and(|first| first <= 1 + (1 << 20)), "{one:?} {first:?}");
        }
        let mut sequence = Sequence::default();
        let endless = std::iter::once(0x1b).chain(std::iter::repeat_n(b']', 2 << 20));
        assert!(endless.into_iter().any(|byte| sequence.step(byte) == Class::Text));
    }

    #[test]
    fn last_characters_are_whole() {
        for (text, len) in [("", 0), ("a", 1), ("aé", 2), ("a€", 3), ("a😀", 4)] {
            assert_eq!(last_character(text.as_bytes()), len, "{text}");
        }
        assert_eq!(last_character(b"a\xe2\x82"), 2);
        assert_eq!(last_character(b"\xe2\x82\xac\x80"), 1);
        assert_eq!(last_character(b"\x80\x80\x80\x80\x80"), 1);
    }

    proptest! {
        #[test]
        fn special_bytes_are_all_that_matter(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let plain: Vec<u8> = bytes.into_iter().filter(|&byte| !Parser::is_special(byte)).collect();
            let seen = classes(&plain);
            let alone: Vec<Class> = plain.iter().map(|&byte| alone(byte)).collect();
            prop_assert_eq!(&seen, &alone);
            prop_assert!(seen.iter().all(|class| matches!(class, Class::Text | Class::Break)));
        }

        #[test]
        fn a_plain_prefix_is_text_and_breaks(
            bytes in proptest::collection::vec(proptest::sample::select(
                b"a \xc2\xc2\xad\x9b\xe2\xe2\x80\x8b\x81\xaa\xef\xbb\xbf\xb8\xf3\xa0\x96\x88%\x1b[m\n".to_vec()), 0..90)
        ) {
            let plain = Parser::plain_prefix(&bytes, |byte| byte == b'%', |_, next| next == b'm');
            let seen = &classes(&bytes)[..plain];
            let alone: Vec<Class> = bytes[..plain].iter().map(|&byte| alone(byte)).collect();
            prop_assert_eq!(seen, alone);
            let stops = bytes[..plain].iter().zip(bytes.iter().skip(1)).find(|(byte, next)| **byte == b'%' && **next != b'm');
            prop_assert_eq!(stops, None);
        }

        #[test]
        fn every_byte_gets_one_class(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(classes(&bytes).len(), bytes.len());
        }

        #[test]
        fn every_invisible_character_is_special(character in any::<char>()) {
            let mut room = [0; 4];
            let first = character.encode_utf8(&mut room).as_bytes()[0];
            let is_unseen = is_invisible(character) || character.is_control();
            prop_assert!(!is_unseen || Parser::is_special(first) || character.is_whitespace());
        }
    }
}
