//! Writes a run's journal and its steps' output.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use doppio_text::name::RunId;
use doppio_text::name::StepId;

use crate::event::Event;
use crate::event::Sink;
use crate::event::SinkError;
use crate::event::What;
use crate::journal::files;
use crate::journal::files::failed;
use crate::journal::files::failed_at;
use crate::journal::lock::RunLock;
use crate::journal::log_names::LogNames;
use crate::journal::order;
use crate::journal::patient_file::PatientFile;
use crate::journal::step_log::LogLimit;
use crate::journal::step_log::Missing;
use crate::journal::step_log::StepLog;

/// The journal of one run. Holds the run's lock until it is dropped.
///
/// An event is with the operating system when `record` returns, so that it outlives Doppio; it
/// is on the disk when `settle` returns, so that it outlives the machine's power. Where the disk is
/// full, events wait until there is room again; output that comes meanwhile is missing.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    /// `journal.jsonl`.
    file: PatientFile,
    _lock: RunLock,
    line: Vec<u8>,
    unsettled: bool,
    names: LogNames,
    logs: HashMap<StepId, StepLog>,
    limit: LogLimit,
    missing: Vec<(StepId, Missing)>,
    /// Whether it was said that events wait.
    said_waiting: bool,
}

impl Journal {
    /// Makes the folder of a run with its plan, and takes its lock.
    ///
    /// # Errors
    ///
    /// When something can't be written.
    pub(super) fn create(runs: &Path, run: &RunId, plan: &[u8], limit: LogLimit) -> Result<Self, SinkError> {
        files::create_folders(runs).map_err(failed("make", runs))?;
        let turn = order::turn(runs).map_err(failed("lock", runs))?;
        let folder = runs.join(run.as_str());
        files::create_folder(&folder).map_err(failed("make", &folder))?;
        let steps = folder.join("steps");
        files::create_folder(&steps).map_err(failed("make", &steps))?;
        turn.number(&folder).map_err(failed("write", &folder))?;
        let plan_path = folder.join("plan.json");
        let write_plan = || -> io::Result<()> {
            let mut file = files::append_to(&plan_path)?;
            file.write_all(plan)?;
            file.sync_data()
        };
        write_plan().map_err(failed("write", &plan_path))?;
        let lock = RunLock::take(&folder).map_err(failed("lock", &folder))?;
        // From here on the run is seen to live.
        drop(turn);
        let path = folder.join("journal.jsonl");
        let open = || -> io::Result<File> {
            let file = files::append_to(&path)?;
            files::sync_folder(&folder)?;
            files::sync_folder(runs)?;
            Ok(file)
        };
        let file = open().map_err(failed("write", &path))?;
        Ok(Self {
            folder,
            file: PatientFile::new(file),
            _lock: lock,
            line: Vec::new(),
            unsettled: false,
            names: LogNames::default(),
            logs: HashMap::new(),
            limit,
            missing: Vec::new(),
            said_waiting: false,
        })
    }

    /// What is missing in the logs of the steps that are over.
    pub fn missing(&self) -> &[(StepId, Missing)] {
        &self.missing
    }

    /// Writes what still waits, once nothing more will come.
    ///
    /// # Errors
    ///
    /// When the journal ends before the run's end.
    pub fn finish(&mut self) -> Result<(), SinkError> {
        self.file.settle().map_err(failed("write", &self.path()))
    }

    fn path(&self) -> PathBuf {
        self.folder.join("journal.jsonl")
    }

    fn append(&mut self, event: &Event) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, event)?;
        self.line.push(b'\n');
        self.unsettled = true;
        self.file.append(&self.line)
    }

    /// An error of the journal, once until it can be written again.
    fn say_waiting(&mut self, done: io::Result<()>) -> Result<(), SinkError> {
        let is_news = done.is_err() && !self.said_waiting;
        self.said_waiting = done.is_err();
        let doing = "write the journal for the time being: what happens waits until it can be written";
        if is_news { done.map_err(failed_at(doing, &self.path())) } else { Ok(()) }
    }

    /// Calls `write` with a step's log, which is made when it is first needed.
    fn log(
        &mut self,
        step: &StepId,
        write: impl FnOnce(&mut StepLog) -> io::Result<()>,
    ) -> Result<(), SinkError> {
        let Some(name) = self.names.get(step) else { return Ok(()) };
        let path = self.folder.join("steps").join(name);
        let log = self.logs.entry(step.clone()).or_insert_with(|| StepLog::new(path.clone(), self.limit));
        let done = write(log);
        let doing = "write the log for the time being: output that comes meanwhile is missing in it";
        log.news(done).map_err(failed_at(doing, &path))
    }
}

impl Sink for Journal {
    fn record(&mut self, event: &Event) -> Result<(), SinkError> {
        match &event.what {
            What::StepOutput { step, text, .. } => {
                let logged = self.log(step, |log| log.write(text.as_str()));
                let caught_up = self.file.catch_up();
                return self.say_waiting(caught_up).and(logged);
            }
            What::StepProgress { .. } => return Ok(()),
            What::RunStarted { steps, .. } => self.names = LogNames::new(steps.iter().map(|step| &step.id)),
            _ => {}
        }
        let appended = self.append(event);
        let appended = self.say_waiting(appended);
        let logged = match &event.what {
            What::StepStarted { step, attempt, .. } if *attempt > 1 => self.log(step, |log| {
                let newline = if log.in_line() { "\n" } else { "" };
                log.write(&format!("{newline}--- attempt {attempt} ---\n"))
            }),
            What::StepFinished { step, .. } => {
                let missing = self.logs.remove(step).map(|log| log.missing()).unwrap_or_default();
                if missing != Missing::default() {
                    self.missing.push((step.clone(), missing));
                }
                Ok(())
            }
            _ => Ok(()),
        };
        appended.and(logged)
    }

    fn settle(&mut self) -> Result<(), SinkError> {
        if !std::mem::take(&mut self.unsettled) {
            return Ok(());
        }
        let settled = self.file.settle();
        self.say_waiting(settled)
    }
}
