//! A host that is ready to run scripts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use doppio_secrets::SecretValue;
use doppio_secrets::Wanted;
use doppio_text::name::EnvName;
use doppio_text::name::HostId;

use crate::EnvVar;
use crate::Exec;
use crate::HostError;
use crate::HostSpec;
use crate::Process;
use crate::Trust;
use crate::local;
use crate::local::Inherit;
use crate::openssh_host::OpenSshHost;
use crate::ssh::session::Session;

/// A host that is ready. Cheap to clone.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    id: HostId,
    trust: Trust,
    env: BTreeMap<String, String>,
    workdir: Option<String>,
    credentials: Vec<Wanted>,
    transport: Transport,
}

/// Where scripts go.
enum Transport {
    /// To this machine.
    Local,
    /// Over SSH.
    Ssh(Arc<Session>),
    /// Over the user's own `ssh`.
    OpenSsh(Arc<OpenSshHost>),
}

impl Host {
    /// This machine. Scripts run in Doppio's own directory unless they say otherwise.
    #[expect(clippy::missing_panics_doc, reason = "the one name that is parsed is valid")]
    pub fn local() -> Self {
        let id = "local".parse().expect("`local` is a host id");
        Self(Arc::new(Inner {
            id,
            trust: Trust::Owned,
            env: BTreeMap::new(),
            workdir: None,
            credentials: Vec::new(),
            transport: Transport::Local,
        }))
    }

    /// One over SSH, as a recipe calls it.
    pub(crate) fn ssh(id: HostId, session: Arc<Session>) -> Self {
        let spec = session.spec().clone();
        Self::of(id, spec, Transport::Ssh(session))
    }

    /// One over the user's own `ssh`, as a recipe calls it.
    pub(crate) fn openssh(id: HostId, host: Arc<OpenSshHost>) -> Self {
        let spec = host.spec().clone();
        Self::of(id, spec, Transport::OpenSsh(host))
    }

    fn of(id: HostId, spec: HostSpec, transport: Transport) -> Self {
        let HostSpec { trust, env, workdir, credentials, .. } = spec;
        Self(Arc::new(Inner { id, trust, env, workdir, credentials, transport }))
    }

    /// Its id, as the recipe has it.
    pub fn id(&self) -> &HostId {
        &self.0.id
    }

    /// Whether it is this machine, without SSH.
    pub fn is_local(&self) -> bool {
        matches!(self.0.transport, Transport::Local)
    }

    /// Who else has root on it.
    pub fn trust(&self) -> Trust {
        self.0.trust
    }

    /// The environment of every step on it, which [`Host::exec`] adds by itself.
    pub fn env(&self) -> &BTreeMap<String, String> {
        &self.0.env
    }

    /// Where steps run unless they say otherwise; [`Host::exec`] goes there by itself.
    pub fn workdir(&self) -> Option<&str> {
        self.0.workdir.as_deref()
    }

    /// The providers whose credentials every step on it has.
    pub fn credentials(&self) -> &[Wanted] {
        &self.0.credentials
    }

    /// Connects it, where it isn't.
    pub(crate) async fn connect(&self) -> Result<(), HostError> {
        match &self.0.transport {
            Transport::Local => Ok(()),
            Transport::Ssh(session) => session.connect().await,
            Transport::OpenSsh(host) => host.connect().await,
        }
    }

    /// Starts a script. When the future is dropped before it is ready, nothing was started.
    ///
    /// # Errors
    ///
    /// When no channel was available, or a variable may not travel the way the host demands.
    pub async fn exec(&self, exec: Exec) -> Result<Process, HostError> {
        let exec = self.with_defaults(exec)?;
        match &self.0.transport {
            // Boxed, or every future above would be as large.
            Transport::Local => Box::pin(local::exec(&exec, &Inherit::default())).await,
            Transport::Ssh(session) => Box::pin(session.exec(&exec)).await,
            Transport::OpenSsh(host) => Box::pin(host.exec(&exec)).await,
        }
    }

    /// The script with the host's own environment below its own, and the host's directory where
    /// it has none.
    fn with_defaults(&self, mut exec: Exec) -> Result<Exec, HostError> {
        if exec.workdir.is_none() {
            exec.workdir.clone_from(&self.0.workdir);
        }
        if self.0.env.is_empty() {
            return Ok(exec);
        }
        let mut env = Vec::with_capacity(self.0.env.len() + exec.env.len());
        for (name, value) in &self.0.env {
            let name: EnvName = name.parse().map_err(|error: doppio_text::name::InvalidName| {
                HostError::new(format!("the environment of `{}` can't be used", self.0.id))
                    .cause(error.to_string())
            })?;
            env.push(EnvVar::new(name, SecretValue::new(value.clone().into_bytes())));
        }
        env.append(&mut exec.env);
        exec.env = env;
        Ok(exec)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").field(&self.0.id).finish()
    }
}
