//! Texts: with and without references, and those of which more is asked.

use serde::Deserialize;
use serde::Serialize;

use doppio_text::Diagnostic;
use doppio_text::name::HostId;

use crate::step::HostText;
use crate::step::Mode;
use crate::step::PlainText;
use crate::step::Planner;
use crate::step::Reader;
use crate::step::SecretText;
use crate::step::ShellText;
use crate::step::Site;
use crate::step::Template;
use crate::step::field::Entry;
use crate::step::field::Field;
use crate::step::field::FieldType;

impl Field for PlainText {
    type Parsed = Template;

    const TYPE: FieldType = FieldType::Text;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Template> {
        reader.template(entry.what, entry.value, Mode::Plain)
    }

    fn plan(parsed: &Template, name: &str, planner: &mut dyn Planner) -> Self {
        planner.plain(name, parsed)
    }

    fn show(&self, name: &str, lines: &mut Vec<String>) {
        lines.push(format!("{name} {self}"));
    }
}

impl Field for SecretText {
    type Parsed = Template;

    const TYPE: FieldType = FieldType::Secret;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Template> {
        reader.template(entry.what, entry.value, Mode::Plain)
    }

    fn plan(parsed: &Template, name: &str, planner: &mut dyn Planner) -> Self {
        planner.secret(name, parsed)
    }

    fn show(&self, name: &str, lines: &mut Vec<String>) {
        lines.push(format!("{name} {self}"));
    }
}

impl Field for ShellText {
    type Parsed = Template;

    const TYPE: FieldType = FieldType::Shell;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Template> {
        reader.template(entry.what, entry.value, Mode::Shell)
    }

    fn plan(parsed: &Template, name: &str, planner: &mut dyn Planner) -> Self {
        planner.shell(name, parsed)
    }

    fn show(&self, _: &str, lines: &mut Vec<String>) {
        let text = self.to_string();
        lines.extend(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
    }
}

/// A text in which nothing is a reference.
impl Field for String {
    type Parsed = Self;

    const TYPE: FieldType = FieldType::Literal;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self> {
        reader.string(entry.what, entry.value)
    }

    fn plan(parsed: &Self, _: &str, _: &mut dyn Planner) -> Self {
        parsed.clone()
    }
}

/// The name of a variable that the step sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::step) struct Variable(pub String);

impl Field for Variable {
    type Parsed = Self;

    const TYPE: FieldType = FieldType::Literal;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self> {
        reader.string(entry.what, entry.value).map(Self)
    }

    fn plan(parsed: &Self, _: &str, _: &mut dyn Planner) -> Self {
        parsed.clone()
    }

    fn sets(parsed: &Self) -> Option<&str> {
        Some(&parsed.0)
    }
}

impl Field for HostText {
    type Parsed = Template;

    const TYPE: FieldType = FieldType::Text;

    const DOC: &'static str = "The host; the run's target if it is left out.";

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Template> {
        PlainText::read(reader, entry)
    }

    fn plan(parsed: &Template, name: &str, planner: &mut dyn Planner) -> Self {
        let text = planner.plain(name, parsed);
        if text.fixed().is_some_and(|host| host.trim().is_empty()) {
            let fault = Diagnostic::error("plan::invalid-host", "`host_id` is empty", parsed.span.clone());
            planner.fault(
                fault.help("leave it out: the step then runs on the target, which `--host HOST` names"),
            );
        } else if let Some(Err(error)) = text.fixed().map(str::parse::<HostId>) {
            planner.fault(Diagnostic::error("plan::invalid-host", error.to_string(), parsed.span.clone()));
        }
        Self(text)
    }

    fn site(this: Option<&Self>) -> Option<Site<'_>> {
        Some(Site::Host(this))
    }
}

/// Plans a text of which more is asked: what is known of it before the run must pass the check.
pub(in crate::step) fn checked(
    parsed: &Template,
    name: &str,
    planner: &mut dyn Planner,
    check: impl Fn(&str) -> Result<(), String>,
) -> PlainText {
    let text = planner.plain(name, parsed);
    if let Some(Err(message)) = text.fixed().map(check) {
        planner.invalid(name, parsed.span.clone(), &message);
    }
    text
}
