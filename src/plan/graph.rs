//! The graph: which step waits for which.

use std::collections::HashMap;
use std::ops::Range;

use doppio_text::Diagnostic;
use doppio_text::SUGGESTED;
use doppio_text::Spanned;
use doppio_text::has_enough;
use doppio_text::name::StepId;

use crate::plan::Inputs;
use crate::plan::expand::expand;
use crate::plan::groups::Groups;
use crate::plan::groups::unknown_step;
use crate::plan::node::Node;
use crate::plan::order;
use crate::plan::variables::Variables;
use crate::recipe::Recipe;
use crate::recipe::RecipeStep;

/// The number of steps that all steps together may expand to.
const MOST: usize = 100_000;

/// Locations beside the first that a cycle's fault shows.
const MOST_SPANS: usize = 5;

/// All nodes, and an order of them.
#[derive(Debug)]
pub(super) struct Graph {
    /// The nodes, those of one step beside each other, in the recipe's order.
    pub nodes: Vec<Node>,
    pub ids: HashMap<StepId, usize>,
    pub groups: Groups,
    /// Every node after those it waits for; none if there are cycles.
    pub order: Option<Vec<usize>>,
    ranges: Vec<Range<usize>>,
}

impl Graph {
    /// Multiplies steps, looks up what they depend on, and orders them.
    pub(super) fn new(
        recipe: &Recipe,
        variables: &Variables,
        inputs: &Inputs<'_>,
        faults: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut graph = Self {
            nodes: Vec::with_capacity(recipe.steps.len()),
            ids: HashMap::with_capacity(recipe.steps.len()),
            groups: Groups::default(),
            order: None,
            ranges: Vec::with_capacity(recipe.steps.len()),
        };
        for (index, step) in recipe.steps.iter().enumerate() {
            let first = graph.nodes.len();
            if first <= MOST {
                graph.nodes.extend(expand(index, step, variables, inputs, first, faults));
                if graph.nodes.len() > MOST {
                    let message = format!("the steps up to `{}` expand to more than {MOST} steps", step.id);
                    let fault = Diagnostic::error("plan::too-many", message, step.id_span.clone());
                    faults.push(fault.help(
                        "give the lists of `hosts` and `matrix` fewer values, or write several recipes",
                    ));
                }
            }
            graph.ranges.push(first..graph.nodes.len());
        }
        for (index, node) in graph.nodes.iter().enumerate() {
            graph.ids.entry(node.id.clone()).or_insert(index);
        }
        let by_name: HashMap<&str, usize> =
            recipe.steps.iter().enumerate().rev().map(|(index, step)| (step.id.as_str(), index)).collect();
        graph.groups = Groups::find(recipe, &by_name, faults);
        graph.connect(recipe, faults);
        match order::order(&graph.before()) {
            Ok(order) => graph.order = Some(order),
            Err(cycles) => faults.extend(cycles.iter().map(|cycle| graph.cycle(cycle, recipe))),
        }
        graph
    }

    /// What each node waits for: its needs and its members.
    pub(super) fn before(&self) -> Vec<Vec<usize>> {
        self.nodes.iter().map(|node| node.needs.iter().chain(&node.members).copied().collect()).collect()
    }

    /// The node that stands for a whole step, which is the last of its nodes.
    fn whole(&self, step: usize) -> Option<usize> {
        self.ranges[step].clone().next_back()
    }

    fn connect(&mut self, recipe: &Recipe, faults: &mut Vec<Diagnostic>) {
        let mut own: Vec<Vec<usize>> =
            recipe.steps.iter().map(|step| self.needs(step, recipe, faults)).collect();
        for group in self.groups.sequential() {
            for pair in self.groups.members(*group).windows(2) {
                own[pair[1]].extend(self.whole(pair[0]));
            }
        }
        for step in 0..recipe.steps.len() {
            let mut needs = own[step].clone();
            for group in self.groups.around(step) {
                needs.extend(&own[group]);
            }
            needs.sort_unstable();
            needs.dedup();
            let members: Vec<usize> =
                self.groups.members(step).iter().filter_map(|member| self.whole(*member)).collect();
            for node in self.ranges[step].clone() {
                self.nodes[node].needs.clone_from(&needs);
            }
            if let Some(node) = self.whole(step)
                && !members.is_empty()
            {
                self.nodes[node].members = members;
            }
        }
    }

    fn needs(&self, step: &RecipeStep, recipe: &Recipe, faults: &mut Vec<Diagnostic>) -> Vec<usize> {
        let mut needs = Vec::with_capacity(step.depends_on.len());
        for name in &step.depends_on {
            let text = name.get_ref().as_str();
            if text == step.id.as_str() {
                let message = format!("step `{text}` depends on itself");
                faults.push(Diagnostic::error("plan::cycle", message, name.span()));
                continue;
            }
            match text.parse::<StepId>().ok().and_then(|id| self.ids.get(&id)) {
                Some(node) => needs.push(*node),
                None if recipe.unread.contains(text) || has_enough(faults) => {}
                None => {
                    let what = format!("step `{}` depends on `{text}`, but no step has that id", step.id);
                    faults.push(unknown_step(name, recipe, &step.id, what, faults.len() < SUGGESTED));
                }
            }
        }
        needs
    }

    fn cycle(&self, cycle: &[usize], recipe: &Recipe) -> Diagnostic {
        let mut steps: Vec<&RecipeStep> = Vec::with_capacity(cycle.len());
        for node in cycle {
            let step = &recipe.steps[self.nodes[*node].step];
            if steps.last().is_none_or(|last| last.id != step.id) {
                steps.push(step);
            }
        }
        let names: Vec<&str> = steps.iter().chain(steps.first()).map(|step| step.id.as_str()).collect();
        let message = format!("steps depend on each other: {}", order::arrows(&names));
        let mut spans = steps.iter().zip(steps.iter().cycle().skip(1)).map(|(step, next)| {
            let entry = step.depends_on.iter().find(|entry| entry.get_ref() == next.id.as_str());
            entry.map_or_else(|| step.id_span.clone(), Spanned::span)
        });
        let first = spans.next().unwrap_or(0..0);
        let mut fault = Diagnostic::error("plan::cycle", message, first);
        for span in spans.take(MOST_SPANS) {
            fault = fault.other(span, "");
        }
        fault.help("take one of these out of `depends_on`")
    }
}
