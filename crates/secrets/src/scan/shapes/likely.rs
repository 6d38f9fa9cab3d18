//! Whether a text of the right shape is likely to be a token, and not an example of one.

/// Words that stand in examples.
const EXAMPLES: &[&[u8]] = &[
    b"example",
    b"dummy",
    b"placeholder",
    b"changeme",
    b"redacted",
    b"replace",
    b"your",
    b"xxxx",
    b"fake",
    b"sample",
    b"notreal",
    b"insert",
];

/// Bits per byte from which on hexadecimal digits look random, and other texts.
const HEX_BITS: f64 = 2.6;
const BITS: f64 = 2.8;

/// A row of bytes that are alike or follow each other is as long in examples.
const ROW: usize = 6;
const HEX_ROW: usize = 8;

/// Whether `token` is likely to be one; `body` is what follows the beginning that all have.
pub(super) fn is_likely(token: &[u8], body: &[u8]) -> bool {
    let lower = token.to_ascii_lowercase();
    let is_example = |word: &&[u8]| lower.windows(word.len()).any(|at| at == *word);
    if EXAMPLES.iter().any(is_example) {
        return false;
    }
    let hex = body.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'_' || *byte == b'-');
    let (bits, row) = if hex { (HEX_BITS, HEX_ROW) } else { (BITS, ROW) };
    entropy(body) >= bits && longest_row(body) < row && !repeats(body)
}

/// Shannon's entropy, in bits per byte.
#[expect(clippy::cast_precision_loss, reason = "a token is short")]
pub(super) fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let len = bytes.len() as f64;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| f64::from(count) / len)
        .map(|p| -p * p.log2())
        .sum()
}

/// The longest row in which each byte is the one before, the next or the previous of it.
fn longest_row(bytes: &[u8]) -> usize {
    let (mut longest, mut row, mut last) = (0, 1, None);
    for pair in bytes.windows(2) {
        let step = i16::from(pair[1]) - i16::from(pair[0]);
        row = match last {
            Some(known) if known == step && step.abs() <= 1 => row + 1,
            _ if step.abs() <= 1 => 2,
            _ => 1,
        };
        last = Some(step);
        longest = longest.max(row);
    }
    longest
}

/// Whether the text is one piece over and over.
fn repeats(bytes: &[u8]) -> bool {
    (1..=bytes.len() / 3).any(|piece| bytes[piece..] == bytes[..bytes.len() - piece])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_told_from_tokens() {
        for body in [
            "abcdefghijklmnopqrstuvwxyzABCDEFGH",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "hunter2hunter2hunter2hunter2hunter",
            "0123456789abcdef0123456789abcdef",
            "IOSFODNN7EXAMPLE",
            "YourTokenGoesHere8f3kq9v2m1p0z7x6c5",
            "00000000000000000000000000000000",
        ] {
            assert!(!is_likely(body.as_bytes(), body.as_bytes()), "{body}");
        }
        for body in [
            "kQzVbXmWnRtYpLsDfGhJcKxZaQwErTyUiO",
            "9f86d081884c7d659a2feaa0c55ad015",
            "3fa85f64b7174562b3fc2c963f66afa6d09b1c11",
            "J7Q2M4XK6ZP3W5RT",
        ] {
            assert!(is_likely(body.as_bytes(), body.as_bytes()), "{body}");
        }
    }
}
