//! Keys that people bring from other tools, and what they are called here.

use doppio_text::Diagnostic;
use doppio_text::Span;

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Beside `[recipe]` and `[[step]]`.
    Recipe,
    /// In a `[[step]]`.
    Step,
    /// In a step's operation.
    Operation,
}

/// What a foreign key is here.
struct Synonym {
    foreign: &'static [&'static str],
    ours: Ours,
}

/// What stands for it.
enum Ours {
    /// The same under another name.
    Key(&'static str),
    /// Something else, in words.
    Words(&'static str),
}

use Ours::Key;
use Ours::Words;

/// From the top level of the files of GitHub Actions, GitLab, Ansible, Airflow and older recipes.
const RECIPE: &[Synonym] = &[
    Synonym { foreign: &["steps", "task", "tasks", "stage", "stages"], ours: Key("step") },
    Synonym {
        foreign: &["skill", "workflow", "pipeline", "dag", "metadata", "project"],
        ours: Key("recipe"),
    },
    Synonym {
        foreign: &["job", "jobs"],
        ours: Words(
            "a recipe is one list of steps: write each as a `[[step]]`, and their order as `depends_on`",
        ),
    },
    Synonym { foreign: &["vars", "var", "params", "parameters", "inputs", "args"], ours: Key("variables") },
    Synonym { foreign: &["default_args", "common"], ours: Key("defaults") },
    Synonym {
        foreign: &["env", "environment"],
        ours: Words("write `env = { NAME = \"value\" }` under `[defaults]`, for all steps that run commands"),
    },
    Synonym {
        foreign: &["secret", "secrets"],
        ours: Words(
            "write `${secret:NAME}` where a step needs it, and store it with `doppio secret set NAME`",
        ),
    },
    Synonym {
        foreign: &["host", "hosts", "inventory", "runs_on"],
        ours: Words(
            "name the host of all steps as `host_id = \"gpu-box\"` under `[defaults]`, or with `--host`; addresses are in hosts.toml",
        ),
    },
    Synonym {
        foreign: &["on", "schedule", "schedule_interval", "triggers", "cron"],
        ours: Words("Doppio starts no run by itself: call `doppio run` from cron or a systemd timer"),
    },
    Synonym {
        foreign: &["storage", "storages"],
        ours: Words(
            "steps with storages are not built yet: `local_command = { command = \"rclone copy …\" }`",
        ),
    },
    Synonym {
        foreign: &["requirements", "resources", "runner"],
        ours: Words("what the host must offer stands under `[target]`, as in `min_gpus = 1`"),
    },
];

const STEP: &[Synonym] = &[
    Synonym {
        foreign: &["needs", "depends", "dependencies", "requires", "after", "upstream"],
        ours: Key("depends_on"),
    },
    Synonym { foreign: &["if", "condition", "only_if", "rules"], ours: Key("when") },
    Synonym { foreign: &["unless"], ours: Words("write the opposite as `when = \"not …\"`") },
    Synonym {
        foreign: &[
            "run",
            "script",
            "cmd",
            "command",
            "commands",
            "bash_command",
            "exec",
            "shell_command",
            "bash",
            "sh",
        ],
        ours: Words(
            "write `ssh_command = { command = \"…\" }`, or `local_command = { command = \"…\" }` for this machine",
        ),
    },
    Synonym {
        foreign: &["timeout", "timeout_sec", "timeout_seconds", "execution_timeout"],
        ours: Key("timeout_secs"),
    },
    Synonym { foreign: &["timeout_minutes"], ours: Words("write `timeout_secs`, in seconds") },
    Synonym {
        foreign: &["retries", "max_retries", "attempts", "max_attempts", "retry_delay", "delay", "until"],
        ours: Words("write `retry = { max_attempts = 3, delay_secs = 5 }`; the first attempt counts, too"),
    },
    Synonym {
        foreign: &["continue_on_error", "ignore_errors", "allow_failure", "ignore_failure", "failed_when"],
        ours: Key("continue_on_failure"),
    },
    Synonym {
        foreign: &["host", "runs_on", "machine", "node", "target", "delegate_to", "server"],
        ours: Words(
            "name the host in the operation, as in `ssh_command = { host_id = \"gpu-box\", … }`; `hosts = [\"a\", \"b\"]` runs the step on each of several",
        ),
    },
    Synonym {
        foreign: &["strategy", "loop", "with_items", "for_each", "foreach", "parallel"],
        ours: Words(
            "write `matrix = { name = [\"a\", \"b\"] }`, and `${matrix.name}` where the value belongs",
        ),
    },
    Synonym {
        foreign: &["uses", "with", "image", "container", "services", "plugin"],
        ours: Words("a step runs a command: write `ssh_command = { command = \"…\" }`"),
    },
    Synonym {
        foreign: &["operation", "op", "action", "operator", "type", "kind"],
        ours: Words("the step's type is its key now: write `ssh_command = { … }` in the step itself"),
    },
    Synonym {
        foreign: &["trigger_rule", "always", "on_failure", "finally"],
        ours: Words("write `run_if = \"always\"`, or `run_if = \"failure\"`"),
    },
    Synonym { foreign: &["task_id", "step_id", "key"], ours: Key("id") },
    Synonym { foreign: &["title", "label", "display_name", "description"], ours: Key("name") },
    Synonym { foreign: &["become", "sudo"], ours: Words("write `sudo` in the command") },
    Synonym {
        foreign: &["steps", "tasks", "members"],
        ours: Words("write `group = { mode = \"parallel\", steps = [\"a\", \"b\"] }`"),
    },
    Synonym {
        foreign: &["secrets"],
        ours: Words("write `env = { NAME = \"${secret:NAME}\" }` in the operation"),
    },
    Synonym { foreign: &["artifacts", "cache"], ours: Words("copy files in steps of their own") },
];

const OPERATION: &[Synonym] = &[
    Synonym {
        foreign: &["cmd", "run", "script", "bash_command", "commands", "args", "shell_command", "exec"],
        ours: Key("command"),
    },
    Synonym { foreign: &["command"], ours: Key("commands") },
    Synonym {
        foreign: &["cwd", "working_directory", "working_dir", "chdir", "dir", "directory"],
        ours: Key("workdir"),
    },
    Synonym { foreign: &["host", "hosts", "machine", "target", "server", "runs_on"], ours: Key("host_id") },
    Synonym { foreign: &["environment", "envs", "vars", "variables"], ours: Key("env") },
    Synonym { foreign: &["timeout", "timeout_sec", "timeout_seconds"], ours: Key("timeout_secs") },
    Synonym { foreign: &["timeout_minutes"], ours: Words("write `timeout_secs`, in seconds") },
    Synonym { foreign: &["session", "name", "tmux_session"], ours: Key("session_name") },
    Synonym { foreign: &["seconds", "secs", "duration", "time"], ours: Key("duration_secs") },
    Synonym { foreign: &["interval", "poll_interval", "delay"], ours: Key("poll_interval_secs") },
    Synonym { foreign: &["register", "capture", "output", "save_as"], ours: Key("capture_output") },
    Synonym { foreign: &["input"], ours: Key("stdin") },
    Synonym { foreign: &["executable", "interpreter"], ours: Key("shell") },
    Synonym { foreign: &["set_e", "fail_fast", "exit_on_error"], ours: Key("errexit") },
    Synonym {
        foreign: &[
            "retry",
            "retries",
            "when",
            "depends_on",
            "continue_on_failure",
            "run_if",
            "id",
            "idempotent",
            "forward",
        ],
        ours: Words("it is a key of the step: write it above the operation"),
    },
    Synonym { foreign: &["become", "sudo"], ours: Words("write `sudo` in the command") },
];

/// A key as it is compared: tools differ in case and in what joins words.
fn folded(key: &str) -> String {
    key.to_ascii_lowercase().replace(['-', ' '], "_")
}

/// The key that a foreign one stands for, of those that are known there.
pub fn meant<'a>(key: &str, level: Level, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let key = folded(key);
    let mut known = known.into_iter();
    let all = table(level).iter().filter(|synonym| synonym.foreign.contains(&key.as_str()));
    let ours: Vec<&str> = all
        .filter_map(|synonym| match synonym.ours {
            Key(ours) => Some(ours),
            Words(_) => None,
        })
        .collect();
    known.find(|known| ours.contains(known) || (*known == key && ours.is_empty()))
}

fn table(level: Level) -> &'static [Synonym] {
    match level {
        Level::Recipe => RECIPE,
        Level::Step => STEP,
        Level::Operation => OPERATION,
    }
}

