//! All providers, and who is meant by a name.

use doppio_text::closest;
use doppio_text::name::SecretName;

use crate::Origin;
use crate::SecretRef;
use crate::provider::anthropic;
use crate::provider::aws;
use crate::provider::azure;
use crate::provider::credential::Provider;
use crate::provider::docker;
use crate::provider::gcp;
use crate::provider::git;
use crate::provider::github;
use crate::provider::gpu_clouds;
use crate::provider::huggingface;
use crate::provider::kaggle;
use crate::provider::keys;
use crate::provider::kubeconfig;
use crate::provider::langsmith;
use crate::provider::netrc;
use crate::provider::npm;
use crate::provider::pypi;
use crate::provider::row::Key;
use crate::provider::ssh;
use crate::provider::wandb;
use crate::source::variables;

/// All of them, in the order in which they are listed.
pub static PROVIDERS: &[&Provider] = &[
    &anthropic::PROVIDER,
    &aws::PROVIDER,
    &azure::PROVIDER,
    &keys::COHERE,
    &docker::PROVIDER,
    &gcp::PROVIDER,
    &git::PROVIDER,
    &github::PROVIDER,
    &huggingface::PROVIDER,
    &kaggle::PROVIDER,
    &kubeconfig::PROVIDER,
    &gpu_clouds::LAMBDA,
    &langsmith::PROVIDER,
    &netrc::PROVIDER,
    &npm::PROVIDER,
    &keys::OPENAI,
    &keys::PINECONE,
    &pypi::PROVIDER,
    &gpu_clouds::RUNPOD,
    &ssh::PROVIDER,
    &pypi::UV,
    &gpu_clouds::VAST,
    &wandb::PROVIDER,
];

/// There is no such provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownProvider {
    /// No provider.
    #[error("no provider is called `{name}`")]
    Name {
        /// The name as written.
        name: String,
        /// The one that was probably meant.
        near: Option<&'static str>,
    },
    /// Not one of several, for the provider has one.
    #[error("`{provider}` has only one credential on a machine; none is called `{which}`")]
    Which {
        /// The provider.
        provider: &'static str,
        /// What stands behind the colon.
        which: String,
    },
}

impl UnknownProvider {
    /// What there is.
    pub fn hint(&self) -> String {
        match self {
            Self::Which { provider, .. } => format!("write `{provider}`"),
            Self::Name { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::Name { near: None, .. } => format!(
                "the providers are {}",
                PROVIDERS.iter().map(|known| format!("`{}`", known.name)).collect::<Vec<_>>().join(", ")
            ),
        }
    }
}

/// The provider of this name or alias.
///
/// # Errors
///
/// When there is none, with what was probably meant.
pub fn find(name: &str) -> Result<&'static Provider, UnknownProvider> {
    let is_named = |known: &&&Provider| known.name == name || known.aliases.contains(&name);
    if let Some(known) = PROVIDERS.iter().find(is_named) {
        return Ok(known);
    }
    let names = PROVIDERS.iter().flat_map(|known| known.aliases.iter().copied().chain([known.name]));
    Err(UnknownProvider::Name { name: name.to_owned(), near: closest(name, names) })
}

/// The provider that a secret of this name belongs to, as `huggingface/token` to `huggingface`.
pub fn of_secret(name: &SecretName) -> Option<(&'static Provider, &'static Key)> {
    PROVIDERS.iter().find_map(|provider| {
        let key = provider.keys().find(|key| key.name == name.as_str())?;
        Some((*provider, key))
    })
}

/// Whether what has this name is not a secret though it is kept beside one, as a user's name.
pub fn is_public(name: &str) -> bool {
    PROVIDERS.iter().flat_map(|provider| provider.keys()).any(|key| key.name == name && key.is_public)
}

/// The provider whose secret a reference means: by its name, by a path that is one, or by the
/// variable that the vendor reads, however the name is spelled that leads to it.
pub fn of_reference(reference: &SecretRef) -> Option<&'static Provider> {
    let of_variable = |variable: &str| {
        PROVIDERS.iter().copied().find(|known| known.keys().any(|key| key.read.contains(&variable)))
    };
    let of_name = |name: &SecretName| {
        let named = of_secret(name).map(|(provider, _)| provider);
        named.or_else(|| variables(name).iter().find_map(|variable| of_variable(variable)))
    };
    match &reference.origin {
        Origin::Name(name) => of_name(name),
        Origin::Source { scheme, path } if matches!(scheme.as_str(), "env" | "dotenv") => of_variable(path),
        Origin::Source { path, .. } => of_name(&path.parse().ok()?),
    }
}
