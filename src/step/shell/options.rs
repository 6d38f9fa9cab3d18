//! The keys that every operation with shell text has besides the text.

use std::collections::BTreeMap;
use std::collections::HashMap;

use regex::bytes::Regex;
use serde::Deserialize;
use serde::Serialize;

use doppio_hosts::Exec;
use doppio_hosts::Host;
use doppio_hosts::Interpreter;
use doppio_hosts::Strict;
use doppio_secrets::Registered;
use doppio_secrets::Unmaskable;
use doppio_text::Spanned;

use crate::event::End;
use crate::step::Ended;
use crate::step::FieldType;
use crate::step::Outcome;
use crate::step::PlainText;
use crate::step::Planner;
use crate::step::Reader;
use crate::step::SecretText;
use crate::step::ShellText;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::Value;
use crate::step::field::Entry;
use crate::step::field::Env;
use crate::step::field::Field;
use crate::step::field::Files;
use crate::step::field::Timeout;
use crate::step::field::Variable;
use crate::step::field::fields;
use crate::step::values::KEPT_MIB;

fields! {
    /// The common keys.
    pub(in crate::step) struct Options {
        /// Where it runs: the home, or the host's `workdir` in hosts.toml, if it is left out; for
        /// `local_command`, where Doppio was started.
        workdir: Option<PlainText>,
        env: Env,
        files: Files,
        /// A variable that receives standard output, of at most 16 MiB.
        capture_output: Option<Variable>,
        timeout_secs: Option<Timeout>,
        /// `bash` if it is left out, or `sh` where there is none.
        shell: Option<Shell>,
        /// Whether the text stops at the first command that fails (`set -e`), in a POSIX shell.
        errexit: bool = true,
        /// Whether a pipe fails if any of its commands does (`set -o pipefail`), and not only the last.
        pipefail: bool = false,
        /// Whether the shell reads the profile first.
        login_shell: bool = false,
        /// Files to source first.
        source: Vec<PlainText>,
        /// Standard input; empty if it is left out.
        stdin: Option<SecretText>,
        outputs: Outputs,
        /// Whether what is captured is a secret from then on.
        secret_output: bool = false,
    }
}

/// The name of a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::step) struct Shell(String);

impl Field for Shell {
    type Parsed = Spanned<String>;

    const TYPE: FieldType = FieldType::Literal;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self::Parsed> {
        reader.string(entry.what, entry.value).map(|name| Spanned::new(entry.value.span(), name))
    }

    fn plan(parsed: &Self::Parsed, name: &str, planner: &mut dyn Planner) -> Self {
        let shell = parsed.get_ref();
        if shell.is_empty() || shell.starts_with('-') {
            planner.invalid(name, parsed.span(), "must name a shell, as in `bash`");
        }
        Self(shell.clone())
    }
}

/// Regular expressions with one group each, which find the named outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::step) struct Outputs(BTreeMap<String, String>);

impl Field for Outputs {
    type Parsed = BTreeMap<String, Spanned<String>>;

    const TYPE: FieldType = FieldType::Table(&FieldType::Literal);

    const DOC: &'static str =
        "What `${step.ID.outputs.NAME}` finds in standard output: regular expressions with one group.";

    const ABSENT: Option<fn() -> Self::Parsed> = Some(BTreeMap::new);

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self::Parsed> {
        let table = reader.table(entry.what, entry.value)?;
        let mut outputs = BTreeMap::new();
        for (key, value) in table {
            let pattern = reader.string(&format!("`{}`", key.get_ref()), value);
            let pattern = pattern.map(|pattern| Spanned::new(value.span(), pattern));
            outputs.extend(pattern.map(|pattern| (key.get_ref().clone().into_owned(), pattern)));
        }
        (outputs.len() == table.len()).then_some(outputs)
    }

    fn plan(parsed: &Self::Parsed, name: &str, planner: &mut dyn Planner) -> Self {
        for (output, pattern) in parsed {
            let fault = match Regex::new(pattern.get_ref()) {
                Err(error) => format!("`{output}` is not a regular expression: {error}"),
                Ok(regex) if regex.captures_len() != 2 => format!("`{output}` must have exactly one group"),
                Ok(_) => continue,
            };
            planner.invalid(name, pattern.span(), &fault);
        }
        Self(parsed.iter().map(|(name, pattern)| (name.clone(), pattern.get_ref().clone())).collect())
    }
}

/// The exit code of our own shell text where the shell has no `pipefail`.
const NO_PIPEFAIL: i32 = 98;

/// Shells whose language is not that of POSIX.
const NOT_POSIX: [&str; 7] = ["csh", "elvish", "fish", "nu", "pwsh", "tcsh", "xonsh"];

/// The flag by which an interpreter takes its text, where it does something else for `-c`.
fn text_flag(interpreter: &str) -> Option<&'static str> {
    let name = interpreter.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    Some(match name {
        "perl" | "ruby" | "node" | "nodejs" | "julia" | "lua" | "luajit" | "R" | "Rscript" => "-e",
        "php" => "-r",
        _ => return None,
    })
}

impl Options {
    /// What reads the text.
    fn interpreter(&self) -> Interpreter {
        Interpreter {
            shell: self.shell.as_ref().map_or(Interpreter::default().shell, |shell| shell.0.clone()),
            login: self.login_shell,
        }
    }

    /// Whether that is a POSIX shell.
    pub(in crate::step) fn is_posix(&self) -> bool {
        self.interpreter().is_posix()
    }

    /// Whether only the last command of a pipe counts.
    pub(in crate::step) fn pipes_hide_failures(&self) -> bool {
        self.is_posix() && !self.pipefail
    }

