//! A host over SSH: its connections, and the scripts on them.

use std::collections::BTreeSet;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::timeout;

use doppio_secrets::Carrier;
use doppio_secrets::Delivery;
use doppio_text::name::EnvName;

use crate::CarrierChoice;
use crate::EnvVar;
use crate::Exec;
use crate::HostError;
use crate::HostSpec;
use crate::Process;
use crate::ProcessGroup;
use crate::launch_gate::LaunchGate;
use crate::launch_gate::Wants;
use crate::output_pipe;
use crate::payload;
use crate::payload::EnvSplit;
use crate::process::Reach;
use crate::process::Way;
use crate::single_flight::SingleFlight;
use crate::ssh::armed::Armed;
use crate::ssh::armed::Refused;
use crate::ssh::budget::Budget;
use crate::ssh::carrier;
use crate::ssh::carrier::Answers;
use crate::ssh::channel;
use crate::ssh::options::ConnectOptions;
use crate::ssh::pooled::News;
use crate::ssh::pooled::Pick;
use crate::ssh::pooled::Pooled;
use crate::ssh::reach::reach;
use crate::ssh::typed;

/// Connections to one host at most.
const CONNECTIONS: usize = 4;

/// The same, where each can have one channel only.
const SINGLE_CONNECTIONS: usize = 10;

/// How long a script waits for a channel until another connection is made for it.
const PATIENCE: Duration = Duration::from_millis(300);

/// Channels that may break off one after the other before any command was started on them.
const FAILURES: u32 = 8;

/// How long no further connection is tried after one failed.
const GROW_AGAIN: Duration = Duration::from_secs(45);

/// A host over SSH.
pub(crate) struct Session {
    spec: HostSpec,
    options: ConnectOptions,
    names: BTreeSet<EnvName>,
    connections: Mutex<Vec<Arc<Pooled>>>,
    news: Arc<News>,
    connecting: SingleFlight<()>,
    growing: Mutex<Growth>,
    budget: Budget,
    answers: watch::Sender<Option<Answers>>,
    is_closed: AtomicBool,
}

#[derive(Default)]
struct Growth {
    is_under_way: bool,
    failed: Option<Instant>,
}

impl Session {
    /// A host that is not connected yet. `names` are the variables that scripts will want to
    /// send.
    pub(crate) fn new(spec: HostSpec, options: ConnectOptions, names: BTreeSet<EnvName>) -> Arc<Self> {
        Arc::new(Self {
            spec,
            options,
            names,
            connections: Mutex::default(),
            news: Arc::default(),
            connecting: SingleFlight::default(),
            growing: Mutex::default(),
            budget: Budget::default(),
            answers: watch::Sender::new(None),
            is_closed: AtomicBool::new(false),
        })
    }

    /// How it is reached.
    pub(crate) fn spec(&self) -> &HostSpec {
        &self.spec
    }

    /// Makes a connection if there is none that lives. Askers at the same time share the attempt.
    ///
    /// # Errors
    ///
    /// When it can't be reached, trusted or logged in to.
    pub(crate) async fn connect(&self) -> Result<(), HostError> {
        if !self.living().is_empty() {
            return Ok(());
        }
        self.connecting
            .share(|| (!self.living().is_empty()).then_some(()), async {
                if self.is_closed.load(Ordering::Relaxed) {
                    return Err(self.error("the run is over", Vec::new()));
                }
                let granted = self.budget.grant().map_err(|why| {
                    let what = "the server ends each session before a command can be started";
                    self.error(what, vec![why]).hint(format!(
                        "see what the server does with a command: {}",
                        typed::over_ssh(&self.spec, &self.options.state, "true")
                    ))
                })?;
                tokio::time::sleep(granted.pause).await;
                let connection = reach(&self.spec, &self.options).await?;
                self.budget.made();
                let pooled = Pooled::new(connection, Arc::clone(&self.news));
                self.connections().push(Arc::clone(&pooled));
                // Where the last one came to nothing, whoever asks for a channel is to hear why.
                if granted.is_first {
                    channel::refill(&pooled);
                }
                self.learn(&pooled);
                Ok(())
            })
            .await
    }

    /// Asks once a connection which variables are taken, beside whatever else goes on.
    fn learn(&self, pooled: &Arc<Pooled>) {
        self.answers.send_replace(None);
        // One that can have a single channel takes no variables either.
        if self.spec.carrier() == CarrierChoice::Preamble || self.names.is_empty() || pooled.is_single() {
            self.answers.send_replace(Some(Answers::new()));
            return;
        }
        let (pooled, names, answers) = (Arc::clone(pooled), self.names.clone(), self.answers.clone());
        tokio::spawn(async move {
            let heard = carrier::learn(&pooled, &names).await;
            answers.send_replace(Some(heard));
        });
    }

