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
use crate::journal::lock::RunLock;
use crate::journal::log_names::LogNames;

/// The journal of one run. Holds the run's lock until it is dropped.
///
/// An event is with the operating system when `record` returns, so that it outlives Doppio; it
/// is on the disk when `settle` returns, so that it outlives the machine's power.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    /// `journal.jsonl`.
    file: File,
    _lock: RunLock,
    line: Vec<u8>,
    unsettled: bool,
    names: LogNames,
    logs: HashMap<StepId, Log>,
    /// Whether an event could not be written: what follows would have a gap before it.
    has_gap: bool,
    /// Whether output could not be written.
    muted: bool,
}

#[derive(Debug)]
struct Log {
    file: File,
    in_line: bool,
}

impl Journal {
    /// Makes the folder of a run with its plan, and takes its lock.
    ///
    /// # Errors
    ///
    /// When something can't be written.
    pub(super) fn create(runs: &Path, run: &RunId, plan: &[u8]) -> Result<Self, SinkError> {
        files::create_folders(runs).map_err(failed("make", runs))?;
        let folder = runs.join(run.as_str());
        files::create_folder(&folder).map_err(failed("make", &folder))?;
        let steps = folder.join("steps");
        files::create_folder(&steps).map_err(failed("make", &steps))?;
        let plan_path = folder.join("plan.json");
        let write_plan = || -> io::Result<()> {
            let mut file = files::append_to(&plan_path)?;
            file.write_all(plan)?;
            file.sync_data()
        };
        write_plan().map_err(failed("write", &plan_path))?;
        let lock = RunLock::take(&folder).map_err(failed("lock", &folder))?;
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
            file,
            _lock: lock,
            line: Vec::new(),
            unsettled: false,
            names: LogNames::default(),
            logs: HashMap::new(),
            has_gap: false,
            muted: false,
        })
    }

    fn append(&mut self, event: &Event) -> Result<(), SinkError> {
        if self.has_gap {
            return Ok(());
        }
        self.line.clear();
        let write = serde_json::to_writer(&mut self.line, event).map_err(io::Error::from).and_then(|()| {
            self.line.push(b'\n');
            self.file.write_all(&self.line)
        });
        self.has_gap = write.is_err();
        self.unsettled = true;
        write.map_err(failed("write", &self.folder.join("journal.jsonl")))
    }

    /// Calls `write` with a step's log, which is made when it is first needed.
    fn log(
        &mut self,
        step: &StepId,
        write: impl FnOnce(&mut Log) -> io::Result<()>,
    ) -> Result<(), SinkError> {
        let Some(name) = self.names.get(step).filter(|_| !self.muted) else { return Ok(()) };
        let path = self.folder.join("steps").join(name);
        let log = match self.logs.remove(step) {
            Some(log) => Ok(log),
            None => files::append_to(&path).map(|file| Log { file, in_line: false }),
        };
        let done = log.and_then(|mut log| {
            write(&mut log)?;
            self.logs.insert(step.clone(), log);
            Ok(())
        });
        self.muted = done.is_err();
        done.map_err(failed("write", &path))
    }
}

impl Log {
    fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        if let Some(last) = text.bytes().last() {
            self.in_line = last != b'\n';
        }
        Ok(())
    }
}

impl Sink for Journal {
    fn record(&mut self, event: &Event) -> Result<(), SinkError> {
        match &event.what {
            What::StepOutput { step, text, .. } => return self.log(step, |log| log.write(text.as_str())),
            What::StepProgress { .. } => return Ok(()),
            What::RunStarted { steps, .. } => self.names = LogNames::new(steps.iter().map(|step| &step.id)),
            _ => {}
        }
        let appended = self.append(event);
        let logged = match &event.what {
            What::StepStarted { step, attempt, .. } if *attempt > 1 => self.log(step, |log| {
                let newline = if log.in_line { "\n" } else { "" };
                log.write(&format!("{newline}--- attempt {attempt} ---\n"))
            }),
            What::StepFinished { step, .. } => {
                self.logs.remove(step);
                Ok(())
            }
            _ => Ok(()),
        };
        appended.and(logged)
    }

    fn settle(&mut self) -> Result<(), SinkError> {
        if self.has_gap || !std::mem::take(&mut self.unsettled) {
            return Ok(());
        }
        let synced = self.file.sync_data();
        self.has_gap = synced.is_err();
        synced.map_err(failed("write", &self.folder.join("journal.jsonl")))
    }
}
