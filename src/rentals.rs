//! The user's machines at vendors: one client a vendor, made when it is first needed, with the key that the
//! ladder has.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use doppio_hosts::Endpoint;
use doppio_hosts::HostError;
use doppio_hosts::RentedMachines;
use doppio_rented::Account;
use doppio_rented::EndpointKind;
use doppio_rented::Machine;
use doppio_rented::MachineId;
use doppio_rented::MachineState;
use doppio_rented::PriceRise;
use doppio_rented::RentedError;
use doppio_rented::Vendor;
use doppio_rented::VendorName;
use doppio_secrets::Environment;
use doppio_secrets::SecretError;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretSession;
use doppio_secrets::SecretValue;
use doppio_secrets::vendor;
use doppio_secrets::vendor::Credential;
use doppio_secrets::vendor::ProviderError;
use doppio_text::name::RunId;
use doppio_text::name::SecretName;
use doppio_text::shell::typed;

/// Why a vendor can't be asked.
#[derive(Debug, thiserror::Error)]
pub enum NoVendor {
    /// There is no key, or whether there is one is not known.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The files of the vendor's own client can't be read.
    #[error("cannot read the key of the client of {}: {}", .0.shown(), .1.cause)]
    Client(VendorName, ProviderError),
    /// Nothing is hired there.
    #[error("{} is not asked from the sandbox", .0.shown())]
    InSandbox(VendorName),
    /// The key or the address is of no use.
    #[error(transparent)]
    Rented(#[from] RentedError),
}

impl From<NoVendor> for HostError {
    fn from(error: NoVendor) -> Self {
        match &error {
            NoVendor::Secret(missing) => {
                let hint = missing.hint().map(str::to_owned);
                Self { hint, ..Self::new(error.to_string()) }
            }
            NoVendor::Client(_, unread) => Self::new(error.to_string()).hint(unread.hint.clone()),
            NoVendor::InSandbox(_) => Self::new(error.to_string()),
            NoVendor::Rented(error) => told(error),
        }
    }
}

/// Whether a run of this computer goes on.
type IsLive = Box<dyn Fn(&RunId) -> bool + Send + Sync>;

/// The user's machines at vendors.
pub struct Rentals {
    secrets: Arc<SecretSession>,
    env: Environment,
    home: PathBuf,
    warn: fn(&str),
    vendors: [OnceCell<Arc<dyn Vendor>>; VendorName::ALL.len()],
    seen: Mutex<HashMap<MachineId, (Instant, Machine)>>,
    in_sandbox: bool,
    is_live: IsLive,
}

/// How long what a vendor said of a machine is not asked again: vendors want seconds between requests.
const FRESH: Duration = Duration::from_secs(5);

impl Rentals {
    /// Nobody is asked, and no key is read, until a machine is meant. `home` is where the vendors' own
    /// clients keep their keys.
    pub fn new(secrets: Arc<SecretSession>, env: Environment, home: PathBuf) -> Self {
        Self {
            secrets,
            env,
            home,
            warn: |_| {},
            vendors: Default::default(),
            seen: Mutex::default(),
            in_sandbox: false,
            is_live: Box::new(|_| false),
        }
    }

    /// What is told of files of the vendors' clients that are not as they should be.
    #[must_use]
    pub fn warning(self, warn: fn(&str)) -> Self {
        Self { warn, ..self }
    }

    /// How to see whether a run goes on.
    #[must_use]
    pub fn with_runs(self, is_live: impl Fn(&RunId) -> bool + Send + Sync + 'static) -> Self {
        Self { is_live: Box::new(is_live), ..self }
    }

    /// Whether a run goes on, so that what it hired is in use.
    pub fn is_in_use_by(&self, run: &RunId) -> bool {
        (self.is_live)(run)
    }

    /// Where every host is the sandbox, no vendor is asked: nothing is hired there, and nothing destroyed.
    #[must_use]
    pub fn in_sandbox(self, in_sandbox: bool) -> Self {
        Self { in_sandbox, ..self }
    }

    /// Whether no vendor is asked.
    pub fn is_in_sandbox(&self) -> bool {
        self.in_sandbox
    }

