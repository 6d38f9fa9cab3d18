//! `ssh_command`: shell text on a host.

use crate::step::HostText;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::ShellText;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::fields;
use crate::step::shell::options::Options;

fields! {
    /// Runs shell text on a host.
    pub(in crate::step) struct SshCommand {
        host_id: Option<HostText>,
        /// What runs.
        command: ShellText,
        ..options: Options,
    }
}

impl Operation for SshCommand {
    const NAME: &'static str = "ssh_command";
    const EXAMPLE: &'static str = "ssh_command = { host_id = \"gpu-box\", command = \"nvidia-smi\" }";

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
        let host = cx.host(self.host_id.as_ref()).await?;
        self.options.run(cx, &host, &self.command).await
    }
}
