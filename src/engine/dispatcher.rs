//! The one task that knows how a run stands. It alone makes events, applies them to the state,
//! and decides what starts; attempts only report.
//!
//! Everything of one round (ends that were reported, the skips and starts that follow from them)
//! is recorded, then settled once, and only then do the new attempts begin.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::engine::Cancel;
use crate::engine::Options;
use crate::engine::attempt;
use crate::engine::attempt::Attempt;
use crate::engine::cancel::Ear;
use crate::engine::cancel::left_running;
use crate::engine::ready::Fate;
use crate::engine::ready::ReadySet;
use crate::engine::ready::Turn;
use crate::engine::ready::Why;
use crate::engine::result::Over;
use crate::engine::result::result;
use crate::event::End;
use crate::event::Event;
use crate::event::RunState;
use crate::event::RunStatus;
use crate::event::SCHEMA;
use crate::event::Sink;
use crate::event::SinkError;
use crate::event::StepOutline;
use crate::event::StepStatus;
use crate::event::What;
use crate::name::StepId;
use crate::plan::Plan;
use crate::plan::PlannedStep;
use crate::secret::Mask;
use crate::secret::Masked;
use crate::step::Place;
use crate::step::Report;
use crate::step::StepContext;
use crate::step::Stop;
use crate::step::Value;
use crate::step::Values;

/// Reports on their way; each carries 64 KiB of output at most.
const REPORTS: usize = 64;

/// A run while it goes on.
pub(super) struct Dispatcher<'a> {
    plan: Arc<Plan>,
    options: Options,
    sink: &'a mut dyn Sink,
    state: RunState,
    values: Arc<Values>,
    ready: ReadySet,
    places: HashMap<StepId, usize>,
    began: Instant,
    seq: u64,
    /// Whether something was recorded that is not settled.
    unsettled: bool,
    /// Steps that could run and have no slot.
    queue: VecDeque<usize>,
    /// Steps between two attempts, by the time of the next.
    resting: BTreeSet<(Instant, usize)>,
    running: HashMap<usize, watch::Sender<Stop>>,
    story: Vec<Story>,
    attempts: JoinSet<()>,
    reporter: mpsc::Sender<(StepId, Report)>,
    reports: mpsc::Receiver<(StepId, Report)>,
    cancelled: bool,
}

/// What the events of a step need and the state does not keep.
#[derive(Default)]
struct Story {
    began: Option<Instant>,
    attempts: u32,
    masked: BTreeMap<String, u64>,
    /// Whether another step refers to its result.
    is_read: bool,
}

impl<'a> Dispatcher<'a> {
    pub(super) fn new(plan: Plan, options: Options, sink: &'a mut dyn Sink) -> Self {
        let steps = plan.steps();
        let (reporter, reports) = mpsc::channel(REPORTS);
        let variables = plan.variables().iter();
        let mut story: Vec<Story> = steps.iter().map(|_| Story::default()).collect();
        for of in steps.iter().flat_map(|step| &step.reads) {
            story[*of].is_read = true;
        }
        Self {
            values: Arc::new(Values {
                variables: variables.map(|(name, text)| (name.clone(), Value::Plain(text.clone()))).collect(),
                steps: HashMap::new(),
                run: options.run.clone(),
                recipe: plan.name().to_owned(),
                now: jiff::Timestamp::now().to_string(),
                target: plan.target().cloned(),
            }),
            ready: ReadySet::new(steps),
            places: steps.iter().enumerate().map(|(place, step)| (step.id.clone(), place)).collect(),
            story,
            plan: Arc::new(plan),
            options,
            sink,
            state: RunState::default(),
            began: Instant::now(),
            seq: 0,
            unsettled: false,
            queue: VecDeque::new(),
            resting: BTreeSet::new(),
            running: HashMap::new(),
            attempts: JoinSet::new(),
            reporter,
            reports,
            cancelled: false,
        }
    }

    pub(super) async fn run(mut self) -> Result<RunState, SinkError> {
        self.begin()?;
        let mut ear = Ear::new(self.options.cancel.clone());
        loop {
            self.advance();
            self.launch();
            if self.ready.is_done() {
                break;
            }
            let next_rest = self.resting.first().map(|(at, _)| *at);
            tokio::select! {
                biased;
                wish = ear.hear() => match wish {
                    Cancel::No => {}
                    Cancel::Ask(reason) => self.cancel(reason),
                    Cancel::Force => {
                        self.force();
                        break;
                    }
                },
                Some((step, report)) = self.reports.recv() => self.take_all(&step, report),
                () = rest_until(next_rest) => {}
            }
        }
        self.finish();
        Ok(self.state)
    }

