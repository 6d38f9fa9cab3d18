//! `group`: several steps under one id. Its members run only through it; the plan turns it into
//! edges of the graph.

use serde::Deserialize;
use serde::Serialize;

use doppio_text::Spanned;

use crate::step::FieldType;
use crate::step::Members;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::Planner;
use crate::step::Reader;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::Entry;
use crate::step::field::Field;
use crate::step::field::choice;
use crate::step::field::fields;

fields! {
    /// Runs several steps as one, in parallel or one after the other.
    pub(in crate::step) struct Group {
        /// How the members run.
        mode: Mode = Mode::Sequential,
        /// Ids of the members, which run only through their group.
        steps: StepIds,
    }
}

choice! {
    /// How the members of a group run.
    pub(in crate::step) enum Mode {
        /// One after the other.
        Sequential = "sequential",
        /// All at once.
        Parallel = "parallel",
    }
}

/// Ids of steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::step) struct StepIds(Vec<String>);

impl Field for StepIds {
    type Parsed = Vec<Spanned<String>>;

    const TYPE: FieldType = FieldType::List(&FieldType::Literal);

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self::Parsed> {
        reader.strings(entry.what, entry.value)
    }

    fn plan(parsed: &Self::Parsed, _: &str, _: &mut dyn Planner) -> Self {
        Self(parsed.iter().map(|member| member.get_ref().clone()).collect())
    }
}

impl Operation for Group {
    const NAME: &'static str = "group";
    const EXAMPLE: &'static str = "group = { mode = \"parallel\", steps = [\"fetch\", \"build\"] }";

    fn members(parsed: &Self::Parsed) -> Option<Members<'_>> {
        Some(Members { ids: &parsed.steps, sequential: parsed.mode == Mode::Sequential })
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        if self.steps.0.is_empty() {
            return vec![("steps", "must name at least one step".to_owned())];
        }
        Vec::new()
    }

    fn show(&self) -> Vec<String> {
        let how = if self.mode == Mode::Sequential { "one after the other" } else { "in parallel" };
        vec![format!("{} ({how})", self.steps.0.join(", "))]
    }

    async fn run(&self, _: &mut StepContext) -> Result<Outcome, StepError> {
        // The members do the work; the engine joins them under this step.
        Ok(Outcome::success())
    }
}
