//! Conditions: what `wait_condition` and `assert` look at.

use std::fmt;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use regex::Regex;
use serde::Deserialize;

use crate::event::End;
use crate::host::Exec;
use crate::host::Interpreter;
use crate::shell::quote;
use crate::shell::quote_path;
use crate::step::FieldMut;
use crate::step::Place;
use crate::step::PlainText;
use crate::step::ShellText;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::Value;
use crate::step::tmux;

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
    /// A tmux session is there.
    TmuxAlive { host_id: Option<PlainText>, session_name: PlainText },
    /// A tmux session is not there, or its command has ended.
    TmuxExited { host_id: Option<PlainText>, session_name: PlainText },
    /// `nvidia-smi` lists at least so many GPUs.
    GpuAvailable {
        host_id: Option<PlainText>,
        #[serde(default = "one")]
        min_count: u32,
    },
    /// Something is mounted at the path.
    GdriveMounted { host_id: Option<PlainText>, mount_path: PlainText },
    /// The other way round.
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

    /// Looks, once; on the host `usual` where it names none.
    ///
    /// # Errors
    ///
    /// When it can't be told: the host is out of reach, a secret can't be had.
    pub(super) fn holds<'a>(
        &'a self,
        cx: &'a mut StepContext,
        usual: Option<&'a PlainText>,
    ) -> BoxFuture<'a, Result<bool, StepError>> {
        async move {
            match self {
                Self::Always => Ok(true),
                Self::Never => Ok(false),
                Self::Not(inner) => Ok(!inner.holds(cx, usual).await?),
                Self::And(all) => {
                    for inner in all {
                        if !inner.holds(cx, usual).await? {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                }
                Self::Or(any) => {
                    for inner in any {
                        if inner.holds(cx, usual).await? {
                            return Ok(true);
                        }
                    }
                    Ok(false)
                }
                Self::VarEquals { name, value } => Ok(variable(cx, name)? == cx.text(value)?),
                Self::VarMatches { name, pattern } => {
                    let pattern = parsed(&cx.text(pattern)?)?;
                    Ok(pattern.is_match(&variable(cx, name)?))
                }
                Self::HostOnline { host_id } => match cx.host(host_id.as_ref().or(usual)).await {
                    Ok(_) => Ok(true),
                    Err(StepError::Host(_)) => Ok(false),
                    Err(other) => Err(other),
                },
                Self::CommandSucceeds { host_id, command } => {
                    Ok(run(cx, host_id.as_ref().or(usual), command).await?.is_some())
                }
                Self::OutputMatches { host_id, command, pattern } => {
                    let pattern = parsed(&cx.text(pattern)?)?;
                    match run(cx, host_id.as_ref().or(usual), command).await? {
                        None => Ok(false),
                        Some(Value::Plain(output)) => Ok(pattern.is_match(&output)),
                        Some(Value::Secret(_)) => Err(secret_output()),
                    }
                }
                _ => self.question(cx)?.ask(cx, self.host().and_then(Option::as_ref).or(usual)).await,
            }
        }
        .boxed()
    }

    /// A condition that one script of ours answers with its exit code.
    fn question(&self, cx: &StepContext) -> Result<Question, StepError> {
        Ok(Question(match self {
            Self::FileExists { path, .. } => format!("test -e {}", quote_path(&cx.text(path)?)),
            Self::FileContains { path, pattern, .. } => {
                format!("grep -q -e {} -- {}", quote(&cx.text(pattern)?), quote_path(&cx.text(path)?))
            }
            Self::PortOpen { port, .. } => format!(
                "if command -v nc >/dev/null 2>&1; then nc -z -w 2 127.0.0.1 {port}; \
                 else bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}'; fi 2>/dev/null"
            ),
            Self::TmuxAlive { session_name, .. } => tmux::alive(&cx.text(session_name)?)?,
            Self::TmuxExited { session_name, .. } => format!("! {}", tmux::alive(&cx.text(session_name)?)?),
            Self::GpuAvailable { min_count, .. } => {
                format!(
                    "n=$(nvidia-smi -L 2>/dev/null | grep -c '^GPU '); test \"${{n:-0}}\" -ge {min_count}"
                )
            }
            Self::GdriveMounted { mount_path, .. } => {
                format!("mountpoint -q -- {}", quote_path(&cx.text(mount_path)?))
            }
            _ => return Err(failed(format!("`{self}` has no script"))),
        }))
    }
}

