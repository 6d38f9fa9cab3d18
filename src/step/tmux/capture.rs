//! `tmux_capture`: what a session's pane shows.

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
    name: "tmux_capture",
    summary: "Prints what a tmux session's pane shows, scrollback included",
    example: "tmux_capture = { host_id = \"gpu-box\", session_name = \"train\", lines = -20 }",
    keys: keys::<TmuxCapture>,
    parse: typed::<TmuxCapture>,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TmuxCapture {
    host_id: Option<PlainText>,
    session_name: PlainText,
    /// This many lines from the start; negative: from the end. All of them if left out.
    lines: Option<i64>,
    /// A variable that receives the text.
    capture_output: Option<String>,
}

impl TmuxCapture {
    fn script(&self, name: &str) -> String {
        let cut = match self.lines {
            None => String::new(),
            Some(lines) if lines < 0 => format!(" | tail -n {}", lines.unsigned_abs()),
            Some(lines) => format!(" | head -n {lines}"),
        };
        // The screen's empty rows below the text are left out.
        format!(
            "{preamble}tmux has-session -t \"$t\" 2>/dev/null || exit {no_session}\n\
             tmux capture-pane -p -J -S - -t \"$p\" | sed -e :a -e '/^\\n*$/{{$d;N;ba' -e '}}'{cut}\n",
            preamble = session::preamble(name),
            no_session = session::NO_SESSION,
        )
    }
}

impl Step for TmuxCapture {
    fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        session::fields(&mut self.host_id, &mut self.session_name)
    }

    fn place(&self) -> Place<'_> {
        Place::Host(self.host_id.as_ref())
    }

    fn sets(&self) -> Vec<&str> {
        self.capture_output.as_deref().into_iter().collect()
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        session::name_fault(&self.session_name)
    }

    fn show(&self) -> Vec<String> {
        vec![format!("print tmux session {}", self.session_name)]
    }

    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>> {
        async move {
            let (host, name) = session::found(cx, self.host_id.as_ref(), &self.session_name).await?;
            let ended = session::run(cx, &host, &name, session::script(self.script(&name))).await?;
            let sets = self.capture_output.iter().map(|to| (to.clone(), ended.stdout.clone())).collect();
            Ok(Outcome { printed: Some((ended.stdout, ended.stderr)), sets, ..Outcome::ended(ended.end) })
        }
        .boxed()
    }
}
