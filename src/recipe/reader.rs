//! Values of the expected type, or a fault that says what was found instead.

use std::time::Duration;

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::closest;
use doppio_text::has_enough;
use doppio_text::note;

/// Longer waits and deadlines are cut to this: timers can't count further.
pub(super) const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

/// Collects faults while values are taken out of tables.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// What was wrong so far.
    pub faults: Vec<Diagnostic>,
}

impl Reader {
    /// Notes a fault, unless there are enough.
    pub(super) fn fault(&mut self, fault: Diagnostic) {
        note(&mut self.faults, fault);
    }

    /// Whether further errors would not be noted.
    pub(super) fn has_enough(&self) -> bool {
        has_enough(&self.faults)
    }

    /// An unknown key.
    pub(super) fn unknown_key<'a>(
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

    fn wrong_type(&mut self, what: &str, found: &DeValue<'_>, span: Span, expected: &str) {
        self.fault(
            Diagnostic::error("recipe::wrong-type", format!("{what} must be {expected}"), span)
                .label(format!("found {}", described(found))),
        );
    }

    /// A string.
    pub(super) fn string(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        if let DeValue::String(text) = value.get_ref() {
            return Some(text.clone().into_owned());
        }
        self.wrong_type(what, value.get_ref(), value.span(), "a string");
        None
    }

    /// A boolean.
    pub(super) fn boolean(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<bool> {
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong_type(what, value.get_ref(), value.span(), "`true` or `false`");
        }
        found
    }

    /// A whole number, 0 or more.
    pub(super) fn whole(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<u64> {
        let found = match value.get_ref() {
            DeValue::Integer(digits) => u64::from_str_radix(digits.as_str(), digits.radix()).ok(),
            _ => None,
        };
        if found.is_none() {
            self.wrong_type(what, value.get_ref(), value.span(), "a whole number, 0 or more");
        }
        found
    }

    /// A finite number, 0 or more.
    pub(super) fn number(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<f64> {
        let found = match value.get_ref() {
            DeValue::Integer(digits) if digits.radix() == 10 => digits.as_str().parse::<f64>().ok(),
            DeValue::Float(digits) => digits.as_str().parse::<f64>().ok(),
            _ => None,
        }
        .filter(|number| number.is_finite() && *number >= 0.0);
        if found.is_none() {
            self.wrong_type(what, value.get_ref(), value.span(), "a number, 0 or more");
        }
        found
    }

    /// A number of seconds.
    pub(super) fn seconds(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<Duration> {
        self.whole(what, value).map(|seconds| Duration::from_secs(seconds).min(LONGEST))
    }

    /// A deadline in seconds. The first Doppio read 0 and had no deadline then.
    pub(super) fn timeout(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<Duration> {
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

    /// A table.
    pub(super) fn table<'a, 'i>(
        &mut self,
        what: &str,
        value: &'a Spanned<DeValue<'i>>,
    ) -> Option<&'a DeTable<'i>> {
        let found = value.get_ref().as_table();
        if found.is_none() {
            self.wrong_type(what, value.get_ref(), value.span(), "a table");
        }
        found
    }

    /// A list of strings.
    pub(super) fn strings(
        &mut self,
        what: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<Vec<Spanned<String>>> {
        let Some(items) = value.get_ref().as_array() else {
            let found = value.get_ref();
            let mut fault = Diagnostic::error(
                "recipe::wrong-type",
                format!("{what} must be a list of strings"),
                value.span(),
            )
            .label(format!("found {}", described(found)));
            if let DeValue::String(text) = found {
                fault = fault.help("put it in brackets").edit(value.span(), format!("[{text:?}]"));
            }
            self.fault(fault);
            return None;
        };
        let strings = items
            .iter()
            .filter_map(|item| {
                Some(Spanned::new(item.span(), self.string(&format!("each of {what}"), item)?))
            })
            .collect();
        Some(strings)
    }
}

/// What a value is, in words.
pub(super) fn described(value: &DeValue<'_>) -> String {
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
