//! Steps that are made up, and a run of them in which everything is witnessed.

use std::collections::HashMap;
use std::sync::Weak;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Builder;
use tokio::runtime::Runtime;

use doppio_hosts::FirstContact;
use doppio_hosts::Pool;
use doppio_secrets::Hold;
use doppio_secrets::SecretSession;
use doppio_text::name::StepId;

use super::*;
use crate::rentals::Rentals;

/// How a made-up attempt goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Succeed,
    Fail,
    Lose,
    Panic,
    /// Runs until it is told to stop.
    Hang,
    /// Runs on when it is told to stop.
    Deaf,
    /// Runs until it is told to stop; then nobody knows whether it did.
    Drift,
    /// Takes a moment to stop, and succeeds if nobody tells it to.
    Slow,
}

/// What the made-up steps and the sink see of each other.
#[derive(Debug, Default)]
pub(super) struct Witness {
    pub(super) events: Vec<Event>,
    pub(super) settled: usize,
    pub(super) running: usize,
    pub(super) most_running: usize,
    pub(super) faults: Vec<String>,
    /// What keeps the leases of each step that began.
    holds: HashMap<StepId, Weak<Hold>>,
}

pub(super) type Shared = Arc<Mutex<Witness>>;

#[derive(Debug, Clone)]
pub(super) struct Fake {
    /// One an attempt, then success.
    pub(super) acts: Vec<Act>,
    pub(super) millis: u64,
    pub(super) witness: Shared,
}

impl Fake {
    async fn act(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let act = self.acts.get(cx.attempt as usize - 1).copied().unwrap_or(Act::Succeed);
        cx.progress("begins").await;
        match act {
            Act::Hang => cx.sleep(Duration::from_hours(1)).await?,
            Act::Drift => {
                let told = cx.sleep(Duration::from_hours(1)).await;
                told.map_err(|_| StepError::Unended { cause: "no answer".to_owned() })?;
            }
            Act::Slow => {
                let stopped = cx.sleep(Duration::from_millis(self.millis)).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
                stopped?;
            }
            Act::Deaf => tokio::time::sleep(Duration::from_hours(1)).await,
            _ => cx.sleep(Duration::from_millis(self.millis)).await?,
        }
        match act {
            Act::Succeed | Act::Hang | Act::Drift | Act::Deaf | Act::Slow => Ok(Outcome::success()),
            Act::Fail => Ok(Outcome::ended(End::Exit { code: 3 })),
            Act::Lose => Ok(Outcome::ended(End::Lost { cause: Mask::default().text("gone"), gone: false })),
            Act::Panic => std::panic::resume_unwind(Box::new("made up")),
        }
    }
}

impl Planned for Fake {
    fn kind(&self) -> &'static str {
        "fake"
    }

    fn site(&self) -> Site<'_> {
        Site::Nowhere
    }

    fn timeout(&self) -> Option<Duration> {
        None
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn hires(&self) -> bool {
        false
    }

    fn makes_target(&self) -> bool {
        false
    }

    fn is_posix(&self) -> bool {
        true
    }

    fn pipes_hide_failures(&self) -> bool {
        false
    }

    fn knows_environment(&self) -> bool {
        true
    }

    fn refuses_files(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    fn is_outlived(&self) -> bool {
        false
    }

    fn show(&self) -> Vec<String> {
        Vec::new()
    }

    fn again(&self) -> Box<dyn Planned> {
        Box::new(self.clone())
    }

    fn equals(&self, _: &dyn Planned) -> bool {
        false
    }

    fn save(&self) -> Result<serde_json::Value, serde_json::Error> {
        Ok(serde_json::Value::Null)
    }

    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>> {
        async move {
            {
                let mut witness = self.witness.lock().unwrap();
                let settled = &witness.events[..witness.settled];
                let is_durable = settled.iter().any(|event| {
                    matches!(&event.what, What::StepStarted { step, attempt, .. }
                        if *step == cx.step && *attempt == cx.attempt)
                });
                if !is_durable {
                    witness.faults.push(format!("`{}` began before its start was settled", cx.step));
                }
                witness.holds.insert(cx.step.clone(), Arc::downgrade(&cx.hold));
                witness.running += 1;
                witness.most_running = witness.most_running.max(witness.running);
            }
            let _running = Leave(&self.witness);
            self.act(cx).await
        }
        .boxed()
    }
}

/// Counts an attempt out, also when it panics or is dropped.
pub(super) struct Leave<'a>(&'a Shared);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().running -= 1;
    }
}

/// Writes down what it is told; may cancel at a certain event.
pub(super) struct Recorder {
    pub(super) witness: Shared,
    pub(super) cancel: watch::Sender<Cancel>,
    /// At which events to say what.
    pub(super) wishes: Vec<(usize, Cancel)>,
    pub(super) fails_from: Option<usize>,
}