    /// The first event. If it can't be kept, nothing else happens.
    fn begin(&mut self) -> Result<(), SinkError> {
        let plan = Arc::clone(&self.plan);
        let mask = self.mask();
        let ids = |places: &[usize]| places.iter().map(|place| plan.steps()[*place].id.clone()).collect();
        let steps = plan.steps().iter().map(|step| StepOutline {
            id: step.id.clone(),
            name: step.name.as_deref().map(|name| mask.text(name)),
            kind: step.kind.to_owned(),
            needs: ids(&step.needs),
            members: ids(&step.members),
        });
        let what = What::RunStarted {
            run: self.options.run.clone(),
            recipe: mask.text(plan.name()),
            steps: steps.collect(),
        };
        let event = self.event(what);
        self.sink.record(&event)?;
        self.sink.settle()
    }

    /// Takes every turn there is, until only ends of running steps can bring more.
    fn advance(&mut self) {
        let now = Instant::now();
        while let Some((at, place)) = self.resting.first().copied().filter(|(at, _)| *at <= now) {
            self.resting.remove(&(at, place));
            self.tell(What::StepWaiting { step: self.id(place) });
            self.queue.push_back(place);
        }
        while let Some(turn) = self.ready.pop() {
            match turn {
                Turn::Ready(place) => self.ready_step(place),
                Turn::Skip(place, why) => self.skip(place, why),
                Turn::Cancel(place) => self.end(place, StepStatus::Cancelled, End::Cancelled),
                Turn::Join(place, fate, culprit) => self.join(place, fate, culprit),
            }
        }
    }

    /// What a step depends on has done what it must; it may still not wish to run.
    fn ready_step(&mut self, place: usize) {
        let plan = Arc::clone(&self.plan);
        let step = &plan.steps()[place];
        match step.when.as_ref().map_or(Ok(true), |when| when.holds(&self.values)) {
            Ok(true) => {
                self.tell(What::StepWaiting { step: step.id.clone() });
                if step.members.is_empty() {
                    self.queue.push_back(place);
                } else {
                    self.start(place, None);
                    self.ready.open(place);
                }
            }
            Ok(false) => {
                self.note_result(place, StepStatus::Skipped, None);
                let reason = self.mask().text("`when` is false");
                self.tell(What::StepSkipped { step: step.id.clone(), reason, blocked: false });
                self.ready.finish(place, Fate::Passed);
            }
            Err(why) => {
                self.tell(What::StepWaiting { step: step.id.clone() });
                self.start(place, None);
                let mask = self.mask();
                let message = mask.text("its `when` can't be told");
                let causes = vec![mask.text(&why)];
                let end = End::Error { message, causes, hint: None, world: false, bug: false };
                self.end(place, StepStatus::Failed, end);
                self.ready.finish(place, Fate::Failed);
            }
        }
    }

    fn skip(&mut self, place: usize, why: Why) {
        let (text, blocked) = match why {
            Why::Failed(root) if self.status(root) == StepStatus::Lost => {
                (format!("the end of step `{}` is not known", self.id(root)), true)
            }
            Why::Failed(root) => (format!("step `{}` failed", self.id(root)), true),
            Why::GroupPassed(group) => (format!("step `{}` was skipped", self.id(group)), false),
            Why::NothingFailed => ("no step it depends on failed".to_owned(), false),
        };
        self.note_result(place, StepStatus::Skipped, None);
        let reason = self.mask().text(&text);
        self.tell(What::StepSkipped { step: self.id(place), reason, blocked });
    }

    /// The end of a step that stands for others.
    fn join(&mut self, place: usize, fate: Fate, culprit: Option<usize>) {
        let (status, end) = match fate {
            Fate::Success | Fate::Passed => (StepStatus::Success, End::Exit { code: 0 }),
            Fate::Cancelled => (StepStatus::Cancelled, End::Cancelled),
            Fate::Failed | Fate::Forgiven | Fate::Blocked(_) => {
                let member = culprit.map_or_else(String::new, |member| match self.status(member) {
                    StepStatus::Skipped => format!("`{}` could not run", self.id(member)),
                    StepStatus::Lost => format!("the end of `{}` is not known", self.id(member)),
                    _ => format!("`{}` failed", self.id(member)),
                });
                let message = self.mask().text(&member);
                let end = End::Error { message, causes: Vec::new(), hint: None, world: false, bug: false };
                (StepStatus::Failed, end)
            }
        };
        self.end(place, status, end);
    }

