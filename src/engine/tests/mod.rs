//! Plans of made-up steps, run for real: what may start when, what ends how, what is told.

mod graphs;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::*;
use crate::event::End;
use crate::event::Event;
use crate::event::RunStatus;
use crate::event::StepStatus;
use crate::event::What;
use crate::host::HostsFile;
use crate::host::PoolOptions;
use crate::plan::PlannedStep;
use crate::plan::Retry;
use crate::plan::RunIf;
use crate::secret::Environment;
use crate::secret::Ladder;
use crate::secret::Mask;
use crate::secret::Prompt;
use crate::secret::SecretValue;
use crate::step::FieldMut;
use crate::step::Outcome;
use crate::step::Step;
use crate::step::StepContext;
use crate::step::StepError;

/// How a made-up attempt goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Succeed,
    Fail,
    Lose,
    Panic,
    /// Runs until it is told to stop.
    Hang,
    /// Runs on when it is told to stop.
    Deaf,
}

/// What the made-up steps and the sink see of each other.
#[derive(Default)]
struct Witness {
    events: Vec<Event>,
    settled: usize,
    running: usize,
    most_running: usize,
    faults: Vec<String>,
}

type Shared = Arc<Mutex<Witness>>;

#[derive(Debug)]
struct Fake {
    acts: Mutex<VecDeque<Act>>,
    millis: u64,
    witness: Seen,
}

struct Seen(Shared);

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seen")
    }
}

impl Fake {
    async fn act(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let act = self.acts.lock().unwrap().pop_front().unwrap_or(Act::Succeed);
        cx.progress("begins").await;
        match act {
            Act::Hang => cx.sleep(Duration::from_hours(1)).await?,
            Act::Deaf => tokio::time::sleep(Duration::from_hours(1)).await,
            _ => cx.sleep(Duration::from_millis(self.millis)).await?,
        }
        match act {
            Act::Succeed | Act::Hang | Act::Deaf => Ok(Outcome::success()),
            Act::Fail => Ok(Outcome::ended(End::Exit { code: 3 })),
            Act::Lose => Ok(Outcome::ended(End::Lost { cause: Mask::default().text("gone") })),
            Act::Panic => std::panic::resume_unwind(Box::new("made up")),
        }
    }
}

impl Step for Fake {
    fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        Vec::new()
    }

    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>> {
        async move {
            {
                let mut witness = self.witness.0.lock().unwrap();
                let settled = &witness.events[..witness.settled];
                let is_durable = settled.iter().any(|event| {
                    matches!(&event.what, What::StepStarted { step, attempt, .. }
                        if *step == cx.step && *attempt == cx.attempt)
                });
                if !is_durable {
                    witness.faults.push(format!("`{}` began before its start was settled", cx.step));
                }
                witness.running += 1;
                witness.most_running = witness.most_running.max(witness.running);
            }
            let _running = Leave(&self.witness.0);
            self.act(cx).await
        }
        .boxed()
    }
}

/// Counts an attempt out, also when it panics or is dropped.
struct Leave<'a>(&'a Shared);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().running -= 1;
    }
}

/// Writes down what it is told; may cancel at a certain event.
struct Recorder {
    witness: Shared,
    cancel: watch::Sender<Cancel>,
    /// At which events to say what.
    wishes: Vec<(usize, Cancel)>,
    fails_from: Option<usize>,
}

impl Sink for Recorder {
    fn record(&mut self, event: &Event) -> Result<(), SinkError> {
        let mut witness = self.witness.lock().unwrap();
        witness.events.push(event.clone());
        let number = witness.events.len();
        for (at, wish) in &self.wishes {
            if *at == number {
                self.cancel.send_replace(*wish);
            }
        }
        if self.fails_from == Some(number) {
            return Err(SinkError {
                message: "can't write `journal`".to_owned(),
                source: std::io::Error::other("full"),
            });
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), SinkError> {
        let mut witness = self.witness.lock().unwrap();
        witness.settled = witness.events.len();
        Ok(())
    }
}

struct NoPrompt;

impl Prompt for NoPrompt {
    fn secret(&self, _: &str) -> Option<SecretValue> {
        None
    }

    fn notice(&self, _: &str) {}
}

/// A made-up step before it is planned.
#[derive(Debug, Clone)]
struct Draft {
    needs: Vec<usize>,
    members: Vec<usize>,
    run_if: RunIf,
    forgiving: bool,
    attempts: u32,
    acts: Vec<Act>,
    millis: u64,
    timeout: Option<Duration>,
}

impl Draft {
    fn new(needs: &[usize], acts: &[Act]) -> Self {
        Self {
            needs: needs.to_vec(),
            members: Vec::new(),
            run_if: RunIf::Success,
            forgiving: false,
            attempts: 1,
            acts: acts.to_vec(),
            millis: 0,
            timeout: None,
        }
    }

    fn run_if(mut self, run_if: RunIf) -> Self {
        self.run_if = run_if;
        self
    }

    fn planned(&self, place: usize, witness: &Shared) -> PlannedStep {
        PlannedStep {
            id: format!("s{place}").parse().unwrap(),
            name: None,
            kind: "fake",
            needs: self.needs.clone(),
            members: self.members.clone(),
            when: None,
            run_if: self.run_if,
            retry: Retry {
                max_attempts: self.attempts,
                delay: Duration::from_millis(1),
                backoff: 1.0,
                max_delay: None,
                jitter: false,
            },
            timeout: self.timeout,
            continue_on_failure: self.forgiving,
            idempotent: false,
            host: None,
            secrets: Vec::new(),
            credentials: Vec::new(),
            env_names: Vec::new(),
            operation: Box::new(Fake {
                acts: Mutex::new(self.acts.clone().into()),
                millis: self.millis,
                witness: Seen(Arc::clone(witness)),
            }),
            reads: Vec::new(),
        }
    }
}

struct Ran {
    state: RunState,
    events: Vec<Event>,
    faults: Vec<String>,
    most_running: usize,
}

impl Ran {
    fn status(&self, place: usize) -> StepStatus {
        self.state.steps[place].status
    }

