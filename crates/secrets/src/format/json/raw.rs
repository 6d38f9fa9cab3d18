//! A JSON text as it is written: one walk over bytes that `serde_json` has checked.

use std::iter;

use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use crate::format::pointer::NoMember;

/// A value as it is written, and where it begins, in a text that is known to be JSON.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    pub(super) written: &'a [u8],
    pub(super) offset: usize,
}

impl<'a> Raw<'a> {
    /// The value of a text.
    pub(super) fn new(text: &'a [u8]) -> Result<Self, NoMember> {
        serde_json::from_slice::<IgnoredAny>(text).map_err(|_| NoMember::Format)?;
        Ok(Self::of(text))
    }

    /// The value of a text that is known to be JSON.
    pub(super) fn of(text: &'a [u8]) -> Self {
        let mut at = Cursor { text, at: 0 };
        at.gap();
        at.value()
    }

    pub(super) fn first(self) -> u8 {
        self.written.first().copied().unwrap_or(b' ')
    }

    /// The members of a table, by their keys as they are written; nothing of all else.
    pub(super) fn members(self) -> impl Iterator<Item = (&'a [u8], Self)> {
        let mut at = Cursor { text: self.written, at: 1 };
        iter::from_fn(move || {
            at.gap();
            if self.first() != b'{' || at.peek() != b'"' {
                return None;
            }
            let key = at.value().written;
            at.gap();
            let value = at.value();
            Some((key, Self { offset: self.offset + value.offset, ..value }))
        })
    }

    /// The items of a list; nothing of all else.
    pub(super) fn items(self) -> impl Iterator<Item = Self> {
        let mut at = Cursor { text: self.written, at: 1 };
        iter::from_fn(move || {
            at.gap();
            if self.first() != b'[' || at.peek() == b']' || at.at >= at.text.len() {
                return None;
            }
            let value = at.value();
            Some(Self { offset: self.offset + value.offset, ..value })
        })
    }

    /// The one member of this key.
    pub(super) fn member(self, key: &str) -> Result<Option<Self>, NoMember> {
        let is_it = |name: &[u8]| unescaped(name).is_some_and(|name| name.as_slice() == key.as_bytes());
        let mut found = self.members().filter(|(name, _)| is_it(name));
        let first = found.next();
        if found.next().is_some() { Err(NoMember::twice()) } else { Ok(first.map(|(_, value)| value)) }
    }
}

/// A position in a text that is known to be JSON.
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(b' ')
    }

    /// Goes over what stands between values.
    fn gap(&mut self) {
        while self.text.get(self.at).is_some_and(|byte| b" \n\r\t,:".contains(byte)) {
            self.at += 1;
        }
    }

    /// Goes behind the value that begins here.
    fn value(&mut self) -> Raw<'a> {
        let offset = self.at;
        self.skip();
        Raw { written: &self.text[offset..self.at.min(self.text.len())], offset }
    }

    /// Goes behind the value that begins here.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                b'"' => self.string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' if depth > 0 => self.at += 1,
                _ => {
                    while self.text.get(self.at).is_some_and(|b| !b",:]} \n\r\t".contains(b)) {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 || self.at >= self.text.len() {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while self.at < self.text.len() && self.text[self.at] != b'"' {
            self.at += if self.text[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
    }
}

/// The text of a JSON string with its quotes; none if half of a surrogate pair is in it. It is
/// never longer than what is written.
pub(super) fn unescaped(raw: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let inner = &raw[1..raw.len() - 1];
    let mut plain = Zeroizing::new(Vec::with_capacity(inner.len()));
    let mut at = 0;
    while at < inner.len() {
        if inner[at] != b'\\' {
            plain.push(inner[at]);
            at += 1;
            continue;
        }
        at += 2;
        match inner[at - 1] {
            b'n' => plain.push(b'\n'),
            b't' => plain.push(b'\t'),
            b'r' => plain.push(b'\r'),
            b'b' => plain.push(8),
            b'f' => plain.push(12),
            b'u' => {
                let first = hex(inner, at);
                at += 4;
                let code = if (0xd800..0xdc00).contains(&first) && inner.get(at..at + 2) == Some(b"\\u") {
                    let second = hex(inner, at + 2).checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    at += 6;
                    0x10000 + ((first - 0xd800) << 10) + second
                } else {
                    first
                };
                plain.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => plain.push(other),
        }
    }
    Some(plain)
}

/// The four hexadecimal digits at `at`.
fn hex(text: &[u8], at: usize) -> u32 {
    let digits = text.get(at..at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(0xfffd)
}

/// No document of secrets is deeper; what is may be made to break its readers.
const DEEPEST: usize = 128;

/// Whether tables and lists are within one another more often than is gone after.
pub(super) fn is_deep(text: &[u8]) -> bool {
    let (mut depth, mut at) = (0_usize, Cursor { text, at: 0 });
    while at.at < text.len() {
        match at.peek() {
            b'"' => at.string(),
            open => {
                depth = match open {
                    b'{' | b'[' => depth + 1,
                    b'}' | b']' => depth.saturating_sub(1),
                    _ => depth,
                };
                at.at += 1;
            }
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}
