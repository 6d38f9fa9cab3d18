//! Fields of operations. An operation declares each of its fields once, with [`fields!`]: the type
//! of a field says what may stand in it and what it means for the step, and from the declaration
//! follow the parsed and the planned form, the reader with its faults, and what help and docs say.

mod choice;
mod declare;
mod files;
mod many;
mod number;
mod one;
mod set;
mod spec;
mod table;
mod texts;

pub(in crate::step) use choice::choice;
pub(in crate::step) use declare::fields;
pub(in crate::step) use files::FORM;
pub(in crate::step) use files::Files;
pub(in crate::step) use many::Env;
pub(in crate::step) use many::OpenEnv;
pub(in crate::step) use number::Number;
pub(in crate::step) use number::Seconds;
pub(in crate::step) use number::Timeout;
pub(in crate::step) use one::Entry;
pub(in crate::step) use one::Field;
pub(in crate::step) use set::Fields;
pub use spec::FieldSpec;
pub use spec::FieldType;
pub use spec::Presence;
pub use spec::Spec;
pub(in crate::step) use table::Table;
pub(in crate::step) use texts::Variable;
pub(in crate::step) use texts::checked;
