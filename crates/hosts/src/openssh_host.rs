//! A host that the user's own `ssh` reaches: for what Doppio's SSH can't do.
//!
//! One `ssh` logs in and keeps the connection ([`Master`]); each script has a further `ssh` that uses it
//! and becomes the bootstrap. Nothing but the bootstrap's constant text is in an argument, and
//! everything of the step goes into its standard input.

mod folder;
mod login;
mod master;
mod refusal;

use std::fmt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use doppio_process::Program;
use doppio_secrets::Carrier;
use doppio_text::shell::typed as typed_line;

use crate::Exec;
use crate::HostError;
use crate::HostSpec;
use crate::PortForward;
use crate::Process;
use crate::bootstrap;
use crate::bootstrap::LOGIN_FILES;
use crate::openssh_host::folder::Folder;
use crate::openssh_host::folder::Ticket;
use crate::openssh_host::login::Login;
use crate::openssh_host::master::Master;
use crate::payload;
use crate::payload::Ending;
use crate::payload::EnvSplit;
use crate::piped::Ends;
use crate::piped::Launch;
use crate::piped::Piped;
use crate::piped::Unannounced;
use crate::process::Reach;
use crate::process::Way;
use crate::single_flight::SingleFlight;
use crate::ssh::options::ConnectOptions;
use crate::ssh::typed;

/// Scripts at a time; sshd allows 10 channels on a connection, and what ends a script needs one too.
const LIMIT: usize = 8;

/// Refusals in a row after which a script that runs alone is not tried again.
const REFUSALS: u32 = 6;

/// Connections that may break one after the other before any command was started on them.
const FAILURES: u32 = 4;

/// How long a login shell may take until the bootstrap announces itself.
const ANNOUNCE_LIMIT: Duration = Duration::from_secs(45);

/// A host that the user's own `ssh` reaches.
pub(crate) struct OpenSshHost {
    spec: HostSpec,
    options: ConnectOptions,
    folder: Mutex<Option<Arc<Folder>>>,
    master: Mutex<Option<Arc<Master>>>,
    /// Those that did not answer any more; scripts may still run over them.
    silent: Mutex<Vec<Arc<Master>>>,
    connecting: SingleFlight<()>,
    slots: Arc<Semaphore>,
    count: AtomicU32,
    is_closed: AtomicBool,
}

/// Why a script has no `ssh` that could run it.
enum NotArmed {
    /// The connection has all the channels that the server allows.
    Full,
    /// The connection is over, or the `ssh` did not find it.
    Dead(HostError),
    /// It will not be otherwise next time.
    Never(HostError),
}

impl OpenSshHost {
    /// A host that is not connected yet.
    pub(crate) fn new(spec: HostSpec, options: ConnectOptions) -> Arc<Self> {
        Arc::new(Self {
            spec,
            options,
            folder: Mutex::default(),
            master: Mutex::default(),
            silent: Mutex::default(),
            connecting: SingleFlight::default(),
            slots: Arc::new(Semaphore::new(LIMIT)),
            count: AtomicU32::new(0),
            is_closed: AtomicBool::new(false),
        })
    }

    /// How it is reached.
    pub(crate) fn spec(&self) -> &HostSpec {
        &self.spec
    }

    /// Logs in if no connection lives. Askers at the same time share the attempt.
    ///
    /// # Errors
    ///
    /// When there is no `ssh`, or it can't reach the host or log in.
    pub(crate) async fn connect(&self) -> Result<(), HostError> {
        if self.living().is_some() {
            return Ok(());
        }
        self.connecting
            .share(|| self.living().map(|_| ()), async {
                if self.is_closed.load(Ordering::Relaxed) {
                    return Err(self.error("the run is over"));
                }
                let folder = self.folder()?;
                let login = Login::prepare(&self.spec, &self.options, folder.path(), self.number()).await?;
                let master = login.log_in(&self.spec, &self.options).await?;
                *lock(&self.master) = Some(Arc::new(master));
                Ok(())
            })
            .await
    }

