//! Ports that steps have open, and until when: while the step or what depends on it, directly or not, is
//! not over.

use crate::plan::PlannedStep;
use crate::step::OpenPorts;

/// The ports of the steps that want some.
#[derive(Default)]
pub(super) struct LastingPorts(Vec<OfStep>);

struct OfStep {
    index: usize,
    /// The step, and those that come after it.
    users: Vec<usize>,
    ports: OpenPorts,
}

impl LastingPorts {
    pub(super) fn new(steps: &[PlannedStep]) -> Self {
        let wanting = steps.iter().enumerate().filter(|(_, step)| !step.forward.is_empty());
        let mut wanting = wanting.map(|(index, _)| index).peekable();
        if wanting.peek().is_none() {
            return Self::default();
        }
        let after = After::new(steps.iter().map(|step| (step.needs.as_slice(), step.members.as_slice())));
        let of = |index| OfStep { index, users: after.of(index), ports: OpenPorts::default() };
        Self(wanting.map(of).collect())
    }

    /// Those of a step.
    pub(super) fn of(&self, index: usize) -> OpenPorts {
        let own = self.0.iter().find(|of| of.index == index);
        own.map(|of| of.ports.clone()).unwrap_or_default()
    }

    /// Closes those that nobody uses any more.
    pub(super) fn close(&mut self, is_over: impl Fn(usize) -> bool) {
        self.0.retain(|of| {
            let is_used = of.users.iter().any(|user| !is_over(*user));
            if !is_used {
                of.ports.close();
            }
            is_used
        });
    }
}

/// What comes after what.
struct After {
    dependents: Vec<Vec<usize>>,
    members: Vec<Vec<usize>>,
    groups: Vec<Option<usize>>,
}

impl After {
    /// Of steps with what they need, and what they stand for.
    fn new<'a>(steps: impl ExactSizeIterator<Item = (&'a [usize], &'a [usize])>) -> Self {
        let count = steps.len();
        let mut after =
            Self { dependents: vec![Vec::new(); count], members: Vec::new(), groups: vec![None; count] };
        for (index, (needs, members)) in steps.enumerate() {
            for need in needs {
                after.dependents[*need].push(index);
            }
            for member in members {
                after.groups[*member] = Some(index);
            }
            after.members.push(members.to_vec());
        }
        after
    }

    /// A step and those that depend on it, directly or not: on a member depends what depends on its group,
    /// and the members of a group wait for what that waits for.
    fn of(&self, index: usize) -> Vec<usize> {
        let mut found = vec![false; self.dependents.len()];
        let mut entered = found.clone();
        let mut left = vec![(index, true)];
        while let Some((step, with_members)) = left.pop() {
            if !found[step] {
                found[step] = true;
                left.extend(self.dependents[step].iter().map(|next| (*next, true)));
                left.extend(self.groups[step].map(|group| (group, false)));
            }
            if with_members && !entered[step] {
                entered[step] = true;
                left.extend(self.members[step].iter().map(|member| (*member, true)));
            }
        }
        found.iter().enumerate().filter(|(_, found)| **found).map(|(step, _)| step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_a_step_is_found_through_groups() {
        // 0 and 1 are the members of 2; 3 needs it; 4 and 5 are the members of 6, which needs 3; 7 stands alone.
        let (none, zero_one, four_five): (&[usize], &[usize], &[usize]) = (&[], &[0, 1], &[4, 5]);
        let steps: [(&[usize], &[usize]); 8] = [
            (none, none),
            (none, none),
            (none, zero_one),
            (&[2], none),
            (none, none),
            (none, none),
            (&[3], four_five),
            (none, none),
        ];
        let after = After::new(steps.into_iter());
        assert_eq!(after.of(0), [0, 2, 3, 4, 5, 6]);
        assert_eq!(after.of(3), [3, 4, 5, 6]);
        assert_eq!(after.of(4), [4, 6]);
        assert_eq!(after.of(7), [7]);
    }
}
