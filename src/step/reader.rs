//! Values of the expected type, or a fault that says what was found instead.

use std::time::Duration;

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::Span;
use doppio_text::closest;
use doppio_text::has_enough;
use doppio_text::note;

use crate::step::Mode;
use crate::step::Template;

/// Longer waits and deadlines are cut to this: timers can't count further.
pub const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

/// Collects faults while values are taken out of tables.
#[derive(Debug)]
pub struct Reader<'s> {
    /// What was wrong so far.
    pub faults: Vec<Diagnostic>,
    /// The text that is read.
    pub source: &'s Source,
}

impl<'s> Reader<'s> {
    /// Nothing was wrong so far.
    pub fn new(source: &'s Source) -> Self {
        Self { faults: Vec::new(), source }
    }
}

impl Reader<'_> {
    /// Notes a fault, unless there are enough.
    pub fn fault(&mut self, fault: Diagnostic) {
        note(&mut self.faults, fault);
    }

    /// Whether further errors would not be noted.
    pub fn has_enough(&self) -> bool {
        has_enough(&self.faults)
    }

    /// An unknown key.
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
        let fault =
            Diagnostic::error("recipe::unknown-key", format!("unknown key `{key}` in {place}"), span.clone());
        if let Some(near) = closest(key, known.clone()) {
            return self.fault(fault.help("a key with a similar name exists").edit(span, near));
        }
        let known: Vec<_> = known.into_iter().map(|name| format!("`{name}`")).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        self.fault(fault.help(format!("known keys: {known}")));
    }

    /// A value that is not what it must be.
    pub fn wrong_type(&mut self, what: &str, value: &Spanned<DeValue<'_>>, expected: &str) {
        self.fault(
            Diagnostic::error("recipe::wrong-type", format!("{what} must be {expected}"), value.span())
                .label(format!("found {}", described(value.get_ref()))),
        );
    }

    /// A string.
    pub fn string(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        if let DeValue::String(text) = value.get_ref() {
            return Some(text.clone().into_owned());
        }
        self.wrong_type(what, value, "a string");
        None
    }

    /// A string, cut at its references. Those that are at fault are told and left out.
    pub fn template(&mut self, what: &str, value: &Spanned<DeValue<'_>>, mode: Mode) -> Option<Template> {
        if let DeValue::String(text) = value.get_ref() {
            return Some(self.cut(text, value.span(), mode));
        }
        self.wrong_type(what, value, "a string");
        None
    }

    /// Cuts a text that stands at this place at its references.
    pub fn cut(&mut self, text: &str, span: Span, mode: Mode) -> Template {
        let (template, faults) = Template::parse(text, span, self.source, mode);
        for fault in faults {
            self.fault(fault);
        }
        template
    }

    /// A boolean.
    pub fn boolean(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<bool> {
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong_type(what, value, "`true` or `false`");
        }
        found
    }

    /// A whole number, 0 or more.
    pub fn whole(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<u64> {
        let found = integer(value).and_then(|number| u64::try_from(number).ok());
        if found.is_none() {
            self.wrong_type(what, value, "a whole number, 0 or more");
        }
        found
    }

    /// A finite number, 0 or more.
    pub fn number(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<f64> {
        let found = match value.get_ref() {
            DeValue::Integer(_) => integer(value).and_then(|number| number.to_string().parse::<f64>().ok()),
            DeValue::Float(digits) => digits.as_str().parse::<f64>().ok(),
            _ => None,
        }
        .filter(|number| number.is_finite() && *number >= 0.0);
        if found.is_none() {
            self.wrong_type(what, value, "a number, 0 or more");
        }
        found
    }

    /// A number of seconds.
    pub fn seconds(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<Duration> {
        self.whole(what, value).map(|seconds| Duration::from_secs(seconds).min(LONGEST))
    }

    /// A deadline in seconds. The first Doppio read 0 and had no deadline then.
    pub fn timeout(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<Duration> {
        let timeout = self.seconds(what, value)?;
        if timeout.is_zero() {
            self.fault(
                Diagnostic::warning(
                    "recipe::no-timeout",
                    format!("{what} is 0, which means no deadline"),
                    value.span(),
                )
                .help("leave it out, or give a number of seconds"),
            );
            return None;
        }
        Some(timeout)
    }

    /// One of several words.
    pub fn one_of<T: Copy>(
        &mut self,
        what: &str,
        value: &Spanned<DeValue<'_>>,
        words: &[(&str, T)],
    ) -> Option<T> {
        let list = || words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let Some(found) = value.get_ref().as_str() else {
            self.wrong_type(what, value, &format!("one of {}", list()));
            return None;
        };
        if let Some((_, meant)) = words.iter().find(|(word, _)| *word == found) {
            return Some(*meant);
        }
        let fault =
            Diagnostic::error("recipe::unknown-value", format!("{what} can't be `{found}`"), value.span())
                .help(format!("write one of {}", list()));
        self.fault(match closest(found, words.iter().map(|(word, _)| *word)) {
            Some(near) => fault.edit(value.span(), format!("\"{near}\"")),
            None => fault,
        });
        None
    }

    /// A table.
    pub fn table<'a, 'i>(&mut self, what: &str, value: &'a Spanned<DeValue<'i>>) -> Option<&'a DeTable<'i>> {
        let found = value.get_ref().as_table();
        if found.is_none() {
            self.wrong_type(what, value, "a table");
        }
        found
    }

    /// A list of strings.
    pub fn strings(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<Vec<Spanned<String>>> {
        let items = self.list(what, value, "a list of strings")?;
        let strings = items
            .iter()
            .filter_map(|item| {
                Some(Spanned::new(item.span(), self.string(&format!("each of {what}"), item)?))
            })
            .collect();
        Some(strings)
    }

    /// A list; a string alone is told to be put into brackets.
    pub fn list<'a, 'i>(
        &mut self,
        what: &str,
        value: &'a Spanned<DeValue<'i>>,
        expected: &str,
    ) -> Option<&'a [Spanned<DeValue<'i>>]> {
        let found = value.get_ref();
        if let DeValue::Array(items) = found {
            return Some(items);
        }
        let fault =
            Diagnostic::error("recipe::wrong-type", format!("{what} must be {expected}"), value.span())
                .label(format!("found {}", described(found)));
        self.fault(match found {
            DeValue::String(text) => {
                fault.help("put it in brackets").edit(value.span(), format!("[{text:?}]"))
            }
            _ => fault,
        });
        None
    }
}

/// A whole number, if it is one that anything here could take.
pub(in crate::step) fn integer(value: &Spanned<DeValue<'_>>) -> Option<i128> {
    match value.get_ref() {
        DeValue::Integer(digits) => i128::from_str_radix(digits.as_str(), digits.radix()).ok(),
        _ => None,
    }
}

/// What a value is, in words.
pub fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(_) => "a string".to_owned(),
        DeValue::Integer(digits) => format!("`{digits}`"),
        DeValue::Float(digits) => format!("`{digits}`"),
        DeValue::Boolean(value) => format!("`{value}`"),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
