//! A provider as a recipe names it, and what it keeps on this machine.

use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;
use serde::Serialize;

use crate::Environment;
use crate::vendor;
use crate::vendor::UnknownProvider;
use crate::vendor::Vendor;
use crate::vendor::error::ProviderError;
use crate::vendor::gpu_clouds;
use crate::vendor::local::Local;
use crate::vendor::row::Credential;

/// A provider as a recipe names it: `aws`, or `aws:prod` for one profile of several.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Wanted {
    /// Which provider.
    pub provider: &'static Vendor,
    /// Which profile, host, registry, context or key of it.
    pub which: Option<String>,
}

impl FromStr for Wanted {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, UnknownProvider> {
        let (name, which) = text.split_once(':').map_or((text, None), |(name, which)| (name, Some(which)));
        let which = which.filter(|which| !which.is_empty()).map(str::to_owned);
        let provider = vendor::find(name)?;
        match which {
            Some(which) if provider.accounts.is_none() => {
                Err(UnknownProvider::Which { provider: provider.name, which })
            }
            which => Ok(Self { provider, which }),
        }
    }
}

impl TryFrom<String> for Wanted {
    type Error = UnknownProvider;

    fn try_from(text: String) -> Result<Self, UnknownProvider> {
        text.parse()
    }
}

impl From<Wanted> for String {
    fn from(wanted: Wanted) -> Self {
        wanted.to_string()
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.provider.name)?;
        self.which.iter().try_for_each(|which| write!(f, ":{which}"))
    }
}

impl Wanted {
    /// Whether both set the same variables, so that a step would get parts of each.
    pub fn clashes_with(&self, other: &Self) -> bool {
        self != other && self.provider.name == other.provider.name && self.provider.sets.len() == 1
    }
}

impl Eq for Wanted {}

impl PartialEq for Wanted {
    fn eq(&self, other: &Self) -> bool {
        self.provider.name == other.provider.name && self.which == other.which
    }
}

/// What a variable that goes along with a vendor's secrets says, as `WANDB_BASE_URL`: the variable itself,
/// else the settings files of the vendor's tools.
pub fn companion(vendor: &Vendor, name: &str, env: &Environment, home: &Path) -> Option<String> {
    vendor.companion(name, &Local::new(env, home))
}

/// All keys that a GPU cloud's own client keeps on this machine, in the order in which it tries them: that of
/// vast.ai has one of a login with a second factor, which expires, and tries the next one then. None for a name
/// that is not a vendor's.
///
/// # Errors
///
/// When a file can't be read or understood.
pub fn client_keys(name: &str, env: &Environment, home: &Path) -> Result<Vec<Credential>, ProviderError> {
    let Ok(provider) = vendor::find(name) else { return Ok(Vec::new()) };
    gpu_clouds::keys(provider, &Local::new(env, home))
}

/// What a provider keeps on this machine, none where it keeps nothing. Runs the vendor's own program
/// where only that can tell (`gh auth token`, `aws configure export-credentials`).
///
/// # Errors
///
/// When a file can't be read or understood, two settings contradict each other, or the credential is of no
/// use away from this machine.
pub fn read(wanted: &Wanted, env: &Environment, home: &Path) -> Result<Option<Credential>, ProviderError> {
    let provider = wanted.provider;
    let local = Local::new(env, home).which(wanted.which.as_deref());
    let Some(credential) = provider.look(&local)? else {
        return provider.lack(&local).map_or(Ok(None), Err);
    };
    // What is of no use away from this machine is of none in a store either.
    if let Some(cause) = &credential.refusal {
        return Err(ProviderError {
            cause: format!("{}: {cause}", credential.place()),
            hint: provider.alternative.to_owned(),
        });
    }
    Ok(Some(credential))
}
