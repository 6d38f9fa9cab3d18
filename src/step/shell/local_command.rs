//! `local_command`: shell text on this machine.

use crate::step::Operation;
use crate::step::Outcome;
use crate::step::ShellText;
use crate::step::Site;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::fields;
use crate::step::shell::options::Options;

fields! {
    /// Runs shell text on this machine.
    pub(in crate::step) struct LocalCommand {
        /// What runs.
        command: ShellText,
        ..options: Options,
    }
}

impl Operation for LocalCommand {
    const NAME: &'static str = "local_command";
    const EXAMPLE: &'static str =
        "local_command = { command = \"git rev-parse HEAD\", capture_output = \"commit\" }";

    fn site(&self) -> Site<'_> {
        Site::Local
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        self.options.faults(("command", &self.command))
    }

    fn is_posix(&self) -> bool {
        self.options.is_posix()
    }

    fn pipes_hide_failures(&self) -> bool {
        self.options.pipes_hide_failures()
    }

    fn knows_environment(&self) -> bool {
        self.options.knows_environment()
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let host = cx.local();
        self.options.run(cx, &host, &self.command).await
    }
}