    /// A vendor, with the user's key.
    ///
    /// # Errors
    ///
    /// When there is no key, or the vendor's address is not one that a key may be sent to; in the sandbox.
    pub async fn vendor(&self, name: VendorName) -> Result<Arc<dyn Vendor>, NoVendor> {
        if self.in_sandbox {
            return Err(NoVendor::InSandbox(name));
        }
        let kept = VendorName::ALL.into_iter().zip(&self.vendors).find(|(known, _)| *known == name);
        match kept {
            Some((_, kept)) => kept.get_or_try_init(|| self.connect(name)).await.cloned(),
            None => self.connect(name).await,
        }
    }

    /// What the host of a machine wants for it in the middle of the contract, if it does.
    ///
    /// # Errors
    ///
    /// When it is not a rented machine, or its vendor does not answer.
    pub async fn price_rise(&self, machine: &str) -> Result<Option<PriceRise>, HostError> {
        let id = id_of(machine)?;
        let rises = self.vendor(id.vendor).await?.price_rises().await.map_err(|error| told(&error))?;
        Ok(rises.into_iter().find(|rise| rise.machine == id))
    }

    /// What became of a machine that should run; none if it does, or is on its way.
    ///
    /// # Errors
    ///
    /// When it is not a rented machine, or its vendor does not answer.
    pub async fn halted(&self, machine: &str) -> Result<Option<Halted>, HostError> {
        let id = id_of(machine)?;
        let vendor = self.vendor(id.vendor).await?;
        for _ in 0..LOOKS {
            let found = match vendor.show(&id).await {
                Err(RentedError::NoMachine(_)) => continue,
                found => found.map_err(|error| told(&error))?,
            };
            let what = match found.state {
                MachineState::Gone => break,
                MachineState::Stopped | MachineState::Exited | MachineState::Stopping => {
                    let taken = ", as happens when somebody bids more";
                    let taken = if found.is_interruptible { taken } else { "" };
                    format!("is {}{taken}", found.state.as_str())
                }
                _ => return Ok(None),
            };
            let per_hour = found.stopped_per_day.map_or(0.0, |day| day.0 / 24.0);
            return Ok(Some(Halted { what, per_hour }));
        }
        Ok(Some(Halted { what: "does not exist any more".to_owned(), per_hour: 0.0 }))
    }

    /// Where a vendor's API is, if not at its own address.
    pub fn base(&self, name: VendorName) -> Option<String> {
        let base = self.env.text(&format!("{}_URL", name.as_str().to_ascii_uppercase()));
        base.filter(|base| !base.trim().is_empty()).map(str::to_owned)
    }

    async fn connect(&self, name: VendorName) -> Result<Arc<dyn Vendor>, NoVendor> {
        let account = Account { keys: self.keys(name).await?, base: self.base(name), in_haste: false };
        Ok(doppio_rented::connect(name, &account)?)
    }

    /// The key of the ladder, else those of the vendor's own client.
    async fn keys(&self, name: VendorName) -> Result<Vec<SecretValue>, NoVendor> {
        let secret: SecretName = name.secret().parse().map_err(|_| RentedError::NoKey(name))?;
        match self.secrets.fetch(&SecretRef::from(secret)).await {
            Ok(key) => {
                // Where the ladder found the client's key that expires, the next ones stand behind it.
                let mut keys = self.of_client(name).map(values).unwrap_or_default();
                let at = keys.iter().position(|known| known.is_same(&key));
                Ok(at.map_or_else(|| vec![key], |at| keys.split_off(at)))
            }
            Err(missing @ SecretError::Missing { .. }) => {
                let found = self.of_client(name)?;
                if found.is_empty() {
                    return Err(missing.into());
                }
                let warnings = found.iter().flat_map(|credential| &credential.warnings);
                warnings.for_each(|warning| (self.warn)(warning));
                Ok(values(found))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The keys that the vendor's own client keeps, with what is unsafe about their files.
    fn of_client(&self, name: VendorName) -> Result<Vec<Credential>, NoVendor> {
        let found = vendor::client_keys(name.as_str(), &self.env, &self.home);
        found.map_err(|error| NoVendor::Client(name, error))
    }

    /// Remembers for a moment what a vendor has just said of a machine.
    pub fn note(&self, machine: &Machine) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(machine.id.clone(), (Instant::now(), machine.clone()));
    }

    /// What was said of it a moment ago. It is used once: whoever asks again has a reason.
    fn noted(&self, id: &MachineId) -> Option<Machine> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(id).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, machine)| machine)
    }

