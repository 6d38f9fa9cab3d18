//! The shape of a condition, looked at before it is read: serde's messages for a wrong one do not
//! mention conditions.

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::Span;
use doppio_text::closest;

use crate::recipe::reader::Reader;
use crate::recipe::reader::described;
use crate::step::CONDITIONS;

/// The key under which the operations that look at something have their condition.
const KEY: &str = "condition";

/// The longest text of a recipe that a fault repeats, in bytes.
const LONGEST_SHOWN: usize = 60;

/// Looks at the condition in an operation's table. One that has faults of shape is stood in for,
/// so that the rest can be read; true then.
pub(super) fn stand_in_for_misshapen(
    reader: &mut Reader,
    operation: &mut Spanned<DeValue<'_>>,
    source: &Source,
) -> bool {
    let DeValue::Table(table) = operation.get_mut() else { return false };
    let Some(condition) = table.get_mut(KEY) else { return false };
    let before = reader.faults.len();
    Checker { reader, source }.check(condition, KEY);
    let is_misshapen = reader.faults.len() > before;
    if is_misshapen {
        *condition.get_mut() = DeValue::String("always".into());
    }
    is_misshapen
}

struct Checker<'a> {
    reader: &'a mut Reader,
    source: &'a Source,
}

impl Checker<'_> {
    /// `place` is the key under which the condition stands.
    fn check(&mut self, condition: &Spanned<DeValue<'_>>, place: &str) {
        match condition.get_ref() {
            DeValue::String(text) => self.word(text, condition.span(), place),
            DeValue::Table(table) => self.table(table, condition.span(), place),
            other => self.fault(
                must_be(place),
                condition.span(),
                format!("found {}", described(other)),
                "file_exists",
            ),
        }
    }

    /// A condition that is a bare word: only those without keys can be.
    fn word(&mut self, text: &str, span: Span, place: &str) {
        match text {
            "always" | "never" => {}
            kind if example(kind).is_some() => self.fault(
                format!("condition `{kind}` must be a table"),
                span,
                "found only its name".to_owned(),
                kind,
            ),
            _ => {
                let fault = Diagnostic::error("recipe::condition", must_be(place), span.clone());
                let fault = fault.label("found a string");
                self.reader.fault(match closest(text, ["always", "never"]) {
                    Some(near) => {
                        fault.help("a condition with a similar name exists").edit(span, format!("\"{near}\""))
                    }
                    None => fault.help(format!(
                        "{}; an expression can stand in the step's `when`",
                        written("var_equals")
                    )),
                });
            }
        }
    }

    fn table(&mut self, table: &DeTable<'_>, span: Span, place: &str) {
        let mut entries = table.iter();
        match (entries.next(), entries.next()) {
            (Some((kind, inner)), None) => self.kind(kind.get_ref(), inner, span),
            (None, _) => self.fault(must_be(place), span, "found an empty table".to_owned(), "file_exists"),
            _ => self.several(table, span),
        }
    }

    /// What stands under the one key. An unknown kind is reported when it is read.
    fn kind(&mut self, kind: &str, inner: &Spanned<DeValue<'_>>, span: Span) {
        let found = || format!("found {}", described(inner.get_ref()));
        match kind {
            "type" | "kind" => self.by_name(kind, inner, &[], span),
            "not" => self.check(inner, kind),
            "and" | "or" => match inner.get_ref() {
                DeValue::Array(items) => items.iter().for_each(|item| self.check(item, kind)),
                _ => {
                    self.fault(format!("`{kind}` must be a list of conditions"), inner.span(), found(), kind);
                }
            },
            "always" | "never" if !inner.get_ref().is_table() => {
                self.fault(format!("condition `{kind}` takes no value"), inner.span(), found(), kind);
            }
            _ if example(kind).is_some() && !inner.get_ref().is_table() => {
                self.fault(format!("condition `{kind}` must be a table"), inner.span(), found(), kind);
            }
            _ => {}
        }
    }

    /// A table with several keys: of the form `{ type = "file_exists", … }`, or two conditions.
    fn several(&mut self, table: &DeTable<'_>, span: Span) {
        let named = table.iter().find(|(key, _)| matches!(key.get_ref().as_ref(), "type" | "kind"));
        if let Some((named, kind)) = named {
            let rest = table.iter().filter(|(key, _)| key.span() != named.span());
            let rest = rest.map(|(key, value)| format!("{} = {}", key.get_ref(), self.shown(value)));
            let rest: Vec<String> = rest.collect();
            return self.by_name(named.get_ref(), kind, &rest, span);
        }
        let keys: Vec<String> = table.keys().map(|key| format!("`{}`", key.get_ref())).collect();
        let is_kind = |key: &&str| example(key).is_some();
        let kinds: Vec<&str> = table.keys().map(|key| key.get_ref().as_ref()).filter(is_kind).collect();
        match kinds[..] {
            [kind] => self.fault(
                format!("the keys of condition `{kind}` belong in its table"),
                span,
                format!("found {}", keys.join(", ")),
                kind,
            ),
            _ => self.fault(
                "a condition has one key, its kind".to_owned(),
                span,
                format!("found {}", keys.join(", ")),
                if kinds.is_empty() { "file_exists" } else { "and" },
            ),
        }
    }

    /// The form with `type`, and what it should be.
    fn by_name(&mut self, key: &str, kind: &Spanned<DeValue<'_>>, rest: &[String], span: Span) {
        let kind = kind.get_ref().as_str().unwrap_or_default();
        let message = format!("a condition's key is its kind; it has no `{key}`");
        let takes_keys = !matches!(kind, "not" | "and" | "or" | "always" | "never");
        let help = match example(kind) {
            None => format!("{}; {}", written("file_exists"), kinds()),
            Some(_) if takes_keys && !rest.is_empty() => {
                format!("write `condition = {{ {kind} = {{ {} }} }}`", rest.join(", "))
            }
            Some(_) => written(kind),
        };
        self.reader.fault(Diagnostic::error("recipe::condition", message, span).help(help));
    }

    /// A value as it stands in the recipe, unless it is long.
    fn shown(&self, value: &Spanned<DeValue<'_>>) -> &str {
        let text = self.source.text().get(value.span()).unwrap_or_default();
        if text.is_empty() || text.len() > LONGEST_SHOWN || text.contains(char::is_control) {
            "…"
        } else {
            text
        }
    }

    fn fault(&mut self, message: String, span: Span, label: String, like: &str) {
        self.reader
            .fault(Diagnostic::error("recipe::condition", message, span).label(label).help(written(like)));
    }
}

fn example(kind: &str) -> Option<&'static str> {
    CONDITIONS.iter().find(|(name, _)| *name == kind).map(|(_, example)| *example)
}

fn must_be(place: &str) -> String {
    format!("`{place}` must be a table whose one key is the kind of condition")
}

fn written(kind: &str) -> String {
    format!("write it as in `condition = {}`", example(kind).unwrap_or_default())
}

fn kinds() -> String {
    let names: Vec<String> = CONDITIONS.iter().map(|(name, _)| format!("`{name}`")).collect();
    format!("the kinds are {}", names.join(", "))
}
