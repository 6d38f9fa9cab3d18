//! One host a name, connected when it is first needed and shared by all its steps.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::OnceCell;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use doppio_secrets::Prompt;
use doppio_secrets::SecretSession;
use doppio_text::name::EnvName;
use doppio_text::name::HostId;

use crate::FirstContact;
use crate::ForwardEvent;
use crate::Forwarding;
use crate::Hardware;
use crate::Host;
use crate::HostError;
use crate::HostSpec;
use crate::HostsFile;
use crate::PortForward;
use crate::RentedMachines;
use crate::Transport;
use crate::forward;
use crate::hardware;
use crate::openssh_host;
use crate::openssh_host::OpenSshHost;
use crate::resolve::Resolver;
use crate::resolve::Target;
use crate::ssh::connect::Handshakes;
use crate::ssh::forward::Tunnel;
use crate::ssh::identity;
use crate::ssh::options::ConnectOptions;
use crate::ssh::sandbox::Sandbox;
use crate::ssh::session::Session;
use crate::ssh::winners::Winners;

/// What a pool needs to know.
pub struct PoolOptions {
    /// The user's `hosts.toml`.
    pub hosts: HostsFile,
    /// Passphrases and passwords come from here (`ssh/passphrase`, `ssh/password`).
    pub secrets: Arc<SecretSession>,
    /// Who is asked when the vault has none.
    pub prompt: Arc<dyn Prompt>,
    /// The user's home, for `~/.ssh`.
    pub home: PathBuf,
    /// Doppio's own state directory, where the host keys it learnt are kept.
    pub state: PathBuf,
    /// The agent's socket, if there is one.
    pub agent: Option<PathBuf>,
    /// What happens to a host key that nobody knows, where the host's own settings leave it open.
    pub first_contact: FirstContact,
    /// Every host is the sandbox.
    pub sandbox: bool,
    /// The variables that steps will want to send, for learning which a server accepts.
    pub env_names: BTreeSet<EnvName>,
    /// What knows the user's rented machines; without it no host is one.
    pub rented: Option<Arc<dyn RentedMachines>>,
}

impl PoolOptions {
    /// What its connections share.
    pub(crate) fn connect(&self) -> ConnectOptions {
        ConnectOptions {
            secrets: Arc::clone(&self.secrets),
            prompt: Arc::clone(&self.prompt),
            home: self.home.clone(),
            state: self.state.clone(),
            hosts_toml: self.hosts.path().to_owned(),
            first_contact: self.first_contact,
            agent: self.agent.clone(),
            handshakes: Handshakes::default(),
            rented: self.rented.clone(),
            winners: Winners::default(),
        }
    }
}

/// All hosts of a run.
pub struct Pool {
    hosts: HostsFile,
    home: PathBuf,
    connect: ConnectOptions,
    all_sandbox: bool,
    env_names: BTreeSet<EnvName>,
    newcomers: Mutex<BTreeSet<String>>,
    known: Mutex<HashMap<HostId, Arc<OnceCell<Host>>>>,
    /// What hosts had when they were last asked.
    hardware: Mutex<HashMap<HostId, Arc<Hardware>>>,
    sessions: Mutex<Vec<Arc<Session>>>,
    by_openssh: Mutex<Vec<Arc<OpenSshHost>>>,
    sandbox: OnceCell<(Sandbox, Arc<Session>)>,
}

impl Pool {
    /// An empty pool; nothing is connected yet.
    pub fn new(options: PoolOptions) -> Self {
        Self {
            home: options.home.clone(),
            connect: options.connect(),
            hosts: options.hosts,
            all_sandbox: options.sandbox,
            env_names: options.env_names,
            newcomers: Mutex::default(),
            known: Mutex::default(),
            hardware: Mutex::default(),
            sessions: Mutex::default(),
            by_openssh: Mutex::default(),
            sandbox: OnceCell::new(),
        }
    }

    /// Whether a name can be resolved, without connecting: for the plan. Gives where it leads, as
    /// in `root@10.0.0.7:22`.
    ///
    /// # Errors
    ///
    /// When the name is unknown, with similar names.
    pub async fn resolve(&self, id: &HostId) -> Result<String, HostError> {
        Ok(match self.target(id).await? {
            Target::Local => "this machine".to_owned(),
            Target::Sandbox => "the sandbox".to_owned(),
            Target::Ssh(spec) => spec.place(),
        })
    }

    /// The user's home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The public half of the key that would be offered first to a host, as a line of
    /// `authorized_keys`: what a machine that is to be hired must let in.
    ///
    /// # Errors
    ///
    /// When the name can't be resolved.
    pub async fn own_key(&self, id: &HostId) -> Result<Option<String>, HostError> {
        Ok(match self.target(id).await? {
            Target::Ssh(spec) => identity::own_key(&spec, &self.connect).await,
            Target::Local | Target::Sandbox => None,
        })
    }

