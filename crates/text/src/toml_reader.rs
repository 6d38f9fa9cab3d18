//! Reading TOML with locations: a value of the expected type, or a fault that says what was found.
//!
//! Every file of Doppio's that is TOML is read through this, so that all of them word their faults
//! in the same way.

use std::ops::RangeInclusive;

use toml::de::DeString;

use crate::Diagnostic;
use crate::ENOUGH;
use crate::Source;
use crate::Span;
use crate::closest;
use crate::diagnostic::has_enough;
use crate::diagnostic::note;
use crate::toml_syntax::Slip;
use crate::toml_syntax::Slips;
use crate::toml_syntax::slips;

pub use toml::Spanned;
pub use toml::de::DeTable as TomlTable;
pub use toml::de::DeValue as Toml;

/// A value with its location.
pub type TomlValue<'i> = Spanned<Toml<'i>>;

/// A key with its location.
pub type TomlKey<'i> = Spanned<DeString<'i>>;

/// The parser's errors that are looked at: most of them are echoes.
const MOST_ERRORS: usize = 100_000;

/// What is wrong with the syntax of a text.
#[derive(Debug)]
pub struct SyntaxFaults {
    /// The errors, the first of each cascade alone.
    pub faults: Vec<Diagnostic>,
    /// From where on nothing that was read can be believed: something is never closed.
    pub lost_from: Option<usize>,
}

impl SyntaxFaults {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }
}

/// The names that machines know the faults of one kind of file by.
#[derive(Debug)]
pub struct TomlCodes {
    /// The text is not TOML.
    pub syntax: &'static str,
    /// An unknown key.
    pub unknown_key: &'static str,
    /// A value of another type than the expected one.
    pub wrong_type: &'static str,
    /// A value of the right type that can't stand there.
    pub unknown_value: &'static str,
    /// Whether a fault may repeat a value: not where people paste secrets by mistake.
    pub shows_values: bool,
}

/// Collects faults while values are taken out of tables. `what` names a value in its fault, as in
/// "`port`".
#[derive(Debug)]
pub struct TomlReader<'s> {
    /// What was wrong so far.
    pub faults: Vec<Diagnostic>,
    /// The text that is read.
    pub source: &'s Source,
    codes: &'static TomlCodes,
}

impl<'s> TomlReader<'s> {
    /// Nothing was wrong so far.
    pub fn new(source: &'s Source, codes: &'static TomlCodes) -> Self {
        Self { faults: Vec::new(), source, codes }
    }

