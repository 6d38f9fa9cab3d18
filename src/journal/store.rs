//! All runs of this machine.

use std::cmp::Reverse;
use std::fs;
use std::fs::Metadata;
use std::io;
use std::path::PathBuf;

use doppio_text::name::RunId;
use doppio_text::name::StepId;

use crate::event::SinkError;
use crate::journal::Journal;
use crate::journal::Record;
use crate::journal::lock;
use crate::journal::log_names::LogNames;
use crate::journal::order;
use crate::journal::reader;
use crate::journal::step_log;
use crate::journal::step_log::LogLimit;

/// Why a run was not found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No run at all.
    #[error("there are no runs yet")]
    NoRuns,
    /// None that fits.
    #[error("no run is called `{0}`")]
    NotFound(String),
    /// More than one that fits.
    #[error("`{text}` could be any of {} runs", runs.len())]
    Ambiguous {
        /// What was asked for.
        text: String,
        /// The runs that fit.
        runs: Vec<RunId>,
    },
    /// The folder can't be read.
    #[error("can't read `{}`", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Why a run was not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// It runs.
    #[error("run `{0}` is running")]
    Running(RunId),
    /// Something of it can't be removed.
    #[error("can't remove `{}`", path.display())]
    Failed {
        /// Its folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The folder that has one folder a run.
#[derive(Debug, Clone)]
pub struct Store {
    runs: PathBuf,
    limit: LogLimit,
}

impl Store {
    /// The runs below this folder, which may not exist yet.
    pub fn new(runs: PathBuf) -> Self {
        Self { runs, limit: LogLimit::default() }
    }

    /// The same, where the log of a step of a new run keeps as much as this.
    #[must_use]
    pub fn keeping(self, limit: LogLimit) -> Self {
        Self { limit, ..self }
    }

    /// Begins a run under a new id: the time, and a random end so that two runs of the same
    /// second differ. `plan` is kept beside the journal.
    ///
    /// # Errors
    ///
    /// When something can't be written.
    pub fn create(&self, plan: &[u8]) -> Result<(RunId, Journal), SinkError> {
        let mut tries = 0;
        loop {
            let run = new_id();
            match Journal::create(&self.runs, &run, plan, self.limit) {
                Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists && tries < 9 => tries += 1,
                result => return result.map(|journal| (run, journal)),
            }
        }
    }

    /// All runs, the newest first.
    ///
    /// # Errors
    ///
    /// When the folder can't be read.
    pub fn list(&self) -> Result<Vec<RunId>, FindError> {
        let unreadable = |source| FindError::Unreadable { path: self.runs.clone(), source };
        let entries = match fs::read_dir(&self.runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let name = entry.map_err(unreadable)?.file_name();
            runs.extend(name.to_str().and_then(|name| name.parse::<RunId>().ok()));
        }
        runs.sort_by_cached_key(|run| Reverse((order::number(&self.folder(run)), run.clone())));
        Ok(runs)
    }

    /// The run whose id begins or ends with `text`; the newest if there is no text.
    ///
    /// # Errors
    ///
    /// When there is none, or more than one.
    pub fn find(&self, text: Option<&str>) -> Result<RunId, FindError> {
        let runs = self.list()?;
        let Some(text) = text else {
            return runs.into_iter().next().ok_or(FindError::NoRuns);
        };
        if let Some(run) = runs.iter().find(|run| run.as_str() == text) {
            return Ok(run.clone());
        }
        let fits = |run: &RunId| run.as_str().starts_with(text) || run.as_str().ends_with(text);
        let mut fitting: Vec<RunId> = runs.into_iter().filter(fits).collect();
        match fitting.len() {
            0 => Err(FindError::NotFound(text.to_owned())),
            1 => Ok(fitting.remove(0)),
            _ => Err(FindError::Ambiguous { text: text.to_owned(), runs: fitting }),
        }
    }

    /// What a run's journal says.
    ///
    /// # Errors
    ///
    /// When its file can't be read. What is in it is never an error.
    pub fn read(&self, run: &RunId) -> io::Result<Record> {
        reader::read(&self.folder(run))
    }

    /// The run's folder.
    pub fn folder(&self, run: &RunId) -> PathBuf {
        self.runs.join(run.as_str())
    }

    /// The files with a step's output, to be read one after the other. There are none when the step
    /// printed nothing.
    pub fn log(&self, run: &RunId, record: &Record, step: &StepId) -> Vec<PathBuf> {
        let names = LogNames::new(record.state.steps.iter().map(|step| &step.outline.id));
        let name = names.get(step);
        name.map(|name| step_log::pieces(&self.folder(run).join("steps").join(name))).unwrap_or_default()
    }

    /// Removes a run and all that is known of it.
    ///
    /// # Errors
    ///
    /// When its Doppio lives, or something of it can't be removed.
    pub fn remove(&self, run: &RunId) -> Result<(), RemoveError> {
        let folder = self.folder(run);
        let failed = |source| RemoveError::Failed { path: folder.clone(), source };
        // A run that begins has a folder before it has a lock.
        let _turn = order::turn(&self.runs).map_err(failed)?;
        if lock::is_held(&folder).map_err(failed)? {
            return Err(RemoveError::Running(run.clone()));
        }
        fs::remove_dir_all(&folder).map_err(failed)
    }

    /// The bytes that a run takes on the disk.
    pub fn size(&self, run: &RunId) -> u64 {
        let folder = self.folder(run);
        let files = [folder.clone(), folder.join("steps")];
        let entries = files.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
        entries
            .filter_map(|entry| entry.metadata().ok())
            .filter(Metadata::is_file)
            .map(|file| file.len())
            .sum()
    }
}

fn new_id() -> RunId {
    let random = getrandom::u32().unwrap_or_else(|_| std::process::id());
    let time = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
    format!("{time}-{:04x}", random & 0xffff).parse().expect("digits and `-` make a run id")
}
