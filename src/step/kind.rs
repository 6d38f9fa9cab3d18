//! A step type as data.

use doppio_text::Diagnostic;
use doppio_text::TomlValue;

use crate::step::Operation;
use crate::step::Parsed;
use crate::step::Planned;
use crate::step::Reader;
use crate::step::Spec;
use crate::step::described;
use crate::step::field::Table;
use crate::step::operation::Written;

/// A step type as data: how it is called, what its fields are, and how it is read.
#[derive(Debug)]
pub struct StepKind {
    /// What its declaration says of it.
    pub spec: Spec,
    read: fn(&mut Table<'_, '_, '_>) -> Option<Box<dyn Parsed>>,
    load: fn(serde_json::Value) -> Result<Box<dyn Planned>, serde_json::Error>,
}

impl StepKind {
    /// That of a step type.
    pub(in crate::step) const fn of<T: Operation>() -> Self {
        let spec = Spec { name: T::NAME, example: T::EXAMPLE, doc: T::DOC, own: T::OWN, common: T::COMMON };
        Self { spec, read: read::<T>, load: load::<T> }
    }

    /// The key that names it in a recipe.
    pub fn name(&self) -> &'static str {
        self.spec.name
    }

    /// Reads an operation of this type; none if something is wrong with it, all of which the reader
    /// is told.
    pub fn read(&self, reader: &mut Reader<'_>, value: &TomlValue<'_>) -> Option<Box<dyn Parsed>> {
        let Some(table) = value.get_ref().as_table() else {
            let message = format!("`{}` must be a table", self.spec.name);
            reader.fault(
                Diagnostic::error("recipe::wrong-type", message, value.span())
                    .label(format!("found {}", described(value.get_ref())))
                    .help(format!("a complete example: {}", self.spec.example)),
            );
            return None;
        };
        let mut table = Table::new(reader, self.spec, table, value.span());
        let read = (self.read)(&mut table);
        table.whole(read)
    }

    /// Reads a planned operation of this type back from what it was saved as.
    ///
    /// # Errors
    ///
    /// When it is of another form.
    pub fn load(&self, saved: serde_json::Value) -> Result<Box<dyn Planned>, serde_json::Error> {
        (self.load)(saved)
    }
}

fn read<T: Operation>(table: &mut Table<'_, '_, '_>) -> Option<Box<dyn Parsed>> {
    T::read(table).map(|parsed| Box::new(Written::<T>(parsed)) as Box<dyn Parsed>)
}

fn load<T: Operation>(saved: serde_json::Value) -> Result<Box<dyn Planned>, serde_json::Error> {
    serde_json::from_value::<T>(saved).map(|operation| Box::new(operation) as Box<dyn Planned>)
}
