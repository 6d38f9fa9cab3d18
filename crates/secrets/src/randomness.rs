//! Whether a text looks random, by what it is made of.

/// Letters and digits without a break, from which on a text with digits in it looks random: the
/// longest plain words are shorter.
const LONG_RUN: usize = 20;

/// From here on letters of both cases and digits, all mixed up, look random. In bytes.
const MIXED: usize = 16;

/// Whether a text looks random: a long run with digits in it, a UUID, or capitals, small letters
/// and digits all mixed up.
pub(crate) fn is_random(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_long = longest_run(text) >= LONG_RUN && digits >= 2;
    let is_uuid = text.len() == 36
        && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    let is_mixed = text.len() >= MIXED && changes(text) * 10 >= text.len() * 3;
    is_long || is_uuid || is_mixed
}

/// The length of the longest run of letters and digits.
pub(crate) fn longest_run(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::len).max().unwrap_or(0)
}

/// How often a capital, a small letter or a digit follows one of another kind.
fn changes(text: &str) -> usize {
    let kind = |b: u8| match b {
        b'0'..=b'9' => 1,
        b'a'..=b'z' => 2,
        b'A'..=b'Z' => 3,
        _ => 0,
    };
    let bytes = text.as_bytes();
    bytes.windows(2).map(|pair| (kind(pair[0]), kind(pair[1]))).filter(|(a, b)| a * b > 0 && a != b).count()
}
