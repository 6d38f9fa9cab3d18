//! `tmux_capture`: what a session's pane shows.

use crate::step::HostText;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::Variable;
use crate::step::field::fields;
use crate::step::tmux::session;
use crate::step::tmux::session::Session;

fields! {
    /// Prints what a tmux session's pane shows, scrollback included.
    pub(in crate::step) struct TmuxCapture {
        host_id: Option<HostText>,
        session_name: Session,
        /// So many lines from the start; negative: from the end. All of them if it is left out.
        lines: Option<i64>,
        /// A variable that receives the text.
        capture_output: Option<Variable>,
    }
}

impl Operation for TmuxCapture {
    const NAME: &'static str = "tmux_capture";
    const EXAMPLE: &'static str =
        "tmux_capture = { host_id = \"gpu-box\", session_name = \"train\", lines = -20 }";

    fn show(&self) -> Vec<String> {
        vec![format!("print tmux session {}", self.session_name)]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let (host, name) = session::found(cx, self.host_id.as_ref(), &self.session_name).await?;
        let exec = session::script(cx, &name, &[], &[&self.text()]);
        let ended = session::run(cx, &host, &name, exec).await?;
        let sets = self.capture_output.iter().map(|to| (to.0.clone(), ended.stdout.clone())).collect();
        Ok(Outcome { sets, ..ended.into() })
    }
}

impl TmuxCapture {
    fn text(&self) -> String {
        let cut = match self.lines {
            None => String::new(),
            Some(lines) if lines < 0 => format!(" | tail -n {}", lines.unsigned_abs()),
            Some(lines) => format!(" | head -n {lines}"),
        };
        // The screen's empty rows below the text are left out.
        format!(
            "pane\nscreen=$(tmux capture-pane -p -J -S - -t \"$p\"; echo \".$?\")\n\
             [ \"${{screen##*.}}\" = 0 ] || exit \"${{screen##*.}}\"\n\
             printf %s \"${{screen%.*}}\" | sed -e :a -e '/^\\n*$/{{$d;N;ba' -e '}}'{cut}\n",
        )
    }
}
