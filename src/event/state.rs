//! The state that events add up to.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use doppio_secrets::Delivery;
use doppio_secrets::Masked;
use doppio_text::name::RunId;
use doppio_text::name::StepId;

use crate::event::End;
use crate::event::Event;
use crate::event::RentedMachine;
use crate::event::RunStatus;
use crate::event::StepOutline;
use crate::event::StepProcess;
use crate::event::What;
use crate::event::step_status::StepStatus;

/// One step's state.
#[derive(Debug, Clone)]
pub struct StepState {
    /// The step, as the run's first event listed it.
    pub outline: StepOutline,
    /// Where it stands.
    pub status: StepStatus,
    /// Attempts that have begun.
    pub attempts: u32,
    /// The host of the last attempt.
    pub host: Option<Masked>,
    /// The process of the last attempt, once one was started.
    pub process: Option<StepProcess>,
    /// How far the last attempt said it was, in its words; the journal does not have it.
    pub progress: Option<Masked>,
    /// When the first attempt began.
    pub started: Option<Timestamp>,
    /// From the first attempt's start to the end.
    pub duration: Option<Duration>,
    /// Why it was skipped.
    pub reason: Option<Masked>,
    /// Whether it was skipped because of what it depends on, and not by its own wish.
    pub blocked: bool,
    /// Whether its failure does not fail the run.
    pub forgiven: bool,
    /// How the last attempt ended.
    pub end: Option<End>,
    /// How the secrets of the last attempt travelled.
    pub deliveries: Vec<Delivery>,
    /// How often each secret was masked in its output.
    pub masked: Vec<(Masked, u64)>,
}

/// A whole run's state.
#[derive(Debug, Clone, Default)]
pub struct RunState {
    /// The run, once it has started.
    pub run: Option<RunId>,
    /// The recipe's name.
    pub recipe: Option<Masked>,
    /// When it started.
    pub started: Option<Timestamp>,
    /// How long it took.
    pub duration: Option<Duration>,
    /// How it ended; none while it goes on, or when Doppio was killed.
    pub status: Option<RunStatus>,
    /// Why it is being cancelled.
    pub cancelling: Option<Masked>,
    /// All its steps, in the order in which they are shown.
    pub steps: Vec<StepState>,
    /// The machines that its steps hired or started, in that order.
    pub machines: Vec<RentedMachine>,
    /// What the user was told, with the step it was about.
    pub notices: Vec<(Option<StepId>, Masked)>,
    indices: HashMap<StepId, usize>,
    last: Option<u64>,
}

/// An event that can't follow what came before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} can't follow what came before: {why}")]
pub struct IllegalEvent {
    /// The event's number.
    pub seq: u64,
    /// What is wrong with it.
    pub why: String,
}

impl RunState {
    /// The state of one step.
    pub fn step(&self, id: &StepId) -> Option<&StepState> {
        self.indices.get(id).map(|index| &self.steps[*index])
    }

    /// Takes an event. The whole state machine is this one function.
    ///
    /// # Errors
    ///
    /// When the event can't follow; the state is as it was then.
    pub fn apply(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        self.take(event).map_err(|why| IllegalEvent { seq: event.seq, why })?;
        self.last = Some(event.seq);
        Ok(())
    }

    fn take(&mut self, event: &Event) -> Result<(), String> {
        self.follows(event)?;
        let time = event.time;
        match &event.what {
            What::RunStarted { run, recipe, steps } => return self.begin(time, run, recipe, steps),
            What::StepWaiting { step } => {
                let allowed = [StepStatus::Pending, StepStatus::Retrying];
                self.expect(step, &allowed)?.status = StepStatus::Waiting;
            }
            What::StepStarted { step, attempt, host } => {
                return self.expect(step, &[StepStatus::Waiting])?.start(time, *attempt, host.as_ref());
            }
            What::StepOutput { step, .. } => {
                self.expect(step, &[StepStatus::Running])?;
            }
            What::StepProgress { step, message } => {
                self.expect(step, &[StepStatus::Running])?.progress = Some(message.clone());
            }
            What::StepLaunched { step, process } => {
                self.expect(step, &[StepStatus::Running])?.process = Some(process.clone());
            }
            What::MachineRented { step, machine, per_hour } => {
                self.expect(step, &[StepStatus::Running])?;
                match self.machine(machine) {
                    Some(known) => known.costs(time, *per_hour),
                    None => self.machines.push(RentedMachine::new(time, machine, *per_hour)),
                }
            }
            What::MachineReturned { step, machine, per_hour } => {
                self.expect(step, &[StepStatus::Running])?;
                if let Some(known) = self.machine(machine) {
                    known.costs(time, Some(*per_hour));
                }
            }
            What::SecretsDelivered { step, deliveries } => {
                let step = self.expect(step, &[StepStatus::Running])?;
                step.deliveries.extend_from_slice(deliveries);
                let host = step.host.clone();
                if let Some(machine) = host.and_then(|host| self.machine(&host)) {
                    machine.saw(deliveries);
                }
            }
            What::StepRetrying { step, attempt, end, .. } => {
                return self.expect(step, &[StepStatus::Running])?.retry(*attempt, end);
            }
            What::StepFinished { step, status, end, duration, forgiven, masked } => {
                let step = self.expect(step, StepStatus::before_end(*status))?;
                step.status = *status;
                step.end = Some(end.clone());
                step.duration = Some(*duration);
                step.forgiven = *forgiven;
                step.masked.clone_from(masked);
            }
            What::StepSkipped { step, reason, blocked } => {
                let step = self.expect(step, &[StepStatus::Pending])?;
                step.status = StepStatus::Skipped;
                step.reason = Some(reason.clone());
                step.blocked = *blocked;
            }
            What::RunCancelling { reason, .. } => self.cancelling = Some(reason.clone()),
            What::Notice { step, text } => self.notices.push((step.clone(), text.clone())),
            What::RunFinished { status, duration } => return self.finish(*status, *duration),
            What::Unknown => {}
        }
        Ok(())
    }