    /// Starts a script. When the future is dropped before it is ready, nothing runs.
    ///
    /// # Errors
    ///
    /// When no channel was available, or a secret may not travel as the host demands.
    pub(crate) async fn exec(self: &Arc<Self>, exec: &Exec) -> Result<Process, HostError> {
        let split = EnvSplit::sort(&exec.env)?;
        payload::check(exec)?;
        for _ in 0..FAILURES {
            self.connect().await?;
            let answers = self.known_answers().await;
            let ways = carrier::divide(
                &self.spec.name,
                self.spec.carrier(),
                &split.exports,
                &split.files,
                &answers,
            )?;
            let env: Vec<_> = ways.channel.iter().map(|var| (var.name.clone(), var.value.clone())).collect();
            let armed = self.armed(&env).await?;
            let (taken, refused): (Vec<_>, Vec<_>) =
                ways.channel.iter().zip(&armed.accepted).partition(|&(_, taken)| *taken);
            if self.spec.carrier() == CarrierChoice::Channel && !refused.is_empty() {
                let names: Vec<&EnvName> = refused.iter().map(|(var, _)| &var.name).collect();
                return Err(carrier::refusal(&self.spec.name, &names));
            }
            let in_payload: Vec<&EnvVar> =
                ways.payload.iter().copied().chain(refused.iter().map(|&(var, _)| *var)).collect();
            let deliveries = taken.iter().flat_map(|(var, _)| var.sent_by(Carrier::ChannelEnv));
            let deliveries =
                deliveries.chain(in_payload.iter().flat_map(|var| var.sent_by(Carrier::Preamble)));
            let deliveries = deliveries.chain(split.files.iter().flat_map(|var| var.sent_by(Carrier::File)));
            let deliveries = deliveries.chain(exec.stdin.iter().flat_map(|stdin| stdin.deliveries.clone()));
            let deliveries = deliveries.collect();
            let payload =
                payload::write(exec, &EnvSplit { exports: in_payload, files: split.files.clone() })?;
            if let Some(process) = self.launch(armed, payload, exec, deliveries) {
                return Ok(process);
            }
            // The channel went away while nothing had been sent on it yet.
        }
        Err(self.error("each channel was closed before a command could be sent on it", Vec::new()))
    }

    /// From the payload's first byte on the script counts as launched: nothing waits here, and
    /// nothing is tried again.
    fn launch(
        self: &Arc<Self>,
        armed: Armed,
        payload: payload::Payload,
        exec: &Exec,
        deliveries: Vec<Delivery<String>>,
    ) -> Option<Process> {
        let wants = Wants::of(exec, format!("on `{}`", self.spec.name));
        let gate = LaunchGate::new(armed.challenge.launch_mark(), wants);
        let (writer, reader) = output_pipe::pair(gate);
        let folder = payload.folder.clone();
        let leader = armed.start(payload, exec.stdin.clone(), writer)?;
        let group = ProcessGroup { leader, folder, reach: Arc::new(Arc::clone(self)) };
        Some(Process { reader, deliveries, group })
    }

    /// Starts a script that can't wait for a channel to be free, like one that stops another.
    pub(crate) async fn exec_urgent(self: &Arc<Self>, exec: &Exec, way: Way) -> Result<Process, HostError> {
        let payload = || payload::write(exec, &EnvSplit::default());
        let silent = self.living();
        if way == Way::Shared {
            for pooled in &silent {
                if let Ok(armed) = channel::urgent(pooled).await
                    && let Some(process) = self.launch(armed, payload()?, exec, Vec::new())
                {
                    return Ok(process);
                }
            }
        }
        // It lives as long as its channel does.
        let connection = reach(&self.spec, &self.options).await?;
        let pooled = Pooled::new(connection, Arc::clone(&self.news));
        let armed = channel::urgent(&pooled).await.map_err(|refused| self.refusal(refused))?;
        // Nothing else runs on it, so no channel is opened ahead.
        pooled.give_up();
        if way == Way::Fresh {
            // They did not answer for seconds, and this one does.
            for pooled in &silent {
                pooled.give_up();
            }
        }
        self.launch(armed, payload()?, exec, Vec::new())
            .ok_or_else(|| self.error("the connection broke", Vec::new()))
    }

    /// What is known of names; all that there is to know where secrets may only go by channel.
    async fn known_answers(&self) -> Answers {
        let mut answers = self.answers.subscribe();
        if self.spec.carrier() == CarrierChoice::Channel
            && let Ok(known) = answers.wait_for(Option::is_some).await
        {
            return known.clone().unwrap_or_default();
        }
        answers.borrow().clone().unwrap_or_default()
    }

