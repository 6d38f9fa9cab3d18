//! Fields of operations: strings that know what may stand in them.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use toml::Spanned;

use doppio_text::name::EnvName;

use crate::step::Part;
use crate::step::Reference;
use crate::step::Template;

/// Text in which a secret is an error.
#[derive(Debug, Clone, Default)]
pub struct PlainText(pub Template);

/// A value in which secrets are allowed.
#[derive(Debug, Clone, Default)]
pub struct SecretText(pub Template);

/// Shell text: references become environment variables.
#[derive(Debug, Clone, Default)]
pub struct ShellText {
    /// The text as written.
    pub template: Template,
    /// The text as it will run; made by the plan.
    pub script: Script,
}

/// Shell text that holds no value any more.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The text.
    pub text: String,
    /// The variables it refers to.
    pub bindings: Vec<Binding>,
}

/// A variable of a [`Script`], and the reference whose value it gets when the step starts.
#[derive(Debug, Clone)]
pub struct Binding {
    /// `DOPPIO_SECRET_n` for secrets, `DOPPIO_VALUE_n` for other values.
    pub variable: EnvName,
    /// What it carries.
    pub value: Template,
}

/// A field on its way through the plan.
#[derive(Debug)]
pub enum FieldMut<'a> {
    /// No secrets.
    Plain(&'a mut PlainText),
    /// Secrets as values.
    Secret(&'a mut SecretText),
    /// Shell text.
    Shell(&'a mut ShellText),
}

/// A string as read: one part of text, to be cut at its references by `recipe::parse`.
fn uncut<'de, D: Deserializer<'de>>(from: D) -> Result<Template, D::Error> {
    let text = Spanned::<String>::deserialize(from)?;
    let span = text.span();
    Ok(Template { parts: vec![Part::Text(text.into_inner())], span })
}

impl<'de> Deserialize<'de> for PlainText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        uncut(from).map(Self)
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        uncut(from).map(Self)
    }
}

impl<'de> Deserialize<'de> for ShellText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        uncut(from).map(|template| Self { template, script: Script::default() })
    }
}

/// A template as a dry run shows it: secrets as `‹secret:name›`, what is not known yet as
/// `${…}`.
fn show(template: &Template, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    template.parts.iter().try_for_each(|part| match part {
        Part::Text(text) => f.write_str(text),
        Part::Reference(reference @ Reference::Secret(_), _) => write!(f, "‹{reference}›"),
        Part::Reference(reference, _) => write!(f, "${{{reference}}}"),
    })
}

impl fmt::Display for PlainText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.0, f)
    }
}

impl fmt::Display for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.0, f)
    }
}

impl fmt::Display for ShellText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.template, f)
    }
}

impl PlainText {
    /// The text, if no reference is left in it.
    pub fn fixed(&self) -> Option<&str> {
        match self.0.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}
