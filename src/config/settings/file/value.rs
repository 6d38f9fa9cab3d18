//! A key's value: read as the type that it must have, or reported with its location.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::closest;

use crate::config::settings::file::Reader;
use crate::config::settings::file::Value;

impl Reader<'_> {
    /// A table; an empty one, and a fault, where it is something else.
    pub(super) fn table<'i>(&mut self, what: &str, value: Value<'i>) -> DeTable<'i> {
        if !value.get_ref().is_table() {
            self.wrong(what, &value, "a table");
            return DeTable::new();
        }
        match value.into_inner() {
            DeValue::Table(table) => table,
            _ => DeTable::new(),
        }
    }

    pub(super) fn truth(&mut self, what: &str, value: &Value<'_>) -> Option<bool> {
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            self.wrong(what, value, "`true` or `false`");
        }
        truth
    }

    /// A value that is not what it must be.
    pub(super) fn wrong(&mut self, what: &str, value: &Value<'_>, expected: &str) {
        let found = format!("found this {}", value.get_ref().type_str());
        let fault = self.error(value.span(), "settings::wrong-value", format!("`{what}` must be {expected}"));
        *fault = fault.clone().label(found);
    }

    /// An unknown key, with the one that was probably meant.
    pub(super) fn unknown(&mut self, key: &Spanned<Cow<'_, str>>, known: &[&str]) {
        let found = key.get_ref();
        let near = closest(found, known.iter().copied()).map(str::to_owned);
        let fault = self.error(key.span(), "settings::unknown-key", format!("unknown key `{found}`"));
        match near {
            Some(near) => {
                *fault = fault.clone().help("a key with a similar name exists").edit(key.span(), near);
            }
            None => fault.help = Some(format!("the keys here are {}", known.join(", "))),
        }
    }

    pub(super) fn error(&mut self, span: Span, code: &'static str, message: String) -> &mut Diagnostic {
        self.faults.push(Diagnostic::error(code, message, span));
        self.faults.last_mut().expect("one was just pushed")
    }
}

/// A whole number, in whatever base it is written.
pub(super) fn integer(value: &Value<'_>) -> Option<i64> {
    let number = value.get_ref().as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// A list of exit codes of programs.
pub(super) fn exit_codes(value: &Value<'_>) -> Option<Vec<i32>> {
    let items = value.get_ref().as_array()?.iter();
    items
        .map(|item| integer(item).and_then(|n| i32::try_from(n).ok()).filter(|n| (0..=255).contains(n)))
        .collect()
}

/// A list of texts.
pub(super) fn texts(value: &Value<'_>) -> Option<Vec<String>> {
    value.get_ref().as_array()?.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
}
