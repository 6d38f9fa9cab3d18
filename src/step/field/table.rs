//! A table from which fields are taken, with all that is wrong with it.

use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::TomlTable;
use doppio_text::TomlValue;
use doppio_text::closest;

use crate::step::Level;
use crate::step::Reader;
use crate::step::field::Entry;
use crate::step::field::Field;
use crate::step::field::Spec;
use crate::step::synonym;

/// A table on the way through its fields.
pub(in crate::step) struct Table<'r, 's, 't> {
    reader: &'r mut Reader<'s>,
    owner: Spec,
    entries: &'t TomlTable<'t>,
    span: Span,
    /// What keys that nobody knows were probably meant to be: these are not missing.
    meant: Vec<&'t str>,
    is_whole: bool,
}

impl<'r, 's, 't> Table<'r, 's, 't> {
    /// Looks for keys that the owner does not know. `span` is the table's location.
    pub(in crate::step) fn new(
        reader: &'r mut Reader<'s>,
        owner: Spec,
        table: &'t TomlTable<'t>,
        span: Span,
    ) -> Self {
        let keys = owner.keys();
        let mut meant = Vec::new();
        let mut is_whole = true;
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if keys.clone().any(|known| known == name) {
                continue;
            }
            is_whole = false;
            if reader.has_enough() {
                continue;
            }
            let place = format!("`{}`", owner.name);
            let foreign = synonym::foreign(name, key.span(), Level::Operation, &place, keys.clone());
            if let Some(fault) = foreign {
                reader.fault(fault);
                meant.extend(synonym::meant(name, Level::Operation, keys.clone()));
            } else {
                reader.unknown_key(name, key.span(), &place, keys.clone());
                meant.extend(closest(name, keys.clone()));
            }
        }
        Self { reader, owner, entries: table, span, meant, is_whole }
    }

    /// Reads a field that has no default.
    pub(in crate::step) fn take<T: Field>(&mut self, name: &'static str) -> Option<T::Parsed> {
        if let Some(value) = self.entries.get(name) {
            return self.read::<T>(name, value);
        }
        if T::ABSENT.is_none() {
            self.missing(name);
        }
        T::ABSENT.map(|absent| absent())
    }

    /// Reads a field that has one.
    pub(in crate::step) fn take_or<T: Field>(
        &mut self,
        name: &'static str,
        default: T::Parsed,
    ) -> Option<T::Parsed> {
        match self.entries.get(name) {
            Some(value) => self.read::<T>(name, value),
            None => Some(default),
        }
    }

    /// What was read, if nothing else is wrong with the table.
    pub(in crate::step) fn whole<T>(&self, read: Option<T>) -> Option<T> {
        read.filter(|_| self.is_whole)
    }

    fn read<T: Field>(&mut self, name: &str, value: &'t TomlValue<'t>) -> Option<T::Parsed> {
        T::read(self.reader, &Entry { what: &format!("`{name}`"), value, table: self.entries })
    }

    fn missing(&mut self, name: &str) {
        if self.meant.contains(&name) {
            return;
        }
        let message = format!("`{}` needs `{name}`", self.owner.name);
        self.reader.fault(
            Diagnostic::error("recipe::missing-key", message, self.span.clone())
                .label(format!("no `{name}`"))
                .help(format!("a complete example: {}", self.owner.example)),
        );
    }
}
