//! What all tmux steps share: names, the job behind a session, and what can go wrong.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use doppio_hosts::Exec;
use doppio_hosts::Host;
use doppio_text::has_controls;
use doppio_text::shell::typed;

use crate::event::End;
use crate::step::Ended;
use crate::step::FieldType;
use crate::step::HostText;
use crate::step::PlainText;
use crate::step::Planner;
use crate::step::Reader;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::Template;
use crate::step::field;
use crate::step::field::Entry;
use crate::step::field::Field;
use crate::step::job;
use crate::step::masked_output::Show;

/// Exit codes of our own scripts; commands of the user never run in them.
const CODES: [(&str, i32); 10] = [
    ("foreign", 81),
    ("replaced", 82),
    ("not_ended", 83),
    ("no_log", 84),
    ("bad_name", 85),
    ("no_tmux", 90),
    ("exists", 91),
    ("no_session", 92),
    ("no_state", 93),
    ("not_started", 94),
];

/// How the job behind a session is found.
const FIND: &str = include_str!("find.sh");

/// Refuses names that tmux would change, misread or run.
fn check_name(name: &str) -> Result<(), String> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.contains(['.', ':', '\\']) {
        "tmux changes `.`, `:` and `\\`"
    } else if name.contains('#') {
        "tmux expands what follows `#`"
    } else if name.ends_with(';') {
        "tmux ends a command at the `;`"
    } else if name.starts_with(['=', '$', '@', '%', '{', '-', '+', '!', '~']) {
        "tmux reads its first character as something else"
    } else if has_controls(name) {
        "it has control characters"
    } else {
        return Ok(());
    };
    Err(format!("`{name}` can't be a tmux session's name: {reason}"))
}

/// The name, checked when the step runs (a variable may have made it).
pub(in crate::step) fn checked(name: String) -> Result<String, StepError> {
    check_name(&name)
        .map_err(|why| StepError::hinted(why, "use letters, digits, `-` and `_`, as in `train-1`"))?;
    Ok(name)
}

/// The name of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::step) struct Session(pub PlainText);

impl Field for Session {
    type Parsed = Template;

    const TYPE: FieldType = FieldType::Text;

    const DOC: &'static str = "The session's name.";

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Template> {
        PlainText::read(reader, entry)
    }