    /// Fills the free slots: every start is recorded and settled before any of them begins.
    fn launch(&mut self) {
        let mut starts = Vec::new();
        while self.running.len() < self.options.jobs.max(1) {
            let Some(place) = self.queue.pop_front() else { break };
            let (switch, told) = watch::channel(Stop::No);
            let step = &self.plan.steps()[place];
            let cx = StepContext {
                step: step.id.clone(),
                attempt: self.story[place].attempts + 1,
                values: Arc::clone(&self.values),
                pool: Arc::clone(&self.options.pool),
                vault: Arc::clone(&self.options.vault),
                host: step.host.clone(),
                reports: self.reporter.clone(),
                stop: told,
            };
            let host = host_of(step, &cx).map(|host| self.mask().text(&host));
            let timeout = step.timeout;
            self.start(place, host);
            self.running.insert(place, switch.clone());
            starts.push(Attempt { plan: Arc::clone(&self.plan), place, cx, stop: switch, timeout });
        }
        self.settle();
        for start in starts {
            self.attempts.spawn(start.run());
        }
    }

    fn start(&mut self, place: usize, host: Option<Masked>) {
        let story = &mut self.story[place];
        story.began.get_or_insert_with(Instant::now);
        story.attempts += 1;
        let attempt = story.attempts;
        self.tell(What::StepStarted { step: self.id(place), attempt, host });
    }

    /// Takes a report, and those that are there already: their events share one settling.
    fn take_all(&mut self, step: &StepId, report: Report) {
        self.take(step, report);
        for _ in 0..REPORTS {
            let Ok((step, report)) = self.reports.try_recv() else { break };
            self.take(&step, report);
        }
        while self.attempts.try_join_next().is_some() {}
    }

    fn take(&mut self, step: &StepId, report: Report) {
        let Some(place) = self.places.get(step).copied() else { return };
        let step = step.clone();
        match report {
            Report::Output(stream, text) => self.tell(What::StepOutput { step, stream, text }),
            Report::Progress(message) => self.tell(What::StepProgress { step, message }),
            Report::Notice(text) => self.tell(What::Notice { step: Some(step), text }),
            Report::Delivered(deliveries) => self.tell(What::SecretsDelivered { step, deliveries }),
            Report::Masked(hits) => {
                for (name, count) in hits {
                    *self.story[place].masked.entry(name).or_default() += count;
                }
            }
            Report::Over(result) => self.over(place, Over::of(result, &self.mask())),
            Report::Panicked(words) => self.over(place, Over::of_panic(words, &self.mask())),
        }
    }

    /// An attempt is over: another follows, or the step is.
    fn over(&mut self, place: usize, over: Over) {
        self.running.remove(&place);
        let step = &self.plan.steps()[place];
        let retry = &step.retry;
        let attempt = self.story[place].attempts;
        let goes_on = !self.cancelled || self.ready.is_always(place);
        if goes_on && attempt < retry.max_attempts && attempt::may_follow(&over.end, step.idempotent) {
            let delay = attempt::wait_after(attempt, retry, attempt::random());
            self.resting.insert((Instant::now() + delay, place));
            self.tell(What::StepRetrying { step: self.id(place), attempt, end: over.end, delay });
            return;
        }
        let status = over.status();
        if let Some(outcome) = &over.outcome {
            self.set_variables(&outcome.sets);
        }
        // What a step printed is kept only for those who will ask for it.
        let outcome = over.outcome.filter(|_| self.story[place].is_read);
        self.note(place, result(status, Some(&over.end), outcome));
        self.tell_end(place, status, over.end);
        let fate = match status {
            StepStatus::Success => Fate::Success,
            StepStatus::Cancelled => Fate::Cancelled,
            _ => Fate::Failed,
        };
        self.ready.finish(place, fate);
    }

    /// The user wants the run to end: what runs is stopped, what has not begun is cancelled, and
    /// `always` steps go on.
    fn cancel(&mut self, reason: &str) {
        if self.cancelled {
            return;
        }
        self.cancelled = true;
        let reason = self.mask().text(reason);
        self.tell(What::RunCancelling { reason, forced: false });
        self.ready.cancel();
        for (place, stop) in &self.running {
            if !self.ready.is_always(*place) {
                stop.send_replace(Stop::Cancel);
            }
        }
        for place in self.take_idle(|ready, place| !ready.is_always(place)) {
            self.end(place, StepStatus::Cancelled, End::Cancelled);
            self.ready.finish(place, Fate::Cancelled);
        }
    }

    /// The user does not want to wait: nothing is waited for, and what is left is said.
    fn force(&mut self) {
        self.attempts.abort_all();
        let reason = self.mask().text("ended by force");
        self.tell(What::RunCancelling { reason, forced: true });
        self.cancelled = true;
        let mut left: Vec<usize> = self.running.drain().map(|(place, _)| place).collect();
        left.sort_unstable();
        for place in left {
            let id = self.id(place);
            let host = self.state.step(&id).and_then(|step| step.host.clone());
            let text = self.mask().text(&left_running(&id, host.as_ref().map(Masked::as_str)));
            self.tell(What::Notice { step: Some(id), text });
            let cause = self.mask().text("doppio was told to end at once");
            self.end(place, StepStatus::Lost, End::Lost { cause });
        }
        for place in 0..self.plan.steps().len() {
            if self.status(place).is_over() {
                continue;
            }
            if self.ready.is_always(place) && self.plan.steps()[place].members.is_empty() {
                let text = format!("step `{}` runs always, and did not run", self.id(place));
                let text = self.mask().text(&text);
                self.tell(What::Notice { step: Some(self.id(place)), text });
            }
            self.end(place, StepStatus::Cancelled, End::Cancelled);
        }
    }

