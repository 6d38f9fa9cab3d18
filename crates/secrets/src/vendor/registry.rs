//! Who is meant by a name.

use doppio_text::closest;
use doppio_text::name::SecretName;

use crate::Origin;
use crate::SecretRef;
use crate::SecretValue;
use crate::source::variables;
use crate::vendor::key::Key;
use crate::vendor::row::Vendor;
use crate::vendor::rows;
use crate::vendor::table::providers;
use crate::vendor::table::recognise;
use crate::vendor::tool_file::ToolFile;
use crate::vendor::tool_file::ToolSecret;

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
                providers().iter().map(|known| format!("`{}`", known.name)).collect::<Vec<_>>().join(", ")
            ),
        }
    }
}

/// The provider of this name or alias.
///
/// # Errors
///
/// When there is none, with what was probably meant.
pub fn find(name: &str) -> Result<&'static Vendor, UnknownProvider> {
    let is_named = |known: &&Vendor| known.name == name || known.aliases.contains(&name);
    let all = providers();
    if let Some(known) = all.iter().copied().find(is_named) {
        return Ok(known);
    }
    let names = all.iter().flat_map(|known| known.aliases.iter().copied().chain([known.name]));
    Err(UnknownProvider::Name { name: name.to_owned(), near: closest(name, names) })
}

/// The secrets of all credentials, each with its provider.
fn keys() -> impl Iterator<Item = (&'static Vendor, &'static Key)> {
    rows::all().flat_map(|vendor| vendor.keys().map(move |key| (vendor, key)))
}

/// The provider that a secret of this name belongs to, as `huggingface/token` to `huggingface`.
pub fn of_secret(name: &SecretName) -> Option<(&'static Vendor, &'static Key)> {
    keys().find(|(_, key)| key.name == name.as_str())
}

/// The token that the git of this host takes as a password, and the user's name beside it.
pub(crate) fn of_forge(host: &str) -> Option<(&'static Key, &'static str)> {
    rows::all().find_map(|vendor| {
        let (_, user) = vendor.forge.filter(|(known, _)| *known == host)?;
        Some((vendor.keys().next()?, user))
    })
}

/// Whether what has this name is not a secret though it is kept beside one, as a user's name.
pub fn is_public(name: &str) -> bool {
    keys().any(|(_, key)| key.name == name && key.is_public)
}

/// The provider whose secret a reference means: by its name, by a path that is one, or by the
/// variable that the vendor reads, however the name is spelled that leads to it.
pub fn of_reference(reference: &SecretRef) -> Option<&'static Vendor> {
    let of_variable = |variable: &str| {
        keys().find(|(_, key)| key.variables_of().any(|known| known == variable)).map(|(vendor, _)| vendor)
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

/// What a file is if it is one of a vendor's tools, or a token and nothing else.
pub fn tool_file(name: &str, text: &SecretValue) -> Option<ToolFile> {
    let Some(mut file) = rows::all().find_map(|vendor| vendor.file.and_then(|of| of(vendor, name, text)))
    else {
        let bytes = text.plain().trim_ascii();
        let token = SecretValue::new(bytes.to_vec());
        let key = recognise(&token).filter(|_| !bytes.contains(&b'\n') && !bytes.contains(&b'='))?;
        return Some(ToolFile::of(&key.one(), vec![ToolSecret::new(key.name, key.name, token)]));
    };
    for secret in &mut file.secrets {
        let Some(password) = secret.password.take() else { continue };
        let is_of = |key: &&Key| key.ping.as_ref().is_some_and(|ping| ping.host == secret.key);
        match keys().map(|(_, key)| key).find(is_of) {
            Some(key) => (secret.name, secret.value) = (Some(key.name.to_owned()), password),
            None if secret.name.is_none() => secret.value = password,
            None => {}
        }
    }
    Some(file)
}
