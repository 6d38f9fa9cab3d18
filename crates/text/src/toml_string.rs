//! Where the characters of a string stand in its literal: TOML 1.0, "String".

use std::ops::Range;

use crate::Span;

/// The locations of a string's parts in the text that it was read from.
#[derive(Debug)]
pub struct StringLocations {
    whole: Span,
    /// Offsets in the string and in the text, in order, where a stretch begins in which they advance
    /// together. Empty where the literal is not understood.
    stretches: Vec<(usize, usize)>,
}

impl StringLocations {
    /// Of a string that `whole` was read as: a literal with its quotes, or text that stands for itself.
    pub fn new(text: &str, whole: Span, string: &str) -> Self {
        let literal = text.get(whole.clone()).unwrap_or_default();
        let stretches = stretches(literal, whole.start, string).unwrap_or_default();
        Self { whole, stretches }
    }

    /// Where a part of the string stands; the whole literal if that is not known.
    pub fn span(&self, part: Range<usize>) -> Span {
        match (self.start(part.start), self.end(part.end)) {
            (Some(start), Some(end)) if start <= end => start..end,
            _ => self.whole.clone(),
        }
    }

    fn start(&self, at: usize) -> Option<usize> {
        let next = self.stretches.partition_point(|(string, _)| *string <= at);
        let (string, text) = self.stretches.get(next.checked_sub(1)?)?;
        Some(text + (at - string))
    }

    /// What stands for nothing, as a backslash before a newline does, belongs to what follows it.
    fn end(&self, at: usize) -> Option<usize> {
        let next = self.stretches.partition_point(|(string, _)| *string < at);
        match self.stretches.get(next) {
            Some((string, text)) if *string == at => Some(*text),
            _ => self.start(at),
        }
    }
}

/// The stretches of a literal at an offset, if it is one of this string.
fn stretches(literal: &str, offset: usize, string: &str) -> Option<Vec<(usize, usize)>> {
    let quotes = ["\"\"\"", "'''", "\"", "'"];
    let within = |quotes: &&str| literal.strip_prefix(*quotes)?.strip_suffix(*quotes);
    let found = quotes.iter().find_map(|quotes| Some((*quotes, within(quotes)?)));
    let (quotes, inner) = found.unwrap_or(("", literal));
    let content = inner.strip_prefix('\n').filter(|_| quotes.len() == 3).unwrap_or(inner);
    let start = offset + quotes.len() + (inner.len() - content.len());
    if content == string {
        return Some(vec![(0, start)]);
    }
    if !quotes.starts_with('"') {
        return None;
    }
    let mut stretches = vec![(0, start)];
    let mut decoded = String::with_capacity(string.len());
    let mut rest = content;
    while let Some(backslash) = rest.find('\\') {
        decoded.push_str(&rest[..backslash]);
        rest = &rest[backslash..];
        stretches.push((decoded.len(), start + content.len() - rest.len()));
        let (character, length) = escape(rest)?;
        decoded.extend(character);
        rest = &rest[length..];
        stretches.push((decoded.len(), start + content.len() - rest.len()));
    }
    decoded.push_str(rest);
    (decoded == string).then_some(stretches)
}

/// What an escape stands for, and how long it is.
fn escape(text: &str) -> Option<(Option<char>, usize)> {
    let code = |digits: usize| {
        let code = u32::from_str_radix(text.get(2..2 + digits)?, 16).ok()?;
        Some((Some(char::from_u32(code)?), 2 + digits))
    };
    let character = match text.chars().nth(1)? {
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'f' => '\u{c}',
        'r' => '\r',
        'u' => return code(4),
        'U' => return code(8),
        itself @ ('"' | '\\') => itself,
        ' ' | '\t' | '\n' => return Some((None, text.len() - text[1..].trim_start().len())),
        _ => return None,
    };
    Some((Some(character), 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use crate::Toml;
    use crate::TomlCodes;
    use crate::TomlReader;

    static CODES: TomlCodes =
        TomlCodes { syntax: "x", unknown_key: "x", wrong_type: "x", unknown_value: "x", shows_values: true };

    /// What stands in the text for `part` of its string.
    fn written(text: &str, part: &str) -> String {
        let source = Source::new("x.toml", text);
        let document = TomlReader::new(&source, &CODES).document();
        let value = document.get("a").expect("it is there");
        let Toml::String(string) = value.get_ref() else { panic!("{text}") };
        let at = string.find(part).expect("it is in there");
        let span = StringLocations::new(text, value.span(), string).span(at..at + part.len());
        text[span].to_owned()
    }

    #[test]
    fn each_character_has_its_location() {
        for text in [
            "a = \"x $X y\"",
            "a = 'x $X \\n'",
            "a = \"\"\"\n\n$X\"\"\"",
            "a = '''\n$X'''",
            "a = \"\\\\ \\\"\\t$X\\u00e4\"",
            "a = \"\"\"\ncd x && \\\n   $X \\\n  y\"\"\"",
            "a = \"\"\"\nx\\\n   $X\\\n  y\"\"\"",
            "a = \"ä\\U0001F980 $X\"",
        ] {
            assert_eq!(written(text, "$X"), "$X", "{text}");
        }
        assert_eq!(written("a = \"x\\u0024X\\n\"", "$X"), "\\u0024X");
        assert_eq!(written("a = \"x\\n$X\"", "x\n$"), "x\\n$");
    }

    #[test]
    fn what_is_not_the_literal_of_a_string_has_the_location_of_the_whole() {
        for (text, whole, string) in [("'a'", 0..3, "b"), ("\"\\q\"", 0..4, "q"), ("'a'", 1..99, "a")] {
            assert_eq!(StringLocations::new(text, whole.clone(), string).span(0..1), whole);
        }
        assert_eq!(StringLocations::new("x $X", 0..4, "x $X").span(2..4), 2..4);
    }
}
