//! Conditions: what `wait_condition` and `assert` look at.

mod examples;
mod look;
mod show;

use regex::Regex;
use serde::Deserialize;

use crate::step::FieldMut;
use crate::step::Place;
use crate::step::PlainText;
use crate::step::ShellText;
use crate::step::tmux;

pub use self::examples::CONDITIONS;

/// Something that holds or does not. `host_id` is the step's own host where it is left out.
#[expect(missing_docs, reason = "the fields are the recipe's keys, and the variants say what they do")]
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// A path exists on the host.
    FileExists { host_id: Option<PlainText>, path: PlainText },
    /// A file on the host has a line that matches a basic regular expression (`grep`).
    FileContains { host_id: Option<PlainText>, path: PlainText, pattern: PlainText },
    /// A command ends with 0.
    CommandSucceeds { host_id: Option<PlainText>, command: ShellText },
    /// A command ends with 0 and a regular expression is found in its standard output.
    OutputMatches { host_id: Option<PlainText>, command: ShellText, pattern: PlainText },
    /// A variable has this value; one that is not set is empty.
    VarEquals { name: String, value: PlainText },
    /// A regular expression is found in a variable.
    VarMatches { name: String, pattern: PlainText },
    /// Doppio can log in to the host.
    HostOnline { host_id: Option<PlainText> },
    /// A TCP port of the host, as seen from the host itself, takes connections.
    PortOpen { host_id: Option<PlainText>, port: u16 },
    /// A tmux session exists.
    TmuxAlive { host_id: Option<PlainText>, session_name: PlainText },
    /// A tmux session does not exist, or its command has ended.
    TmuxExited { host_id: Option<PlainText>, session_name: PlainText },
    /// `nvidia-smi` lists at least so many GPUs.
    GpuAvailable {
        host_id: Option<PlainText>,
        #[serde(default = "one")]
        min_count: u32,
    },
    /// Something is mounted at the path.
    GdriveMounted { host_id: Option<PlainText>, mount_path: PlainText },
    /// The inverse.
    Not(Box<Condition>),
    /// All of them; true if there are none.
    And(Vec<Condition>),
    /// One of them; false if there are none.
    Or(Vec<Condition>),
    /// True.
    Always,
    /// False.
    Never,
}

fn one() -> u32 {
    1
}