    /// Starts a script. When the future is dropped before it is ready, nothing runs.
    ///
    /// # Errors
    ///
    /// When it could not log in, or no command could be started.
    pub(crate) async fn exec(self: &Arc<Self>, exec: &Exec) -> Result<Process, HostError> {
        payload::check(exec)?;
        EnvSplit::sort(&exec.env)?;
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.map_err(|error| self.error(&error.to_string()))?;
        let (mut refusals, mut failures) = (0, 0);
        loop {
            self.connect().await?;
            let Some(master) = self.living() else { continue };
            let ticket = self.ticket()?;
            match self.armed(master.client(&ticket.log), &ticket, Some(&master)).await {
                Ok(piped) => return self.launch(piped, exec, ticket, Some(master), Some(slot)),
                Err(NotArmed::Never(error)) => return Err(error),
                Err(NotArmed::Full) => {
                    refusals += 1;
                    let is_alone = self.slots.available_permits() + 1 >= LIMIT;
                    if is_alone && refusals > REFUSALS {
                        return Err(self.full());
                    }
                    sleep(Duration::from_millis(10 << refusals.min(6))).await;
                }
                Err(NotArmed::Dead(error)) => {
                    failures += 1;
                    if failures >= FAILURES {
                        return Err(error);
                    }
                    // What does not serve any more is not asked again.
                    self.retire(&master);
                    sleep(Duration::from_millis(20 << failures)).await;
                }
            }
        }
    }

    /// Starts a script that can't wait for a channel to be free, like one that stops another.
    async fn exec_urgent(self: &Arc<Self>, exec: &Exec, way: Way) -> Result<Process, HostError> {
        let silent = self.living();
        if let Some(master) = silent.as_ref().filter(|_| way == Way::Shared) {
            let ticket = self.ticket()?;
            if let Ok(piped) = self.armed(master.client(&ticket.log), &ticket, Some(master)).await {
                return self.launch(piped, exec, ticket, Some(Arc::clone(master)), None);
            }
        }
        let folder = self.folder()?;
        let login = Login::prepare(&self.spec, &self.options, folder.path(), self.number()).await?;
        let ticket = self.ticket()?;
        let program = login.alone(&ticket.log, bootstrap::COMMAND);
        let piped = match self.armed(program, &ticket, None).await {
            Ok(piped) => piped,
            Err(NotArmed::Never(error) | NotArmed::Dead(error)) => return Err(error),
            Err(NotArmed::Full) => return Err(self.full()),
        };
        login.decide()?;
        if let Some(master) = silent.filter(|_| way == Way::Fresh) {
            // It did not answer for seconds, and this one does.
            self.retire(&master);
        }
        self.launch(piped, exec, ticket, None, None)
    }

    /// Waits until the bootstrap of an `ssh` can take a payload.
    async fn armed(
        &self,
        program: Program,
        ticket: &Ticket,
        master: Option<&Master>,
    ) -> Result<Piped, NotArmed> {
        let running = program
            .start_away()
            .map_err(|error| NotArmed::Never(refusal::not_started(&self.spec, &error)))?;
        let why = match Piped::announced(running, ANNOUNCE_LIMIT).await {
            Ok(piped) => return Ok(piped),
            Err(why) => why,
        };
        let never = |what: &str, hint: &str, said: Vec<String>| {
            NotArmed::Never(said.into_iter().fold(self.error(what), HostError::cause).hint(hint))
        };
        Err(match why {
            Unannounced::System(error) => NotArmed::Never(self.error(&error)),
            Unannounced::Trouble(trouble, said) => never(trouble.what(), trouble.hint(), said),
            Unannounced::Late(said) => {
                let seconds = ANNOUNCE_LIMIT.as_secs();
                let what = format!("the login shell did not start a command within {seconds} seconds");
                never(&what, LOGIN_FILES, said)
            }
            Unannounced::Ended(status, said) => {
                let log = ticket.said();
                if log.contains("refused by peer") {
                    NotArmed::Full
                } else if let Some(why) = master.and_then(Master::ended) {
                    NotArmed::Dead(self.error("the connection broke").cause(why))
                } else if !is_of_ssh(status, &log) {
                    let code = status.and_then(|status| status.code());
                    let ended = code.map(|code| format!(" (exit status {code})")).unwrap_or_default();
                    let what = format!("the login shell ended before it started a command{ended}");
                    never(&what, LOGIN_FILES, said)
                } else if master.is_some() {
                    NotArmed::Dead(self.error("the connection broke").cause(refusal::last_words(&log)))
                } else {
                    NotArmed::Dead(refusal::explain(&self.spec, &log).error)
                }
            }
        })
    }