    /// Whether nothing but the host and the step sets variables before the text begins: neither a profile
    /// nor a file.
    pub(in crate::step) fn knows_environment(&self) -> bool {
        !self.login_shell && self.source.is_empty()
    }

    /// When the text ends early.
    pub(in crate::step) fn strict(&self) -> Strict {
        Strict { errexit: self.errexit, pipefail: self.pipefail }
    }

    /// What is wrong with the keys together, as (field, message); `command` is the text and its key.
    pub(in crate::step) fn faults(&self, command: (&'static str, &ShellText)) -> Vec<(&'static str, String)> {
        let interpreter = self.interpreter();
        let mut faults = Vec::new();
        if interpreter.is_posix() {
            return faults;
        }
        let name = interpreter.name();
        if let Some(flag) = text_flag(name) {
            let message = format!(
                "is given its text by `-c`, and `{name}` takes it by `{flag}`; run `{name} {flag} '…'` in a shell"
            );
            faults.push(("shell", message));
        }
        if self.pipefail {
            let message = format!(
                "has no meaning in `{name}`; where `[defaults]` sets it, write `pipefail = false` beside `shell`"
            );
            faults.push(("pipefail", message));
        }
        let is_shell = NOT_POSIX.contains(&name);
        if !self.source.is_empty() && !is_shell {
            faults.push(("source", format!("is for shells, and `{name}` is none")));
        }
        if self.login_shell && !is_shell {
            faults.push(("login_shell", format!("is for shells, and `{name}` is none")));
        }
        let (key, text) = command;
        if !text.script.bindings.is_empty() {
            let message = format!(
                "can hold references to secrets and results only for a POSIX shell, and `{name}` is none; \
                 hand them over in `env`, and read the variable there"
            );
            faults.push((key, message));
        }
        faults
    }

    /// Runs the text on a host and makes an outcome of its end.
    pub(in crate::step) async fn run(
        &self,
        cx: &mut StepContext,
        host: &Host,
        command: &ShellText,
    ) -> Result<Outcome, StepError> {
        // The step's own value of a variable takes precedence.
        let mut env = cx.credentials(host).await?;
        let (script, bound) = cx.script(command).await?;
        env.extend(bound);
        env.extend(cx.env(&self.env.0).await?);
        env.extend(cx.files(&self.files).await?);
        let stdin = match &self.stdin {
            Some(text) => Some(cx.stdin(text, Registered::sent_as_input).await?),
            None => None,
        };
        let exec = Exec {
            script,
            env,
            workdir: self.workdir.as_ref().map(|text| cx.text(text)).transpose()?,
            interpreter: self.interpreter(),
            strict: self.strict(),
            source: self.source.iter().map(|text| cx.text(text)).collect::<Result<_, _>>()?,
            stdin,
        };
        let ended = if self.secret_output {
            let name = self.capture_output.as_ref().map_or_else(|| cx.step.to_string(), |to| to.0.clone());
            cx.exec_secret(host, exec, &name).await?
        } else {
            cx.exec(host, exec).await?
        };
        self.knows_pipefail(&ended)?;
        self.outcome(cx, ended)
    }

    /// Says so where the shell has no `pipefail`: the text did not begin.
    fn knows_pipefail(&self, ended: &Ended) -> Result<(), StepError> {
        let Value::Plain(said) = &ended.stderr else { return Ok(()) };
        if !self.pipefail
            || ended.end != (End::Exit { code: NO_PIPEFAIL })
            || !said.ends_with("doppio: this shell has no pipefail")
        {
            return Ok(());
        }
        Err(StepError::hinted(
            format!("`{}` has no `pipefail`", self.interpreter().name()),
            "use `shell = \"bash\"`, or leave `pipefail` out",
        ))
    }

    fn outcome(&self, cx: &StepContext, ended: Ended) -> Result<Outcome, StepError> {
        let has_succeeded = ended.end == (End::Exit { code: 0 });
        let mut outputs = HashMap::new();
        if has_succeeded {
            if self.capture_output.is_some() && ended.cut.stdout {
                return Err(StepError::hinted(
                    format!("stdout is longer than the {KEPT_MIB} MiB that `capture_output` can hold"),
                    "let the command write to a file, and print its path",
                ));
            }
            let searched =
                if ended.cut.stdout { format!("the last {KEPT_MIB} MiB of ") } else { String::new() };
            for (name, pattern) in &self.outputs.0 {
                let failed = |why| StepError::failed(format!("output `{name}`{why}"));
                let regex = Regex::new(pattern).map_err(|error| failed(format!(": {error}")))?;
                let known_as = format!("step.{}.outputs.{name}", cx.step);
                let found = ended.stdout.capture(&regex, cx.secrets.mask(), &known_as);
                let found = found.map_err(|error| cut_of_secret(name, &error))?.ok_or_else(|| {
                    failed(format!(" was not found: nothing in {searched}stdout matches `{pattern}`"))
                })?;
                outputs.insert(name.clone(), found);
            }
        }
        let captured = self.capture_output.iter().filter(|_| !ended.cut.stdout);
        let sets = captured.map(|to| (to.0.clone(), ended.stdout.clone())).collect();
        Ok(Outcome { outputs, sets, ..ended.into() })
    }
}

/// An output that is secret and can't be masked.
fn cut_of_secret(name: &str, error: &Unmaskable) -> StepError {
    let why = match error {
        Unmaskable::TooShort { .. } => "is too short to be masked",
        Unmaskable::TooLong { .. } => "is too long to be masked",
        Unmaskable::TooMany { .. } => "can't be masked together with so many others",
    };
    StepError::hinted(
        format!("output `{name}` is part of a secret and {why}"),
        "have its pattern match more of the secret, or print what is not secret in a step without `secret_output`",
    )
}
