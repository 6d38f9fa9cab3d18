//! The only constructor of a plan.

use std::collections::HashMap;
use std::collections::HashSet;

use doppio_text::Diagnostic;
use doppio_text::ENOUGH;
use doppio_text::Severity;
use doppio_text::name::HostId;

use crate::plan::Inputs;
use crate::plan::Plan;
use crate::plan::PlannedStep;
use crate::plan::fields::Resolver;
use crate::plan::graph::Graph;
use crate::plan::steps::Steps;
use crate::plan::variables::Variables;
use crate::recipe::Recipe;
use crate::recipe::TargetKind;

/// Makes a plan from a recipe, with its warnings.
///
/// # Errors
///
/// Everything that is wrong with the recipe, with its locations: what [`crate::recipe::parse`] found
/// and what was found here, in the order of the text.
#[expect(clippy::missing_panics_doc, reason = "`local` is a host")]
pub fn build(mut recipe: Recipe, inputs: &Inputs<'_>) -> Result<(Plan, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut faults = std::mem::take(&mut recipe.faults);
    if recipe.has_syntax_errors {
        return Err(sorted(faults));
    }
    let local: HostId = "local".parse().expect("it is a host");
    let target = inputs.target.or((recipe.target.kind == TargetKind::Local).then_some(&local));
    let inputs = &Inputs { target, ..*inputs };
    let variables = Variables::resolve(&recipe, inputs.vars, &mut faults);
    let graph = Graph::new(&recipe, &variables, inputs, &mut faults);
    let mut steps = Steps::new(Resolver::new(&variables, inputs, &graph, &recipe));
    let mut planned = steps.plan();
    let reads = steps.finish(&mut faults);
    let faults = sorted(faults);
    let order = graph.order.filter(|_| faults.iter().all(|fault| fault.severity == Severity::Warning));
    let Some(order) = order else { return Err(faults) };
    let unused_vars = inputs
        .vars
        .iter()
        .map(|(name, _)| name)
        .filter(|name| variables.span(name).is_none() && !reads.variables.contains(*name))
        .cloned()
        .collect();
    let plan = Plan {
        steps: arrange(&mut planned, &order, &reads.steps),
        variables: variables.plain(&recipe, inputs.vars),
        target: target.cloned(),
        asks: recipe.target,
        name: recipe.name,
        unused_vars,
    };
    Ok((plan, faults))
}

/// In the order of the text, each fault once.
fn sorted(mut faults: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut seen = HashSet::new();
    faults.retain(|fault| seen.insert((fault.primary.span.clone(), fault.message.clone())));
    faults.sort_by_key(|fault| (fault.primary.span.start, fault.primary.span.end));
    if faults.len() > ENOUGH && faults.iter().any(|fault| fault.severity == Severity::Error) {
        faults.retain(|fault| fault.severity == Severity::Error);
    }
    faults.truncate(ENOUGH + 1);
    faults
}

/// Puts the steps into their order and their numbers to it.
fn arrange(
    steps: &mut [Option<PlannedStep>],
    order: &[usize],
    reads: &HashMap<usize, Vec<usize>>,
) -> Vec<PlannedStep> {
    let mut numbers = vec![0; order.len()];
    for (number, node) in order.iter().enumerate() {
        numbers[*node] = number;
    }
    let numbered = |list: &[usize]| {
        let mut list: Vec<usize> = list.iter().map(|node| numbers[*node]).collect();
        list.sort_unstable();
        list.dedup();
        list
    };
    order
        .iter()
        .filter_map(|node| {
            let mut step = steps[*node].take()?;
            step.needs = numbered(&step.needs);
            step.members = numbered(&step.members);
            step.reads = numbered(reads.get(node).map_or(&[], Vec::as_slice));
            Some(step)
        })
        .collect()
}