/// A script whose exit code is the answer.
struct Question(String);

impl Question {
    async fn ask(self, cx: &mut StepContext, host: Option<&PlainText>) -> Result<bool, StepError> {
        let host = cx.host(host).await?;
        let interpreter = Interpreter { shell: "sh".to_owned(), login: false };
        let ended = cx.ask(&host, Exec { interpreter, ..Exec::new(self.0) }).await?;
        succeeded(&ended.end)
    }
}

/// Runs the user's command quietly; its standard output if it ended with 0.
async fn run(
    cx: &mut StepContext,
    host: Option<&PlainText>,
    command: &ShellText,
) -> Result<Option<Value>, StepError> {
    let host = cx.host(host).await?;
    let (script, env) = cx.script(command).await?;
    let ended = cx.ask(&host, Exec { env, ..Exec::new(script) }).await?;
    Ok(succeeded(&ended.end)?.then_some(ended.stdout))
}

/// An answer by exit code. A lost connection is no answer.
fn succeeded(end: &End) -> Result<bool, StepError> {
    match end {
        End::Exit { code } => Ok(*code == 0),
        End::Lost { cause } => Err(failed(format!("the connection was lost: {}", cause.as_str()))),
        _ => Ok(false),
    }
}

fn variable(cx: &StepContext, name: &str) -> Result<String, StepError> {
    match cx.values.variables.get(name) {
        None => Ok(String::new()),
        Some(Value::Plain(text)) => Ok(text.clone()),
        Some(Value::Secret(_)) => {
            Err(failed(format!("variable `{name}` holds a secret and can't be compared")))
        }
    }
}

fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| format!("`{pattern}` is not a regular expression: {error}"))
}

fn parsed(pattern: &str) -> Result<Regex, StepError> {
    regex(pattern).map_err(failed)
}

fn secret_output() -> StepError {
    failed("the command printed a secret, and its output can't be compared".to_owned())
}

fn failed(message: String) -> StepError {
    StepError::Failed { message, hint: None }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileExists { path, .. } => write!(f, "file `{path}` exists"),
            Self::FileContains { path, pattern, .. } => write!(f, "file `{path}` contains `{pattern}`"),
            Self::CommandSucceeds { command, .. } => write!(f, "`{command}` succeeds"),
            Self::OutputMatches { command, pattern, .. } => {
                write!(f, "output of `{command}` matches `{pattern}`")
            }
            Self::VarEquals { name, value } => write!(f, "variable `{name}` is `{value}`"),
            Self::VarMatches { name, pattern } => write!(f, "variable `{name}` matches `{pattern}`"),
            Self::HostOnline { .. } => f.write_str("the host is online"),
            Self::PortOpen { port, .. } => write!(f, "port {port} is open"),
            Self::TmuxAlive { session_name, .. } => write!(f, "tmux session `{session_name}` is alive"),
            Self::TmuxExited { session_name, .. } => write!(f, "tmux session `{session_name}` has ended"),
            Self::GpuAvailable { min_count, .. } => write!(f, "{min_count} GPU(s) are there"),
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
    fn fields_of_inner_conditions_are_found() {
        let mut condition =
            read("{ not = { file_exists = { host_id = \"h\", path = \"p\" } } }").expect("valid");
        let names: Vec<String> = condition.fields().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["host_id", "path"]);
        assert!(matches!(condition.place(None), Place::Host(Some(_))));
    }
}
