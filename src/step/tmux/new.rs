//! `tmux_new`: a session that goes on when the laptop closes.

use doppio_hosts::EnvVar;
use doppio_hosts::Exec;
use doppio_hosts::Host;
use doppio_hosts::Stdin;
use doppio_hosts::Strict;
use doppio_secrets::Carrier;
use doppio_text::brief;
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
use crate::step::job;
use crate::step::job::JobName;
use crate::step::tmux::session;
use crate::step::tmux::session::Session;

fields! {
    /// Starts a command in a tmux session on a host.
    pub(in crate::step) struct TmuxNew {
        host_id: Option<HostText>,
        session_name: Session,
        /// What runs in it; the user's shell if it is left out.
        command: Option<ShellText>,
        /// Where it runs: the home, or the host's `workdir` in hosts.toml, if it is left out.
        workdir: Option<PlainText>,
        env: Env,
        /// Whether the text stops at the first command that fails (`set -e`).
        errexit: bool = true,
        /// Whether a pipe fails if any of its commands does (`set -o pipefail`), and not only the last.
        pipefail: bool = false,
        /// What happens when a session of that name already exists.
        if_exists: IfExists = IfExists::Error,
        /// A file on the host that receives the pane's output.
        log: Option<PlainText>,
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

    fn show(&self) -> Vec<String> {
        let mut lines = vec![format!("tmux session {}", self.session_name)];
        lines.extend(self.lines());
        lines
    }

    fn pipes_hide_failures(&self) -> bool {
        !self.pipefail
    }

    fn refuses_files(&self) -> Option<(&'static str, &'static str)> {
        Some(REFUSES_FILES)
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let (host, name) = session::found(cx, self.host_id.as_ref(), &self.session_name).await?;
        let (command, mut env) = match &self.command {
            Some(text) => {
                let (script, env) = cx.script(text).await?;
                // Without a text, the user's shell runs.
                let is_blank = script.trim().is_empty();
                (if is_blank { script } else { self.strict().opening() + &script }, env)
            }
            None => (String::new(), Vec::new()),
        };
        let own = cx.env(&self.env.0).await?;
        env.splice(0..0, credentials(cx, &host).await?);
        env.extend(own);
        let workdir = self.workdir.as_ref().map(|text| cx.text(text)).transpose()?;
        let log = self.log.as_ref().map(|text| cx.text(text)).transpose()?;
        let start = Start { name, command, env, workdir, if_exists: self.if_exists, log };
        start.run(cx, &host).await
    }
}

impl TmuxNew {
    fn strict(&self) -> Strict {
        Strict { errexit: self.errexit, pipefail: self.pipefail }
    }
}

/// Why a session can't have a credential that is a file, and what can.
pub(in crate::step) const REFUSES_FILES: (&str, &str) = (
    "which a tmux session would outlive",
    "use `ssh_command`, which removes the file when the command has ended",
);

/// The credentials of a step that starts a session.
pub(in crate::step) async fn credentials(cx: &StepContext, host: &Host) -> Result<Vec<EnvVar>, StepError> {
    let handed = cx.credentials(host).await?;
    match handed.iter().find(|variable| variable.file.is_some()) {
        Some(variable) => {
            let (why, instead) = REFUSES_FILES;
            Err(StepError::hinted(format!("`{}` names a file, {why}", variable.name), instead))
        }
        None => Ok(handed),
    }
}

/// How long the exit code and the output of a session that has ended are kept. They stay after a
/// wait: another wait must report the same end, be it a further step's, another run's, or that of a
/// Doppio that was killed before it had written the answer down. They go with `tmux_kill`, and after
/// these days with any new session.
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
        let mut exec = self.script(cx)?;
        let sent = self.env.iter().flat_map(|variable| variable.sent_by(Carrier::TmuxFifo));
        let bytes = job::frame(&self.env, &self.command);
        exec.stdin = Some(Stdin { bytes, deliveries: sent.collect() });
        // The session outlives the step, and so must what it was given.
        let holder = session::holder(host, &self.name);
        cx.secrets.keep_for(&holder, &cx.hold);
        let answered = session::answer(cx, host, &self.name, exec).await;
        if matches!(answered, Err(StepError::Failed { .. })) {
            cx.secrets.release(&holder);
        }
        let (end, answer) = answered?;
        if answer.says("reused") {
            cx.notice(&self.reused(&answer, host)).await;
        }
        Ok(Outcome::ended(end))
    }

    /// Makes the job's folder, starts the session with nothing but the keeper's path, and passes
    /// stdin on to it. It runs where an ordinary command would: in the directory of the step, else
    /// in that of the host.
    fn script(&self, cx: &StepContext) -> Result<Exec, StepError> {
        let job = JobName::new(cx)?;
        let log = self.log.as_deref().map(quote_path);
        let if_exists = match self.if_exists {
            IfExists::Error => "error",
            IfExists::Reuse => "reuse",
            IfExists::Replace => "replace",
        };
        let exec = session::script(
            cx,
            &self.name,
            &[
                ("new", job.as_str()),
                ("if_exists", if_exists),
                ("step", cx.step.as_str()),
                ("recipe", &brief(&cx.values.recipe, 80)),
                ("hash", &job::digest(&self.command)),
                ("keeper", job::KEEPER),
                ("kept_days", &KEPT_DAYS.to_string()),
            ],
            &[
                job::LAUNCH,
                // A leading `~` is for the host's shell.
                &format!("log={}\n", log.as_deref().unwrap_or_default()),
                include_str!("new.sh"),
            ],
        );
        Ok(Exec { workdir: self.workdir.clone(), ..exec })
    }

    /// What is there in place of what the step would have started.
    fn reused(&self, answer: &job::Answer, host: &Host) -> String {
        let (name, id) = (&self.name, host.id());
        let begin = format!("tmux session `{name}` on `{id}` was reused, and nothing was started");
        let Some(run) = answer.get("run") else {
            return format!("{begin}: Doppio has not started what runs in it");
        };
        let known = |key: &str, before: &str| {
            answer.get(key).map_or_else(String::new, |value| format!("{before}{value}"))
        };
        let command = if answer.get("hash") == Some(&job::digest(&self.command)) {
            "its command is the same"
        } else {
            "its command differs from this step's, which has not run"
        };
        format!(
            "{begin}: run `{run}`{}{} started it{}{}; {command}",
            known("recipe", " of recipe "),
            known("step", ", step "),
            known("at", " at "),
            known("from", " from "),
        )
    }
}