    /// The host, connected and authenticated. Steps that ask at the same time share the attempt;
    /// a host whose connection has died is connected anew.
    ///
    /// # Errors
    ///
    /// When it can't be resolved, reached, trusted or logged in to.
    pub async fn host(&self, id: &HostId) -> Result<Host, HostError> {
        let cell = Arc::clone(self.known().entry(id.clone()).or_default());
        let host = cell.get_or_try_init(|| self.find(id)).await?;
        host.connect().await?;
        Ok(host.clone())
    }

    /// What a host has, which is asked now and remembered.
    ///
    /// # Errors
    ///
    /// When there is no [`Self::host`], or it does not say.
    pub async fn hardware(&self, id: &HostId) -> Result<Arc<Hardware>, HostError> {
        let found = Arc::new(hardware(&self.host(id).await?).await?);
        let mut all = self.hardware.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(id.clone(), Arc::clone(&found));
        Ok(found)
    }

    /// What a host had when it was last asked; none if it never was.
    pub fn known_hardware(&self, id: &HostId) -> Option<Arc<Hardware>> {
        self.hardware.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Opens ports of this machine, on loopback, that lead to ports as the host sees them, over a
    /// connection of their own, which is made again when it breaks. What happens meanwhile goes to
    /// `events`. For this machine and the sandbox, which runs here, there is nothing to open.
    ///
    /// # Errors
    ///
    /// When a port is in use, or the host can't be resolved, reached, trusted or logged in to.
    pub async fn forward(
        &self,
        id: &HostId,
        ports: &[PortForward],
        events: UnboundedSender<ForwardEvent>,
    ) -> Result<Option<Forwarding>, HostError> {
        let Target::Ssh(spec) = self.target(id).await? else { return Ok(None) };
        if spec.transport == Transport::OpenSsh {
            return Err(HostError::new(format!("no ports of `{id}` can be opened here"))
                .cause("its transport is `openssh`, and Doppio opens ports over its own connections only")
                .hint(openssh_host::forward_by_hand(&spec, ports)));
        }
        // Before the login, which takes longer.
        let listening = forward::listen(ports).await?;
        let tunnel = Tunnel::open(*spec, self.connect.clone(), events).await?;
        Ok(Some(Forwarding::open(listening, tunnel)))
    }

    /// This machine.
    pub fn local(&self) -> Host {
        Host::local()
    }

    /// Closes every connection politely, within a second, and ends the sandbox.
    pub async fn close(&self) {
        let mut sessions = std::mem::take(&mut *self.sessions.lock().unwrap_or_else(PoisonError::into_inner));
        sessions.extend(self.sandbox.get().map(|(_, session)| Arc::clone(session)));
        let farewells = join_all(sessions.iter().map(|session| session.close()));
        let _late = timeout(Duration::from_secs(1), farewells).await;
        let by_openssh = std::mem::take(&mut *self.by_openssh.lock().unwrap_or_else(PoisonError::into_inner));
        join_all(by_openssh.iter().map(|host| host.close())).await;
        if let Some((sandbox, _)) = self.sandbox.get() {
            sandbox.close().await;
        }
    }

    async fn target(&self, id: &HostId) -> Result<Target, HostError> {
        // With the sandbox in place of all hosts, names need not mean anything.
        if self.all_sandbox {
            return Ok(Target::Sandbox);
        }
        let rented = self.connect.rented.as_deref();
        let mut target = Resolver { hosts: &self.hosts, home: &self.home, rented }.resolve(id).await?;
        if let Target::Ssh(spec) = &mut target
            && let Some(id) = &spec.rented
            && self.newcomers.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
        {
            spec.first_contact.get_or_insert(FirstContact::Accept);
        }
        Ok(target)
    }

    /// A rented machine is new: nobody can know its key beforehand, so that the first one that it shows is
    /// kept, also where nobody is there to look at it.
    pub fn welcome(&self, id: &HostId) {
        let id = self.connect.rented.as_deref().and_then(|rented| rented.id(id.as_str()));
        self.newcomers.lock().unwrap_or_else(PoisonError::into_inner).extend(id);
    }

    async fn find(&self, id: &HostId) -> Result<Host, HostError> {
        Ok(match self.target(id).await? {
            Target::Local => Host::local(),
            Target::Sandbox => Host::ssh(id.clone(), Arc::clone(self.sandbox().await?)),
            Target::Ssh(spec) if spec.transport == Transport::OpenSsh => {
                let host = OpenSshHost::new(*spec, self.connect.clone());
                self.by_openssh.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&host));
                Host::openssh(id.clone(), host)
            }
            Target::Ssh(spec) => {
                let session = self.session(*spec);
                self.sessions.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&session));
                Host::ssh(id.clone(), session)
            }
        })
    }

    async fn sandbox(&self) -> Result<&Arc<Session>, HostError> {
        let made = self
            .sandbox
            .get_or_try_init(|| async {
                let sandbox = Sandbox::start(&self.connect.state).await?;
                let session = self.session(sandbox.spec().clone());
                Ok((sandbox, session))
            })
            .await?;
        Ok(&made.1)
    }

    fn session(&self, spec: HostSpec) -> Arc<Session> {
        Session::new(spec, self.connect.clone(), self.env_names.clone())
    }

    fn known(&self) -> MutexGuard<'_, HashMap<HostId, Arc<OnceCell<Host>>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
