//! `tmux_kill`: ends a session.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use crate::step::FieldMut;
use crate::step::Outcome;
use crate::step::Place;
use crate::step::PlainText;
use crate::step::Step;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::StepKind;
use crate::step::keys::keys;
use crate::step::tmux::session;
use crate::step::typed;

pub(in crate::step) static KIND: StepKind = StepKind {
    name: "tmux_kill",
    summary: "Ends a tmux session on a host",
    example: "tmux_kill = { host_id = \"gpu-box\", session_name = \"train\" }",
    keys: keys::<TmuxKill>,
    parse: typed::<TmuxKill>,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TmuxKill {
    host_id: Option<PlainText>,
    session_name: PlainText,
}

impl Step for TmuxKill {
    fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        session::fields(&mut self.host_id, &mut self.session_name)
    }

    fn place(&self) -> Place<'_> {
        Place::Host(self.host_id.as_ref())
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        session::name_fault(&self.session_name)
    }

    fn show(&self) -> Vec<String> {
        vec![format!("end tmux session {}", self.session_name)]
    }

    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>> {
        async move {
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
        .boxed()
    }
}
