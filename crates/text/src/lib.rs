//! Text with places: the file that was read, what is wrong with it and where, and what was
//! probably meant. And foreign text, made fit to be shown; and files that are read whole, the user's own only
//! if nobody else can write them.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod diagnostic;
pub mod escape;
mod file;
mod lines;
pub mod name;
mod own_file;
mod private_group;
pub mod shell;
mod show;
mod source;
mod suggest;
mod toml_reader;
mod toml_string;
mod toml_syntax;

pub use diagnostic::Diagnostic;
pub use diagnostic::ENOUGH;
pub use diagnostic::Edit;
pub use diagnostic::Label;
pub use diagnostic::SUGGESTED;
pub use diagnostic::Severity;
pub use diagnostic::has_enough;
pub use diagnostic::note;
pub use file::open;
pub use lines::Lines;
pub use own_file::NotOwn;
pub use own_file::OwnFileError;
pub use own_file::check_own;
pub use own_file::open_own;
pub use show::Printed;
pub use show::brief;
pub use show::exact;
pub use show::exact_lines;
pub use show::has_controls;
pub use show::page;
pub use show::shown;
pub use source::Source;
pub use source::Span;
pub use suggest::closest;
pub use toml_reader::Spanned;
pub use toml_reader::SyntaxFaults;
pub use toml_reader::Toml;
pub use toml_reader::TomlCodes;
pub use toml_reader::TomlKey;
pub use toml_reader::TomlReader;
pub use toml_reader::TomlTable;
pub use toml_reader::TomlValue;
pub use toml_reader::described;
pub use toml_reader::integer;
pub use toml_string::StringLocations;
pub use toml_syntax::table_heads;
