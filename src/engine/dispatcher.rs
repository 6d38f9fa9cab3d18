//! The one task that knows how a run stands. It alone makes events, applies them to the state,
//! and decides what starts; attempts only report.
//!
//! Everything of one round (ends that were reported, the skips and starts that follow from them)
//! is recorded, then settled once, and only then do the new attempts begin.

mod cancelling;
mod conditions;
mod ending;
mod price_watch;
mod starting;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use doppio_secrets::Hold;
use doppio_secrets::Mask;
use doppio_text::name::StepId;

use crate::engine::Cancel;
use crate::engine::Options;
use crate::engine::cancel::CancelListener;
use crate::engine::lasting_ports::LastingPorts;
use crate::engine::ready::ReadySet;
use crate::event::Event;
use crate::event::RunState;
use crate::event::SCHEMA;
use crate::event::Sink;
use crate::event::SinkError;
use crate::event::StepOutline;
use crate::event::StepStatus;
use crate::event::What;
use crate::plan::Plan;
use crate::step::Report;
use crate::step::Stop;
use crate::step::Unended;
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
    indices: HashMap<StepId, usize>,
    began: Instant,
    seq: u64,
    /// Whether something was recorded that is not settled.
    unsettled: bool,
    /// Steps that could run and have no slot.
    queue: VecDeque<usize>,
    /// Steps between two attempts, by the time of the next.
    resting: BTreeSet<(Instant, usize)>,
    running: HashMap<usize, watch::Sender<Stop>>,
    /// Steps whose host is asked what it has, for their `when`.
    asking: BTreeSet<usize>,
    story: Vec<Story>,
    ports: LastingPorts,
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
    /// The secrets that it needs.
    hold: Arc<Hold>,
    /// What its attempts started and nobody has seen the end of.
    unended: Unended,
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
                asked: plan.asks().asked(),
            }),
            ready: ReadySet::new(steps),
            ports: LastingPorts::new(steps),
            indices: steps.iter().enumerate().map(|(index, step)| (step.id.clone(), index)).collect(),
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
            asking: BTreeSet::new(),
            attempts: JoinSet::new(),
            reporter,
            reports,
            cancelled: false,
        }
    }

    pub(super) async fn run(mut self) -> Result<RunState, SinkError> {
        self.begin()?;
        let mut listener = CancelListener::new(self.options.cancel.clone());
        loop {
            self.advance();
            self.launch();
            let steps = &self.state.steps;
            self.ports.close(|index| steps[index].status.is_over());
            if self.ready.is_done() {
                break;
            }
            let next = self.resting.first().map(|(at, _)| *at);
            tokio::select! {
                biased;
                wish = listener.hear() => match wish {
                    Cancel::No => {}
                    Cancel::Ask(reason) => self.cancel(reason),
                    Cancel::Force => {
                        self.force();
                        break;
                    }
                },
                Some((step, report)) = self.reports.recv() => self.take_all(&step, report),
                () = tokio::time::sleep_until(next.unwrap_or(self.began)), if next.is_some() => {}
            }
        }
        self.finish();
        Ok(self.state)
    }

    /// The first event. If it can't be kept, nothing else happens.
    fn begin(&mut self) -> Result<(), SinkError> {
        let plan = Arc::clone(&self.plan);
        let mask = self.mask();
        let ids = |indices: &[usize]| indices.iter().map(|index| plan.steps()[*index].id.clone()).collect();
        let steps = plan.steps().iter().map(|step| StepOutline {
            id: step.id.clone(),
            name: step.name.as_deref().map(|name| mask.text(name)),
            kind: step.kind.clone(),
            attempts: step.retry.max_attempts,
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
        let Some(index) = self.indices.get(step).copied() else { return };
        let step = step.clone();
        match report {
            Report::Output(stream, text) => self.tell(What::StepOutput { step, stream, text }),
            Report::Progress(message) => self.tell(What::StepProgress { step, message }),
            Report::Notice(text) => self.tell(What::Notice { step: Some(step), text }),
            Report::Launched(process) => self.tell(What::StepLaunched { step, process }),
            Report::Rented(host, per_hour) => {
                let machine = self.mask().text(host.as_str());
                // Recorded before anything else can happen: it costs money.
                self.tell(What::MachineRented { step, machine, per_hour });
                self.settle();
                self.watch_price(index, host.clone());
                Arc::make_mut(&mut self.values).target = Some(host);
            }
            Report::Returned(host, per_hour) => {
                let machine = self.mask().text(host.as_str());
                self.tell(What::MachineReturned { step, machine, per_hour });
            }
            Report::Hardware(found) => self.answered(index, found),
            Report::Delivered(deliveries) => self.tell(What::SecretsDelivered { step, deliveries }),
            Report::Masked(hits) => {
                for (name, count) in hits {
                    *self.story[index].masked.entry(name).or_default() += count;
                }
            }
            Report::Over(outcome) => self.over(index, outcome),
        }
    }

    /// Makes an event of it, applies it, and hands it to the sink.
    fn tell(&mut self, what: What) {
        self.unsettled |=
            !matches!(what, What::StepOutput { .. } | What::StepProgress { .. } | What::StepLaunched { .. });
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
        // What can't be kept of the last event is for the caller to say.
        if self.state.status.is_some() {
            return;
        }
        let text = format!("{error}: {}", error.source);
        let what = What::Notice { step: None, text: self.mask().text(&text) };
        let event = self.event(what);
        // It reported that once; the other sinks must still get the event.
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
        self.options.secrets.mask().clone()
    }

    fn id(&self, index: usize) -> StepId {
        self.plan.steps()[index].id.clone()
    }

    fn status(&self, index: usize) -> StepStatus {
        self.state.steps[index].status
    }
}