    /// Whether there can be such an event now, as far as the run is concerned.
    fn follows(&self, event: &Event) -> Result<(), String> {
        let why = if self.last.is_some_and(|last| event.seq <= last) {
            "its number is not higher than the one before"
        } else if matches!(event.what, What::Unknown) {
            return Ok(());
        } else if self.run.is_none() != matches!(event.what, What::RunStarted { .. }) {
            "a run starts once, before all else"
        } else if self.status.is_some() {
            "the run is over"
        } else {
            return Ok(());
        };
        Err(why.to_owned())
    }

    fn finish(&mut self, status: RunStatus, duration: Duration) -> Result<(), String> {
        if let Some(step) = self.steps.iter().find(|step| !step.status.is_over()) {
            return Err(format!("step `{}` is {}", step.outline.id, step.status));
        }
        self.status = Some(status);
        self.duration = Some(duration);
        Ok(())
    }

    fn begin(
        &mut self,
        time: Timestamp,
        run: &RunId,
        recipe: &Masked,
        steps: &[StepOutline],
    ) -> Result<(), String> {
        let indices: HashMap<_, _> =
            steps.iter().enumerate().map(|(index, step)| (step.id.clone(), index)).collect();
        if indices.len() != steps.len() {
            return Err("two of its steps have the same id".to_owned());
        }
        self.run = Some(run.clone());
        self.recipe = Some(recipe.clone());
        self.started = Some(time);
        self.steps = steps.iter().cloned().map(StepState::new).collect();
        self.indices = indices;
        Ok(())
    }

    /// The step, if it stands where it must.
    fn expect(&mut self, id: &StepId, allowed: &[StepStatus]) -> Result<&mut StepState, String> {
        let index = self.indices.get(id).ok_or_else(|| format!("the run has no step `{id}`"))?;
        let step = &mut self.steps[*index];
        if allowed.contains(&step.status) { Ok(step) } else { Err(format!("step `{id}` is {}", step.status)) }
    }

    fn machine(&mut self, id: &Masked) -> Option<&mut RentedMachine> {
        self.machines.iter_mut().find(|machine| machine.id == *id)
    }

    /// What its machines have cost until `now`, in US dollars; none of a run without machines.
    pub fn cost(&self, now: Timestamp) -> Option<f64> {
        let costs = self.machines.iter().map(|machine| machine.cost(now));
        (!self.machines.is_empty()).then(|| costs.sum())
    }

    /// What is true of a run whose Doppio was killed: how the running steps ended is not known.
    pub fn abandon(&mut self) {
        for step in self.steps.iter_mut().filter(|step| step.status == StepStatus::Running) {
            step.status = StepStatus::Lost;
        }
    }

    /// The steps that do something: those that stand for others (groups) are left out, here and
    /// in everything that counts steps.
    pub fn leaves(&self) -> impl Iterator<Item = &StepState> {
        self.steps.iter().filter(|step| step.outline.members.is_empty())
    }

    /// How many of them stand at `status`.
    pub fn count(&self, status: StepStatus) -> usize {
        self.leaves().filter(|step| step.status == status).count()
    }
}

impl StepState {
    /// The process that may still run though nobody will hear of it any more.
    pub fn adrift(&self) -> Option<&StepProcess> {
        let is_gone = matches!(self.end, Some(End::Lost { gone: true, .. }));
        self.process.as_ref().filter(|_| self.status == StepStatus::Lost && !is_gone)
    }

    fn new(outline: StepOutline) -> Self {
        Self {
            outline,
            status: StepStatus::Pending,
            attempts: 0,
            host: None,
            process: None,
            progress: None,
            started: None,
            duration: None,
            reason: None,
            blocked: false,
            forgiven: false,
            end: None,
            deliveries: Vec::new(),
            masked: Vec::new(),
        }
    }

    fn start(&mut self, time: Timestamp, attempt: u32, host: Option<&Masked>) -> Result<(), String> {
        self.counts(self.attempts + 1, attempt)?;
        self.status = StepStatus::Running;
        self.attempts = attempt;
        self.started.get_or_insert(time);
        self.host = host.cloned();
        self.process = None;
        self.progress = None;
        self.deliveries.clear();
        Ok(())
    }

    fn retry(&mut self, attempt: u32, end: &End) -> Result<(), String> {
        self.counts(self.attempts, attempt)?;
        self.status = StepStatus::Retrying;
        self.end = Some(end.clone());
        Ok(())
    }

    fn counts(&self, expected: u32, found: u32) -> Result<(), String> {
        if found == expected {
            Ok(())
        } else {
            Err(format!("step `{}` is at attempt {expected}, not {found}", self.outline.id))
        }
    }
}
