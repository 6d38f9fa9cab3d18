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
    /// Ends a tmux session on a host.
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
        // What a session that has ended left behind goes too.
        let text = format!(
            "{}tmux has-session -t \"$t\" 2>/dev/null || {{ rm -rf \"$d\"; exit {}; }}\n\
             tmux kill-session -t \"$t\"\nc=$?\nrm -rf \"$d\"\nexit $c\n",
            session::preamble(&name),
            session::NO_SESSION
        );
        let ended = session::run(cx, &host, &name, session::script(text)).await?;
        Ok(Outcome::ended(ended.end))
    }
}