    /// Reads the whole text as one table, syntax errors noted as faults.
    pub fn document(&mut self) -> TomlTable<'s> {
        let (document, syntax) = self.recovered_document();
        for fault in syntax.faults {
            self.fault(fault);
        }
        document
    }

    /// Reads what can be read of the text as one table; the syntax errors are not noted.
    pub fn recovered_document(&self) -> (TomlTable<'s>, SyntaxFaults) {
        let (document, errors) = TomlTable::parse_recoverable(self.source.text());
        let errors = errors
            .iter()
            .take(MOST_ERRORS)
            .map(|error| (error.span().unwrap_or_default(), error.message().to_owned()));
        let Slips { all, lost_from } = slips(self.source.text(), errors.collect(), self.codes.shows_values);
        let faults = all.into_iter().take(ENOUGH + 1).map(|slip| self.syntax_fault(slip)).collect();
        (document.into_inner(), SyntaxFaults { faults, lost_from })
    }

    /// What is wrong where the text is not TOML.
    fn syntax_fault(&self, slip: Slip) -> Diagnostic {
        let mut fault = Diagnostic::error(self.codes.syntax, slip.message, slip.span);
        if let Some(label) = slip.label {
            fault = fault.label(label);
        }
        if let Some(help) = slip.help {
            fault = fault.help(help);
        }
        match slip.edit {
            Some((span, text)) => fault.edit(span, text),
            None => fault,
        }
    }

    /// What was read, if nothing was wrong.
    ///
    /// # Errors
    ///
    /// All faults, in the order of the text.
    pub fn finish<T>(mut self, read: T) -> Result<T, Vec<Diagnostic>> {
        if self.faults.is_empty() {
            return Ok(read);
        }
        self.faults.sort_by_key(|fault| fault.primary.span.start);
        Err(self.faults)
    }

    /// Notes a fault, unless there are enough.
    pub fn fault(&mut self, fault: Diagnostic) {
        note(&mut self.faults, fault);
    }

    /// Whether further errors would not be noted.
    pub fn has_enough(&self) -> bool {
        has_enough(&self.faults)
    }

    /// A key that nothing is known by, with the one that was probably meant; `place` says where, as in
    /// "step `train`".
    pub fn unknown_key<'a>(
        &mut self,
        key: &str,
        span: Span,
        place: &str,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) {
        if self.has_enough() {
            return;
        }
        let fault = Diagnostic::error(
            self.codes.unknown_key,
            format!("unknown key `{key}` in {place}"),
            span.clone(),
        );
        if let Some(near) = closest(key, known.clone()) {
            return self.fault(fault.help("a key with a similar name exists").edit(span, near));
        }
        let known: Vec<_> = known.into_iter().map(|name| format!("`{name}`")).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        self.fault(fault.help(format!("known keys: {known}")));
    }

    /// A value that is not what it must be.
    pub fn wrong_type(&mut self, what: &str, value: &TomlValue<'_>, expected: &str) {
        self.fault(
            Diagnostic::error(self.codes.wrong_type, format!("{what} must be {expected}"), value.span())
                .label(self.found(value)),
        );
    }

    fn found(&self, value: &TomlValue<'_>) -> String {
        let value = value.get_ref();
        match value {
            Toml::Integer(_) | Toml::Float(_) if !self.codes.shows_values => "found a number".to_owned(),
            _ => format!("found {}", described(value)),
        }
    }

    /// A string.
    pub fn string(&mut self, what: &str, value: &TomlValue<'_>) -> Option<String> {
        if let Toml::String(text) = value.get_ref() {
            return Some(text.clone().into_owned());
        }
        self.wrong_type(what, value, "a string");
        None
    }

    /// A boolean.
    pub fn boolean(&mut self, what: &str, value: &TomlValue<'_>) -> Option<bool> {
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong_type(what, value, "`true` or `false`");
        }
        found
    }

    /// A whole number, 0 or more.
    pub fn whole(&mut self, what: &str, value: &TomlValue<'_>) -> Option<u64> {
        let found = integer(value).and_then(|number| u64::try_from(number).ok());
        if found.is_none() {
            self.wrong_type(what, value, "a whole number, 0 or more");
        }
        found
    }

    /// A whole number in a range; `unit` follows the word "number", as in " of seconds".
    pub fn within(
        &mut self,
        what: &str,
        value: &TomlValue<'_>,
        range: RangeInclusive<u64>,
        unit: &str,
    ) -> Option<u64> {
        let found = integer(value).and_then(|number| u64::try_from(number).ok());
        let found = found.filter(|number| range.contains(number));
        if found.is_none() {
            let (first, last) = range.into_inner();
            let bounds = match last {
                u64::MAX => format!("at least {first}"),
                _ => format!("from {first} to {last}"),
            };
            self.wrong_type(what, value, &format!("a number{unit} {bounds}"));
        }
        found
    }

    /// A finite number, 0 or more.
    pub fn number(&mut self, what: &str, value: &TomlValue<'_>) -> Option<f64> {
        let found = match value.get_ref() {
            Toml::Integer(_) => integer(value).and_then(|number| number.to_string().parse::<f64>().ok()),
            Toml::Float(digits) => digits.as_str().parse::<f64>().ok(),
            _ => None,
        }
        .filter(|number| number.is_finite() && *number >= 0.0);
        if found.is_none() {
            self.wrong_type(what, value, "a number, 0 or more");
        }
        found
    }

    /// A value that is neither a list nor a table, as text.
    pub fn scalar(&mut self, what: &str, value: &TomlValue<'_>) -> Option<String> {
        Some(match value.get_ref() {
            Toml::String(text) => text.clone().into_owned(),
            Toml::Integer(number) => number.to_string(),
            Toml::Float(number) => number.to_string(),
            Toml::Boolean(flag) => flag.to_string(),
            Toml::Datetime(date) => date.to_string(),
            Toml::Array(_) | Toml::Table(_) => {
                self.wrong_type(what, value, "a string, a number, or `true` or `false`");
                return None;
            }
        })
    }

    /// One of several words.
    pub fn one_of<T: Copy>(&mut self, what: &str, value: &TomlValue<'_>, words: &[(&str, T)]) -> Option<T> {
        let list = || words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let Some(found) = value.get_ref().as_str() else {
            self.wrong_type(what, value, &format!("one of {}", list()));
            return None;
        };
        if let Some((_, meant)) = words.iter().find(|(word, _)| *word == found) {
            return Some(*meant);
        }
        let shown = if self.codes.shows_values { format!("`{found}`") } else { "this".to_owned() };
        let message = format!("{what} can't be {shown}");
        let fault = Diagnostic::error(self.codes.unknown_value, message, value.span())
            .help(format!("write one of {}", list()));
        self.fault(match closest(found, words.iter().map(|(word, _)| *word)) {
            Some(near) => fault.edit(value.span(), format!("\"{near}\"")),
            None => fault,
        });
        None
    }

    /// A table.
    pub fn table<'a, 'i>(&mut self, what: &str, value: &'a TomlValue<'i>) -> Option<&'a TomlTable<'i>> {
        let found = value.get_ref().as_table();
        if found.is_none() {
            self.wrong_type(what, value, "a table");
        }
        found
    }

    /// A list of strings.
    pub fn strings(&mut self, what: &str, value: &TomlValue<'_>) -> Option<Vec<Spanned<String>>> {
        let items = self.list(what, value, "a list of strings")?;
        Some(self.each_string(what, items))
    }

    /// A string, or a list of them.
    pub fn one_or_more(&mut self, what: &str, value: &TomlValue<'_>) -> Option<Vec<Spanned<String>>> {
        match value.get_ref() {
            Toml::String(_) => Some(self.each_string(what, std::slice::from_ref(value))),
            Toml::Array(items) => Some(self.each_string(what, items)),
            _ => {
                self.wrong_type(what, value, "a string or a list of strings");
                None
            }
        }
    }

    fn each_string(&mut self, what: &str, items: &[TomlValue<'_>]) -> Vec<Spanned<String>> {
        let read = |item: &TomlValue<'_>| {
            Some(Spanned::new(item.span(), self.string(&format!("each of {what}"), item)?))
        };
        items.iter().filter_map(read).collect()
    }

    /// A list; for a string alone the fault says to put it into brackets.
    pub fn list<'a, 'i>(
        &mut self,
        what: &str,
        value: &'a TomlValue<'i>,
        expected: &str,
    ) -> Option<&'a [TomlValue<'i>]> {
        let found = value.get_ref();
        if let Toml::Array(items) = found {
            return Some(items);
        }
        let fault =
            Diagnostic::error(self.codes.wrong_type, format!("{what} must be {expected}"), value.span())
                .label(self.found(value));
        self.fault(match found {
            Toml::String(text) => fault.help("put it in brackets").edit(value.span(), format!("[{text:?}]")),
            _ => fault,
        });
        None
    }
}

