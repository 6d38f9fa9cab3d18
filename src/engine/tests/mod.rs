//! Plans of made-up steps, run for real: what may start when, what ends how, what is told.

mod graphs;
mod made_up;

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;

use doppio_hosts::HostsFile;
use doppio_hosts::PoolOptions;
use doppio_secrets::Environment;
use doppio_secrets::Ladder;
use doppio_secrets::Mask;
use doppio_secrets::Prompt;
use doppio_secrets::SecretValue;

use super::*;
use crate::event::End;
use crate::event::Event;
use crate::event::RunStatus;
use crate::event::StepStatus;
use crate::event::What;
use crate::plan::PlannedStep;
use crate::plan::Retry;
use crate::plan::RunIf;
use crate::step::Outcome;
use crate::step::Planned;
use crate::step::Site;
use crate::step::StepContext;
use crate::step::StepError;

use made_up::*;

#[test]
fn dependents_of_a_failed_step_are_skipped_with_its_name() {
    let ran = run_drafts(
        &[
            Draft::new(&[], &[Act::Fail]),
            Draft::new(&[0], &[]),
            Draft::new(&[1], &[]),
            Draft::new(&[2], &[]).run_if(RunIf::Failure),
            Draft::new(&[2], &[]).run_if(RunIf::Always),
            Draft::new(&[], &[]),
            Draft::new(&[5], &[]).run_if(RunIf::Failure),
        ],
        4,
        Vec::new(),
    );
    assert_eq!(ran.status(0), StepStatus::Failed);
    assert_eq!((ran.status(1), ran.reason(1)), (StepStatus::Skipped, "step `s0` failed"));
    assert_eq!((ran.status(2), ran.reason(2)), (StepStatus::Skipped, "step `s0` failed"));
    assert_eq!(ran.status(3), StepStatus::Success);
    assert_eq!(ran.status(4), StepStatus::Success);
    assert_eq!((ran.status(6), ran.reason(6)), (StepStatus::Skipped, "no step it depends on failed"));
    assert_eq!(ran.state.status, Some(RunStatus::Failed));
}

#[test]
fn attempts_are_counted_and_their_wait_holds_no_slot() {
    let retried = Draft { attempts: 3, ..Draft::new(&[], &[Act::Fail, Act::Fail, Act::Succeed]) };
    let worn = Draft { attempts: 2, ..Draft::new(&[], &[Act::Fail, Act::Fail, Act::Succeed]) };
    let ran = run_drafts(&[retried, worn], 1, Vec::new());
    assert_eq!((ran.status(0), ran.state.steps[0].attempts), (StepStatus::Success, 3));
    assert_eq!((ran.status(1), ran.state.steps[1].attempts), (StepStatus::Failed, 2));
    assert_eq!(ran.most_running, 1);
    let index = |what: &dyn Fn(&What) -> bool| ran.events.iter().position(|event| what(&event.what)).unwrap();
    let rests = index(&|what| matches!(what, What::StepRetrying { step, .. } if step.as_str() == "s0"));
    let other = index(&|what| matches!(what, What::StepStarted { step, .. } if step.as_str() == "s1"));
    let again =
        index(&|what| matches!(what, What::StepStarted { step, attempt: 2, .. } if step.as_str() == "s0"));
    assert!(rests < other && other < again, "the other step runs while this one rests");
}

#[test]
fn what_is_lost_is_not_tried_again() {
    let lost = Draft { attempts: 5, ..Draft::new(&[], &[Act::Lose]) };
    let ran = run_drafts(&[lost, Draft::new(&[0], &[])], 1, Vec::new());
    assert_eq!((ran.status(0), ran.state.steps[0].attempts), (StepStatus::Lost, 1));
    assert_eq!(ran.reason(1), "the end of step `s0` is not known");
    assert_eq!(ran.state.status, Some(RunStatus::Failed));
}

#[test]
fn a_panic_is_a_failed_step_and_the_rest_goes_on() {
    let panics = Draft { attempts: 5, ..Draft::new(&[], &[Act::Panic]) };
    let ran = run_drafts(&[panics, Draft::new(&[0], &[]).run_if(RunIf::Always)], 1, Vec::new());
    assert_eq!((ran.status(0), ran.status(1)), (StepStatus::Failed, StepStatus::Success));
    assert_eq!(ran.state.steps[0].attempts, 1);
    let Some(End::Error { message, causes, bug, .. }) = &ran.state.steps[0].end else { panic!("an error") };
    assert_eq!((message.as_str(), causes[0].as_str(), *bug), ("a bug in doppio", "made up", true));
}

#[test]
fn a_deadline_ends_an_attempt() {
    let late = Draft {
        timeout: Some(Duration::from_millis(30)),
        attempts: 2,
        ..Draft::new(&[], &[Act::Hang, Act::Hang])
    };
    let ran = run_on_a_paused_clock(&[late]);
    assert_eq!((ran.status(0), ran.state.steps[0].end.clone()), (StepStatus::Failed, Some(End::Timeout)));
    assert_eq!(ran.state.steps[0].attempts, 2);
    // Two attempts, and the rest between them.
    assert_eq!(ran.state.duration, Some(Duration::from_millis(30 + 1 + 30)));
}

