//! `local_command`: shell text on this machine.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::step::FieldMut;
use crate::step::Outcome;
use crate::step::Place;
use crate::step::ShellText;
use crate::step::Step;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::StepKind;
use crate::step::keys::keys;
use crate::step::shell::options::shell_operation;
use crate::step::typed;

pub(in crate::step) static KIND: StepKind = StepKind {
    name: "local_command",
    summary: "Runs shell text on this machine",
    example: "local_command = { command = \"git rev-parse HEAD\", capture_output = \"commit\" }",
    keys: keys::<Table>,
    parse: typed::<LocalCommand>,
};

shell_operation! {
    /// Shell text on this machine.
    Table => LocalCommand {
        command: ShellText,
    }
}

impl Step for LocalCommand {
    fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        let mut fields = vec![("command".to_owned(), FieldMut::Shell(&mut self.command))];
        fields.extend(self.options.fields());
        fields
    }

    fn place(&self) -> Place<'_> {
        Place::Local
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
            let host = cx.local();
            self.options.run(cx, &host, "", &self.command).await
        }
        .boxed()
    }
}
