//! Values of a recipe: what every TOML file of Doppio's may hold, and templates.

use std::ops::Deref;
use std::ops::DerefMut;
use std::time::Duration;

use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::Span;
use doppio_text::Spanned;
use doppio_text::Toml;
use doppio_text::TomlCodes;
use doppio_text::TomlReader;
use doppio_text::TomlValue;

use crate::step::Mode;
use crate::step::Template;

pub use doppio_text::described;
pub(in crate::step) use doppio_text::integer;

/// Longer waits and deadlines are cut to this: timers can't count further.
pub const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

static CODES: TomlCodes = TomlCodes {
    syntax: "recipe::syntax",
    unknown_key: "recipe::unknown-key",
    wrong_type: "recipe::wrong-type",
    unknown_value: "recipe::unknown-value",
    shows_values: true,
};

/// A [`TomlReader`] that reads templates, too.
#[derive(Debug)]
pub struct Reader<'s>(TomlReader<'s>);

impl<'s> Deref for Reader<'s> {
    type Target = TomlReader<'s>;

    fn deref(&self) -> &TomlReader<'s> {
        &self.0
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'s> Reader<'s> {
    /// Nothing was wrong so far.
    pub fn new(source: &'s Source) -> Self {
        Self(TomlReader::new(source, &CODES))
    }

    /// The faults, in the order in which they were found.
    pub fn into_faults(self) -> Vec<Diagnostic> {
        self.0.faults
    }

    /// A string, cut at its references. Those that are at fault are reported and left out.
    pub fn template(&mut self, what: &str, value: &TomlValue<'_>, mode: Mode) -> Option<Template> {
        if let Toml::String(text) = value.get_ref() {
            return Some(self.cut(text, value.span(), mode));
        }
        self.wrong_type(what, value, "a string");
        None
    }

    /// Cuts a text that stands at this location at its references.
    pub fn cut(&mut self, text: &str, span: Span, mode: Mode) -> Template {
        let (template, faults) = Template::parse(text, span, self.source, mode);
        for fault in faults {
            self.fault(fault);
        }
        template
    }

    /// A string in which nothing is a reference.
    pub fn string(&mut self, what: &str, value: &TomlValue<'_>) -> Option<String> {
        self.0.string(what, value).filter(|text| self.is_literal(what, value.span(), text))
    }

    /// A list of such strings.
    pub fn strings(&mut self, what: &str, value: &TomlValue<'_>) -> Option<Vec<Spanned<String>>> {
        let texts = self.0.strings(what, value)?;
        let each = format!("each of {what}");
        let mut are_literal = true;
        for text in &texts {
            are_literal &= self.is_literal(&each, text.span(), text.get_ref());
        }
        are_literal.then_some(texts)
    }

    /// A string, a number, or a truth as text in which nothing is a reference.
    pub fn scalar(&mut self, what: &str, value: &TomlValue<'_>) -> Option<String> {
        self.0.scalar(what, value).filter(|text| self.is_literal(what, value.span(), text))
    }

    /// Whether a text that stands for itself names no secret: nobody would look it up, and its own words
    /// would be handed over in its place.
    fn is_literal(&mut self, what: &str, span: Span, text: &str) -> bool {
        let Some(reference) = secret_in(text) else { return true };
        let raw = self.source.text().get(span.clone()).and_then(|raw| raw.find(reference));
        let span = raw.map_or(span.clone(), |at| span.start + at..span.start + at + reference.len());
        let message = format!("no secret is looked up in {what}, and `{reference}` stands there");
        self.fault(Diagnostic::error("recipe::secret-in-literal", message, span).help(
            "a secret can stand in `env`, in shell text such as `command`, in `stdin`, and in the value of \
                 a variable under `[variables]`; `$${` is a literal `${`",
        ));
        false
    }

    /// A number of seconds.
    pub fn seconds(&mut self, what: &str, value: &TomlValue<'_>) -> Option<Duration> {
        self.whole(what, value).map(|seconds| Duration::from_secs(seconds).min(LONGEST))
    }

    /// A deadline in seconds. The first Doppio read 0 and had no deadline then.
    pub fn timeout(&mut self, what: &str, value: &TomlValue<'_>) -> Option<Duration> {
        let timeout = self.seconds(what, value)?;
        if timeout.is_zero() {
            self.fault(
                Diagnostic::warning(
                    "recipe::no-timeout",
                    format!("{what} is 0, which means no deadline"),
                    value.span(),
                )
                .help("leave it out, or give a number of seconds"),
            );
            return None;
        }
        Some(timeout)
    }
}

/// The first reference to a secret in a text, as it is written there.
pub fn secret_in(text: &str) -> Option<&str> {
    let begins = |begin: &'static str| text.match_indices(begin).map(|(at, _)| at);
    let all = begins("${secret:").chain(begins("$<secret:"));
    let at = all.filter(|at| !text[..*at].ends_with('$')).min()?;
    let rest = &text[at..];
    let close = if rest.starts_with("${") { '}' } else { '>' };
    Some(rest.find(close).map_or(rest, |end| &rest[..=end]))
}