#[test]
fn a_group_joins_its_members() {
    let group = |members: &[usize]| Draft { members: members.to_vec(), ..Draft::new(&[], &[]) };
    let ran = run_drafts(
        &[Draft::new(&[], &[]), Draft::new(&[0], &[Act::Fail]), group(&[0, 1]), Draft::new(&[2], &[])],
        4,
        Vec::new(),
    );
    assert_eq!((ran.status(1), ran.status(2)), (StepStatus::Failed, StepStatus::Failed));
    assert_eq!((ran.status(3), ran.reason(3)), (StepStatus::Skipped, "step `s2` failed"));
    let Some(End::Error { message, .. }) = &ran.state.steps[2].end else { panic!("an error") };
    assert_eq!(message.as_str(), "`s1` failed");

    let forgiving = Draft { forgiving: true, ..group(&[0]) };
    let ran = run_drafts(&[Draft::new(&[], &[Act::Fail]), forgiving, Draft::new(&[1], &[])], 4, Vec::new());
    assert_eq!((ran.status(1), ran.status(2)), (StepStatus::Failed, StepStatus::Success));
    assert_eq!(ran.state.status, Some(RunStatus::Success));
}

#[test]
fn a_group_that_does_not_begin_takes_its_members_along() {
    let group = Draft { members: vec![1, 2], ..Draft::new(&[0], &[]) };
    let ran = run_drafts(
        &[Draft::new(&[], &[Act::Fail]), Draft::new(&[], &[]), Draft::new(&[1], &[]), group],
        4,
        Vec::new(),
    );
    for index in 1..4 {
        assert_eq!((ran.status(index), ran.reason(index)), (StepStatus::Skipped, "step `s0` failed"));
    }
}

#[test]
fn a_cancel_stops_what_runs_and_lets_always_steps_run() {
    let drafts = [
        Draft::new(&[], &[Act::Hang]),
        Draft::new(&[0], &[]),
        Draft::new(&[1], &[]).run_if(RunIf::Always),
        Draft::new(&[0], &[]).run_if(RunIf::Failure),
        Draft::new(&[2], &[]),
    ];
    // Started, waiting and started of the first step, and its progress.
    let ran = run_drafts(&drafts, 1, vec![(4, Cancel::Ask("interrupted"))]);
    assert_eq!(ran.status(0), StepStatus::Cancelled);
    assert_eq!(ran.status(1), StepStatus::Cancelled);
    assert_eq!(ran.status(2), StepStatus::Success);
    assert_eq!(ran.status(3), StepStatus::Cancelled);
    assert_eq!(ran.status(4), StepStatus::Cancelled);
    assert_eq!(ran.state.status, Some(RunStatus::Cancelled));
    assert_eq!(ran.state.cancelling.as_ref().unwrap().as_str(), "interrupted");
}

// case D1
// case D2
#[test]
fn what_nobody_saw_stop_is_lost_and_not_launched_again() {
    let late = Draft {
        timeout: Some(Duration::from_millis(30)),
        attempts: 3,
        ..Draft::new(&[], &[Act::Drift, Act::Drift, Act::Drift])
    };
    let ran = run_on_a_paused_clock(&[late]);
    assert_eq!((ran.status(0), ran.state.steps[0].attempts), (StepStatus::Lost, 1));
    assert_eq!(ran.state.status, Some(RunStatus::Failed));

    let ran = run_drafts(&[Draft::new(&[], &[Act::Drift])], 1, vec![(4, Cancel::Ask("interrupted"))]);
    assert_eq!(ran.status(0), StepStatus::Lost);
    assert_eq!(ran.state.status, Some(RunStatus::Cancelled));
}

// case D3
#[test]
fn nothing_starts_while_an_ancestor_runs() {
    let drafts = [
        Draft { millis: 600_000, ..Draft::new(&[], &[Act::Slow]) },
        Draft::new(&[0], &[]),
        Draft::new(&[1], &[]).run_if(RunIf::Always),
    ];
    let ran = run_drafts(&drafts, 4, vec![(4, Cancel::Ask("interrupted"))]);
    let at = |found: &dyn Fn(&What) -> bool| ran.events.iter().position(|event| found(&event.what)).unwrap();
    let stopped = at(&|what| matches!(what, What::StepFinished { step, .. } if step.as_str() == "s0"));
    let tidies = at(&|what| matches!(what, What::StepStarted { step, .. } if step.as_str() == "s2"));
    assert_eq!((ran.status(0), ran.status(1)), (StepStatus::Cancelled, StepStatus::Cancelled));
    assert!(stopped < tidies, "s2 began while s0 still ran");
}

#[test]
fn a_second_cancel_ends_at_once_and_says_what_is_left() {
    let drafts = [Draft::new(&[], &[Act::Deaf]), Draft::new(&[0], &[]).run_if(RunIf::Always)];
    // The first step would go on for an hour.
    let ran = run_drafts(&drafts, 1, vec![(4, Cancel::Ask("interrupted")), (5, Cancel::Force)]);
    assert_eq!((ran.status(0), ran.status(1)), (StepStatus::Lost, StepStatus::Cancelled));
    assert_eq!(ran.notices(), ["step `s0` was not waited for", "step `s1` should always run, but did not"]);
    assert_eq!(ran.state.status, Some(RunStatus::Cancelled));
}

#[test]
fn without_its_first_event_kept_nothing_runs() {
    let failed = try_run(&[Draft::new(&[], &[])], 1, Vec::new(), Some(1));
    assert_eq!(failed.err().unwrap().to_string(), "can't write `journal`");
}

#[test]
fn a_journal_that_fails_later_is_said_and_stops_nothing() {
    let ran = try_run(&[Draft::new(&[], &[]), Draft::new(&[0], &[])], 1, Vec::new(), Some(3)).unwrap();
    assert_eq!(ran.status(1), StepStatus::Success);
    assert_eq!(ran.notices().len(), 1);
    assert_eq!(ran.notices()[0], "can't write `journal`: full");
}
