//! `run_commands`: several lines of shell text on a host, in order, up to the first that fails.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use doppio_hosts::Host;

use crate::step::FieldMut;
use crate::step::Outcome;
use crate::step::Place;
use crate::step::PlainText;
use crate::step::ShellText;
use crate::step::Step;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::StepKind;
use crate::step::keys::keys;
use crate::step::shell::options::shell_operation;
use crate::step::tmux;
use crate::step::typed;

pub(in crate::step) static KIND: StepKind = StepKind {
    name: "run_commands",
    summary: "Runs lines of shell text on a host, up to the first that fails",
    example: "run_commands = { host_id = \"gpu-box\", commands = \"\"\"\ncd /workspace\npip install -r requirements.txt\n\"\"\" }",
    keys: keys::<Table>,
    parse: typed::<RunCommands>,
};

shell_operation! {
    /// Lines of shell text on a host.
    Table => RunCommands {
        host_id: Option<PlainText>,
        commands: ShellText,
        #[serde(default)]
        tmux_mode: TmuxMode,
        session_name: Option<PlainText>,
    }
}

/// Whether the lines run in a tmux session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TmuxMode {
    /// They do not.
    #[default]
    None,
    /// In a new one, which goes on when the step is over.
    New,
    /// They are typed into one that is there.
    Existing,
}

/// The name of a new session that is given none.
const SESSION: &str = "recipe";

impl RunCommands {
    fn session(&self, cx: &StepContext) -> Result<String, StepError> {
        let name = match &self.session_name {
            Some(name) => cx.text(name)?,
            None => SESSION.to_owned(),
        };
        match tmux::check_name(&name) {
            Ok(()) => Ok(name),
            Err(message) => Err(StepError::Failed { message, hint: None }),
        }
    }

    async fn in_new_session(&self, cx: &mut StepContext, host: &Host) -> Result<Outcome, StepError> {
        let (script, mut env) = cx.script(&self.commands).await?;
        env.extend(cx.env(&self.options.env).await?);
        let start = tmux::Start {
            name: self.session(cx)?,
            command: format!("set -e\n{script}"),
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
            return Err(StepError::Failed {
                message: "values can't be typed into a session: they would be on its screen".to_owned(),
                hint: Some("use `tmux_mode = \"new\"`, or `tmux_new` with `env`".to_owned()),
            });
        }
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            tmux::type_keys(cx, host, &name, line).await?;
        }
        Ok(Outcome::success())
    }
}

impl Step for RunCommands {
    fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        let mut fields: Vec<_> =
            self.host_id.iter_mut().map(|text| ("host_id".to_owned(), FieldMut::Plain(text))).collect();
        fields.push(("commands".to_owned(), FieldMut::Shell(&mut self.commands)));
        fields.extend(
            self.session_name.iter_mut().map(|text| ("session_name".to_owned(), FieldMut::Plain(text))),
        );
        fields.extend(self.options.fields());
        fields
    }

    fn place(&self) -> Place<'_> {
        Place::Host(self.host_id.as_ref())
    }

    fn sets(&self) -> Vec<&str> {
        self.options.sets()
    }

    fn timeout(&self) -> Option<Duration> {
        self.options.timeout()
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = self.options.faults();
        match self.tmux_mode {
            TmuxMode::None if self.session_name.is_some() => {
                faults.push(("session_name", "has an effect only with `tmux_mode`".to_owned()));
            }
            TmuxMode::Existing if self.session_name.is_none() => {
                faults.push(("tmux_mode", "`existing` needs `session_name`".to_owned()));
            }
            TmuxMode::Existing if !self.options.env.is_empty() => {
                faults.push(("env", "can't be given to an existing session".to_owned()));
            }
            _ => {}
        }
        if self.tmux_mode != TmuxMode::None && self.options.capture_output.is_some() {
            faults.push((
                "capture_output",
                "a tmux session's output is not captured; use `tmux_wait`".to_owned(),
            ));
        }
        faults
    }

    fn show(&self) -> Vec<String> {
        self.options.show(&self.commands)
    }

    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>> {
        async move {
            let host = cx.host(self.host_id.as_ref()).await?;
            match self.tmux_mode {
                TmuxMode::None => self.options.run(cx, &host, "set -e\n", &self.commands).await,
                TmuxMode::New => self.in_new_session(cx, &host).await,
                TmuxMode::Existing => self.typed_into_session(cx, &host).await,
            }
        }
        .boxed()
    }
}
