//! INI as Python's `configparser` reads it: what AWS, Hugging Face and `PyPI` tools share.

use zeroize::Zeroizing;

/// The sections, in order.
#[derive(Default)]
pub(crate) struct Ini(Vec<Section>);

/// One section.
pub(crate) struct Section {
    /// Its name, as written between the brackets.
    pub name: String,
    entries: Vec<(String, Zeroizing<String>)>,
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
                if let Some((_, value)) = ini.0.last_mut().and_then(|section| section.entries.last_mut()) {
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
            if name.is_empty() || section.entries.iter().any(|(known, _)| *known == name) {
                return malformed;
            }
            section.entries.push((name, Zeroizing::new(value.trim().to_owned())));
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
        let found = self.entries.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether there is such a name, with or without a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(known, _)| known == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
