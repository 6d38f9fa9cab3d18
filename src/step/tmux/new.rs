//! `tmux_new`: a session that goes on when the laptop closes.

use doppio_hosts::EnvVar;
use doppio_hosts::Host;
use doppio_hosts::Strict;
use doppio_secrets::Carrier;
use doppio_secrets::SecretValue;
use doppio_text::shell::quote;
use doppio_text::shell::quote_bytes;
use doppio_text::shell::quote_path;

use crate::step::HostText;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::PlainText;
use crate::step::ShellText;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::Env;
use crate::step::field::Fields;
use crate::step::field::choice;
use crate::step::field::fields;
use crate::step::tmux::session;
use crate::step::tmux::session::Session;

fields! {
    /// Starts a command in a tmux session on a host.
    pub(in crate::step) struct TmuxNew {
        host_id: Option<HostText>,
        session_name: Session,
        /// What runs in it; the user's shell if it is left out.
        command: Option<ShellText>,
        /// Where it runs; the home if it is left out.
        workdir: Option<PlainText>,
        env: Env,
        /// What happens when a session of that name already exists.
        if_exists: IfExists = IfExists::Error,
        /// A file on the host that receives the pane's output.
        log: Option<PlainText>,
        /// Whether the text stops at the first command that fails (`set -e`).
        errexit: bool = true,
        /// Whether a pipe fails if any of its commands does (`set -o pipefail`), and not only the last.
        pipefail: bool = false,
    }
}

choice! {
    /// What happens when a session of that name already exists.
    pub(in crate::step) enum IfExists {
        /// The step fails.
        Error = "error",
        /// It stays, and nothing is started.
        Reuse = "reuse",
        /// It is ended first.
        Replace = "replace",
    }
}

impl Operation for TmuxNew {
    const NAME: &'static str = "tmux_new";
    const EXAMPLE: &'static str =
        "tmux_new = { host_id = \"gpu-box\", session_name = \"train\", command = \"python train.py\" }";

    fn pipes_hide_failures(&self) -> bool {
        !self.pipefail
    }

    fn show(&self) -> Vec<String> {
        let mut lines = vec![format!("tmux session {}", self.session_name)];
        lines.extend(self.lines());
        lines
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let (host, name) = session::found(cx, self.host_id.as_ref(), &self.session_name).await?;
        let (command, mut env) = match &self.command {
            Some(text) => cx.script(text).await?,
            None => (String::new(), Vec::new()),
        };
        let strict = Strict { errexit: self.errexit, pipefail: self.pipefail };
        let command = if command.trim().is_empty() { command } else { strict.opening() + &command };
        let own = cx.env(&self.env.0).await?;
        let handed = cx.credentials(&host).await?;
        if let Some(variable) = handed.iter().find(|variable| variable.file.is_some()) {
            return Err(StepError::hinted(
                format!("`{}` names a file, which a session would outlive", variable.name),
                "use `ssh_command`, which removes the file when the command has ended",
            ));
        }
        env.splice(0..0, handed);
        env.extend(own);
        let workdir = self.workdir.as_ref().map(|text| cx.text(text)).transpose()?;
        let log = self.log.as_ref().map(|text| cx.text(text)).transpose()?;
        let start = Start { name, command, env, workdir, if_exists: self.if_exists, log };
        start.run(cx, &host).await
    }
}

/// How long the exit code of a session that has ended is kept. It stays after a wait: another wait
/// must report the same end, be it a further step's, another run's, or that of a Doppio that was
/// killed before it had written the answer down. It goes with the next session of that name, with
/// `tmux_kill`, and after these days with any new session.
const KEPT_DAYS: u32 = 7;

/// A session to start.
#[derive(Debug)]
pub(in crate::step) struct Start {
    pub(in crate::step) name: String,
    /// Shell text; the user's shell if it is empty.
    pub(in crate::step) command: String,
    pub(in crate::step) env: Vec<EnvVar>,
    pub(in crate::step) workdir: Option<String>,
    pub(in crate::step) if_exists: IfExists,
    pub(in crate::step) log: Option<String>,
}

impl Start {
    /// Starts it and hands its environment and command over.
    pub(in crate::step) async fn run(&self, cx: &mut StepContext, host: &Host) -> Result<Outcome, StepError> {
        let mut exec = session::script(self.script());
        exec.stdin = Some(self.frame());
        // The session outlives the step, and so must what it was given.
        cx.secrets.keep(&cx.hold);
        let ended = session::run(cx, host, &self.name, exec).await?;
        let deliveries = self.env.iter().flat_map(|variable| variable.sent_by(Carrier::TmuxFifo));
        cx.delivered(host, &deliveries.collect::<Vec<_>>()).await;
        Ok(Outcome::ended(ended.end))
    }

