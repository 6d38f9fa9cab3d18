//! Who keeps the log during a command, and what happens when it can't be kept.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;

use doppio_text::name::RunId;

use crate::Prompt;
use crate::SecretValue;
use crate::audit::AuditError;
use crate::audit::AuditLog;
use crate::audit::Use;
use crate::source::detached;

/// What a log that can't be written does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// It is reported once, and the work goes on: a full disk must not keep a step that stops an
    /// instance from its token.
    #[default]
    Warn,
    /// No value is given out.
    Required,
    /// There is no log.
    Off,
}

/// Keeps the log for one command or run.
pub struct Auditor {
    log: AuditLog,
    policy: Policy,
    prompt: Arc<dyn Prompt>,
    run: OnceLock<RunId>,
    warned: AtomicBool,
    /// What is to be written next, and whose turn it is to write.
    noted: Mutex<Vec<Noted>>,
    turn: tokio::sync::Mutex<()>,
}

/// Uses, each with the value that was used, and who waits for them to be written.
type Noted = (Vec<(Use, Option<SecretValue>)>, oneshot::Sender<Result<(), AuditError>>);

impl Auditor {
    /// Keeps this log; `prompt` is told when that fails.
    pub fn new(log: AuditLog, policy: Policy, prompt: Arc<dyn Prompt>) -> Self {
        Self {
            log,
            policy,
            prompt,
            run: OnceLock::new(),
            warned: AtomicBool::new(false),
            noted: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Names the run in all that is recorded from now on.
    pub fn begin(&self, run: RunId) {
        self.run.set(run).ok();
    }

    /// Records uses, each with the value that was used, if it is known.
    ///
    /// # Errors
    ///
    /// When it can't, and the policy says that nothing is used without.
    pub fn record(&self, mut uses: Vec<(Use, Option<SecretValue>)>) -> Result<(), AuditError> {
        if self.policy == Policy::Off {
            return Ok(());
        }
        let written = uses
            .iter_mut()
            .try_for_each(|(what, value)| {
                what.run = self.run.get().map(ToString::to_string).or_else(|| what.run.take());
                if let Some(value) = value {
                    what.fingerprint = Some(self.log.fingerprint(value)?);
                }
                Ok(())
            })
            .and_then(|()| self.log.record(&uses.into_iter().map(|(what, _)| what).collect::<Vec<_>>()));
        match written {
            Err(error) if self.policy == Policy::Required => Err(error),
            Err(error) => {
                self.tell(&error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Says, once, that lines are missing.
    fn tell(&self, error: &AuditError) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            self.prompt.notice(&format!("warning: the audit log was not written: {error}"));
        }
    }

    /// Records what is done already: there is nothing left to stop, so a failure is reported
    /// whatever the policy.
    pub async fn note_done(self: &Arc<Self>, uses: Vec<(Use, Option<SecretValue>)>) {
        if let Err(error) = self.note(uses).await {
            self.tell(&error);
        }
    }

    /// As [`Auditor::record`], without holding up others of this thread. What is noted while another
    /// writes is written together: thousands of secrets are fetched at the same time, and each write
    /// has a lock and waits for the disk.
    ///
    /// # Errors
    ///
    /// As [`Auditor::record`].
    pub async fn note(self: &Arc<Self>, uses: Vec<(Use, Option<SecretValue>)>) -> Result<(), AuditError> {
        if self.policy == Policy::Off || uses.is_empty() {
            return Ok(());
        }
        let (sender, written) = oneshot::channel();
        self.noted().push((uses, sender));
        let turn = self.turn.lock().await;
        let all = std::mem::take(&mut *self.noted());
        if !all.is_empty() {
            let own = Arc::clone(self);
            detached(None, move || {
                let (uses, senders): (Vec<_>, Vec<_>) = all.into_iter().unzip();
                let result = own.record(uses.into_iter().flatten().collect());
                for sender in senders {
                    // Whoever does not wait any more needs no answer.
                    sender.send(result.clone()).ok();
                }
            })
            .await
            .ok();
        }
        drop(turn);
        written.await.unwrap_or_else(|_| {
            let path = self.log.path().display().to_string();
            Err(AuditError::Io { action: "write to", path, cause: "no thread could be started".to_owned() })
        })
    }

    fn noted(&self) -> MutexGuard<'_, Vec<Noted>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Auditor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auditor")
            .field("log", &self.log)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
