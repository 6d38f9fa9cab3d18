//! Values of a field: the right type, or a fault that says which one is expected.

use std::ops::RangeInclusive;

use toml::de::DeTable;
use toml::de::DeValue;

use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::closest;

use crate::hosts_file::Field;
use crate::hosts_file::Reader;

impl Reader {
    pub(super) fn table<'a, 's>(&mut self, value: Field<'a, 's>, key: &str) -> Option<&'a DeTable<'s>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => self.wrong(value, key, "a table"),
        }
    }

    pub(super) fn text(&mut self, value: Field<'_, '_>, key: &str) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => self.wrong(value, key, "a string"),
        }
    }

    /// A text that goes into a protocol or a command line: something, and no blanks.
    pub(super) fn word(&mut self, value: Field<'_, '_>, key: &str) -> Option<String> {
        let text = self.text(value, key)?;
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if text.is_empty() || text.starts_with('-') || text.contains(odd) {
            let fault =
                Diagnostic::error("hosts::value", format!("`{text}` can't be a `{key}`"), value.span());
            self.faults.push(fault);
            return None;
        }
        Some(text)
    }

    pub(super) fn texts(&mut self, value: Field<'_, '_>, key: &str) -> Vec<String> {
        self.list(value, key).into_iter().map(|(text, _)| text).collect()
    }

    /// One string, or an array of them.
    pub(super) fn list(&mut self, value: Field<'_, '_>, key: &str) -> Vec<(String, Span)> {
        match value.get_ref() {
            DeValue::String(text) => vec![(text.to_string(), value.span())],
            DeValue::Array(items) => {
                items.iter().filter_map(|item| Some((self.text(item, key)?, item.span()))).collect()
            }
            _ => self.wrong(value, key, "a string or an array of strings").unwrap_or_default(),
        }
    }

    pub(super) fn boolean(&mut self, value: Field<'_, '_>, key: &str) -> Option<bool> {
        match value.get_ref() {
            DeValue::Boolean(boolean) => Some(*boolean),
            _ => self.wrong(value, key, "`true` or `false`"),
        }
    }

    pub(super) fn number(
        &mut self,
        value: Field<'_, '_>,
        key: &str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        let DeValue::Integer(number) = value.get_ref() else { return self.wrong(value, key, &expected) };
        match u64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) if range.contains(&number) => Some(number),
            _ => {
                let message = format!("`{key}` is {number}, expected {expected}");
                self.faults.push(Diagnostic::error("hosts::value", message, value.span()));
                None
            }
        }
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        value: Field<'_, '_>,
        key: &str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let text = self.text(value, key)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if found.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
            let fault = Diagnostic::error(
                "hosts::value",
                format!("`{key}` is `{text}`, expected one of {}", words.join(", ")),
                value.span(),
            );
            self.faults.push(match closest(&text, choices.iter().map(|(word, _)| *word)) {
                Some(near) => fault.edit(value.span(), format!("\"{near}\"")),
                None => fault,
            });
        }
        found
    }

    pub(super) fn wrong<T>(&mut self, value: Field<'_, '_>, key: &str, expected: &str) -> Option<T> {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        let message = format!("`{key}` is {found}, expected {expected}");
        self.faults.push(Diagnostic::error("hosts::type", message, value.span()));
        None
    }
}
