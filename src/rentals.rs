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
use doppio_rented::RentedError;
use doppio_rented::Vast;
use doppio_rented::Vendor;
use doppio_rented::VendorName;
use doppio_secrets::Environment;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretSession;
use doppio_secrets::SecretValue;
use doppio_secrets::vendor;
use doppio_text::name::SecretName;
use doppio_text::shell::typed;

/// The user's machines at vendors.
pub struct Rentals {
    secrets: Arc<SecretSession>,
    env: Environment,
    home: PathBuf,
    vast: OnceCell<Arc<dyn Vendor>>,
    seen: Mutex<HashMap<MachineId, (Instant, Machine)>>,
}

/// How long what a vendor said of a machine is not asked again: vendors want seconds between requests.
const FRESH: Duration = Duration::from_secs(5);

impl Rentals {
    /// Nobody is asked, and no key is read, until a machine is meant. `home` is where the vendors' own
    /// clients keep their keys.
    pub fn new(secrets: Arc<SecretSession>, env: Environment, home: PathBuf) -> Self {
        Self { secrets, env, home, vast: OnceCell::new(), seen: Mutex::default() }
    }

    /// A vendor, with the user's key.
    ///
    /// # Errors
    ///
    /// When there is no key, or Doppio can't speak with that vendor.
    pub async fn vendor(&self, name: VendorName) -> Result<Arc<dyn Vendor>, HostError> {
        match name {
            VendorName::Vast => self.vast.get_or_try_init(|| self.connect(name)).await.cloned(),
            VendorName::Runpod | VendorName::Lambda => {
                Err(HostError::new(format!("doppio can't ask {} for machines", name.shown())).hint(format!(
                    "add the machine by the address that its console shows: {}",
                    typed(["doppio", "host", "add", "NAME", "ssh -p PORT USER@ADDRESS"])
                )))
            }
        }
    }

    /// Where a vendor's API is, if not at its own address.
    pub fn base(&self, name: VendorName) -> Option<String> {
        let base = self.env.text(&format!("{}_URL", name.as_str().to_ascii_uppercase()));
        base.filter(|base| !base.trim().is_empty()).map(str::to_owned)
    }

    async fn connect(&self, name: VendorName) -> Result<Arc<dyn Vendor>, HostError> {
        let account = Account { keys: self.keys(name).await?, base: self.base(name), in_haste: false };
        let vast = Vast::new(&account).map_err(|error| told(&error))?;
        Ok(Arc::new(vast))
    }

    /// The key of the ladder, else those of the vendor's own client.
    async fn keys(&self, name: VendorName) -> Result<Vec<SecretValue>, HostError> {
        let secret: SecretName = name.secret().parse().map_err(|_| HostError::new("no such secret"))?;
        let missing = match self.secrets.fetch(&SecretRef::from(secret)).await {
            Ok(key) => return Ok(vec![key]),
            Err(error) => error,
        };
        let found = match name {
            VendorName::Vast => vendor::vast_keys(&self.env, &self.home),
            VendorName::Runpod | VendorName::Lambda => Ok(Vec::new()),
        };
        let found = found.map_err(|error| HostError::new(error.cause).hint(error.hint))?;
        let keys: Vec<_> =
            found.into_iter().flat_map(|found| found.parts).filter_map(|part| part.value).collect();
        if keys.is_empty() {
            let mut error = HostError::new(missing.to_string());
            error.hint = missing.hint().map(str::to_owned);
            return Err(error);
        }
        Ok(keys)
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
        let id: MachineId =
            id.parse().map_err(|error: doppio_rented::NotMachineId| HostError::new(error.to_string()))?;
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
            let id: MachineId =
                id.parse().map_err(|error: doppio_rented::NotMachineId| HostError::new(error.to_string()))?;
            match self.vendor(id.vendor).await?.attach_key(&id, key).await {
                Ok(()) => Ok(true),
                Err(RentedError::Unable { .. }) => Ok(false),
                Err(error) => Err(told(&error)),
            }
        }
        .boxed()
    }
}

/// A vendor's error, as that of a host.
pub fn told(error: &RentedError) -> HostError {
    HostError::new(error.to_string()).hint(error.hint())
}
