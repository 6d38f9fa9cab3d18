//! Any graph of steps, whatever they do, and whoever cancels when.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

/// A graph in which needs and members stand before the step that has them.
fn any_drafts() -> impl Strategy<Value = Vec<Draft>> {
    let act = prop_oneof![
        6 => Just(Act::Succeed),
        3 => Just(Act::Fail),
        1 => Just(Act::Lose),
        1 => Just(Act::Panic),
        1 => Just(Act::Slow),
    ];
    let run_if = prop_oneof![5 => Just(RunIf::Success), 1 => Just(RunIf::Failure), 2 => Just(RunIf::Always)];
    let step = (
        proptest::collection::vec(any::<prop::sample::Index>(), 0..3),
        run_if,
        proptest::bool::weighted(0.2),
        1..3_u32,
        proptest::collection::vec(act, 3),
        0..2_u64,
        proptest::bool::weighted(0.2),
    );
    proptest::collection::vec(step, 1..12).prop_map(|steps| {
        let mut drafts: Vec<Draft> = Vec::new();
        let mut first_free = 0;
        for (needs, run_if, forgiving, attempts, acts, millis, is_group) in steps {
            let index = drafts.len();
            let is_group = is_group && first_free < index;
            // A group's needs stand before its members, so that no member waits for itself.
            let reach = if is_group { first_free } else { index };
            let mut needs: Vec<usize> =
                if reach == 0 { Vec::new() } else { needs.iter().map(|need| need.index(reach)).collect() };
            needs.sort_unstable();
            needs.dedup();
            let members: Vec<usize> = if is_group { (first_free..index).collect() } else { Vec::new() };
            if is_group {
                first_free = index + 1;
            }
            drafts.push(Draft { needs, members, run_if, forgiving, attempts, acts, millis, timeout: None });
        }
        drafts
    })
}

/// The steps that a step depends on, directly or not, with those that they stand for.
fn ancestors(drafts: &[Draft], of: usize) -> HashSet<usize> {
    let group = drafts.iter().position(|group| group.members.contains(&of));
    let mut found = HashSet::new();
    let mut open: Vec<usize> = drafts[of].needs.clone();
    open.extend(group.iter().flat_map(|group| &drafts[*group].needs));
    while let Some(index) = open.pop() {
        if found.insert(index) {
            open.extend(drafts[index].needs.iter().chain(&drafts[index].members));
            let group = drafts.iter().position(|group| group.members.contains(&index));
            open.extend(group.iter().flat_map(|group| &drafts[*group].needs));
        }
    }
    found
}

/// What must hold of every run, however it went.
fn check(drafts: &[Draft], ran: &Ran, jobs: usize) -> Result<(), TestCaseError> {
    prop_assert_eq!(&ran.faults, &Vec::<String>::new());
    prop_assert!(ran.most_running <= jobs, "{} at once, {} allowed", ran.most_running, jobs);
    let mut over: HashSet<String> = HashSet::new();
    let mut state = RunState::default();
    for event in &ran.events {
        state.apply(event).unwrap();
        match &event.what {
            What::StepStarted { step, attempt, .. } => {
                let index: usize = step.as_str()[1..].parse().unwrap();
                for need in &drafts[index].needs {
                    prop_assert!(over.contains(&format!("s{need}")), "{} began before s{}", step, need);
                }
                for ancestor in ancestors(drafts, index) {
                    let status = state.steps[ancestor].status;
                    prop_assert_ne!(status, StepStatus::Running, "s{} runs beside {}", ancestor, step);
                }
                prop_assert!(*attempt <= drafts[index].attempts);
            }
            What::StepFinished { step, .. } | What::StepSkipped { step, .. } => {
                prop_assert!(over.insert(step.to_string()), "{} ended twice", step);
            }
            _ => {}
        }
    }
    prop_assert_eq!(over.len(), drafts.len());
    let is_last = matches!(ran.events.last().unwrap().what, What::RunFinished { .. });
    prop_assert!(is_last, "the run's end is the last event");
    Ok(())
}