    async fn running(&self, id: &str) -> Result<Machine, HostError> {
        let id = id_of(id)?;
        let vendor = self.vendor(id.vendor).await?;
        let machine = match self.noted(&id) {
            Some(machine) => machine,
            None => vendor.show(&id).await.map_err(|error| told(&error))?,
        };
        if matches!(machine.state, MachineState::Running | MachineState::Unknown(_)) {
            return Ok(machine);
        }
        let error = HostError::new(format!("`{id}` is {}", machine.state.as_str()));
        let error = match &machine.message {
            Some(message) => error.cause(format!("{} says: {message}", id.vendor.shown())),
            None => error,
        };
        let vendor = id.vendor.as_str();
        Err(match machine.state {
            MachineState::Stopped | MachineState::Exited => {
                error.hint(format!("start it: {}", typed(["doppio", vendor, "start", &id.to_string()])))
            }
            _ => error
                .hint(format!("see how it stands: {}", typed(["doppio", vendor, "show", &id.to_string()]))),
        })
    }
}

/// A machine that does not run any more.
#[derive(Debug, Clone, PartialEq)]
pub struct Halted {
    /// What became of it, as in "is stopped".
    pub what: String,
    /// What an hour of it still costs, in US dollars: its disk.
    pub per_hour: f64,
}

/// How often a machine that its vendor does not know is asked for before it is gone: lists have gaps.
const LOOKS: u32 = 3;

/// Knows rented machines by their names and nothing else of them: for plans, which ask nobody.
#[derive(Debug, Clone, Copy)]
pub struct ByName;

impl RentedMachines for ByName {
    fn id(&self, name: &str) -> Option<String> {
        name.parse::<MachineId>().ok().map(|id| id.to_string())
    }

    fn endpoints<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Vec<Endpoint>, HostError>> {
        std::future::ready(Err(HostError::new(format!("where `{id}` is was not asked")))).boxed()
    }

    fn attach_key<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<bool, HostError>> {
        std::future::ready(Ok(false)).boxed()
    }
}

impl RentedMachines for Rentals {
    fn id(&self, name: &str) -> Option<String> {
        ByName.id(name)
    }

    fn endpoints<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Vec<Endpoint>, HostError>> {
        async move {
            let machine = self.running(id).await?;
            if machine.endpoints.is_empty() {
                return Err(unreachable(&machine));
            }
            let endpoint = |endpoint: doppio_rented::Endpoint| Endpoint {
                way: match endpoint.kind {
                    EndpointKind::Direct => "direct",
                    EndpointKind::Proxy => "proxy",
                },
                user: endpoint.user,
                hostname: endpoint.host,
                port: endpoint.port,
            };
            Ok(machine.endpoints.into_iter().map(endpoint).collect())
        }
        .boxed()
    }

    fn attach_key<'a>(&'a self, id: &'a str, key: &'a str) -> BoxFuture<'a, Result<bool, HostError>> {
        async move {
            let id = id_of(id)?;
            match self.vendor(id.vendor).await?.attach_key(&id, key).await {
                Ok(()) => Ok(true),
                Err(RentedError::Unable { .. }) => Ok(false),
                Err(error) => Err(told(&error)),
            }
        }
        .boxed()
    }
}

fn values(found: Vec<Credential>) -> Vec<SecretValue> {
    found.into_iter().flat_map(|found| found.parts).filter_map(|part| part.value).collect()
}

/// A machine runs, and nothing leads to its SSH server.
fn unreachable(machine: &Machine) -> HostError {
    let id = &machine.id;
    let error = HostError::new(format!("`{id}` runs, and its SSH server can't be reached"));
    let error = machine.message.iter().fold(error, |error, message| error.cause(message.clone()));
    error.hint(format!(
        "see how it stands: {}",
        typed(["doppio", id.vendor.as_str(), "show", &id.to_string()])
    ))
}

fn id_of(machine: &str) -> Result<MachineId, HostError> {
    machine.parse().map_err(|error: doppio_rented::NotMachineId| HostError::new(error.to_string()))
}

/// A vendor's error, as that of a host.
pub fn told(error: &RentedError) -> HostError {
    HostError::new(error.to_string()).hint(error.hint())
}
