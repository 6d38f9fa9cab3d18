//! The formats, and what tells them from outside.

/// How a text with many values is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `NAME=value` lines.
    Dotenv,
    /// One JSON object.
    Json,
    /// One YAML mapping.
    Yaml,
    /// One TOML table.
    Toml,
    /// `NAME = value` lines in sections.
    Ini,
    /// A Python module that assigns texts: for whole files only.
    Python,
}

impl Format {
    /// All of them, in the order in which a text is tried.
    pub(super) const ALL: [Self; 5] = [Self::Json, Self::Toml, Self::Dotenv, Self::Yaml, Self::Ini];

    /// What messages call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dotenv => "dotenv",
            Self::Json => "JSON",
            Self::Yaml => "YAML",
            Self::Toml => "TOML",
            Self::Ini => "INI",
            Self::Python => "Python",
        }
    }

    /// The format that the end of an item's path says.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| {
            let ends: &[&str] = match format {
                Self::Dotenv => &[".env"],
                Self::Json => &[".json"],
                Self::Yaml => &[".yaml", ".yml"],
                Self::Toml => &[".toml"],
                Self::Ini => &[".ini"],
                Self::Python => &[],
            };
            ends.iter().any(|end| path.ends_with(end))
        })
    }

    /// The format that a file's name tells.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let ends = |ending: &str| name.ends_with(ending);
        if ends(".json") {
            Some(Self::Json)
        } else if ends(".yaml") || ends(".yml") {
            Some(Self::Yaml)
        } else if ends(".toml") {
            Some(Self::Toml)
        } else if ends(".py") {
            Some(Self::Python)
        } else if name == ".env" || name.starts_with(".env.") || ends(".env") || ends(".envrc") || ends(".sh")
        {
            Some(Self::Dotenv)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_format() {
        for (name, format) in [
            (".env", Some(Format::Dotenv)),
            (".env.local", Some(Format::Dotenv)),
            ("prod.env", Some(Format::Dotenv)),
            ("a.JSON", Some(Format::Json)),
            ("a.yml", Some(Format::Yaml)),
            ("a.toml", Some(Format::Toml)),
            ("secrets_local.py", Some(Format::Python)),
            ("hf_secrets.sh", Some(Format::Dotenv)),
            ("secrets", None),
        ] {
            assert_eq!(Format::of_name(name), format, "{name}");
        }
    }
}