/// How steps end when nobody interferes, told by their acts alone.
fn expected(drafts: &[Draft]) -> Vec<StepStatus> {
    /// A failure upstream, one that was forgiven, or neither.
    #[derive(Clone, Copy, PartialEq)]
    enum Weather {
        Fine,
        Forgiven,
        Bad,
    }
    let mut statuses: Vec<Option<(StepStatus, Weather)>> = vec![None; drafts.len()];
    let group_of = |index: usize| drafts.iter().position(|draft| draft.members.contains(&index));
    // A member waits for its group's needs; its group for its members. Both are found by asking again.
    while statuses.iter().any(Option::is_none) {
        for index in 0..drafts.len() {
            let draft = &drafts[index];
            if statuses[index].is_some() || draft.needs.iter().any(|need| statuses[*need].is_none()) {
                continue;
            }
            let gate = |index: usize| -> Option<(StepStatus, Weather)> {
                let weathers: Vec<Weather> =
                    drafts[index].needs.iter().map(|need| statuses[*need].unwrap().1).collect();
                match drafts[index].run_if {
                    RunIf::Success if weathers.contains(&Weather::Bad) => {
                        Some((StepStatus::Skipped, Weather::Bad))
                    }
                    RunIf::Failure if weathers.iter().all(|weather| *weather == Weather::Fine) => {
                        Some((StepStatus::Skipped, Weather::Fine))
                    }
                    _ => None,
                }
            };
            if let Some(group) = group_of(index) {
                if drafts[group].needs.iter().any(|need| statuses[*need].is_none()) {
                    continue;
                }
                if let Some(ended) = gate(group) {
                    statuses[index] = Some(ended);
                    continue;
                }
            }
            if let Some(ended) = gate(index) {
                statuses[index] = Some(ended);
                continue;
            }
            let failure = |status| (status, if draft.forgiving { Weather::Forgiven } else { Weather::Bad });
            if draft.members.is_empty() {
                let attempts = draft.acts.iter().take(draft.attempts as usize);
                let decisive = attempts.clone().find(|act| **act != Act::Fail);
                statuses[index] = Some(match decisive {
                    Some(Act::Succeed | Act::Slow) => (StepStatus::Success, Weather::Fine),
                    Some(Act::Lose) => failure(StepStatus::Lost),
                    _ => failure(StepStatus::Failed),
                });
            } else if draft.members.iter().all(|member| statuses[*member].is_some()) {
                let bad = draft.members.iter().any(|member| statuses[*member].unwrap().1 == Weather::Bad);
                statuses[index] = Some(if bad {
                    failure(StepStatus::Failed)
                } else {
                    (StepStatus::Success, Weather::Fine)
                });
            }
        }
    }
    statuses.into_iter().map(|status| status.unwrap().0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_graph_ends_as_its_steps_do(drafts in any_drafts(), jobs in 1..4_usize) {
        let ran = run_drafts(&drafts, jobs, Vec::new());
        check(&drafts, &ran, jobs)?;
        let statuses: Vec<StepStatus> = ran.state.steps.iter().map(|step| step.status).collect();
        prop_assert_eq!(statuses, expected(&drafts));
    }

    #[test]
    fn a_cancel_at_any_moment_leaves_a_run_that_ends(
        drafts in any_drafts(),
        jobs in 1..4_usize,
        at in 1..30_usize,
        force_at in proptest::option::of(1..40_usize),
    ) {
        let mut wishes = vec![(at, Cancel::Ask("interrupted"))];
        wishes.extend(force_at.map(|force_at| (at + force_at, Cancel::Force)));
        let ran = run_drafts(&drafts, jobs, wishes);
        check(&drafts, &ran, jobs)?;
        let Some(asked) = ran.events.iter().position(|event| matches!(event.what, What::RunCancelling { .. })) else {
            return Ok(());
        };
        let always = |index: usize| {
            drafts[index].run_if == RunIf::Always
                || drafts.iter().any(|group| group.members.contains(&index) && group.run_if == RunIf::Always)
        };
        for event in &ran.events[asked..] {
            if let What::StepStarted { step, .. } = &event.what {
                let index: usize = step.as_str()[1..].parse().unwrap();
                prop_assert!(always(index), "{} began after the cancel", step);
            }
        }
        let forced = ran.state.cancelling.as_ref().is_some_and(|reason| reason.as_str() == "ended by force");
        for (index, draft) in drafts.iter().enumerate() {
            let in_group = drafts.iter().any(|group| group.members.contains(&index));
            if draft.run_if == RunIf::Always && draft.members.is_empty() && !in_group && !forced {
                prop_assert_ne!(ran.status(index), StepStatus::Cancelled);
                prop_assert_ne!(ran.status(index), StepStatus::Skipped);
            }
        }
    }
}
