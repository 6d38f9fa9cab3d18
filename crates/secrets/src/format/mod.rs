//! Texts with many values: dotenv, JSON, YAML, TOML, INI, and Python modules that assign texts.
//!
//! Each format has one file, which reads a text for all purposes: whole, with the line of every
//! value ([`read`]); as a file of secrets ([`document()`]); one member, by `#PROPERTY` ([`select()`]); and all that may be a secret, for the
//! mask. A value is read byte for byte, or refused; no text of a file is in an error, for what is in
//! the wrong place may be a secret. What the parsers copy is wiped as far as it comes back to us; what
//! is not: their own buffers for scalars that are written with escapes.

mod dispute;
mod document;
mod dotenv;
mod encoding;
mod entry;
mod expression;
mod ini;
mod json;
mod kind;
mod members;
mod pointer;
mod python;
mod scalar;
mod select;
mod toml;
mod whole;
mod yaml;

pub use document::Document;
pub use document::NotSecrets;
pub use document::document;
pub(crate) use dotenv::Index as DotenvIndex;
pub(crate) use dotenv::variables as dotenv_variables;
pub use encoding::Encoded;
pub use encoding::decoded;
pub use entry::Entry;
pub use entry::Malformed;
pub use entry::NULL;
pub(crate) use ini::Ini;
pub(crate) use ini::Section as IniSection;
pub use json::member as json_member;
pub use json::members as json_members;
pub(crate) use json::scalars as json_scalars;
pub use json::values as json_items;
pub use kind::Format;
pub use members::NoDocument;
pub use members::is_same_document;
pub use members::with_members;
pub use scalar::DIGITS;
pub use scalar::Scalar;
pub(crate) use select::member;
pub use select::parse;
pub use select::scalars;
pub use select::select;
pub use select::select_in;
pub use whole::read;
