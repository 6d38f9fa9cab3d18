//! Texts of planned operations: no locations any more, and every reference put in that is known
//! before the run.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use doppio_text::name::EnvName;

use crate::step::Part;
use crate::step::Reference;

/// A planned text, cut at the references that only a run can answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text {
    /// The pieces, in order.
    pub parts: Vec<TextPart>,
}

/// A piece of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextPart {
    /// Text that stands for itself.
    Text(String),
    /// A reference. A secret's is never answered here: its value is in no plan.
    Reference(Reference),
}

/// Text in which a secret is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlainText(pub Text);

/// The name of the host on which a step runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostText(pub PlainText);

/// A value in which secrets are allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(pub Text);

/// Shell text: references have become environment variables.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ShellText {
    /// The text as a dry run shows it.
    pub shown: Text,
    /// The text as it will run.
    pub script: Script,
}

/// Shell text that holds no value any more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Script {
    /// The text.
    pub text: String,
    /// The variables it refers to.
    pub bindings: Vec<Binding>,
}

/// A variable of a [`Script`], and the reference whose value it gets when the step starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// `DOPPIO_SECRET_n` for secrets, `DOPPIO_VALUE_n` for other values.
    pub variable: EnvName,
    /// What it carries.
    pub value: Text,
}

impl From<Part> for TextPart {
    /// The same without its location.
    fn from(part: Part) -> Self {
        match part {
            Part::Text(text) => Self::Text(text),
            Part::Reference(reference, _) => Self::Reference(reference),
        }
    }
}

impl FromIterator<Part> for Text {
    fn from_iter<I: IntoIterator<Item = Part>>(parts: I) -> Self {
        Self { parts: parts.into_iter().map(TextPart::from).collect() }
    }
}

impl fmt::Display for Text {
    /// As a dry run shows it: secrets as `‹secret:name›`, what is not known yet as `${…}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            TextPart::Text(text) => f.write_str(text),
            TextPart::Reference(reference @ Reference::Secret(_)) => write!(f, "‹{reference}›"),
            TextPart::Reference(reference) => write!(f, "${{{reference}}}"),
        })
    }
}

impl fmt::Display for PlainText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ShellText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fmt(f)
    }
}

impl PlainText {
    /// The text, if no reference is left in it.
    pub fn fixed(&self) -> Option<&str> {
        match self.0.parts.as_slice() {
            [] => Some(""),
            [TextPart::Text(text)] => Some(text),
            _ => None,
        }
    }
}
