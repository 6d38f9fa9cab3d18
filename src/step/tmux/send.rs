//! `tmux_send`: types into a session.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use doppio_hosts::Host;
use doppio_text::shell::quote;

use crate::step::FieldMut;
use crate::step::Outcome;
use crate::step::Place;
use crate::step::PlainText;
use crate::step::SecretText;
use crate::step::Step;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::StepKind;
use crate::step::keys::keys;
use crate::step::tmux::session;
use crate::step::typed;

pub(in crate::step) static KIND: StepKind = StepKind {
    name: "tmux_send",
    summary: "Types keys and Enter into a tmux session on a host",
    example: "tmux_send = { host_id = \"gpu-box\", session_name = \"train\", keys = \"C-c\" }",
    keys: keys::<TmuxSend>,
    parse: typed::<TmuxSend>,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TmuxSend {
    host_id: Option<PlainText>,
    session_name: PlainText,
    /// Text, or the name of a key as tmux knows it, as in `C-c`.
    keys: PlainText,
    /// Lets `keys` hold a secret, which is then pasted from a buffer: typed keys are on the
    /// screen, and may be in the shell's history, whoever types them.
    #[serde(default)]
    allow_secret_keys: bool,
    #[serde(skip)]
    secret_keys: SecretText,
}

impl Step for TmuxSend {
    fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        let mut fields = session::fields(&mut self.host_id, &mut self.session_name);
        if self.allow_secret_keys {
            if self.secret_keys.0.parts.is_empty() {
                self.secret_keys = SecretText(std::mem::take(&mut self.keys.0));
            }
            fields.push(("keys".to_owned(), FieldMut::Secret(&mut self.secret_keys)));
        } else {
            fields.push(("keys".to_owned(), FieldMut::Plain(&mut self.keys)));
        }
        fields
    }

    fn place(&self) -> Place<'_> {
        Place::Host(self.host_id.as_ref())
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        session::name_fault(&self.session_name)
    }

    fn show(&self) -> Vec<String> {
        let keys = if self.allow_secret_keys { self.secret_keys.to_string() } else { self.keys.to_string() };
        vec![format!("type {keys} into tmux session {}", self.session_name)]
    }

    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>> {
        async move {
            let (host, name) = session::found(cx, self.host_id.as_ref(), &self.session_name).await?;
            if self.allow_secret_keys {
                let keys = cx.value(&self.secret_keys).await?.into_secret();
                // The session outlives the step, and so must what it was given.
                cx.secrets.keep(&cx.hold);
                let mut exec = session::script(paste(&name));
                exec.stdin = Some(keys);
                return Ok(Outcome::ended(session::run(cx, &host, &name, exec).await?.end));
            }
            let keys = cx.text(&self.keys)?;
            type_keys(cx, &host, &name, &keys).await
        }
        .boxed()
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
