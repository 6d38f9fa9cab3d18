//! `group`: several steps under one id. Its members run only through it; the plan turns it into
//! edges of the graph.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use toml::Spanned;

use crate::step::FieldMut;
use crate::step::Outcome;
use crate::step::Step;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::StepKind;
use crate::step::keys::keys;
use crate::step::typed;

pub(super) static KIND: StepKind = StepKind {
    name: "group",
    summary: "Runs several steps as one, in parallel or one after the other",
    example: "group = { mode = \"parallel\", steps = [\"fetch\", \"build\"] }",
    keys: keys::<Group>,
    parse: typed::<Group>,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    /// How the members run.
    #[serde(default)]
    mode: Mode,
    /// Ids of the members.
    steps: Vec<Spanned<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Sequential,
    Parallel,
}

impl Step for Group {
    fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        Vec::new()
    }

    fn group(&self) -> Option<crate::step::Group<'_>> {
        Some(crate::step::Group { members: &self.steps, sequential: self.mode == Mode::Sequential })
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        if self.steps.is_empty() {
            vec![("steps", "must name at least one step".to_owned())]
        } else {
            Vec::new()
        }
    }

    fn show(&self) -> Vec<String> {
        let names: Vec<&str> = self.steps.iter().map(|step| step.get_ref().as_str()).collect();
        let how = if self.mode == Mode::Sequential { "one after the other" } else { "in parallel" };
        vec![format!("{} ({how})", names.join(", "))]
    }

    fn run<'a>(&'a self, _: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>> {
        // The members do the work; the engine joins them under this step.
        async { Ok(Outcome::success()) }.boxed()
    }
}
