//! Any program whose stdout is the value. Only the user's settings say which program.
//!
//! It may print another value tomorrow, so nothing is remembered. Callers that need it at the same
//! time share one run of it: two properties of what it prints belong together.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::Weak;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use doppio_process::Broken;
use doppio_process::Limits;
use doppio_process::Program;

use crate::SecretValue;
use crate::source::Answer;
use crate::source::Kind;
use crate::source::Lease;
use crate::source::Leased;
use crate::source::Metadata;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::no_versions;

pub(super) static KIND: Kind = Kind {
    scheme: "command",
    summary: "what a program prints; see `[sources.command]`",
    writes: false,
    versions: false,
    remote: None,
};

/// No value is longer: what an environment can carry is less.
const LONGEST: usize = 1 << 20;

/// One program of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments; no shell is asked.
    pub run: Vec<String>,
    /// It is ended after this time.
    pub timeout: Duration,
    /// Exit codes that mean that the secret is not there; 0 only where nothing is printed.
    pub missing: Vec<i32>,
    /// Whether a last line break is part of the value.
    pub keep_newline: bool,
}

/// The programs by the names that references call them by.
#[derive(Debug, Default)]
pub struct CommandSource {
    commands: BTreeMap<String, Command>,
    /// What is in use at the moment.
    printed: Mutex<HashMap<String, Weak<Printed>>>,
}

/// What one run of a program printed, or will have printed.
type Printed = OnceCell<SecretValue>;

impl Leased for Printed {
    fn has_end(&self) -> bool {
        false
    }
}

impl CommandSource {
    /// The source over these programs.
    pub fn new(commands: BTreeMap<String, Command>) -> Self {
        Self { commands, printed: Mutex::default() }
    }

    /// What somebody has at the moment, or the place for what is to be printed.
    fn printed(&self, path: &str) -> Arc<Printed> {
        let mut printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = printed.get(path).and_then(Weak::upgrade) {
            return shared;
        }
        let new = Arc::new(Printed::new());
        printed.insert(path.to_owned(), Arc::downgrade(&new));
        new
    }

    fn find(&self, path: &str, version: Option<&str>) -> Result<(&Command, &str), SourceError> {
        no_versions("a command", version)?;
        let Some(command) = self.commands.get(path) else {
            return Err(SourceError::unreachable(
                format!("the settings have no command `{path}`"),
                format!("write `[sources.command.{path}]` with `run = [\"program\", …]` to config.toml"),
            ));
        };
        let program = command
            .run
            .first()
            .ok_or_else(|| SourceError::Unfit { cause: format!("`run` of the command `{path}` is empty") })?;
        Ok((command, program))
    }
}

async fn ask(path: &str, command: &Command, program: &str) -> Result<SecretValue, SourceError> {
    let started = Program::new(program).args(&command.run[1..]).without_stderr();
    let again = || format!("run `{}` by hand to see what it says", command.run.join(" "));
    let limits = Limits { longest: LONGEST, deadline: command.timeout };
    let heard = started.hear(None, limits).await.map_err(|error| match error {
        Broken::NotStarted(error) => SourceError::unreachable(
            format!("cannot start `{program}`: {error}"),
            format!("install it, or fix `[sources.command.{path}]` in config.toml"),
        ),
        Broken::Late(deadline) => {
            let cause = format!("`{program}` did not end within {} s", deadline.as_secs());
            SourceError::unreachable(cause, again())
        }
        Broken::TooLong => SourceError::unfit(format!("`{program}` printed more than a secret can be")),
        Broken::System(error) => SourceError::unreachable(format!("`{program}`: {error}"), again()),
    })?;
    let is_missing = heard.status.code().is_some_and(|code| command.missing.contains(&code));
    if !heard.status.success() {
        return Err(if is_missing {
            SourceError::Missing
        } else {
            SourceError::unreachable(format!("`{program}` ended with {}", heard.status), again())
        });
    }
    let value = match heard.stdout.as_slice() {
        bytes if command.keep_newline => bytes,
        bytes => bytes.strip_suffix(b"\n").map_or(bytes, |line| line.strip_suffix(b"\r").unwrap_or(line)),
    };
    match value {
        [] if is_missing => Err(SourceError::Missing),
        // A pipeline whose first part failed looks the same.
        [] => Err(SourceError::unreachable(
            format!("`{program}` printed nothing"),
            format!(
                "{}; if that means that there is no such secret, write `missing_exit_codes = [0]` to \
                 `[sources.command.{path}]`",
                again()
            ),
        )),
        value => Ok(SecretValue::new(value.to_vec())),
    }
}

