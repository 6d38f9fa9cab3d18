//! `tmux_send`: types into a session.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use doppio_hosts::Host;
use doppio_hosts::Stdin;
use doppio_secrets::Registered;
use doppio_text::has_controls;
use doppio_text::shell::quote;

use crate::event::End;
use crate::step::Ended;
use crate::step::FieldType;
use crate::step::HostText;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::PlainText;
use crate::step::Planner;
use crate::step::Reader;
use crate::step::Reference;
use crate::step::SecretText;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::StepField;
use crate::step::Template;
use crate::step::Text;
use crate::step::TextPart;
use crate::step::field::Entry;
use crate::step::field::Field;
use crate::step::field::fields;
use crate::step::tmux::session;
use crate::step::tmux::session::Session;

fields! {
    /// Types text, or a key, and Enter into a tmux session on a host.
    pub(in crate::step) struct TmuxSend {
        host_id: Option<HostText>,
        session_name: Session,
        /// Text, typed as it stands; or a key as tmux writes its name, as in `C-c` or `Up`.
        keys: Keys,
        /// Lets `keys` hold a secret, which is then pasted from a buffer: typed keys are on the
        /// screen, and may be in the shell's history, whoever types them. What the session shows is kept on the
        /// host with the session's output: paste only where nothing is echoed, as at a password's prompt.
        allow_secret_keys: bool = false,
    }
}

/// What is typed, or pasted: another field decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::step) enum Keys {
    Typed(PlainText),
    Pasted(SecretText),
}

impl Field for Keys {
    type Parsed = (Template, bool);

    const TYPE: FieldType = FieldType::Text;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self::Parsed> {
        let may_be_secret = entry.table.get("allow_secret_keys").and_then(|value| value.get_ref().as_bool());
        Some((PlainText::read(reader, entry)?, may_be_secret == Some(true)))
    }

    fn plan((keys, may_be_secret): &Self::Parsed, name: &str, planner: &mut dyn Planner) -> Self {
        let these = if *may_be_secret {
            Self::Pasted(planner.secret(name, keys))
        } else {
            Self::Typed(planner.plain(name, keys))
        };
        let (Self::Typed(PlainText(text)) | Self::Pasted(SecretText(text))) = &these;
        if text.parts.iter().any(is_code) {
            planner.invalid(
                name,
                keys.span.clone(),
                "is typed into a shell, where what a step printed would be code: capture it in a variable, and \
                 write `${name|q}`",
            );
        }
        these
    }
}

/// Whether a part is a text that is not known before the run, and not quoted for a shell.
fn is_code(part: &TextPart) -> bool {
    let TextPart::Reference(reference) = part else { return false };
    match reference {
        Reference::Variable { quoted, .. } => !quoted,
        Reference::Step { field, .. } => {
            matches!(field, StepField::Stdout | StepField::Stderr | StepField::Output(_))
        }
        _ => false,
    }
}

/// Refuses what would be pressed rather than written: a terminal takes a control character of a value for a
/// key, and Ctrl-C ends even a line that is quoted.
fn refuse_controls(cx: &StepContext, keys: &PlainText) -> Result<(), StepError> {
    for part in keys.0.parts.iter().filter(|part| matches!(part, TextPart::Reference(_))) {
        let value = cx.text(&PlainText(Text { parts: vec![part.clone()] }))?;
        if has_controls(&value) {
            return Err(StepError::hinted(
                "`keys` would type a value with a line break or another control character",
                "a terminal takes these for keys: write the value to a file on the host, and read it there",
            ));
        }
    }
    Ok(())
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typed(keys) => keys.fmt(f),
            Self::Pasted(keys) => keys.fmt(f),
        }
    }
}

impl Operation for TmuxSend {
    const NAME: &'static str = "tmux_send";
    const EXAMPLE: &'static str =
        "tmux_send = { host_id = \"gpu-box\", session_name = \"train\", keys = \"C-c\" }";

    fn is_outlived(&self) -> bool {
        matches!(self.keys, Keys::Pasted(_))
    }

    fn show(&self) -> Vec<String> {
        vec![format!("type {} into tmux session {}", self.keys, self.session_name)]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let (host, name) = session::found(cx, self.host_id.as_ref(), &self.session_name).await?;
        match &self.keys {
            Keys::Typed(keys) => {
                refuse_controls(cx, keys)?;
                let keys = cx.text(keys)?;
                if is_key(&keys) {
                    // In one go, for the key may end the session.
                    let key = quote(&unsplit(&keys));
                    let text = format!("tmux send-keys -t \"$p\" -- {key} \\; send-keys -t \"$p\" Enter\n");
                    send(cx, &host, &name, &text).await
                } else {
                    type_line(cx, &host, &name, &keys).await
                }
            }
            Keys::Pasted(keys) => {
                let keys = cx.stdin(keys, Registered::sent_as_keys).await?;
                // The session outlives the step, and so must what it was given.
                cx.secrets.keep_for(&session::holder(&host, &name), &cx.hold);
                paste(cx, &host, &name, keys).await
            }
        }
    }
}

