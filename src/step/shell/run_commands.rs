//! `run_commands`: several lines of shell text on a host, in order.

use doppio_hosts::Host;

use crate::step::HostText;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::ShellText;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::choice;
use crate::step::field::fields;
use crate::step::shell::options::Options;
use crate::step::tmux;

fields! {
    /// Runs lines of shell text on a host, in order.
    pub(in crate::step) struct RunCommands {
        host_id: Option<HostText>,
        /// The lines.
        commands: ShellText,
        /// Whether the lines run in a tmux session.
        tmux_mode: TmuxMode = TmuxMode::None,
        /// The session's name; a new one is called `recipe` if it is left out.
        session_name: Option<tmux::Session>,
        ..options: Options,
    }
}

choice! {
    /// Whether the lines run in a tmux session.
    pub(in crate::step) enum TmuxMode {
        /// They do not.
        None = "none",
        /// In a new one, which goes on when the step is over.
        New = "new",
        /// They are typed into one that is there.
        Existing = "existing",
    }
}

/// The name of a new session that is given none.
const SESSION: &str = "recipe";

impl RunCommands {
    fn session(&self, cx: &StepContext) -> Result<String, StepError> {
        let name = match &self.session_name {
            Some(name) => cx.text(&name.0)?,
            None => SESSION.to_owned(),
        };
        tmux::checked(name)
    }

    async fn in_new_session(&self, cx: &mut StepContext, host: &Host) -> Result<Outcome, StepError> {
        let (script, bound) = cx.script(&self.commands).await?;
        let mut env = tmux::credentials(cx, host).await?;
        env.extend(bound);
        env.extend(cx.env(&self.options.env.0).await?);
        let start = tmux::Start {
            name: self.session(cx)?,
            command: self.options.strict().opening() + &script,
            env,
            workdir: self.options.workdir.as_ref().map(|text| cx.text(text)).transpose()?,
            if_exists: tmux::IfExists::Error,
            log: None,
        };
        start.run(cx, host).await
    }

    async fn typed_into_session(&self, cx: &mut StepContext, host: &Host) -> Result<Outcome, StepError> {
        let name = self.session(cx)?;
        let (script, env) = cx.script(&self.commands).await?;
        if !env.is_empty() {
            return Err(StepError::hinted(
                "values can't be typed into a session: they would be on its screen",
                "use `tmux_mode = \"new\"`, or `tmux_new` with `env`",
            ));
        }
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            tmux::type_line(cx, host, &name, line).await?;
        }
        Ok(Outcome::success())
    }
}

impl Operation for RunCommands {
    const NAME: &'static str = "run_commands";
    const EXAMPLE: &'static str = "run_commands = { host_id = \"gpu-box\", commands = \"\"\"\ncd /workspace\npip install -r requirements.txt\n\"\"\" }";

    fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = self.options.faults(("commands", &self.commands));
        match self.tmux_mode {
            TmuxMode::None if self.session_name.is_some() => {
                faults.push(("session_name", "has an effect only with `tmux_mode`".to_owned()));
            }
            TmuxMode::Existing if self.session_name.is_none() => {
                faults.push(("tmux_mode", "`existing` needs `session_name`".to_owned()));
            }
            TmuxMode::Existing if !self.options.env.0.is_empty() => {
                faults.push(("env", "can't be given to an existing session".to_owned()));
            }
            _ => {}
        }
        if self.tmux_mode == TmuxMode::Existing && self.options.pipefail {
            faults.push(("pipefail", "has no effect on lines typed into an existing session".to_owned()));
        }
        if self.tmux_mode != TmuxMode::None && !self.options.files.0.0.is_empty() {
            faults.push(("files", "are removed when the step ends, and a session goes on".to_owned()));
        }
        if self.tmux_mode != TmuxMode::None && self.options.capture_output.is_some() {
            faults.push((
                "capture_output",
                "a tmux session's output is not captured; use `tmux_wait`".to_owned(),
            ));
        }
        faults
    }

    fn is_posix(&self) -> bool {
        self.options.is_posix()
    }

    fn pipes_hide_failures(&self) -> bool {
        self.tmux_mode != TmuxMode::Existing && self.options.pipes_hide_failures()
    }

    fn knows_environment(&self) -> bool {
        self.tmux_mode != TmuxMode::Existing && self.options.knows_environment()
    }

    fn refuses_files(&self) -> Option<(&'static str, &'static str)> {
        (self.tmux_mode == TmuxMode::New).then_some(tmux::REFUSES_FILES)
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let host = cx.host(self.host_id.as_ref()).await?;
        match self.tmux_mode {
            TmuxMode::None => self.options.run(cx, &host, &self.commands).await,
            TmuxMode::New => self.in_new_session(cx, &host).await,
            TmuxMode::Existing => self.typed_into_session(cx, &host).await,
        }
    }
}