#[async_trait]
impl Source for CommandSource {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        "the commands of config.toml".to_owned()
    }

    fn remedy(&self, path: &str) -> String {
        match self.commands.get(path) {
            Some(command) => {
                format!("`{}` says that it does not exist: run it by hand", command.run.join(" "))
            }
            None => format!("write `[sources.command.{path}]` to config.toml"),
        }
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        let (command, program) = self.find(path, version)?;
        let printed = self.printed(path);
        let value = printed.get_or_try_init(|| ask(path, command, program)).await?.clone();
        let place = format!("command `{path}`");
        Ok((value, Metadata { place, lease: Some(Lease::new(printed)), ..Metadata::default() }))
    }

    async fn acts(&self, _path: &str) -> Answer<bool> {
        Ok(true)
    }

    /// The program is not run: it may ask the user, or cost something.
    async fn locate(&self, path: &str, version: Option<&str>) -> Answer<Metadata> {
        self.find(path, version).map(|_| Metadata {
            place: format!("command `{path}`"),
            unproven: true,
            ..Metadata::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(script: &str) -> CommandSource {
        let command = Command {
            run: ["sh", "-c", script].map(str::to_owned).to_vec(),
            timeout: Duration::from_secs(5),
            missing: vec![44],
            keep_newline: false,
        };
        CommandSource::new([("x".to_owned(), command)].into())
    }

    #[tokio::test]
    async fn stdout_is_the_value() {
        let value = source("printf 'a\\nb\\377\\n'").get("x", None).await.unwrap().0;
        assert_eq!(value.plain(), b"a\nb\xff");
    }

    #[tokio::test]
    async fn one_run_serves_all_who_need_it_at_the_same_time() {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("count");
        let script = format!("echo x >> {0}; sleep 0.1; wc -l < {0}", count.display());
        let source = source(&script);
        let (first, second) = tokio::join!(source.get("x", None), source.get("x", None));
        let third = source.get("x", None).await;
        for answer in [&first, &second, &third] {
            assert_eq!(answer.as_ref().unwrap().0.plain().trim_ascii(), b"1");
        }
        drop((first, second, third));
        assert_eq!(source.get("x", None).await.unwrap().0.plain().trim_ascii(), b"2");
    }

    #[tokio::test]
    async fn failures_are_kept_apart() {
        assert_eq!(source("exit 44").get("x", None).await.unwrap_err(), SourceError::Missing);
        let mut silent = source("false | cat");
        let fault = silent.get("x", None).await.unwrap_err();
        assert!(matches!(fault, SourceError::Unreachable { .. }), "{fault}");
        assert_eq!(fault.to_string(), "`sh` printed nothing");
        silent.commands.get_mut("x").unwrap().missing = vec![0];
        assert_eq!(silent.get("x", None).await.unwrap_err(), SourceError::Missing);
        let fault = source("echo hunter2 >&2; exit 3").get("x", None).await.unwrap_err();
        assert!(matches!(fault, SourceError::Unreachable { .. }));
        assert_eq!(fault.to_string(), "`sh` ended with exit status: 3");
        assert!(matches!(source("yes").get("x", None).await, Err(SourceError::Unfit { .. })));
        assert!(matches!(source("true").get("y", None).await, Err(SourceError::Unreachable { .. })));
    }

    #[tokio::test]
    async fn a_pipeline_that_hangs_is_ended() {
        let mut slow = source("sleep 60 | cat");
        slow.commands.get_mut("x").unwrap().timeout = Duration::from_millis(50);
        let fault = slow.get("x", None).await.unwrap_err();
        assert!(matches!(fault, SourceError::Unreachable { .. }), "{fault}");
        assert!(slow.locate("x", None).await.unwrap().unproven);
    }
}
