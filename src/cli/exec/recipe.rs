//! The recipe of one step that a command is.

use std::collections::BTreeMap;
use std::fmt::Write;

use doppio_hosts::toml_string;
use doppio_secrets::SecretRef;
use doppio_text::Source;
use doppio_text::name::EnvName;
use doppio_text::name::HostId;

use crate::cli::error::CliError;

/// What its faults are said to stand in.
const NAME: &str = "the command";

/// A command and where it runs.
pub(super) struct OneStep<'a> {
    /// The hosts.
    pub hosts: &'a [HostId],
    /// Whether there is one, which is not in the step's id.
    pub is_one: bool,
    /// Shell text.
    pub command: &'a str,
    /// Secrets by their variable.
    pub env: &'a BTreeMap<EnvName, SecretRef>,
    /// Its deadline, in seconds.
    pub timeout: Option<u64>,
    /// Where on the host it runs.
    pub workdir: Option<&'a str>,
    /// Its standard input.
    pub stdin: Option<&'a str>,
}

impl OneStep<'_> {
    /// The recipe's text: nothing in the command is a reference to Doppio.
    pub(super) fn source(&self) -> Result<Source, CliError> {
        for text in [Some(self.command), self.stdin, self.workdir].into_iter().flatten() {
            if ["${secret:", "$<secret:", "${{"].iter().any(|reference| text.contains(reference)) {
                return Err(CliError::usage("no reference is looked up in the command")
                    .hint("hand the secret over in a variable, `--env TOKEN=NAME`, and use `$TOKEN` there"));
            }
        }
        let hosts: Vec<String> = self.hosts.iter().map(|host| toml_string(host.as_str())).collect();
        let mut text = "[recipe]\nname = \"exec\"\n\n[[step]]\nid = \"exec\"\n".to_owned();
        let mut line = |key: &str, value: &str| writeln!(text, "{key} = {value}").expect("a string grows");
        if !self.is_one {
            line("hosts", &format!("[{}]", hosts.join(", ")));
        }
        text.push_str("\n[step.ssh_command]\n");
        let mut line = |key: &str, value: &str| writeln!(text, "{key} = {value}").expect("a string grows");
        if self.is_one {
            line("host_id", &hosts.join(", "));
        }
        line("command", &verbatim(self.command));
        for (key, value) in [("workdir", self.workdir), ("stdin", self.stdin)] {
            if let Some(value) = value {
                line(key, &verbatim(value));
            }
        }
        if let Some(seconds) = self.timeout {
            line("timeout_secs", &seconds.to_string());
        }
        if !self.env.is_empty() {
            text.push_str("\n[step.ssh_command.env]\n");
            for (name, reference) in self.env {
                let value = toml_string(&format!("${{secret:{reference}}}"));
                writeln!(text, "{name} = {value}").expect("a string grows");
            }
        }
        Ok(Source::new(NAME, text))
    }
}

/// A text as a string of TOML in which no recipe sees a reference.
fn verbatim(text: &str) -> String {
    toml_string(&text.replace("${", "$${"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(command: &str) -> Result<String, CliError> {
        let (hosts, env) =
            (["gpu".parse().unwrap()], BTreeMap::from([("T".parse().unwrap(), "a/b".parse().unwrap())]));
        let step = OneStep {
            hosts: &hosts,
            is_one: true,
            command,
            env: &env,
            timeout: Some(5),
            workdir: None,
            stdin: None,
        };
        step.source().map(|source| source.text().to_owned())
    }

    #[test]
    fn a_command_is_a_recipe_of_one_step_and_stays_as_it_is() {
        insta::assert_snapshot!(step("echo \"${HOME}\" \\\n$$").unwrap(), @r#"
        [recipe]
        name = "exec"

        [[step]]
        id = "exec"

        [step.ssh_command]
        host_id = "gpu"
        command = "echo \"$${HOME}\" \\\u000a$$"
        timeout_secs = 5

        [step.ssh_command.env]
        T = "${secret:a/b}"
        "#);
        assert!(step("echo ${secret:a/b}").is_err());
    }
}
