//! What all tmux steps share: names, the state that a session leaves, and what can go wrong.

use std::fmt;
use std::fmt::Write;

use serde::Deserialize;
use serde::Serialize;

use doppio_hosts::Exec;
use doppio_hosts::Host;
use doppio_hosts::Interpreter;
use doppio_text::has_controls;
use doppio_text::shell::quote;

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

/// Exit codes of our own scripts; commands of the user never run in them.
pub(super) const NO_TMUX: i32 = 90;
pub(super) const EXISTS: i32 = 91;
pub(super) const NO_SESSION: i32 = 92;
pub(super) const NO_FIFO: i32 = 93;
pub(super) const NOT_STARTED: i32 = 94;

/// Refuses names that tmux would change or misread.
fn check_name(name: &str) -> Result<(), String> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.contains(['.', ':']) {
        "tmux changes `.` and `:`"
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
    check_name(&name).map_err(StepError::failed)?;
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

/// A shell test for a live session.
pub(in crate::step) fn alive(name: &str) -> Result<String, StepError> {
    let name = checked(name.to_owned())?;
    Ok(format!("tmux has-session -t {} 2>/dev/null", quote(&format!("={name}"))))
}

/// Shell text that sets `s` to the name, `t` to tmux's target of it, `p` to its pane, and `d` to
/// the private directory that holds the session's FIFO and exit code: on tmpfs where there is
/// one that nobody else has prepared, else in the home. `d` depends on the tmux server too. `q` is
/// `d` as it must stand within single quotes of a command that tmux expands (`%` and `#`).
pub(super) fn preamble(name: &str) -> String {
    let mut slug = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            slug.push(char::from(byte));
        } else {
            write!(slug, ",{byte:02x}").expect("writing to a string does not fail");
        }
    }
    format!(
        r#"command -v tmux >/dev/null 2>&1 || exit {NO_TMUX}
s={name} t="=$s" p="=$s:"
umask 077
d=/dev/shm/doppio-$(id -u)
mkdir "$d" 2>/dev/null
{{ [ -d "$d" ] && [ ! -L "$d" ] && [ -O "$d" ] && [ -w "$d" ] && chmod 700 "$d"; }} 2>/dev/null || d=$HOME/.doppio/run
k=$(printf %s "${{TMUX_TMPDIR:-/tmp}}" | cksum)
d=$d/tmux-${{k%% *}}-{slug}
q=$(printf %s "$d" | sed "s/[%#]/&&/g; s/'/'\\\\''/g")
"#,
        name = quote(name),
    )
}

/// Our own scripts are POSIX shell.
pub(super) fn script(text: String) -> Exec {
    Exec { interpreter: Interpreter { shell: "sh".to_owned(), login: false }, ..Exec::new(text) }
}

/// Turns the exit codes of our scripts into errors.
pub(super) fn understood(ended: Ended, host: &Host, session: &str) -> Result<Ended, StepError> {
    let End::Exit { code } = ended.end else { return Ok(ended) };
    let id = host.id();
    Err(match code {
        NO_TMUX => StepError::hinted(
            format!("tmux is not installed on `{id}`"),
            "install it there, as in `apt-get install -y tmux`",
        ),
        EXISTS => StepError::hinted(
            format!("tmux session `{session}` already exists on `{id}`"),
            "choose `if_exists = \"reuse\"` or `if_exists = \"replace\"`",
        ),
        NO_SESSION => StepError::failed(format!("there is no tmux session `{session}` on `{id}`")),
        NO_FIFO => StepError::hinted(
            format!("cannot make a private directory with a FIFO on `{id}`"),
            "check that /dev/shm or the home directory can be written to",
        ),
        NOT_STARTED => StepError::hinted(
            format!("tmux session `{session}` did not start on `{id}`"),
            "its output above says why; `tmux kill-server` helps against a stuck server",
        ),
        _ => return Ok(ended),
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_tmux_changes_are_refused() {
        assert!(check_name("train-1").is_ok());
        assert!(check_name("train 1/é").is_ok());
        for name in ["", "a.b", "a:b", "=a", "$1", "-d", "a\nb"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn the_state_directory_is_one_plain_path_segment() {
        assert!(preamble("a/../b c").contains("-a,2f,2e,2e,2fb,20c\n"));
    }
}
