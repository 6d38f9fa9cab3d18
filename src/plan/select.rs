//! `--only`, `--from`, `--skip`: a part of a plan.

use std::collections::HashMap;
use std::collections::HashSet;

use doppio_text::closest;

use crate::plan::Plan;

/// Which steps of a plan are wanted; all if nothing is said.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// These alone.
    pub only: Vec<String>,
    /// These and all that depend on them.
    pub from: Vec<String>,
    /// Not these.
    pub skip: Vec<String>,
}

/// Why a part of a plan can't be selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// No step has the id.
    #[error("the recipe has no step `{name}`")]
    Unknown {
        /// The id.
        name: String,
        /// The id that was probably meant.
        near: Option<String>,
        /// All ids.
        known: Vec<String>,
    },
    /// A step that is wanted needs the result of one that is not.
    #[error("step `{step}` uses a result of step `{of}`, which is left out")]
    NeedsResult {
        /// The step that is wanted.
        step: String,
        /// The step that is left out.
        of: String,
        /// All steps that are left out and have results which the wanted ones use, directly or not.
        missing: Vec<String>,
    },
    /// Nothing is left.
    #[error("no step is left to run")]
    Empty,
}

impl Plan {
    /// The wanted part of the plan. Steps that are left out count as done.
    ///
    /// # Errors
    ///
    /// When a name is unknown, or a step would miss a result.
    pub fn select(mut self, selection: &Selection) -> Result<Self, SelectError> {
        if selection.only.is_empty() && selection.from.is_empty() && selection.skip.is_empty() {
            return Ok(self);
        }
        let mut wanted = vec![selection.only.is_empty() && selection.from.is_empty(); self.steps.len()];
        for name in &selection.only {
            self.whole(self.find(name)?).into_iter().for_each(|index| wanted[index] = true);
        }
        for name in &selection.from {
            self.dependents(self.whole(self.find(name)?)).into_iter().for_each(|index| wanted[index] = true);
        }
        for name in &selection.skip {
            self.whole(self.find(name)?).into_iter().for_each(|index| wanted[index] = false);
        }
        // What stands for others goes with the last of them.
        for index in 0..self.steps.len() {
            let members = &self.steps[index].members;
            if !members.is_empty() && members.iter().all(|member| !wanted[*member]) {
                wanted[index] = false;
            }
        }
        self.check_results(&wanted)?;
        self.keep(&wanted);
        if self.steps.is_empty() { Err(SelectError::Empty) } else { Ok(self) }
    }

    fn find(&self, name: &str) -> Result<usize, SelectError> {
        let ids = || self.steps.iter().map(|step| step.id.as_str());
        ids().position(|id| id == name).ok_or_else(|| SelectError::Unknown {
            name: name.to_owned(),
            near: closest(name, ids()).map(str::to_owned),
            known: ids().map(str::to_owned).collect(),
        })
    }

    /// A step and all that it stands for.
    fn whole(&self, step: usize) -> HashSet<usize> {
        let mut found = HashSet::from([step]);
        let mut open = vec![step];
        while let Some(step) = open.pop() {
            open.extend(self.steps[step].members.iter().filter(|member| found.insert(**member)));
        }
        found
    }

    /// Steps and all that depend on them.
    fn dependents(&self, mut found: HashSet<usize>) -> HashSet<usize> {
        // The order of the plan has every step after those it depends on.
        for (index, step) in self.steps.iter().enumerate() {
            if step.needs.iter().chain(&step.members).any(|before| found.contains(before)) {
                found.insert(index);
            }
        }
        found
    }

    fn check_results(&self, wanted: &[bool]) -> Result<(), SelectError> {
        for (step, _) in self.steps.iter().zip(wanted).filter(|(_, is_wanted)| **is_wanted) {
            if let Some(of) = step.reads.iter().find(|of| !wanted[**of]) {
                return Err(SelectError::NeedsResult {
                    step: step.id.to_string(),
                    of: self.steps[*of].id.to_string(),
                    missing: self.missing(wanted),
                });
            }
        }
        Ok(())
    }

    /// The steps that are left out, and whose results are used by those that are not, or by one of these.
    fn missing(&self, wanted: &[bool]) -> Vec<String> {
        let mut open: Vec<usize> = (0..wanted.len()).filter(|step| wanted[*step]).collect();
        let mut missing = Vec::new();
        while let Some(step) = open.pop() {
            for of in self.steps[step].reads.iter().filter(|of| !wanted[**of]) {
                if !missing.contains(of) {
                    missing.push(*of);
                    open.push(*of);
                }
            }
        }
        missing.sort_unstable();
        missing.into_iter().map(|step| self.steps[step].id.to_string()).collect()
    }

    /// What a step waits for when only those that are wanted run: in place of a step that is left out, for
    /// what that would have waited for, or stands for.
    fn needs_among(&self, wanted: &[bool], needs: &[usize]) -> Vec<usize> {
        let mut open = needs.to_vec();
        let (mut seen, mut needs) = (HashSet::new(), Vec::new());
        while let Some(before) = open.pop() {
            if !seen.insert(before) {
                continue;
            }
            if wanted[before] {
                needs.push(before);
            } else {
                open.extend(self.steps[before].needs.iter().chain(&self.steps[before].members));
            }
        }
        needs.sort_unstable();
        needs
    }

    fn keep(&mut self, wanted: &[bool]) {
        // Steps of a matrix and those behind it have their needs in common: each list is followed once.
        let mut followed: HashMap<&[usize], Vec<usize>> = HashMap::new();
        let mut all = Vec::with_capacity(self.steps.len());
        for (step, is_wanted) in self.steps.iter().zip(wanted) {
            let needs = step.needs.as_slice();
            all.push(if *is_wanted {
                followed.entry(needs).or_insert_with(|| self.needs_among(wanted, needs)).clone()
            } else {
                Vec::new()
            });
        }
        for (step, needs) in self.steps.iter_mut().zip(all) {
            step.needs = needs;
        }
        let mut free = 0..;
        let numbers: Vec<Option<usize>> =
            wanted.iter().map(|is_wanted| if *is_wanted { free.next() } else { None }).collect();
        let mut kept = wanted.iter();
        self.steps.retain_mut(|step| {
            for list in [&mut step.needs, &mut step.members, &mut step.reads] {
                *list = list.iter().filter_map(|old| numbers[*old]).collect();
            }
            kept.next() == Some(&true)
        });
    }
}