    /// From the payload's first byte on the script counts as launched, and nothing is tried again.
    fn launch(
        self: &Arc<Self>,
        piped: Piped,
        exec: &Exec,
        ticket: Ticket,
        master: Option<Arc<Master>>,
        slot: Option<OwnedSemaphorePermit>,
    ) -> Result<Process, HostError> {
        let split = EnvSplit::sort(&exec.env)?;
        let payload = payload::write_ending(exec, &split, Ending::Marked)?;
        let deliveries = split.exports.iter().flat_map(|var| var.sent_by(Carrier::Preamble));
        let deliveries = deliveries.chain(split.files.iter().flat_map(|var| var.sent_by(Carrier::File)));
        let deliveries = deliveries.chain(exec.stdin.iter().flat_map(|stdin| stdin.deliveries.clone()));
        let lost = move || {
            let _slot = slot;
            let log = ticket.said();
            let why = master.and_then(|master| master.said()).unwrap_or_else(|| refusal::last_words(&log));
            if why.is_empty() { "the connection broke".to_owned() } else { why }
        };
        Ok(piped.launch(Launch {
            exec,
            payload,
            deliveries: deliveries.collect(),
            at: format!("on `{}`", self.spec.name),
            reach: Arc::new(Arc::clone(self)),
            ends: Ends::ByMark(Box::new(lost)),
        }))
    }

    /// Ends its connections politely, and removes what they left here.
    pub(crate) async fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        let mut masters = std::mem::take(&mut *lock(&self.silent));
        masters.extend(lock(&self.master).take());
        for master in masters {
            master.close().await;
        }
        drop(lock(&self.folder).take());
    }

    fn living(&self) -> Option<Arc<Master>> {
        let mut master = lock(&self.master);
        if master.as_ref().is_some_and(|master| master.ended().is_some()) {
            *master = None;
        }
        master.clone()
    }

    /// Nothing new is put on this connection.
    fn retire(&self, silent: &Arc<Master>) {
        let mut master = lock(&self.master);
        if master.as_ref().is_some_and(|master| Arc::ptr_eq(master, silent)) {
            lock(&self.silent).extend(master.take());
        }
    }

    fn folder(&self) -> Result<Arc<Folder>, HostError> {
        let mut folder = lock(&self.folder);
        if let Some(folder) = folder.as_ref() {
            return Ok(Arc::clone(folder));
        }
        Ok(Arc::clone(folder.insert(Arc::new(Folder::new()?))))
    }

    fn number(&self) -> u32 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    fn ticket(&self) -> Result<Ticket, HostError> {
        let folder = self.folder()?;
        Ok(Ticket::new(folder, self.number()))
    }

    fn full(&self) -> HostError {
        self.error("it allows no channel on a connection")
            .hint("raise `MaxSessions` in the host's /etc/ssh/sshd_config")
    }

    fn error(&self, what: &str) -> HostError {
        HostError::new(format!("no command could be started on `{}`", self.spec.name)).cause(what)
    }
}

/// Whether `ssh` itself failed, not what it ran.
fn is_of_ssh(status: Option<ExitStatus>, log: &str) -> bool {
    status.and_then(|status| status.code()).is_none_or(|code| code == 255) && !log.trim().is_empty()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a person types to open the ports of a host that this transport reaches.
pub(crate) fn forward_by_hand(spec: &HostSpec, ports: &[PortForward]) -> String {
    let mut words =
        vec!["doppio".to_owned(), "ssh".to_owned(), spec.name.clone(), "--".to_owned(), "-N".to_owned()];
    for PortForward { local, host, port } in ports {
        let local = if *local == 0 { port } else { local };
        words.extend(["-L".to_owned(), format!("{local}:{host}:{port}")]);
    }
    typed_line(words.iter().map(String::as_str))
}

impl Reach for Arc<OpenSshHost> {
    fn exec<'a>(&'a self, exec: &'a Exec, way: Way) -> BoxFuture<'a, Result<Process, HostError>> {
        self.exec_urgent(exec, way).boxed()
    }

    fn is_at_hand(&self) -> bool {
        self.living().is_some()
    }

    fn typed(&self, command: &str) -> String {
        typed::over_ssh(&self.spec, &self.options.state, command)
    }
}

impl fmt::Debug for OpenSshHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSshHost").field("host", &self.spec.name).finish_non_exhaustive()
    }
}
