//! The words of a Python module (docs.python.org, "Lexical analysis"), statement by statement.

use zeroize::Zeroizing;

use crate::SecretValue;
use crate::format::entry::Malformed;

/// A word of a statement.
pub(super) enum Word<'a> {
    Name(&'a str),
    Text(Result<SecretValue, NoText>),
    /// A number, or a sign.
    Sign(&'a str),
}

/// Why the text of a text in quotes is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoText {
    /// It is an f-string or a template string.
    Formatted,
    /// It has a character by its name.
    Named,
}

/// A statement of one logical line.
pub(super) struct Statement<'a> {
    /// Where it begins, counted from 1.
    pub line: usize,
    /// White space before it. In bytes.
    pub indent: usize,
    pub words: Vec<Word<'a>>,
}

/// All statements that have words.
///
/// # Errors
///
/// When a text or a bracket does not end.
pub(super) fn statements(text: &str) -> Result<Vec<Statement<'_>>, Malformed> {
    let mut reader = Reader { text, at: 0, line: 1, depth: 0, opened: 0 };
    let mut statements = Vec::new();
    loop {
        let indent = reader.indent();
        let mut statement = Statement { line: reader.line, indent, words: Vec::new() };
        let more = loop {
            match reader.next()? {
                Next::Word(word) => statement.words.push(word),
                // What follows a `;` is as deep as what stands before it.
                Next::Semicolon => {
                    let line = reader.line;
                    let next = Statement { line, indent, words: Vec::new() };
                    statements.push(std::mem::replace(&mut statement, next));
                }
                Next::Line => break true,
                Next::End => break false,
            }
        };
        statements.push(statement);
        if !more {
            break;
        }
    }
    if reader.depth > 0 {
        return Err(Malformed { line: reader.opened, why: "a bracket is not closed".to_owned() });
    }
    statements.retain(|statement: &Statement<'_>| !statement.words.is_empty());
    Ok(statements)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    /// Brackets that are open, and the line of the first.
    depth: usize,
    opened: usize,
}

enum Next<'a> {
    Word(Word<'a>),
    Semicolon,
    Line,
    End,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn indent(&mut self) -> usize {
        let blank = self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        self.at += blank;
        blank
    }

    fn next(&mut self) -> Result<Next<'a>, Malformed> {
        loop {
            let rest = self.rest();
            let Some(first) = rest.chars().next() else { return Ok(Next::End) };
            match first {
                '\n' => {
                    self.at += 1;
                    self.line += 1;
                    if self.depth == 0 {
                        return Ok(Next::Line);
                    }
                }
                '\\' if rest[1..].starts_with(['\n', '\r']) => {
                    let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
                    self.at += end;
                    self.line += 1;
                }
                '#' => self.at += rest.find('\n').unwrap_or(rest.len()),
                c if c.is_whitespace() => self.at += c.len_utf8(),
                ';' if self.depth == 0 => {
                    self.at += 1;
                    return Ok(Next::Semicolon);
                }
                _ => return self.word(first).map(Next::Word),
            }
        }
    }

    fn word(&mut self, first: char) -> Result<Word<'a>, Malformed> {
        let rest = self.rest();
        let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let prefix = &rest[..name];
        if prefix.len() <= 2
            && prefix.bytes().all(|byte| b"rRbBuUfFtT".contains(&byte))
            && rest[name..].starts_with(['"', '\''])
        {
            self.at += name;
            return self.quoted(&prefix.to_ascii_lowercase()).map(Word::Text);
        }
        if name > 0 {
            self.at += name;
            let is_number = first.is_ascii_digit();
            return Ok(if is_number { Word::Sign(prefix) } else { Word::Name(prefix) });
        }
        // `==` is not an assignment; other signs of several characters need not be told apart.
        let len = ["==", "!=", "<=", ">=", ":=", "+=", "-=", "*=", "/=", "|=", "&=", "%=", "@=", "^="]
            .iter()
            .find(|sign| rest.starts_with(**sign))
            .map_or(first.len_utf8(), |sign| sign.len());
        match first {
            '(' | '[' | '{' => {
                if self.depth == 0 {
                    self.opened = self.line;
                }
                self.depth += 1;
            }
            ')' | ']' | '}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.at += len;
        Ok(Word::Sign(&rest[..len]))
    }

    /// A text in quotes, from the first of them on.
    fn quoted(&mut self, prefix: &str) -> Result<Result<SecretValue, NoText>, Malformed> {
        let begun = self.line;
        let no_end = || Malformed { line: begun, why: "a text in quotes has no end".to_owned() };
        let rest = self.rest();
        let quote = &rest[..1];
        let triple = quote.repeat(3);
        let end = if rest.starts_with(&triple) { triple.as_str() } else { quote };
        let body = &rest[end.len()..];
        let mut found = Zeroizing::new(Vec::with_capacity(body.len().min(64 * 1024)));
        let (mut at, mut is_named) = (0, false);
        loop {
            let next = body[at..].chars().next().ok_or_else(no_end)?;
            if body[at..].starts_with(end) {
                break;
            }
            if next == '\n' {
                if end.len() == 1 {
                    return Err(no_end());
                }
                self.line += 1;
            }
            if next != '\\' {
                found.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
                at += next.len_utf8();
                continue;
            }
            let escaped = body[at + 1..].chars().next().ok_or_else(no_end)?;
            if prefix.contains('r') {
                // The character behind it does not end the text, and both stay.
                self.line += usize::from(escaped == '\n');
                found.extend_from_slice(&body.as_bytes()[at..=at + escaped.len_utf8()]);
                at += 1 + escaped.len_utf8();
                continue;
            }
            is_named |= escaped == 'N' && !prefix.contains('b');
            self.line += usize::from(escaped == '\n');
            at += 1 + escape(&body[at + 1..], escaped, prefix.contains('b'), &mut found);
        }
        self.at += end.len() + at + end.len();
        Ok(if prefix.contains(['f', 't']) {
            Err(NoText::Formatted)
        } else if is_named {
            Err(NoText::Named)
        } else {
            Ok(SecretValue::new(std::mem::take(&mut *found)))
        })
    }
}

/// Takes what follows a `\`, and says how long that is. In bytes.
fn escape(text: &str, escaped: char, is_bytes: bool, found: &mut Vec<u8>) -> usize {
    let plain = match escaped {
        '\n' => return 1,
        '\\' | '\'' | '"' => Some(escaped),
        'a' => Some('\x07'),
        'b' => Some('\x08'),
        'f' => Some('\x0c'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\x0b'),
        _ => None,
    };
    if let Some(plain) = plain {
        found.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes());
        return 1;
    }
    let code = |from: usize, len: usize, base: u32| {
        let digits = text.get(from..from + len).filter(|digits| digits.chars().all(|c| c.is_digit(base)))?;
        u32::from_str_radix(digits, base).ok()
    };
    let octal = text.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    let (len, code) = match escaped {
        'x' => (3, code(1, 2, 16)),
        'u' if !is_bytes => (5, code(1, 4, 16)),
        'U' if !is_bytes => (9, code(1, 8, 16)),
        '0'..='7' => (octal, code(0, octal, 8)),
        _ => (0, None),
    };
    match code {
        Some(code) if is_bytes => found.push(u8::try_from(code & 0xff).unwrap_or_default()),
        Some(code) => {
            let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            found.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        // What is no escape stays as it is written.
        None => {
            found.push(b'\\');
            found.extend_from_slice(escaped.encode_utf8(&mut [0; 4]).as_bytes());
            return escaped.len_utf8();
        }
    }
    len
}