/// A whole number, in whatever base it is written.
pub fn integer(value: &TomlValue<'_>) -> Option<i128> {
    match value.get_ref() {
        Toml::Integer(digits) => i128::from_str_radix(digits.as_str(), digits.radix()).ok(),
        _ => None,
    }
}

/// What a value is, in words that repeat no text of it.
pub fn described(value: &Toml<'_>) -> String {
    match value {
        Toml::String(_) => "a string".to_owned(),
        Toml::Integer(digits) => format!("`{digits}`"),
        Toml::Float(digits) => format!("`{digits}`"),
        Toml::Boolean(value) => format!("`{value}`"),
        Toml::Datetime(_) => "a date".to_owned(),
        Toml::Array(_) => "a list".to_owned(),
        Toml::Table(_) => "a table".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static CODES: TomlCodes = TomlCodes {
        syntax: "test::syntax",
        unknown_key: "test::unknown-key",
        wrong_type: "test::wrong-type",
        unknown_value: "test::unknown-value",
        shows_values: true,
    };

    /// Reads one value `x`, and says what was wrong.
    fn fault(text: &str, read: impl FnOnce(&mut TomlReader<'_>, &TomlValue<'_>)) -> String {
        let source = Source::new("t.toml", text);
        let mut reader = TomlReader::new(&source, &CODES);
        let document = reader.document();
        read(&mut reader, document.get("x").expect("a value"));
        let Err(faults) = reader.finish(()) else { return String::new() };
        let fault = &faults[0];
        let edit = fault.edit.as_ref().map_or("", |edit| edit.replacement.as_str());
        format!("{} [{}] {edit}", fault.message, fault.primary.text)
    }

    #[test]
    fn what_was_found_is_said() {
        let found = fault("x = 70000", |reader, value| {
            assert_eq!(reader.within("`x`", value, 1..=65535, ""), None);
        });
        assert_eq!(found, "`x` must be a number from 1 to 65535 [found `70000`] ");
        let found = fault("x = 0", |reader, value| {
            assert_eq!(reader.within("`x`", value, 1..=u64::MAX, " of seconds,"), None);
        });
        assert_eq!(found, "`x` must be a number of seconds, at least 1 [found `0`] ");
        let found = fault("x = 'a'", |reader, value| {
            assert!(reader.strings("`x`", value).is_none());
        });
        assert_eq!(found, "`x` must be a list of strings [found a string] [\"a\"]");
        let found = fault("x = ['a', 1]", |reader, value| {
            assert_eq!(reader.one_or_more("`x`", value).expect("a list").len(), 1);
        });
        assert_eq!(found, "each of `x` must be a string [found `1`] ");
        let found = fault("x = 'ownd'", |reader, value| {
            assert_eq!(reader.one_of("`x`", value, &[("owned", 1), ("shared", 2)]), None);
        });
        assert_eq!(found, "`x` can't be `ownd` [] \"owned\"");
    }

    #[test]
    fn what_is_right_is_no_fault() {
        let text = "x = 0x10";
        let found = fault(text, |reader, value| {
            assert_eq!(reader.within("`x`", value, 1..=16, ""), Some(16));
            assert_eq!(reader.whole("`x`", value), Some(16));
        });
        assert_eq!(found, "");
    }

    #[test]
    fn a_syntax_error_is_a_fault_with_a_location() {
        let source = Source::new("t.toml", "a = 1\nb = [");
        let mut reader = TomlReader::new(&source, &CODES);
        reader.document();
        assert_eq!(reader.finish(()).unwrap_err()[0].code, "test::syntax");
    }
}
