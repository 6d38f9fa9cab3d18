//! `tmux_wait`: follows a session until its command ends, and takes over its exit code.

use doppio_hosts::Host;
use doppio_text::shell::quote;
use doppio_text::shell::typed;

use crate::event::End;
use crate::step::Ended;
use crate::step::HostText;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::Timeout;
use crate::step::field::fields;
use crate::step::job;
use crate::step::job::Answer;
use crate::step::job::JobName;
use crate::step::tmux::session;
use crate::step::tmux::session::Session;

fields! {
    /// Shows a tmux session's output from its start until its command ends, and ends as it did. A
    /// connection that breaks meanwhile is made anew.
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
        let followed = follow(cx, &host, &name).await;
        if let Err(StepError::Stopped(_)) = followed {
            let (step, id) = (&cx.step, host.id());
            cx.notice(&format!(
                "`{step}` no longer follows tmux session `{name}` on `{id}`, and does not end it: {} there shows it \
                 while it runs",
                typed(["tmux", "attach", "-t", &format!("={name}")])
            ))
            .await;
        }
        followed
    }
}

async fn follow(cx: &mut StepContext, host: &Host, name: &str) -> Result<Outcome, StepError> {
    let looked = look(cx, host, name, "").await?;
    let Some(job) = looked.get("job").and_then(JobName::told) else {
        return Err(StepError::failed(format!(
            "`{}` did not say what runs in tmux session `{name}`",
            host.id()
        )));
    };
    if looked.get("state") == Some("elsewhere") {
        return Err(elsewhere(&looked, host, name));
    }
    if looked.get("recorder") == Some("none") {
        cx.notice(&format!(
            "the output of tmux session `{name}` is not shown: `{}` has no `script` program to record it with, and \
             the pane is piped elsewhere",
            host.id()
        ))
        .await;
    }
    let is_end = |code| code == 0 || code == job::GONE;
    let shown = Box::pin(cx.follow_on(host, is_end, |from| job::follow(&job, from))).await?;
    let looked = look(cx, host, name, job.as_str()).await?;
    if looked.get("state") != Some("running") {
        cx.secrets.release(&session::holder(host, name));
    }
    let end = end(cx, &looked, host, name)?;
    Ok(Outcome { end, ..shown.into() })
}

/// What is known of a job; of the session's where none is given.
async fn look(cx: &mut StepContext, host: &Host, name: &str, job: &str) -> Result<Answer, StepError> {
    let exec = session::script(cx, name, &[("job", job)], &[include_str!("look.sh")]);
    let ended = Box::pin(cx.ask_on(host, exec, !job.is_empty())).await?;
    let Ended { end, stdout, .. } = session::understood(ended, host, name)?;
    match end {
        End::Exit { code: 0 } => Ok(Answer::read(stdout)),
        End::Exit { code: job::GONE } => Ok(Answer::default()),
        other => Err(StepError::failed(format!(
            "`{}` was asked about tmux session `{name}` and said {other:?}",
            host.id()
        ))),
    }
}

/// How the command of a job has ended; an end that nobody recorded is not known.
fn end(cx: &StepContext, looked: &Answer, host: &Host, name: &str) -> Result<End, StepError> {
    if looked.get("replaced").is_some() {
        return Err(session::replaced(looked, host, name));
    }
    let id = host.id();
    let lost = |gone, cause: String| Ok(End::Lost { cause: cx.secrets.mask().text(&cause), gone });
    match (looked.get("end"), looked.get("state")) {
        (Some(end), _) => {
            let (code, signal) = end.split_once(' ').unwrap_or((end, ""));
            match (signal, code.parse()) {
                ("", Ok(code)) => Ok(End::Exit { code }),
                ("", Err(_)) => {
                    lost(true, format!("`{id}` keeps `{end}` as the exit code of tmux session `{name}`"))
                }
                (signal, _) => Ok(End::Signal { name: cx.secrets.mask().text(signal).as_str().to_owned() }),
            }
        }
        (None, Some("running")) => {
            lost(false, format!("what runs in tmux session `{name}` on `{id}` closed its output and runs on"))
        }
        (None, Some("elsewhere")) => Err(elsewhere(looked, host, name)),
        (None, Some("restarted")) => lost(
            true,
            format!(
                "`{id}` was restarted while the command of tmux session `{name}` ran, which left no exit code"
            ),
        ),
        (None, Some(_)) => lost(
            true,
            format!(
                "the command of tmux session `{name}` on `{id}` runs no more, and was killed together with what records \
             its exit code, or that could not be written"
            ),
        ),
        (None, None) => {
            lost(true, format!("tmux session `{name}` on `{id}` was ended by `tmux_kill`, and left nothing"))
        }
    }
}

fn elsewhere(looked: &Answer, host: &Host, name: &str) -> StepError {
    let machine = |key| looked.get(key).unwrap_or("?").to_owned();
    StepError::hinted(
        format!(
            "tmux session `{name}` runs on machine `{}`, and `{}` is `{}`",
            machine("on"),
            host.id(),
            machine("here")
        ),
        "name the machine itself in `host_id`, not one of several behind an address",
    )
}
