//! `ssh_command`: shell text on a host.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

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
use crate::step::typed;

pub(in crate::step) static KIND: StepKind = StepKind {
    name: "ssh_command",
    summary: "Runs shell text on a host",
    example: "ssh_command = { host_id = \"gpu-box\", command = \"nvidia-smi\" }",
    keys: keys::<Table>,
    parse: typed::<SshCommand>,
};

shell_operation! {
    /// Shell text on a host.
    Table => SshCommand {
        host_id: Option<PlainText>,
        command: ShellText,
    }
}

impl Step for SshCommand {
    fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        let mut fields: Vec<_> =
            self.host_id.iter_mut().map(|text| ("host_id".to_owned(), FieldMut::Plain(text))).collect();
        fields.push(("command".to_owned(), FieldMut::Shell(&mut self.command)));
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
        self.options.faults()
    }

    fn show(&self) -> Vec<String> {
        self.options.show(&self.command)
    }

    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>> {
        async move {
            let host = cx.host(self.host_id.as_ref()).await?;
            self.options.run(cx, &host, "", &self.command).await
        }
        .boxed()
    }
}
