//! `tmux_send`: types into a session.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use doppio_hosts::Host;
use doppio_secrets::Registered;
use doppio_text::shell::quote;

use crate::step::FieldType;
use crate::step::HostText;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::PlainText;
use crate::step::Planner;
use crate::step::Reader;
use crate::step::SecretText;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::Template;
use crate::step::field::Entry;
use crate::step::field::Field;
use crate::step::field::fields;
use crate::step::tmux::session;
use crate::step::tmux::session::Session;

fields! {
    /// Types keys and Enter into a tmux session on a host.
    pub(in crate::step) struct TmuxSend {
        host_id: Option<HostText>,
        session_name: Session,
        /// Text, or the name of a key as tmux knows it, as in `C-c`.
        keys: Keys,
        /// Lets `keys` hold a secret, which is then pasted from a buffer: typed keys are on the
        /// screen, and may be in the shell's history, whoever types them.
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
        if *may_be_secret {
            Self::Pasted(planner.secret(name, keys))
        } else {
            Self::Typed(planner.plain(name, keys))
        }
    }
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

    fn show(&self) -> Vec<String> {
        vec![format!("type {} into tmux session {}", self.keys, self.session_name)]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let (host, name) = session::found(cx, self.host_id.as_ref(), &self.session_name).await?;
        match &self.keys {
            Keys::Typed(keys) => {
                let keys = cx.text(keys)?;
                type_keys(cx, &host, &name, &keys).await
            }
            Keys::Pasted(keys) => {
                let keys = cx.stdin(keys, Registered::sent_as_keys).await?;
                // The session outlives the step, and so must what it was given.
                cx.secrets.keep(&cx.hold);
                let mut exec = session::script(paste(&name));
                exec.stdin = Some(keys);
                Ok(Outcome::ended(session::run(cx, &host, &name, exec).await?.end))
            }
        }
    }
}

/// Types text, or one named key, and Enter.
pub(in crate::step) async fn type_keys(
    cx: &mut StepContext,
    host: &Host,
    name: &str,
    keys: &str,
) -> Result<Outcome, StepError> {
    let text = format!("{}tmux send-keys -t \"$p\" -- {} Enter\n", guard(name), quote(keys));
    Ok(Outcome::ended(session::run(cx, host, name, session::script(text)).await?.end))
}

fn guard(name: &str) -> String {
    format!(
        "{}tmux has-session -t \"$t\" 2>/dev/null || exit {}\n",
        session::preamble(name),
        session::NO_SESSION
    )
}

/// Pastes stdin from a buffer that is deleted at once, then Enter.
fn paste(name: &str) -> String {
    format!(
        "{}b=doppio-$$\ntmux load-buffer -b \"$b\" - || exit\n\
         tmux paste-buffer -d -b \"$b\" -t \"$p\" || {{ tmux delete-buffer -b \"$b\"; exit 1; }}\n\
         tmux send-keys -t \"$p\" Enter\n",
        guard(name)
    )
}
