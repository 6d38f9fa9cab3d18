//! What help and docs know of fields.

use std::fmt;

/// A thing that has fields, as its declaration has it: a step type, a kind of condition.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The key that names it in a recipe.
    pub name: &'static str,
    /// A whole one.
    pub example: &'static str,
    /// What it is, as the declaration has it.
    pub doc: &'static str,
    /// Its fields, in the order in which help lists them.
    pub own: &'static [FieldSpec],
    /// The fields behind them that it shares with others.
    pub common: &'static [FieldSpec],
}

impl Spec {
    /// What it is or does: one line without a full stop.
    pub fn doc(&self) -> &'static str {
        line(self.doc)
    }

    /// The names of all its fields.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.own.iter().chain(self.common).map(|field| field.name)
    }
}

/// A doc comment as help and docs show it.
fn line(doc: &'static str) -> &'static str {
    doc.trim().trim_end_matches('.')
}

/// A field as its declaration has it.
#[derive(Debug, Clone, Copy)]
pub struct FieldSpec {
    /// The key.
    pub name: &'static str,
    /// What may stand there.
    pub kind: FieldType,
    /// Whether it may be left out.
    pub presence: Presence,
    /// What it is for, as the declaration has it.
    pub doc: &'static str,
}

impl FieldSpec {
    /// What it is for: one line without a full stop.
    pub fn doc(&self) -> &'static str {
        line(self.doc)
    }
}

/// Whether a field may be left out.
#[derive(Debug, Clone, Copy)]
pub enum Presence {
    /// It may not.
    Required,
    /// It may.
    Optional,
    /// It may, and has this value then.
    Default(fn() -> serde_json::Value),
}

/// What may stand in a field.
#[derive(Debug, Clone, Copy)]
pub enum FieldType {
    /// Text in which a secret is an error.
    Text,
    /// Text in which secrets may stand.
    Secret,
    /// Shell text.
    Shell,
    /// A text in which nothing is a reference.
    Literal,
    /// A whole number between these.
    Whole(i64, u64),
    /// A number, 0 or more.
    Number,
    /// `true` or `false`.
    Boolean,
    /// One of these words, each with what it means.
    OneOf(&'static [(&'static str, &'static str)]),
    /// A list.
    List(&'static Self),
    /// A table with keys of one's own.
    Table(&'static Self),
    /// A condition.
    Condition,
}

impl fmt::Display for FieldType {
    /// In words, as docs have them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Secret => f.write_str("text (secret)"),
            Self::Shell => f.write_str("text (shell)"),
            Self::Literal => f.write_str("literal text"),
            Self::Whole(0, u64::MAX) => f.write_str("whole number, 0 or more"),
            Self::Whole(i64::MIN, _) => f.write_str("whole number"),
            Self::Whole(least, most) => write!(f, "whole number from {least} to {most}"),
            Self::Number => f.write_str("number, 0 or more"),
            Self::Boolean => f.write_str("`true` or `false`"),
            Self::OneOf(words) => {
                for (index, (word, _)) in words.iter().enumerate() {
                    write!(f, "{}`{word}`", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::List(of) => write!(f, "list: {of}"),
            Self::Table(of) => write!(f, "table: {of}"),
            Self::Condition => f.write_str("condition"),
        }
    }
}
