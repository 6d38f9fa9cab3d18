//! The kinds of condition.

use std::fmt;

use regex::Regex;
use serde::Deserialize;
use serde::Serialize;

use crate::step::FieldType;
use crate::step::HostText;
use crate::step::Part;
use crate::step::PlainText;
use crate::step::Planner;
use crate::step::Reader;
use crate::step::Reference;
use crate::step::ShellText;
use crate::step::Site;
use crate::step::Template;
use crate::step::condition::declare::conditions;
use crate::step::field;
use crate::step::field::Entry;
use crate::step::field::Field;
use crate::step::tmux::Session;

conditions! {
    /// A path exists on the host.
    FileExists = "file_exists" { host_id: Option<HostText>, path: PlainText }
        like "{ file_exists = { path = \"/workspace/model\" } }",

    /// A file on the host has a line that matches a basic regular expression (`grep`).
    FileContains = "file_contains" { host_id: Option<HostText>, path: PlainText, pattern: PlainText }
        like "{ file_contains = { path = \"/workspace/log\", pattern = \"^done\" } }",

    /// A command ends with 0.
    CommandSucceeds = "command_succeeds" { host_id: Option<HostText>, command: ShellText }
        like "{ command_succeeds = { command = \"nvidia-smi\" } }",

    /// A command ends with 0 and a regular expression is found in its standard output.
    OutputMatches = "output_matches" { host_id: Option<HostText>, command: ShellText, pattern: Pattern }
        like "{ output_matches = { command = \"df -h\", pattern = \"/workspace\" } }",

    /// A variable has this value; one that is not set is empty.
    VarEquals = "var_equals" { name: ReadVariable, value: PlainText }
        like "{ var_equals = { name = \"answer\", value = \"yes\" } }",

    /// A regular expression is found in a variable.
    VarMatches = "var_matches" { name: ReadVariable, pattern: Pattern }
        like "{ var_matches = { name = \"loss\", pattern = \"^0\\\\.\" } }",

    /// Doppio can log in to the host.
    HostOnline = "host_online" { host_id: Option<HostText> }
        like "{ host_online = { host_id = \"gpu-box\" } }",

    /// A TCP port of the host, as seen from the host itself, takes connections.
    PortOpen = "port_open" { host_id: Option<HostText>, port: u16 }
        like "{ port_open = { port = 8080 } }",

    /// A tmux session exists, and its command runs.
    TmuxAlive = "tmux_alive" { host_id: Option<HostText>, session_name: Session }
        like "{ tmux_alive = { session_name = \"train\" } }",

    /// A tmux session does not exist, or its command has ended.
    TmuxExited = "tmux_exited" { host_id: Option<HostText>, session_name: Session }
        like "{ tmux_exited = { session_name = \"train\" } }",

    /// `nvidia-smi` lists at least so many GPUs.
    GpuAvailable = "gpu_available" { host_id: Option<HostText>, min_count: u32 = 1 }
        like "{ gpu_available = { min_count = 2 } }",

    /// Something is mounted at the path.
    GdriveMounted = "gdrive_mounted" { host_id: Option<HostText>, mount_path: PlainText }
        like "{ gdrive_mounted = { mount_path = \"/content/drive\" } }",
}

impl Condition {
    /// The conditions inside.
    pub(super) fn inner(&self) -> &[Self] {
        match self {
            Self::Not(inner) => std::slice::from_ref(inner.as_ref()),
            Self::And(all) | Self::Or(all) => all,
            _ => &[],
        }
    }

    /// The host that it names, if it looks at one.
    pub(super) fn host(&self) -> Option<&HostText> {
        match self.own_site() {
            Some(Site::Host(host)) => host,
            _ => None,
        }
    }

    /// Where the first condition that needs a host looks; at `usual` if it names none.
    pub(in crate::step) fn site<'a>(&'a self, usual: Option<&'a HostText>) -> Site<'a> {
        if let Some(Site::Host(host)) = self.own_site() {
            return Site::Host(host.or(usual));
        }
        self.inner()
            .iter()
            .map(|inner| inner.site(usual))
            .find(|site| !matches!(site, Site::Nowhere))
            .unwrap_or(Site::Nowhere)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileExists { path, .. } => write!(f, "file `{path}` exists"),
            Self::FileContains { path, pattern, .. } => write!(f, "file `{path}` contains `{pattern}`"),
            Self::CommandSucceeds { command, .. } => write!(f, "`{command}` succeeds"),
            Self::OutputMatches { command, pattern, .. } => {
                write!(f, "output of `{command}` matches `{}`", pattern.0)
            }
            Self::VarEquals { name, value } => write!(f, "variable `{name}` is `{value}`"),
            Self::VarMatches { name, pattern } => write!(f, "variable `{name}` matches `{}`", pattern.0),
            Self::HostOnline { .. } => f.write_str("the host is online"),
            Self::PortOpen { port, .. } => write!(f, "port {port} is open"),
            Self::TmuxAlive { session_name, .. } => write!(f, "tmux session `{session_name}` is alive"),
            Self::TmuxExited { session_name, .. } => write!(f, "tmux session `{session_name}` has ended"),
            Self::GpuAvailable { min_count, .. } => write!(f, "{min_count} GPU(s) are available"),
            Self::GdriveMounted { mount_path, .. } => write!(f, "`{mount_path}` is mounted"),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::And(all) => list(f, all, " and "),
            Self::Or(any) => list(f, any, " or "),
            Self::Always => f.write_str("always"),
            Self::Never => f.write_str("never"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, conditions: &[Condition], joint: &str) -> fmt::Result {
    for (index, condition) in conditions.iter().enumerate() {
        if index > 0 {
            f.write_str(joint)?;
        }
        write!(f, "({condition})")?;
    }
    Ok(())
}

/// A variable that is looked at, and what it holds as far as that is known: `${name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::step) struct ReadVariable {
    pub(super) name: String,
    pub(super) value: PlainText,
}

impl Field for ReadVariable {
    type Parsed = (String, Template);

    const TYPE: FieldType = FieldType::Literal;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self::Parsed> {
        let name = reader.string(entry.what, entry.value)?;
        let span = entry.value.span();
        let reference = Reference::Variable { name: name.clone(), quoted: false };
        Some((
            name,
            Template { parts: vec![Part::Reference(reference, span.clone())], span, ..Template::default() },
        ))
    }

    fn plan((variable, value): &Self::Parsed, name: &str, planner: &mut dyn Planner) -> Self {
        Self { name: variable.clone(), value: planner.looked_at(name, value) }
    }
}

impl fmt::Display for ReadVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A regular expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::step) struct Pattern(pub PlainText);

impl Field for Pattern {
    type Parsed = Template;

    const TYPE: FieldType = FieldType::Text;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Template> {
        PlainText::read(reader, entry)
    }

    fn plan(parsed: &Template, name: &str, planner: &mut dyn Planner) -> Self {
        Self(field::checked(parsed, name, planner, |pattern| regex(pattern).map(drop)))
    }
}

pub(super) fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| format!("`{pattern}` is not a regular expression: {error}"))
}
