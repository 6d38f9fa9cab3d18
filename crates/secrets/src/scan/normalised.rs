//! Normalised text, without what may break a value up: white space, NUL, control characters,
//! backslashes and the letters of `\n`, `\r` and `\t`, escape sequences of a terminal.
//!
//! In it wrapped base64, an indented key, a string over several lines, a notebook's output and
//! UTF-16 all read as the value itself.

use zeroize::Zeroize;

use doppio_text::escape::Class;
use doppio_text::escape::Sequence;

/// How much of the text has one mark. In bytes.
const CHUNK: usize = 64;

/// What is looked at at once within a chunk. In bytes.
const WORD: usize = 8;

/// What is known at the start of a chunk.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// Bytes of the normalised text before it.
    bare: usize,
    walker: Walker,
}

/// What a byte depends on besides itself.
#[derive(Debug, Clone, Copy, Default)]
struct Walker {
    sequence: Sequence,
    after_backslash: bool,
}

impl Walker {
    /// Whether the next byte stays.
    fn keeps(&mut self, byte: u8) -> bool {
        let class = self.sequence.step(byte);
        let letter = self.after_backslash && matches!(byte, b'n' | b'r' | b't');
        self.after_backslash = byte == b'\\';
        class == Class::Text && !is_bare_break(byte) && !letter
    }

    fn is_plain(self) -> bool {
        self.sequence.at_ground() && !self.after_backslash
    }
}

/// Whether a byte is dropped whatever stands around it.
#[expect(clippy::needless_bitwise_bool, reason = "without a branch, so that it is fast")]
fn is_bare_break(byte: u8) -> bool {
    (byte <= 0x20) | (byte == 0x7f) | (byte == b'\\')
}

/// Whether a byte changes what the next ones are.
#[expect(clippy::needless_bitwise_bool, reason = "without a branch, so that many are done at once")]
fn is_special(byte: u8) -> bool {
    Sequence::begins_with(byte) | (byte == b'\\')
}

/// The normalised text of one text, and where each byte of it stood. Made to be used again.
#[derive(Default)]
pub(super) struct Bare {
    text: Vec<u8>,
    marks: Vec<Mark>,
}

impl Bare {
    /// Takes a new text.
    pub(super) fn fill(&mut self, text: &[u8]) {
        self.text.resize(text.len() + CHUNK, 0);
        self.marks.clear();
        let (mut len, mut walker) = (0, Walker::default());
        for chunk in text.chunks(CHUNK) {
            self.marks.push(Mark { bare: len, walker });
            let special = chunk.iter().fold(false, |seen, &byte| seen | is_special(byte));
            let room = &mut self.text[len..];
            if !special && walker.is_plain() {
                len += squeeze(chunk, room);
            } else {
                for &byte in chunk {
                    room[len - self.marks[self.marks.len() - 1].bare] = byte;
                    len += usize::from(walker.keeps(byte));
                }
            }
        }
        self.text.truncate(len);
    }

    /// The normalised text.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where the byte at `index` stood in `text`, which is the text that was taken.
    pub(super) fn place(&self, text: &[u8], index: usize) -> usize {
        let chunk = self.marks.partition_point(|mark| mark.bare <= index) - 1;
        let Mark { bare, mut walker } = self.marks[chunk];
        let start = chunk * CHUNK;
        let end = text.len().min(start + CHUNK);
        let mut left = index - bare;
        for (place, &byte) in (start..).zip(&text[start..end]) {
            if walker.keeps(byte) {
                if left == 0 {
                    return place;
                }
                left -= 1;
            }
        }
        end
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

/// Copies what stays of a chunk without special bytes, and says how much that is.
fn squeeze(chunk: &[u8], room: &mut [u8]) -> usize {
    let breaks = chunk.iter().fold(false, |seen, &byte| seen | is_bare_break(byte));
    if !breaks {
        room[..chunk.len()].copy_from_slice(chunk);
        return chunk.len();
    }
    let room = room.first_chunk_mut::<CHUNK>().expect("there is room for a chunk");
    let mut len = 0;
    let mut words = chunk.chunks_exact(WORD);
    for word in &mut words {
        // Most words of eight bytes have a break or none at all.
        let word: [u8; WORD] = word.try_into().expect("it is a word long");
        if word.iter().fold(false, |seen, &byte| seen | is_bare_break(byte)) {
            for byte in word {
                room[len % CHUNK] = byte;
                len += usize::from(!is_bare_break(byte));
            }
        } else {
            room[len..len + WORD].copy_from_slice(&word);
            len += WORD;
        }
    }
    for &byte in words.remainder() {
        room[len % CHUNK] = byte;
        len += usize::from(!is_bare_break(byte));
    }
    len
}

/// The normalised form of a whole text.
pub(super) fn of(whole: &[u8]) -> zeroize::Zeroizing<Vec<u8>> {
    let mut bare = Bare::default();
    bare.fill(whole);
    zeroize::Zeroizing::new(bare.text().to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, byte by byte.
    fn plainly(text: &[u8]) -> Vec<(usize, u8)> {
        let mut walker = Walker::default();
        text.iter().copied().enumerate().filter(|&(_, byte)| walker.keeps(byte)).collect()
    }

    #[test]
    fn what_breaks_a_value_up_goes() {
        let wide: Vec<u8> = "to ken".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (text, bare) in [
            (&b"a b\r\n\tc"[..], &b"abc"[..]),
            (b"AAAA\\nBBBB\\\\nCC", b"AAAABBBBCC"),
            (b"\"ab\\\n  cd\"", b"\"abcd\""),
            (b"\x1b[32mgr\x1b[0meen", b"green"),
            (&wide, b"token"),
        ] {
            assert_eq!(of(text).as_slice(), bare, "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn every_byte_has_its_place(text in prop::collection::vec(prop::sample::select(
            b"abc nrt\\\n\x1b[0m\x00xyz".to_vec()), 0..400), pad in 0usize..130) {
            let text: Vec<u8> = std::iter::repeat_n(b'.', pad).chain(text).collect();
            let mut bare = Bare::default();
            bare.fill(b"something that was there before");
            bare.fill(&text);
            let expected = plainly(&text);
            prop_assert_eq!(bare.text(), expected.iter().map(|&(_, byte)| byte).collect::<Vec<_>>());
            for (index, &(place, _)) in expected.iter().enumerate() {
                prop_assert_eq!(bare.place(&text, index), place);
            }
        }
    }
}
