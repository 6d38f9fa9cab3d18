//! Whether a text of the right shape is likely to be a token, and not an example of one.

use data_encoding::BASE64;
use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

use crate::SecretValue;
use crate::is_dummy;

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
    is_random(body)
}

/// Whether bytes are likely to be random.
pub(super) fn is_random(body: &[u8]) -> bool {
    let hex = body.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'_' || *byte == b'-');
    let (bits, row) = if hex { (HEX_BITS, HEX_ROW) } else { (BITS, ROW) };
    entropy(body) >= bits && longest_row(body) < row && !repeats(body)
}

/// Different bytes that a password has at least.
const VARIETY: usize = 5;

/// Whether a text where a password belongs is likely to be one: it mixes letters with digits or signs, as
/// words of prose, names of variables and the placeholders of examples do not.
pub(super) fn is_password(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_example = |word: &&[u8]| lower.windows(word.len()).any(|at| at == *word);
    let has = |class: fn(&u8) -> bool| text.iter().any(class);
    let is_sign =
        |byte: &u8| byte.is_ascii_punctuation() && !matches!(byte, b'_' | b'.' | b'-' | b'/' | b'%');
    let is_mixed = has(u8::is_ascii_alphabetic) && (has(u8::is_ascii_digit) || text.iter().any(is_sign));
    let mut different: Vec<u8> = lower.clone();
    different.sort_unstable();
    different.dedup();
    is_mixed
        && different.len() >= VARIETY
        && !EXAMPLES.iter().chain(WORDS).any(is_example)
        && !text.contains(&b'*')
        && !is_dummy(&SecretValue::new(text.to_vec()))
}

/// Words that stand for a password where there is none.
const WORDS: &[&[u8]] = &[b"password", b"passwd", b"environ", b"getenv", b"secret", b"p@ssw0rd", b"pass1234"];

/// Whether a text is a user's name and a password in base64.
pub(super) fn is_login(text: &[u8]) -> bool {
    let decoded = BASE64.decode(text).or_else(|_| BASE64_NOPAD.decode(text)).map(Zeroizing::new);
    decoded.is_ok_and(|login| {
        let is_printed = login.iter().all(|byte| (0x20..0x7f).contains(byte));
        let at = login.iter().position(|&byte| byte == b':').filter(|&at| at > 0 && is_printed);
        at.is_some_and(|at| {
            let password = &login[at + 1..];
            password.len() >= VARIETY && !is_dummy(&SecretValue::new(password.to_vec()))
        })
    })
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
