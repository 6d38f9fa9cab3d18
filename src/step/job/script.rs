//! Our own shell text about jobs, and what it answers.

use std::collections::HashMap;
use std::fmt::Write;

use doppio_hosts::Exec;
use doppio_hosts::Interpreter;
use doppio_text::shell::quote;

use crate::step::Value;
use crate::step::job::name::JobName;

/// What knows whether a job lives; every script begins with it.
const JUDGE: &str = concat!(include_str!("born.sh"), include_str!("judge.sh"));

/// What makes a job's folder and hands environment and command over.
pub(in crate::step) const LAUNCH: &str = include_str!("launch.sh");

/// The parent of a job's command.
pub(in crate::step) const KEEPER: &str = concat!(include_str!("born.sh"), include_str!("keeper.sh"));

/// The exit code that says that nothing is left of a job.
pub(in crate::step) const GONE: i32 = 80;

/// POSIX shell text of ours, with variables set before it.
pub(in crate::step) fn script(settings: &[(&str, &str)], parts: &[&str]) -> Exec {
    let mut text = format!("gone={GONE}\n");
    for (name, value) in settings {
        writeln!(text, "{name}={}", quote(value)).expect("writing to a string does not fail");
    }
    for part in [&[JUDGE], parts].concat() {
        text.push_str(part);
    }
    Exec {
        interpreter: Interpreter { shell: "sh".to_owned(), login: false },
        // Wherever the host's own commands run: it may be missing, and the question can be asked.
        workdir: Some("/".to_owned()),
        ..Exec::new(text)
    }
}

/// Prints what a job has printed behind byte `from`, and goes on to its end. Ends with 0, or with [`GONE`].
pub(in crate::step) fn follow(job: &JobName, from: u64) -> Exec {
    let text = format!("exec 2>/dev/null\n{}", include_str!("follow.sh"));
    script(&[("job", job.as_str()), ("from", &from.to_string())], &[&text])
}

/// Lines of the form `key=value`, and words.
#[derive(Debug, Default)]
pub(in crate::step) struct Answer(HashMap<String, String>);

impl Answer {
    /// Reads the standard output of a script of ours.
    pub(in crate::step) fn read(stdout: Value) -> Self {
        let text = match stdout {
            Value::Plain(text) => text,
            #[expect(
                clippy::disallowed_methods,
                reason = "names and numbers of our own in which the mask found a value by chance; all \
                          that is shown of them passes it"
            )]
            Value::Secret(secret) => {
                secret.value().reveal(|bytes| String::from_utf8_lossy(bytes).into_owned())
            }
        };
        let pairs = text.lines().map(|line| line.split_once('=').unwrap_or((line, "")));
        Self(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    /// The value of a key; none if it is not there or empty.
    pub(in crate::step) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether the word is there.
    pub(in crate::step) fn says(&self, word: &str) -> bool {
        self.0.contains_key(word)
    }
}