    fn plan(parsed: &Template, name: &str, planner: &mut dyn Planner) -> Self {
        Self(field::checked(parsed, name, planner, check_name))
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The host and the session's name that the fields of a tmux operation stand for.
pub(super) async fn found(
    cx: &mut StepContext,
    host_id: Option<&HostText>,
    session_name: &Session,
) -> Result<(Host, String), StepError> {
    let host = cx.host(host_id).await?;
    let name = checked(cx.text(&session_name.0)?)?;
    Ok((host, name))
}

/// Who needs what a session was given.
pub(super) fn holder(host: &Host, name: &str) -> String {
    format!("tmux session `{name}` on `{}`", host.id())
}

/// A script of ours about a session, whose `name` is in `s` and whose job `find_job` finds.
pub(super) fn script(cx: &StepContext, name: &str, settings: &[(&str, &str)], parts: &[&str]) -> Exec {
    let codes = CODES.map(|(code, number)| (code, number.to_string()));
    let codes = codes.iter().map(|(code, number)| (*code, number.as_str()));
    let slug = job::slug(name);
    let own = [("s", name), ("slug", slug.as_str()), ("run", cx.values.run.as_str())];
    let settings: Vec<(&str, &str)> = codes.chain(own).chain(settings.iter().copied()).collect();
    job::script(&settings, &[&[FIND], parts].concat())
}

/// A script whose exit code says whether the session's command runs. The session of a job is the
/// job's; one that Doppio has not started lives as long as tmux has it.
pub(in crate::step) fn alive(cx: &StepContext, name: &str) -> Result<Exec, StepError> {
    let name = checked(name.to_owned())?;
    Ok(script(cx, &name, &[], &[include_str!("alive.sh")]))
}

/// Turns the exit codes of our scripts into errors.
pub(super) fn understood(ended: Ended, host: &Host, session: &str) -> Result<Ended, StepError> {
    let End::Exit { code } = ended.end else { return Ok(ended) };
    let Some((word, _)) = CODES.iter().find(|(_, known)| *known == code) else { return Ok(ended) };
    let id = host.id();
    let answer = job::Answer::read(ended.stdout);
    Err(match *word {
        "no_tmux" => StepError::hinted(
            format!("tmux is not installed on `{id}`"),
            "install it there, as in `apt-get install -y tmux`",
        ),
        "exists" => StepError::hinted(
            format!("tmux session `{session}` already exists on `{id}`"),
            "choose `if_exists = \"reuse\"` or `if_exists = \"replace\"`",
        ),
        "no_session" => StepError::failed(format!("there is no tmux session `{session}` on `{id}`")),
        "replaced" => replaced(&answer, host, session),
        "foreign" => StepError::hinted(
            format!(
                "tmux session `{session}` on `{id}` was not started by `tmux_new`, and leaves no exit code"
            ),
            "wait for its end with `wait_condition = { condition = { tmux_exited = { session_name = … } } }`",
        ),
        "no_state" => StepError::hinted(
            format!("`{id}` has no room for the output and the exit code of tmux session `{session}`"),
            "check on the host that its home exists and is not full: `df -h ~`; `XDG_STATE_HOME` in the \
             host's `env` in hosts.toml names another folder",
        ),
        "no_log" => StepError::hinted(
            format!("the log of tmux session `{session}` can't be written on `{id}`"),
            "its output above says why; make its folder first, as with `mkdir -p`",
        ),
        "bad_name" => StepError::hinted(
            format!("tmux on `{id}` changes the name `{session}` of the session"),
            "use letters, digits, `-` and `_`, as in `train-1`",
        ),
        "not_ended" => StepError::hinted(
            match answer.get("left") {
                Some(pid) => {
                    format!("tmux session `{session}` on `{id}` was ended, but its process {pid} still runs")
                }
                None => format!("tmux session `{session}` on `{id}` could not be ended"),
            },
            "look on the host: `tmux ls; ps -ef`",
        ),
        _ => StepError::hinted(
            format!("tmux session `{session}` did not start on `{id}`"),
            "its output above says why; `tmux kill-server` helps against a stuck server, and a tmux.conf with \
             `exit-unattached` lets no session live that nobody is attached to",
        ),
    })
}

/// The session's name has gone to another run.
pub(super) fn replaced(answer: &job::Answer, host: &Host, session: &str) -> StepError {
    let by = answer.get("replaced").unwrap_or("another");
    StepError::hinted(
        format!(
            "tmux session `{session}` on `{}` was replaced by run `{by}`, which ended what this run had started",
            host.id()
        ),
        format!(
            "{} shows what that run did, on the machine that it was started on",
            typed(["doppio", "runs", "show", by])
        ),
    )
}

/// Runs one of our scripts, its output shown.
pub(super) async fn run(
    cx: &mut StepContext,
    host: &Host,
    session: &str,
    exec: Exec,
) -> Result<Ended, StepError> {
    let ended = cx.exec(host, exec).await?;
    understood(ended, host, session)
}

/// Runs one of our scripts that has an answer; what it says on standard error is shown.
pub(super) async fn answer(
    cx: &mut StepContext,
    host: &Host,
    session: &str,
    exec: Exec,
) -> Result<(End, job::Answer), StepError> {
    let ended = Box::pin(cx.follow(host, exec, Show::Errors)).await?;
    let ended = understood(ended, host, session)?;
    Ok((ended.end, job::Answer::read(ended.stdout)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_tmux_changes_are_refused() {
        assert!(check_name("train-1").is_ok());
        assert!(check_name("train 1/é; x").is_ok());
        for name in ["", "a.b", "a:b", "a\\b", "=a", "$1", "-d", "a\nb", "a#(touch x)", "a;"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