    /// A channel of any connection, waited for if need be.
    async fn armed(
        self: &Arc<Self>,
        env: &[(EnvName, doppio_secrets::SecretValue)],
    ) -> Result<Armed, HostError> {
        let mut refusals = 0;
        let mut failures = 0;
        loop {
            let mut news = pin!(self.news.changed.notified());
            news.as_mut().enable();
            self.connect().await?;
            let waits = match self.pick(env.is_empty()) {
                Some((_, Pick::Spare(armed))) => {
                    self.budget.restore();
                    self.refill();
                    return Ok(*armed);
                }
                Some((pooled, Pick::Soon(expecting))) => {
                    news.await;
                    drop(expecting);
                    // Another try would only take as long again.
                    if let Some(error) = pooled.never() {
                        return Err(self.refusal(Refused::Never(error)));
                    }
                    continue;
                }
                Some((pooled, Pick::Slot(slot))) => match channel::arm(&pooled, slot, env.to_vec()).await {
                    Ok(armed) => {
                        self.budget.restore();
                        self.refill();
                        return Ok(armed);
                    }
                    Err(Refused::Full) => {
                        refusals += 1;
                        let pause = pooled.refused(refusals).ok_or_else(|| self.refusal(Refused::Full))?;
                        tokio::time::sleep(pause).await;
                        continue;
                    }
                    Err(refused @ (Refused::Dead(_) | Refused::Again)) if failures < FAILURES => {
                        failures += 1;
                        if let Refused::Dead(why) = refused {
                            self.budget.wasted(&why);
                        }
                        tokio::time::sleep(Duration::from_millis(2 << failures)).await;
                        continue;
                    }
                    Err(refused) => return Err(self.refusal(refused)),
                },
                Some((_, Pick::Full)) | None => self.news.wait(),
            };
            if timeout(PATIENCE, &mut news).await.is_err() && !self.grow() {
                let _ = timeout(Duration::from_secs(5), news).await;
            }
            drop(waits);
        }
    }

    /// What the first connection that has anything has.
    fn pick(&self, may_be_spare: bool) -> Option<(Arc<Pooled>, Pick)> {
        self.living().into_iter().find_map(|pooled| {
            let pick = if may_be_spare { pooled.pick() } else { pooled.pick_bare() };
            (!matches!(pick, Pick::Full)).then_some((pooled, pick))
        })
    }

    fn refill(&self) {
        if let Some(pooled) = self.living().first() {
            channel::refill(pooled);
        }
    }

    /// Makes another connection, beside, unless there are enough. Says whether one is under way.
    fn grow(self: &Arc<Self>) -> bool {
        let mut growth = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        if growth.is_under_way {
            return true;
        }
        let failed_lately = growth.failed.is_some_and(|failed| failed.elapsed() < GROW_AGAIN);
        let connections = self.living();
        let most = if connections.iter().any(|pooled| pooled.is_single()) {
            SINGLE_CONNECTIONS
        } else {
            CONNECTIONS
        };
        if failed_lately || connections.len() >= most || self.is_closed.load(Ordering::Relaxed) {
            return false;
        }
        growth.is_under_way = true;
        drop(growth);
        let session = Arc::clone(self);
        tokio::spawn(async move {
            let connection = reach(&session.spec, &session.options).await;
            let mut growth = session.growing.lock().unwrap_or_else(PoisonError::into_inner);
            growth.is_under_way = false;
            match connection {
                Ok(connection) => {
                    session.connections().push(Pooled::new(connection, Arc::clone(&session.news)));
                }
                Err(_) => growth.failed = Some(Instant::now()),
            }
            drop(growth);
            session.news.changed.notify_waiters();
        });
        true
    }

    /// The connections that live.
    fn living(&self) -> Vec<Arc<Pooled>> {
        let mut connections = self.connections();
        connections.retain(|pooled| {
            let is_dead = pooled.is_dead();
            if is_dead {
                pooled.drop_spares();
            }
            !is_dead
        });
        connections.clone()
    }

    fn connections(&self) -> MutexGuard<'_, Vec<Arc<Pooled>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends its connections politely.
    pub(crate) async fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        let connections = std::mem::take(&mut *self.connections());
        for pooled in connections {
            pooled.drop_spares();
            let farewell = pooled.connection.handle.disconnect(russh::Disconnect::ByApplication, "", "en");
            let _late = timeout(Duration::from_secs(1), farewell).await;
            let _late = timeout(Duration::from_millis(500), pooled.connection.wait_ended()).await;
        }
    }

    fn refusal(&self, refused: Refused) -> HostError {
        match refused {
            Refused::Full => self
                .error("it allows no channel on a connection", Vec::new())
                .hint("raise `MaxSessions` in the host's /etc/ssh/sshd_config"),
            Refused::Again => self.error("the server closes every channel at once", Vec::new()),
            Refused::Dead(reason) => self.error("the connection broke", vec![reason]),
            Refused::Never(HostError { message, causes, hint, .. }) => {
                HostError { hint, ..self.error(&message, causes) }
            }
        }
    }

    fn error(&self, what: &str, causes: Vec<String>) -> HostError {
        let mut error = HostError::new(format!("no command could be started on `{}`", self.spec.name));
        error.causes.push(what.to_owned());
        error.causes.extend(causes);
        error
    }
}

impl Reach for Arc<Session> {
    fn exec<'a>(&'a self, exec: &'a Exec, way: Way) -> BoxFuture<'a, Result<Process, HostError>> {
        self.exec_urgent(exec, way).boxed()
    }

    fn is_at_hand(&self) -> bool {
        !self.living().is_empty()
    }

    fn typed(&self, command: &str) -> String {
        typed::over_ssh(&self.spec, &self.options.state, command)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for pooled in self.connections().iter() {
            pooled.drop_spares();
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("host", &self.spec.name).finish_non_exhaustive()
    }
}
