//! INI as Python's `configparser` reads it: what AWS, Hugging Face and `PyPI` tools share.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::SecretValue;
use crate::format::entry;
use crate::format::entry::Entry;
use crate::format::entry::text_value;
use crate::format::entry::utf8;
use crate::format::pointer::NoMember;

/// The sections, in order.
#[derive(Default)]
pub(crate) struct Ini(Vec<Section>);

/// One section.
pub(crate) struct Section {
    /// Its name, as written between the brackets.
    pub name: String,
    entries: Vec<Assignment>,
}

/// A value with its name, and the line where it begins.
struct Assignment {
    name: String,
    line: usize,
    value: Zeroizing<String>,
}

/// The line that is not INI syntax, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub usize);

impl Ini {
    /// Reads a text. A name stands before the first `=` or `:`, in small letters; an indented line
    /// goes on with the value before it; a line that begins with `#` or `;` is a comment.
    ///
    /// # Errors
    ///
    /// When a line is none of these, a name comes before any section, or one comes twice.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let mut ini = Self::default();
        // How far the name of the entry is indented that a deeper line would go on with.
        let mut entry: Option<usize> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let (bare, malformed) = (line.trim(), Err(Malformed(number)));
            if bare.is_empty() || bare.starts_with(['#', ';']) {
                continue;
            }
            let indent = line.len() - line.trim_start().len();
            if entry.is_some_and(|depth| indent > depth) {
                if let Some(Assignment { value, .. }) =
                    ini.0.last_mut().and_then(|section| section.entries.last_mut())
                {
                    let mut longer = Zeroizing::new(String::with_capacity(value.len() + bare.len() + 1));
                    longer.push_str(value);
                    longer.push('\n');
                    longer.push_str(bare);
                    *value = longer;
                }
                continue;
            }
            if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')) {
                if ini.section(name.0).is_some() {
                    return malformed;
                }
                ini.0.push(Section { name: name.0.to_owned(), entries: Vec::new() });
                entry = None;
                continue;
            }
            let Some((name, value)) = bare.split_once(['=', ':']) else { return malformed };
            let name = name.trim().to_lowercase();
            let Some(section) = ini.0.last_mut() else { return malformed };
            if name.is_empty() || section.has(&name) {
                return malformed;
            }
            let value = Zeroizing::new(value.trim().to_owned());
            section.entries.push(Assignment { name, line: number, value });
            entry = Some(indent);
        }
        Ok(ini)
    }

    /// The section of this name.
    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.0.iter().find(|section| section.name == name)
    }

    /// All of them.
    pub(crate) fn sections(&self) -> impl Iterator<Item = &Section> {
        self.0.iter()
    }
}

impl Section {
    /// A value that is not blank.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.entries.iter().find(|known| known.name == name);
        found.map(|known| known.value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether there is such a name, with or without a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|known| known.name == name)
    }
}

/// All values, by `SECTION/NAME`.
pub(super) fn entries(text: &[u8]) -> Result<Vec<Entry>, entry::Malformed> {
    let ini = Ini::parse(utf8(text)?)
        .map_err(|Malformed(line)| entry::Malformed { line, why: "it is not INI".to_owned() })?;
    let all = ini.sections().flat_map(|section| section.entries.iter().map(move |found| (section, found)));
    Ok(all
        .map(|(section, found)| Entry {
            key: format!("{}/{}", section.name, found.name),
            line: found.line,
            value: Ok(text_value(&found.value)),
        })
        .collect())
}

/// The member, by section and key, or by the key of the one section that has it.
pub(super) fn select(text: &str, path: &[Cow<'_, str>]) -> Result<Option<SecretValue>, NoMember> {
    let ini = Ini::parse(text).map_err(|_| NoMember::Format)?;
    match path {
        [section, key] => {
            Ok(ini.section(section).and_then(|found| found.get(&key.to_lowercase())).map(text_value))
        }
        [key] => {
            let key = key.to_lowercase();
            let mut found = ini.sections().filter_map(|section| section.get(&key));
            match (found.next(), found.next()) {
                (Some(_), Some(_)) => Err(NoMember::Member(
                    "several sections have this property: write it as `#/SECTION/KEY`".to_owned(),
                )),
                (found, _) => Ok(found.map(text_value)),
            }
        }
        _ => Ok(None),
    }
}

/// Whether readers of INI make different values of what is written.
pub(super) fn is_vague(written: &[u8]) -> bool {
    let comment = |pair: &[u8]| pair[0].is_ascii_whitespace() && matches!(pair[1], b'#' | b';');
    matches!(written.first(), Some(b'"' | b'\'')) || written.windows(2).any(comment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;
    use crate::format::whole::tests::told;

    #[test]
    fn values_are_as_pythons() {
        let text =
            "# c\n[default]\nKey = a=b ; no comment\ns3 =\n  nested = 1\n\n[profile x]\ntoken:t\n ; c\n";
        let ini = Ini::parse(text).unwrap();
        let default = ini.section("default").unwrap();
        assert_eq!(default.get("key"), Some("a=b ; no comment"));
        assert_eq!(default.get("s3"), Some("\nnested = 1"));
        assert_eq!(ini.section("profile x").unwrap().get("token"), Some("t"));
        assert!(ini.section("gone").is_none());
        assert_eq!(ini.sections().count(), 2);
    }

    #[test]
    fn what_is_no_ini_is_told_by_its_line() {
        for (text, line) in [("a = 1", 1), ("[a]\nb", 2), ("[a]\nb=1\nb=2", 3), ("[a]\n[a]", 2)] {
            assert_eq!(Ini::parse(text).err(), Some(Malformed(line)), "{text}");
        }
    }

    #[test]
    fn values_are_read_with_their_lines() {
        let text = "# c\n[default]\nkey = a=b\n  more\n\n[prod]\ntoken: t\nempty =\n";
        assert_eq!(
            told(Format::Ini, text),
            ["3: default/key=\"a=b\\nmore\"", "7: prod/token=\"t\"", "8: prod/empty=\"\""]
        );
        assert_eq!(told(Format::Ini, "[a]\nhunter2\n"), ["line 2: it is not INI"]);
    }
}