/// Types a text as it is, and Enter.
pub(in crate::step) async fn type_line(
    cx: &mut StepContext,
    host: &Host,
    name: &str,
    text: &str,
) -> Result<Outcome, StepError> {
    let typed = if text.is_empty() {
        String::new()
    } else {
        format!("tmux send-keys -l -t \"$p\" -- {} || exit\n", quote(&unsplit(text)))
    };
    send(cx, host, name, &format!("{typed}tmux send-keys -t \"$p\" Enter\n")).await
}

/// Ends the script where the pane shows the end of its command: nobody reads what is typed there.
const LIVE: &str = "[ \"$(tmux display-message -p -t \"$p\" '#{pane_dead}')\" != 1 ] || exit $no_session\n";

/// Runs a script that types.
async fn send(cx: &mut StepContext, host: &Host, name: &str, typed: &str) -> Result<Outcome, StepError> {
    let exec = session::script(cx, name, &[], &["pane\n", LIVE, typed]);
    Ok(Outcome::ended(session::run(cx, host, name, exec).await?.end))
}

/// An argument that tmux takes as it is: it ends a command at an argument's final `;`.
fn unsplit(text: &str) -> String {
    match text.strip_suffix(';') {
        Some(before) => format!("{before}\\;"),
        None => text.to_owned(),
    }
}

/// Whether it is the name of a key, as tmux writes it: `C-c`, `Up`, `M-Left`. Of any other text, each
/// letter is typed: `up` is a program.
fn is_key(text: &str) -> bool {
    let mut key = text;
    while let Some(rest) = ["C-", "M-", "S-"].iter().find_map(|with| key.strip_prefix(with)) {
        key = rest;
    }
    let is_one = key.chars().count() == 1 && key.len() < text.len();
    let is_function = key
        .strip_prefix('F')
        .and_then(|number| number.parse().ok())
        .is_some_and(|number| (1..=12u8).contains(&number));
    is_one || is_function || KEYS.contains(&key)
}

/// The keys that have names.
const KEYS: [&str; 22] = [
    "BSpace", "BTab", "DC", "Delete", "Down", "End", "Enter", "Escape", "Home", "IC", "Insert", "Left",
    "NPage", "PPage", "PageDown", "PageUp", "PgDn", "PgUp", "Right", "Space", "Tab", "Up",
];

/// Pastes a value, then Enter. The server reads it, pastes it and forgets it in one go, without
/// asking anyone in between; and should that have failed, it is told to forget it, by the script or, if
/// the script was ended, by another one.
async fn paste(cx: &mut StepContext, host: &Host, name: &str, keys: Stdin) -> Result<Outcome, StepError> {
    let nonce = getrandom::u64()
        .map_err(|error| StepError::failed(format!("the system gives no random numbers: {error}")))?;
    let buffer = format!("doppio-{nonce:016x}");
    let mut exec =
        session::script(cx, name, &[("buffer", &buffer)], &["pane\n", LIVE, include_str!("paste.sh")]);
    exec.stdin = Some(keys);
    let pasted = session::run(cx, host, name, exec).await;
    if !matches!(&pasted, Ok(Ended { end: End::Exit { .. }, .. })) {
        let forget = session::script(cx, name, &[("buffer", &buffer)], &[include_str!("forget.sh")]);
        cx.clean_up(host, forget, "what was to be pasted may still be in tmux: `tmux list-buffers` shows it")
            .await;
    }
    Ok(Outcome::ended(pasted?.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_text() {
        for key in ["C-c", "M-x", "C-M-Left", "Up", "Enter", "F5", "C-;", "S-F12"] {
            assert!(is_key(key), "{key}");
        }
        for text in ["up", "enter", "a", "", "C-", "C-cd", "F13", "F", "touch made;", "C-c ", "Upper"] {
            assert!(!is_key(text), "{text:?}");
        }
    }

    #[test]
    fn a_final_semicolon_stays_in_the_text() {
        assert_eq!(unsplit("a;"), "a\\;");
        assert_eq!(unsplit("find -exec ls {} \\;"), "find -exec ls {} \\\\;");
        assert_eq!(unsplit(";a"), ";a");
    }
}
