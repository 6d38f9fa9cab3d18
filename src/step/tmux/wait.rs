//! `tmux_wait`: follows a session until its command ends, and takes over its exit code.

use doppio_text::shell::quote;

use crate::event::End;
use crate::step::HostText;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::Value;
use crate::step::field::Timeout;
use crate::step::field::fields;
use crate::step::tmux::session;
use crate::step::tmux::session::Session;

fields! {
    /// Shows a tmux session's output until its command ends, and ends as it did.
    pub(in crate::step) struct TmuxWait {
        host_id: Option<HostText>,
        session_name: Session,
        timeout_secs: Option<Timeout>,
    }
}

impl Operation for TmuxWait {
    const NAME: &'static str = "tmux_wait";
    const EXAMPLE: &'static str =
        "tmux_wait = { host_id = \"gpu-box\", session_name = \"train\", timeout_secs = 86400 }";

    fn show(&self) -> Vec<String> {
        vec![format!("follow tmux session {}", quote(&self.session_name.to_string()))]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let (host, name) = session::found(cx, self.host_id.as_ref(), &self.session_name).await?;
        let shown = session::run(cx, &host, &name, session::script(follow(&name))).await?;
        if shown.end != (End::Exit { code: 0 }) {
            return Ok(shown.into());
        }
        let answer = cx.ask(&host, session::script(exit_code(&name))).await?;
        let answer = session::understood(answer, &host, &name)?;
        let end = match &answer.stdout {
            Value::Plain(text) if text.trim() == "HUP" => End::Signal { name: "HUP".to_owned() },
            Value::Plain(text) => match text.trim().parse() {
                Ok(code) => End::Exit { code },
                Err(_) => return Err(no_exit_code(&name)),
            },
            Value::Secret(_) => return Err(no_exit_code(&name)),
        };
        Ok(Outcome { end, ..shown.into() })
    }
}

fn no_exit_code(name: &str) -> StepError {
    StepError::hinted(
        format!("tmux session `{name}` has ended and left no exit code"),
        "only sessions that `tmux_new` started keep one",
    )
}

/// Shows what the pane has printed and goes on with what it prints, until the session's command
/// is over. tmux gives a pane one pipe: a session with a log is followed through the log.
fn follow(name: &str) -> String {
    format!(
        r#"{preamble}over() {{ [ -e "$d/exit" ] || ! tmux has-session -t "$t" 2>/dev/null; }}
if ! tmux has-session -t "$t" 2>/dev/null; then [ -e "$d/begun" ] && exit 0; exit {no_session}; fi
if [ -e "$d/log" ]; then
  tail -n +1 -f "$(cat "$d/log")" & tail=$!
  until over; do sleep 0.2; done
  sleep 0.3; kill "$tail" 2>/dev/null
else
  mkdir -p "$d"; f=$d/out.$$; mkfifo "$f" || exit {no_fifo}
  trap 'rm -f "$f"' EXIT; trap 'exit 143' TERM HUP INT
  if tmux pipe-pane -t "$p" "exec cat > '$q/out.$$'"; then
    tmux capture-pane -p -J -S - -t "$p" 2>/dev/null | sed -e :a -e '/^\n*$/{{$d;N;ba' -e '}}'
    cat "$f"
  fi
  until over; do sleep 0.2; done
fi
exit 0
"#,
        preamble = session::preamble(name),
        no_session = session::NO_SESSION,
        no_fifo = session::NO_FIFO,
    )
}

/// Prints the exit code that the session left; `HUP` if it was killed before it could.
fn exit_code(name: &str) -> String {
    format!(
        r#"{preamble}if [ -e "$d/exit" ]; then cat "$d/exit"; elif [ -e "$d/begun" ]; then echo HUP; fi
"#,
        preamble = session::preamble(name),
    )
}