/// The fault of an unknown key that other tools have, or that has its place elsewhere in a recipe.
/// `place` says where it stands, as in "a step"; `known` are the keys that may stand there.
pub fn foreign<'a>(
    key: &str,
    span: Span,
    level: Level,
    place: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<Diagnostic> {
    let fault =
        Diagnostic::error("recipe::unknown-key", format!("unknown key `{key}` in {place}"), span.clone());
    if let Some(ours) = meant(key, level, known) {
        let form = if ours == "depends_on" { ", and is a list: `[\"a\", \"b\"]`" } else { "" };
        return Some(fault.help(format!("here it is called `{ours}`{form}")).edit(span, ours));
    }
    let name = folded(key);
    let mut all = table(level).iter().filter(|synonym| synonym.foreign.contains(&name.as_str()));
    all.find_map(|synonym| match synonym.ours {
        Words(words) => Some(fault.clone().help(words)),
        Key(_) => None,
    })
}

/// What a key of an operation is called here, be it ours or another tool's.
pub fn of_operation(key: &str) -> String {
    let name = folded(key);
    let ours = OPERATION.iter().find_map(|synonym| match synonym.ours {
        Key(ours) if synonym.foreign.contains(&name.as_str()) => Some(ours),
        _ => None,
    });
    ours.map_or(name, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_another_unit_is_not_renamed() {
        for level in [Level::Step, Level::Operation] {
            let fault =
                foreign("timeout-minutes", 0..1, level, "a step", ["timeout_secs"]).expect("it is known");
            assert_eq!((fault.edit, fault.help.as_deref()), (None, Some("write `timeout_secs`, in seconds")));
        }
    }

    #[test]
    fn each_key_has_one_answer_and_none_is_our_own() {
        for level in [Level::Recipe, Level::Step, Level::Operation] {
            for synonym in table(level) {
                for word in synonym.foreign {
                    assert_eq!(folded(word), *word, "it would never be found");
                    if let Key(ours) = synonym.ours {
                        assert_ne!(*word, ours);
                    }
                    let others = table(level).iter().filter(|other| other.foreign.contains(word)).count();
                    assert_eq!(others, 1, "`{word}` stands twice");
                }
            }
        }
    }
}