    /// Makes the FIFO, starts the session with nothing but the wrapper's path, and passes stdin
    /// on through the FIFO. A tmux server that is born here gets a clean environment; the pane
    /// gets this shell's environment through the FIFO.
    fn script(&self) -> String {
        let on_existing = match self.if_exists {
            IfExists::Error => format!("exit {}", session::EXISTS),
            IfExists::Reuse => "exit 0".to_owned(),
            IfExists::Replace => "tmux kill-session -t \"$t\"".to_owned(),
        };
        let log = self.log.as_ref().map_or(String::new(), |log| {
            format!(
                "printf '%s' {} > \"$d/log\" &&\n  tmux pipe-pane -t \"$p\" \"exec cat >> \\\"\\$(cat '$q/log')\\\"\" ||\n  {{ tmux kill-session -t \"$t\"; rm -rf \"$d\"; exit {}; }}\n",
                quote_path(log),
                session::NOT_STARTED
            )
        });
        format!(
            r#"{preamble}if tmux has-session -t "$t" 2>/dev/null; then {on_existing}; fi
rm -rf "$d"
find "${{d%/*}}" -maxdepth 2 -path '*/tmux-*/exit' -mtime +{KEPT_DAYS} -exec sh -c 'rm -rf "${{1%/exit}}"' sh {{}} \; 2>/dev/null
mkdir -p "$d" && mkfifo "$d/frame" && printf '%s' {wrapper} > "$d/wrapper" || exit {no_fifo}
env -i HOME="$HOME" PATH="$PATH" SHELL="${{SHELL:-/bin/sh}}" USER="$(id -un)" LOGNAME="$(id -un)" TERM="${{TERM:-xterm-256color}}" \
  ${{LANG:+LANG="$LANG"}} ${{LC_ALL:+LC_ALL="$LC_ALL"}} ${{LC_CTYPE:+LC_CTYPE="$LC_CTYPE"}} ${{TMUX_TMPDIR:+TMUX_TMPDIR="$TMUX_TMPDIR"}} \
  tmux new-session -d -s "$s" -x 200 -y 50 sh "$d/wrapper" || {{ rm -rf "$d"; exit {not_started}; }}
{log}limit=
command -v timeout >/dev/null 2>&1 && limit='timeout 20'
{{ unset TERM TMUX TMUX_PANE SSH_CLIENT SSH_CONNECTION SSH_TTY OLDPWD SHLVL _; export -p; cat; }} |
  $limit sh -c 'cat > "$1"' sh "$d/frame" || {{ tmux kill-session -t "$t" 2>/dev/null; rm -rf "$d"; exit {not_started}; }}
"#,
            preamble = session::preamble(&self.name),
            wrapper = quote(WRAPPER),
            no_fifo = session::NO_FIFO,
            not_started = session::NOT_STARTED,
        )
    }

    /// What the wrapper evaluates: the environment, then the command, then its exit code kept.
    fn frame(&self) -> SecretValue {
        let workdir = self.workdir.as_deref().map_or("\"$HOME\"".to_owned(), quote_path);
        let command = if self.command.trim().is_empty() {
            "\"${SHELL:-/bin/sh}\"".to_owned()
        } else {
            let text = quote(&self.command);
            format!("if command -v bash >/dev/null 2>&1; then bash -c {text}; else sh -c {text}; fi")
        };
        let rest = format!(
            "unset frame\nif cd {workdir}; then {command}; else false; fi\nc=$?\n\
             echo \"$c\" > \"$d/exit.new\" && mv \"$d/exit.new\" \"$d/exit\"\nexit \"$c\"\n"
        );
        SecretValue::new(after_exports(&self.env, &rest))
    }
}

/// Shell text behind the environment as assignments, byte for byte.
fn after_exports(env: &[EnvVar], rest: &str) -> Vec<u8> {
    // A quote becomes four bytes. With the room there from the start, the buffer never moves,
    // so that no copy of a value is left behind.
    #[expect(clippy::disallowed_methods, reason = "only the length is looked at")]
    let exports: usize =
        env.iter().map(|v| v.name.as_str().len() + 4 * v.value.reveal(<[u8]>::len) + 16).sum();
    let mut text = Vec::with_capacity(16 + exports + rest.len());
    let capacity = text.capacity();
    text.extend_from_slice(b"set +x\n");
    for variable in env {
        text.extend_from_slice(format!("export {}=", variable.name).as_bytes());
        #[expect(clippy::disallowed_methods, reason = "the value goes into the pane through a private FIFO")]
        variable.value.reveal(|bytes| quote_bytes(&mut text, bytes));
        text.push(b'\n');
    }
    text.extend_from_slice(rest.as_bytes());
    debug_assert_eq!(text.capacity(), capacity, "a buffer that moves leaves a copy behind");
    text
}

/// Runs in the pane. It holds no value: those come through the FIFO, into its memory only. A
/// hang-up must end it at once, for only then does the kernel pass the hang-up on to the command:
/// so a session that was killed is one that has begun and left no exit code.
const WRAPPER: &str = r#"d=${0%/*}
frame=$(cat "$d/frame"; printf .)
rm -f "$d/frame" "$d/wrapper"
: > "$d/begun"
eval "${frame%.}"
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_byte_for_byte_in_a_buffer_that_does_not_move() {
        let value = SecretValue::new(vec![b'\''; 1000]);
        let env = [EnvVar::new("A".parse().unwrap(), value)];
        let rest = "x".repeat(10_000);
        let text = String::from_utf8(after_exports(&env, &rest)).unwrap();
        assert_eq!(text, format!("set +x\nexport A='{}'\n{rest}", r"'\''".repeat(1000)));
    }
}