    /// Takes steps out that wait for a slot or for their next attempt.
    fn take_idle(&mut self, wanted: impl Fn(&ReadySet, usize) -> bool) -> Vec<usize> {
        let ready = &self.ready;
        let mut taken: Vec<usize> =
            self.queue.iter().copied().filter(|place| wanted(ready, *place)).collect();
        taken.extend(self.resting.iter().map(|(_, place)| *place).filter(|place| wanted(ready, *place)));
        self.queue.retain(|place| !taken.contains(place));
        self.resting.retain(|(_, place)| !taken.contains(place));
        taken
    }

    fn finish(&mut self) {
        let status = if self.state.count(StepStatus::Cancelled) > 0 {
            RunStatus::Cancelled
        } else if self.ready.has_failed() {
            RunStatus::Failed
        } else {
            RunStatus::Success
        };
        self.tell(What::RunFinished { status, duration: self.began.elapsed() });
        self.settle();
    }

    /// A step is over.
    fn end(&mut self, place: usize, status: StepStatus, end: End) {
        self.note_result(place, status, Some(&end));
        self.tell_end(place, status, end);
    }

    fn tell_end(&mut self, place: usize, status: StepStatus, end: End) {
        let mask = self.mask();
        let story = &mut self.story[place];
        let duration = story.began.map(|began| began.elapsed()).unwrap_or_default();
        let masked = std::mem::take(&mut story.masked)
            .into_iter()
            .map(|(name, count)| (mask.text(&name), count))
            .collect();
        let failed = matches!(status, StepStatus::Failed | StepStatus::Lost);
        let forgiven = failed && self.ready.is_forgiven(place);
        self.tell(What::StepFinished { step: self.id(place), status, end, duration, forgiven, masked });
    }

    fn note_result(&mut self, place: usize, status: StepStatus, end: Option<&End>) {
        self.note(place, result(status, end, None));
    }

    fn note(&mut self, place: usize, result: crate::step::StepResult) {
        let id = self.id(place);
        Arc::make_mut(&mut self.values).steps.insert(id, Arc::new(result));
    }

    fn set_variables(&mut self, sets: &[(String, Value)]) {
        if !sets.is_empty() {
            Arc::make_mut(&mut self.values).variables.extend(sets.iter().cloned());
        }
    }

    /// Makes an event of it, applies it, and hands it to the sink.
    fn tell(&mut self, what: What) {
        self.unsettled |= !matches!(what, What::StepOutput { .. } | What::StepProgress { .. });
        let event = self.event(what);
        let kept = self.sink.record(&event);
        self.not_kept(kept);
    }

    fn settle(&mut self) {
        if std::mem::take(&mut self.unsettled) {
            let kept = self.sink.settle();
            self.not_kept(kept);
        }
    }

    /// A sink that fails in the middle of a run does not end it: the steps that stop what costs
    /// money are still to come.
    fn not_kept(&mut self, kept: Result<(), SinkError>) {
        let Err(error) = kept else { return };
        let text = format!("{error}: {}; this run can't be looked at or gone on with later", error.source);
        let what = What::Notice { step: None, text: self.mask().text(&text) };
        let event = self.event(what);
        // It said so once; the other sinks are to hear of it.
        drop(self.sink.record(&event));
    }

    fn event(&mut self, what: What) -> Event {
        let event = Event { schema: SCHEMA, seq: self.seq, time: jiff::Timestamp::now(), what };
        self.seq += 1;
        if let Err(error) = self.state.apply(&event) {
            unreachable!("the dispatcher is in step with its own state: {error}");
        }
        event
    }

    fn mask(&self) -> Mask {
        self.options.vault.mask().clone()
    }

    fn id(&self, place: usize) -> StepId {
        self.plan.steps()[place].id.clone()
    }

    fn status(&self, place: usize) -> StepStatus {
        self.state.steps[place].status
    }
}

async fn rest_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// What to call the place where a step runs, if it can be told.
fn host_of(step: &PlannedStep, cx: &StepContext) -> Option<String> {
    match step.operation.place() {
        Place::Nowhere => None,
        Place::Local => Some("local".to_owned()),
        Place::Host(field) => cx.host_id(field).ok().map(String::from),
    }
}