    fn reason(&self, place: usize) -> &str {
        self.state.steps[place].reason.as_ref().map_or("", |reason| reason.as_str())
    }

    fn notices(&self) -> Vec<&str> {
        self.state.notices.iter().map(|(_, text)| text.as_str()).collect()
    }
}

fn run_drafts(drafts: &[Draft], jobs: usize, wishes: Vec<(usize, Cancel)>) -> Ran {
    try_run(drafts, jobs, wishes, None).unwrap()
}

fn try_run(
    drafts: &[Draft],
    jobs: usize,
    wishes: Vec<(usize, Cancel)>,
    fails_from: Option<usize>,
) -> Result<Ran, SinkError> {
    let witness = Shared::default();
    let steps = drafts.iter().enumerate().map(|(place, draft)| draft.planned(place, &witness)).collect();
    let vault = Arc::new(Vault::new(Ladder::of_environment(Environment::default()), Mask::default()));
    let pool = Pool::new(PoolOptions {
        hosts: HostsFile::default(),
        vault: Arc::clone(&vault),
        prompt: Arc::new(NoPrompt),
        home: "/nonexistent".into(),
        state: "/nonexistent".into(),
        agent: None,
        sandbox: false,
        env_names: std::collections::BTreeSet::new(),
    });
    let (cancel, receiver) = watch::channel(Cancel::No);
    let options =
        Options { run: "test".parse().unwrap(), jobs, pool: Arc::new(pool), vault, cancel: receiver };
    let mut sink = Recorder { witness: Arc::clone(&witness), cancel, wishes, fails_from };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let state = runtime.block_on(async {
        tokio::time::timeout(Duration::from_mins(1), run(Plan::of(steps), options, &mut sink))
            .await
            .expect("the run ends")
    })?;
    runtime.shutdown_background();
    let mut witness = witness.lock().unwrap();
    Ok(Ran {
        state,
        events: std::mem::take(&mut witness.events),
        faults: std::mem::take(&mut witness.faults),
        most_running: witness.most_running,
    })
}

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
fn a_failure_that_is_allowed_stops_nothing() {
    let forgiving = Draft { forgiving: true, ..Draft::new(&[], &[Act::Fail]) };
    let ran = run_drafts(&[forgiving, Draft::new(&[0], &[])], 1, Vec::new());
    assert_eq!((ran.status(0), ran.status(1)), (StepStatus::Failed, StepStatus::Success));
    assert_eq!(ran.state.status, Some(RunStatus::Success));
}

#[test]
fn attempts_are_counted_and_their_wait_holds_no_slot() {
    let retried = Draft { attempts: 3, ..Draft::new(&[], &[Act::Fail, Act::Fail, Act::Succeed]) };
    let worn = Draft { attempts: 2, ..Draft::new(&[], &[Act::Fail, Act::Fail, Act::Succeed]) };
    let ran = run_drafts(&[retried, worn], 1, Vec::new());
    assert_eq!((ran.status(0), ran.state.steps[0].attempts), (StepStatus::Success, 3));
    assert_eq!((ran.status(1), ran.state.steps[1].attempts), (StepStatus::Failed, 2));
    assert_eq!(ran.most_running, 1);
    let place = |what: &dyn Fn(&What) -> bool| ran.events.iter().position(|event| what(&event.what)).unwrap();
    let rests = place(&|what| matches!(what, What::StepRetrying { step, .. } if step.as_str() == "s0"));
    let other = place(&|what| matches!(what, What::StepStarted { step, .. } if step.as_str() == "s1"));
    let again =
        place(&|what| matches!(what, What::StepStarted { step, attempt: 2, .. } if step.as_str() == "s0"));
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
    let begin = Instant::now();
    let ran = run_drafts(&[late], 1, Vec::new());
    assert_eq!((ran.status(0), ran.state.steps[0].end.clone()), (StepStatus::Failed, Some(End::Timeout)));
    assert_eq!(ran.state.steps[0].attempts, 2);
    assert!(begin.elapsed() >= Duration::from_millis(60));
    assert!(begin.elapsed() < Duration::from_secs(10));
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
    for place in 1..4 {
        assert_eq!((ran.status(place), ran.reason(place)), (StepStatus::Skipped, "step `s0` failed"));
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

#[test]
fn a_second_cancel_ends_at_once_and_says_what_is_left() {
    let drafts = [Draft::new(&[], &[Act::Deaf]), Draft::new(&[0], &[]).run_if(RunIf::Always)];
    let begin = Instant::now();
    let ran = run_drafts(&drafts, 1, vec![(4, Cancel::Ask("interrupted")), (5, Cancel::Force)]);
    assert!(begin.elapsed() < Duration::from_secs(5), "nothing is waited for");
    assert_eq!((ran.status(0), ran.status(1)), (StepStatus::Lost, StepStatus::Cancelled));
    assert_eq!(ran.notices(), ["step `s0` was not waited for", "step `s1` runs always, and did not run"]);
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
    assert!(ran.notices()[0].starts_with("can't write `journal`: full; this run"), "{:?}", ran.notices());
}