impl Sink for Recorder {
    fn record(&mut self, event: &Event) -> Result<(), SinkError> {
        let mut witness = self.witness.lock().unwrap();
        witness.events.push(event.clone());
        if let What::StepFinished { step, .. } = &event.what
            && witness.holds.get(step).is_some_and(|hold| hold.strong_count() > 0)
            && !witness
                .events
                .iter()
                .any(|event| matches!(event.what, What::RunCancelling { forced: true, .. }))
        {
            witness.faults.push(format!("`{step}` ended and kept its leases"));
        }
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

pub(super) struct NoPrompt;

impl Prompt for NoPrompt {
    fn secret(&self, _: &str) -> Option<SecretValue> {
        None
    }

    fn notice(&self, _: &str) {}
}

/// A made-up step before it is planned.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) needs: Vec<usize>,
    pub(super) members: Vec<usize>,
    pub(super) run_if: RunIf,
    pub(super) forgiving: bool,
    pub(super) attempts: u32,
    pub(super) acts: Vec<Act>,
    pub(super) millis: u64,
    pub(super) timeout: Option<Duration>,
}

impl Draft {
    pub(super) fn new(needs: &[usize], acts: &[Act]) -> Self {
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

    pub(super) fn run_if(mut self, run_if: RunIf) -> Self {
        self.run_if = run_if;
        self
    }

    pub(super) fn planned(&self, index: usize, witness: &Shared) -> PlannedStep {
        PlannedStep {
            id: format!("s{index}").parse().unwrap(),
            name: None,
            kind: "fake".to_owned(),
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
            forward: Vec::new(),
            host: None,
            secrets: Vec::new(),
            credentials: Vec::new(),
            env_names: Vec::new(),
            operation: Some(Box::new(Fake {
                acts: self.acts.clone(),
                millis: self.millis,
                witness: Arc::clone(witness),
            })),
            reads: Vec::new(),
        }
    }
}

pub(super) struct Ran {
    pub(super) state: RunState,
    pub(super) events: Vec<Event>,
    pub(super) faults: Vec<String>,
    pub(super) most_running: usize,
}

impl Ran {
    pub(super) fn status(&self, index: usize) -> StepStatus {
        self.state.steps[index].status
    }

    pub(super) fn reason(&self, index: usize) -> &str {
        self.state.steps[index].reason.as_ref().map_or("", |reason| reason.as_str())
    }

    pub(super) fn notices(&self) -> Vec<&str> {
        self.state.notices.iter().map(|(_, text)| text.as_str()).collect()
    }
}

pub(super) fn run_drafts(drafts: &[Draft], jobs: usize, wishes: Vec<(usize, Cancel)>) -> Ran {
    try_run(drafts, jobs, wishes, None).unwrap()
}

/// One job, on a clock that goes on only when everything waits for it.
pub(super) fn run_on_a_paused_clock(drafts: &[Draft]) -> Ran {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    run_in(runtime, drafts, 1, Vec::new(), None).unwrap()
}

pub(super) fn try_run(
    drafts: &[Draft],
    jobs: usize,
    wishes: Vec<(usize, Cancel)>,
    fails_from: Option<usize>,
) -> Result<Ran, SinkError> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    run_in(runtime, drafts, jobs, wishes, fails_from)
}

fn run_in(
    runtime: Runtime,
    drafts: &[Draft],
    jobs: usize,
    wishes: Vec<(usize, Cancel)>,
    fails_from: Option<usize>,
) -> Result<Ran, SinkError> {
    let witness = Shared::default();
    let steps = drafts.iter().enumerate().map(|(index, draft)| draft.planned(index, &witness)).collect();
    let secrets =
        Arc::new(SecretSession::new(Ladder::of_environment(Environment::default()), Mask::default()));
    let pool = Pool::new(PoolOptions {
        hosts: HostsFile::default(),
        secrets: Arc::clone(&secrets),
        prompt: Arc::new(NoPrompt),
        home: "/nonexistent".into(),
        state: "/nonexistent".into(),
        agent: None,
        first_contact: FirstContact::Accept,
        sandbox: false,
        env_names: std::collections::BTreeSet::new(),
        rented: None,
    });
    let (cancel, receiver) = watch::channel(Cancel::No);
    let rentals = Rentals::new(Arc::clone(&secrets), Environment::default(), "/nonexistent".into());
    let options = Options {
        run: "test".parse().unwrap(),
        jobs,
        pool: Arc::new(pool),
        rentals: Arc::new(rentals),
        secrets,
        cancel: receiver,
    };
    let mut sink = Recorder { witness: Arc::clone(&witness), cancel, wishes, fails_from };
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
