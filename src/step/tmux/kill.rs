//! `tmux_kill`: ends a session.

use crate::step::HostText;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::fields;
use crate::step::tmux::session;
use crate::step::tmux::session::Session;

fields! {
    /// Ends a tmux session on a host, and removes what it left there: output and exit code. One that
    /// has ended is done.
    pub(in crate::step) struct TmuxKill {
        host_id: Option<HostText>,
        session_name: Session,
    }
}

impl Operation for TmuxKill {
    const NAME: &'static str = "tmux_kill";
    const EXAMPLE: &'static str = "tmux_kill = { host_id = \"gpu-box\", session_name = \"train\" }";

    fn show(&self) -> Vec<String> {
        vec![format!("end tmux session {}", self.session_name)]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let (host, name) = session::found(cx, self.host_id.as_ref(), &self.session_name).await?;
        let exec = session::script(cx, &name, &[], &[include_str!("kill.sh")]);
        let (end, answer) = session::answer(cx, &host, &name, exec).await?;
        cx.secrets.release(&session::holder(&host, &name));
        if answer.says("over") {
            let id = host.id();
            cx.notice(&match answer.get("replaced") {
                Some(run) => format!(
                    "tmux session `{name}` on `{id}` is that of run `{run}` now, which replaced this run's, and was left alone"
                ),
                None => format!("tmux session `{name}` on `{id}` has ended already"),
            })
            .await;
        }
        Ok(Outcome::ended(end))
    }
}
