//! Groups: a member runs only through its group, so it has its group's needs, condition and
//! `run_if` as well as its own.

use std::collections::HashMap;

use doppio_text::Diagnostic;
use doppio_text::SUGGESTED;
use doppio_text::Spanned;
use doppio_text::closest;
use doppio_text::has_enough;
use doppio_text::name::StepId;

use crate::recipe::Recipe;
use crate::recipe::RecipeStep;

/// Groups may stand in groups this deep.
const DEEPEST: usize = 32;

/// The members of each group and the group of each member, as indices of recipe steps.
#[derive(Debug, Default)]
pub(super) struct Groups {
    members: HashMap<usize, Vec<usize>>,
    group_of: HashMap<usize, usize>,
    sequential: Vec<usize>,
}

impl Groups {
    /// Looks up the members of all groups.
    pub(super) fn find(recipe: &Recipe, ids: &HashMap<&str, usize>, faults: &mut Vec<Diagnostic>) -> Self {
        let mut groups = Self::default();
        for (index, step) in recipe.steps.iter().enumerate() {
            let Some(group) = step.operation.as_ref().and_then(|operation| operation.parsed.members()) else {
                continue;
            };
            if step.hosts.is_some() || !step.matrix.is_empty() {
                let message = format!("group `{}` can't have `hosts` or `matrix`", step.id);
                let fault = Diagnostic::error("plan::group-places", message, step.id_span.clone());
                faults.push(fault.help("give them to its members"));
            }
            without_effect(step, faults);
            let members: Vec<usize> = group
                .ids
                .iter()
                .filter_map(|member| groups.member(index, member, recipe, ids, faults))
                .collect();
            if group.sequential {
                groups.sequential.push(index);
            }
            groups.members.insert(index, members);
        }
        groups.check_depth(recipe, faults);
        groups
    }

    fn member(
        &mut self,
        group: usize,
        member: &Spanned<String>,
        recipe: &Recipe,
        ids: &HashMap<&str, usize>,
        faults: &mut Vec<Diagnostic>,
    ) -> Option<usize> {
        let name = member.get_ref().as_str();
        let Some(index) = ids.get(name).copied() else {
            if !recipe.unread.contains(name) && !has_enough(faults) {
                let (what, id) = (format!("no step is called `{name}`"), &recipe.steps[group].id);
                faults.push(unknown_step(member, recipe, id, what, faults.len() < SUGGESTED));
            }
            return None;
        };
        if index == group {
            let message = format!("group `{name}` has itself as a member");
            faults.push(Diagnostic::error("plan::cycle", message, member.span()));
            return None;
        }
        if let Some(other) = self.group_of.get(&index) {
            let message = format!("step `{name}` is a member twice, and runs once");
            let fault = Diagnostic::error("plan::two-groups", message, member.span());
            faults.push(fault.other(recipe.steps[*other].id_span.clone(), "already a member of this"));
            return None;
        }
        self.group_of.insert(index, group);
        Some(index)
    }

    /// Breaks groups that are members of each other, and those nested too deep.
    fn check_depth(&mut self, recipe: &Recipe, faults: &mut Vec<Diagnostic>) {
        let mut members: Vec<usize> = self.group_of.keys().copied().collect();
        members.sort_unstable();
        for member in members {
            let mut above = member;
            let mut depth = 0;
            while let Some(group) = self.group_of.get(&above).filter(|_| depth <= DEEPEST) {
                above = *group;
                depth += 1;
            }
            if depth > DEEPEST {
                self.group_of.remove(&member);
                if has_enough(faults) {
                    continue;
                }
                let step = &recipe.steps[member];
                let message = format!(
                    "groups around step `{}` contain each other, or are nested more than {DEEPEST} deep",
                    step.id
                );
                faults.push(Diagnostic::error("plan::cycle", message, step.id_span.clone()));
            }
        }
    }

    pub(super) fn members(&self, group: usize) -> &[usize] {
        self.members.get(&group).map_or(&[], Vec::as_slice)
    }

    /// Indices of all sequential groups.
    pub(super) fn sequential(&self) -> &[usize] {
        &self.sequential
    }

    /// The groups around a step, the innermost first.
    pub(super) fn around(&self, step: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.group_of.get(&step).copied(), |group| self.group_of.get(group).copied())
    }
}

/// What has no effect on a group.
fn without_effect(step: &RecipeStep, faults: &mut Vec<Diagnostic>) {
    for (key, is_there) in [("retry", step.retry.is_some()), ("timeout_secs", step.timeout.is_some())] {
        if is_there {
            let message = format!("`{key}` of group `{}` has no effect", step.id);
            let fault = Diagnostic::warning("plan::no-effect", message, step.id_span.clone());
            faults.push(fault.help("give it to the members"));
        }
    }
}

/// The fault of an id that no step has; `besides` is the step that names it.
pub(super) fn unknown_step(
    name: &Spanned<String>,
    recipe: &Recipe,
    besides: &StepId,
    message: String,
    may_suggest: bool,
) -> Diagnostic {
    let fault =
        Diagnostic::error("plan::unknown-step", message, name.span()).label("not a step of this recipe");
    let ids = recipe.steps.iter().map(|step| &step.id).filter(|id| may_suggest && *id != besides);
    match closest(name.get_ref(), ids.map(StepId::as_str)) {
        Some(near) => {
            fault.help("a step with a similar name exists").edit(name.span(), format!("\"{near}\""))
        }
        None => fault,
    }
}