impl Condition {
    /// Every field that may hold references.
    pub(super) fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        let (host, texts, inner) = self.parts();
        let mut fields: Vec<_> = host
            .and_then(Option::as_mut)
            .map(|text| ("host_id".to_owned(), FieldMut::Plain(text)))
            .into_iter()
            .chain(texts.into_iter().map(|(name, field)| (name.to_owned(), field)))
            .collect();
        fields.extend(inner.iter_mut().flat_map(Self::fields));
        fields
    }

    /// The host field, the other fields, and the conditions inside.
    #[expect(clippy::type_complexity, reason = "taken apart in the one place that calls it")]
    fn parts(
        &mut self,
    ) -> (Option<&mut Option<PlainText>>, Vec<(&'static str, FieldMut<'_>)>, &mut [Condition]) {
        use FieldMut::Plain;
        use FieldMut::Shell;
        match self {
            Self::FileExists { host_id, path } => (Some(host_id), vec![("path", Plain(path))], &mut []),
            Self::FileContains { host_id, path, pattern } => {
                (Some(host_id), vec![("path", Plain(path)), ("pattern", Plain(pattern))], &mut [])
            }
            Self::CommandSucceeds { host_id, command } => {
                (Some(host_id), vec![("command", Shell(command))], &mut [])
            }
            Self::OutputMatches { host_id, command, pattern } => {
                (Some(host_id), vec![("command", Shell(command)), ("pattern", Plain(pattern))], &mut [])
            }
            Self::VarEquals { value, .. } => (None, vec![("value", Plain(value))], &mut []),
            Self::VarMatches { pattern, .. } => (None, vec![("pattern", Plain(pattern))], &mut []),
            Self::HostOnline { host_id }
            | Self::PortOpen { host_id, .. }
            | Self::GpuAvailable { host_id, .. } => (Some(host_id), Vec::new(), &mut []),
            Self::TmuxAlive { host_id, session_name } | Self::TmuxExited { host_id, session_name } => {
                (Some(host_id), vec![("session_name", Plain(session_name))], &mut [])
            }
            Self::GdriveMounted { host_id, mount_path } => {
                (Some(host_id), vec![("mount_path", Plain(mount_path))], &mut [])
            }
            Self::Not(inner) => (None, Vec::new(), std::slice::from_mut(inner.as_mut())),
            Self::And(all) | Self::Or(all) => (None, Vec::new(), all),
            Self::Always | Self::Never => (None, Vec::new(), &mut []),
        }
    }

    fn host(&self) -> Option<&Option<PlainText>> {
        match self {
            Self::FileExists { host_id, .. }
            | Self::FileContains { host_id, .. }
            | Self::CommandSucceeds { host_id, .. }
            | Self::OutputMatches { host_id, .. }
            | Self::HostOnline { host_id }
            | Self::PortOpen { host_id, .. }
            | Self::TmuxAlive { host_id, .. }
            | Self::TmuxExited { host_id, .. }
            | Self::GpuAvailable { host_id, .. }
            | Self::GdriveMounted { host_id, .. } => Some(host_id),
            Self::VarEquals { .. }
            | Self::VarMatches { .. }
            | Self::Not(_)
            | Self::And(_)
            | Self::Or(_)
            | Self::Always
            | Self::Never => None,
        }
    }

    fn inner(&self) -> &[Condition] {
        match self {
            Self::Not(inner) => std::slice::from_ref(inner.as_ref()),
            Self::And(all) | Self::Or(all) => all,
            _ => &[],
        }
    }

    /// Where the first condition that needs a host looks; at `usual` if it names none.
    pub(super) fn place<'a>(&'a self, usual: Option<&'a PlainText>) -> Place<'a> {
        if let Some(host) = self.host() {
            return Place::Host(host.as_ref().or(usual));
        }
        self.inner()
            .iter()
            .map(|inner| inner.place(usual))
            .find(|place| !matches!(place, Place::Nowhere))
            .unwrap_or(Place::Nowhere)
    }

    /// What is wrong with it beyond its types.
    pub(super) fn faults(&self) -> Vec<String> {
        let own = match self {
            Self::OutputMatches { pattern, .. } | Self::VarMatches { pattern, .. } => {
                pattern.fixed().and_then(|pattern| regex(pattern).err())
            }
            Self::TmuxAlive { session_name, .. } | Self::TmuxExited { session_name, .. } => {
                session_name.fixed().and_then(|name| tmux::check_name(name).err())
            }
            _ => None,
        };
        own.into_iter().chain(self.inner().iter().flat_map(Self::faults)).collect()
    }
}

fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| format!("`{pattern}` is not a regular expression: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Holder {
        condition: Condition,
    }

    fn read(text: &str) -> Result<Condition, toml::de::Error> {
        toml::from_str::<Holder>(&format!("condition = {text}")).map(|holder| holder.condition)
    }

    #[test]
    fn old_and_new_forms_are_read() {
        for text in [
            "\"always\"",
            "{ always = {} }",
            "{ not = \"never\" }",
            "{ and = [\"always\", { var_equals = { name = \"a\", value = \"b\" } }] }",
            "{ gpu_available = { host_id = \"h\" } }",
            "{ tmux_exited = { session_name = \"train\" } }",
        ] {
            assert!(read(text).is_ok(), "{text}: {}", read(text).expect_err("checked"));
        }
        assert!(read("{ file_exists = { path = \"a\" }, always = {} }").is_err());
        assert!(read("{ file_exists = { path = \"a\", pth = \"b\" } }").is_err());
    }

    #[test]
    fn every_kind_has_an_example() {
        let known = read("{ unknown = {} }").expect_err("no kind is called so").message().to_owned();
        let known: Vec<&str> = known.split('`').skip(3).step_by(2).collect();
        let named: Vec<&str> = CONDITIONS.iter().map(|(name, _)| *name).collect();
        assert_eq!(named, known);
        for (name, example) in CONDITIONS {
            assert!(read(example).is_ok() && example.contains(name), "{example}");
        }
    }

    #[test]
    fn fields_of_inner_conditions_are_found() {
        let mut condition =
            read("{ not = { file_exists = { host_id = \"h\", path = \"p\" } } }").expect("valid");
        let names: Vec<String> = condition.fields().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["host_id", "path"]);
        assert!(matches!(condition.place(None), Place::Host(Some(_))));
    }
}
