//! The keys that every operation with shell text has besides the text.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::time::Duration;

use regex::bytes::Regex;

use doppio_hosts::Exec;
use doppio_hosts::Host;
use doppio_hosts::Interpreter;
use doppio_text::name::EnvName;

use crate::event::End;
use crate::step::Ended;
use crate::step::FieldMut;
use crate::step::Outcome;
use crate::step::PlainText;
use crate::step::SecretText;
use crate::step::ShellText;
use crate::step::StepContext;
use crate::step::StepError;

/// The common keys. serde's `flatten` would lose the places of errors, so each operation lists
/// the keys through [`shell_operation`] and hands them over as this.
#[derive(Debug, Clone, Default)]
pub(in crate::step) struct Options {
    pub workdir: Option<PlainText>,
    pub env: BTreeMap<EnvName, SecretText>,
    pub capture_output: Option<String>,
    pub timeout_secs: Option<u64>,
    pub shell: Option<String>,
    pub login_shell: bool,
    pub source: Vec<PlainText>,
    pub stdin: Option<SecretText>,
    pub outputs: BTreeMap<String, String>,
    pub secret_output: bool,
}

/// Declares the serde struct of an operation with the common keys behind its own, and takes it
/// apart into its own fields and [`Options`].
macro_rules! shell_operation {
    ($(#[$doc:meta])* $table:ident => $operation:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $table {
            $($(#[$attribute])* $field: $type,)*
            workdir: Option<$crate::step::PlainText>,
            #[serde(default)]
            env: std::collections::BTreeMap<doppio_text::name::EnvName, $crate::step::SecretText>,
            capture_output: Option<String>,
            timeout_secs: Option<u64>,
            shell: Option<String>,
            #[serde(default)]
            login_shell: bool,
            #[serde(default)]
            source: Vec<$crate::step::PlainText>,
            stdin: Option<$crate::step::SecretText>,
            #[serde(default)]
            outputs: std::collections::BTreeMap<String, String>,
            #[serde(default)]
            secret_output: bool,
        }

        $(#[$doc])*
        #[derive(Debug)]
        struct $operation {
            $($field: $type,)*
            options: $crate::step::shell::Options,
        }

        impl<'de> serde::Deserialize<'de> for $operation {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let table = $table::deserialize(from)?;
                Ok(Self {
                    $($field: table.$field,)*
                    options: $crate::step::shell::Options {
                        workdir: table.workdir,
                        env: table.env,
                        capture_output: table.capture_output,
                        timeout_secs: table.timeout_secs,
                        shell: table.shell,
                        login_shell: table.login_shell,
                        source: table.source,
                        stdin: table.stdin,
                        outputs: table.outputs,
                        secret_output: table.secret_output,
                    },
                })
            }
        }
    };
}
pub(super) use shell_operation;

impl Options {
    /// Every field that may hold references.
    pub(in crate::step) fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        let mut fields = Vec::new();
        fields.extend(self.workdir.as_mut().map(|text| ("workdir".to_owned(), FieldMut::Plain(text))));
        fields
            .extend(self.env.iter_mut().map(|(name, text)| (format!("env.{name}"), FieldMut::Secret(text))));
        fields.extend(self.source.iter_mut().map(|text| ("source".to_owned(), FieldMut::Plain(text))));
        fields.extend(self.stdin.as_mut().map(|text| ("stdin".to_owned(), FieldMut::Secret(text))));
        fields
    }

    /// The variables it sets.
    pub(in crate::step) fn sets(&self) -> Vec<&str> {
        self.capture_output.as_deref().into_iter().collect()
    }

    /// The operation's own deadline.
    pub(in crate::step) fn timeout(&self) -> Option<Duration> {
        self.timeout_secs.map(Duration::from_secs)
    }

    /// What is wrong beyond the types.
    pub(in crate::step) fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        for (name, pattern) in &self.outputs {
            match Regex::new(pattern) {
                Err(error) => {
                    faults.push(("outputs", format!("`{name}` is not a regular expression: {error}")));
                }
                Ok(regex) if regex.captures_len() != 2 => {
                    faults.push(("outputs", format!("`{name}` must have exactly one group")));
                }
                Ok(_) => {}
            }
        }
        if self.shell.as_deref().is_some_and(|shell| shell.is_empty() || shell.starts_with('-')) {
            faults.push(("shell", "must name a shell, as in `bash`".to_owned()));
        }
        faults
    }

    /// The lines that a dry run shows.
    pub(in crate::step) fn show(&self, command: &ShellText) -> Vec<String> {
        let mut lines: Vec<String> =
            command.to_string().lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
        lines.extend(self.workdir.iter().map(|workdir| format!("workdir {workdir}")));
        lines.extend(self.env.iter().map(|(name, value)| format!("env {name}={value}")));
        lines.extend(self.stdin.iter().map(|value| format!("stdin {value}")));
        lines
    }

    /// Runs the text on a host and makes an outcome of its end. `prefix` is our own shell text.
    pub(in crate::step) async fn run(
        &self,
        cx: &mut StepContext,
        host: &Host,
        prefix: &str,
        command: &ShellText,
    ) -> Result<Outcome, StepError> {
        // The step's own value of a variable takes precedence.
        let mut env = cx.credentials(host).await?;
        let (script, bound) = cx.script(command).await?;
        env.extend(bound);
        env.extend(cx.env(&self.env).await?);
        let stdin = match &self.stdin {
            Some(text) => Some(cx.value(text).await?.into_secret()),
            None => None,
        };
        let exec = Exec {
            script: format!("{prefix}{script}"),
            env,
            workdir: self.workdir.as_ref().map(|text| cx.text(text)).transpose()?,
            interpreter: Interpreter {
                shell: self.shell.clone().unwrap_or(Interpreter::default().shell),
                login: self.login_shell,
            },
            source: self.source.iter().map(|text| cx.text(text)).collect::<Result<_, _>>()?,
            stdin,
        };
        let ended = if self.secret_output {
            let name = self.capture_output.clone().unwrap_or_else(|| cx.step.to_string());
            cx.exec_secret(host, exec, &name).await?
        } else {
            cx.exec(host, exec).await?
        };
        self.outcome(ended)
    }

    fn outcome(&self, ended: Ended) -> Result<Outcome, StepError> {
        let mut outputs = HashMap::new();
        if ended.end == (End::Exit { code: 0 }) {
            for (name, pattern) in &self.outputs {
                let regex = Regex::new(pattern).map_err(|error| StepError::Failed {
                    message: format!("output `{name}`: {error}"),
                    hint: None,
                })?;
                let found = ended.stdout.capture(&regex).ok_or_else(|| StepError::Failed {
                    message: format!("output `{name}` was not found: nothing in stdout matches `{pattern}`"),
                    hint: None,
                })?;
                outputs.insert(name.clone(), found);
            }
        }
        let sets = self.capture_output.iter().map(|name| (name.clone(), ended.stdout.clone())).collect();
        Ok(Outcome { end: ended.end, printed: Some((ended.stdout, ended.stderr)), outputs, sets })
    }
}
