//! The last rung of the ladder: what the providers' own tools keep on this machine.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use doppio_text::name::SecretName;
use doppio_text::shell::typed;

use crate::Environment;
use crate::SecretValue;
use crate::source::Answer;
use crate::source::Kind;
use crate::source::Metadata;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::detached;
use crate::vendor::Credential;
use crate::vendor::Key;
use crate::vendor::Local;
use crate::vendor::ProviderError;
use crate::vendor::Vendor;
use crate::vendor::of_secret;

static KIND: Kind = Kind {
    scheme: "provider",
    summary: "what a provider's own tools keep on this machine",
    writes: false,
    versions: false,
    remote: None,
};

/// How long a provider may take: some ask a program of the vendor's.
const DEADLINE: Duration = Duration::from_secs(20);

/// Looks names up with the providers they belong to.
#[derive(Debug)]
pub struct Discovery {
    env: Environment,
    home: PathBuf,
}

impl Discovery {
    /// For this environment and this home.
    pub fn new(env: Environment, home: PathBuf) -> Self {
        Self { env, home }
    }

    /// The environment.
    pub(crate) fn env(&self) -> &Environment {
        &self.env
    }

    /// A credential that was stored, with what its values tell and what goes along with it.
    pub(crate) fn complete(&self, credential: Credential) -> Credential {
        credential.provider.complete(credential, &Local::new(&self.env, &self.home))
    }

    /// A provider's credential. The search has a thread of its own, for it reads files and may
    /// wait for a program.
    pub(crate) async fn look(
        &self,
        provider: &'static Vendor,
        which: Option<String>,
        may_run: bool,
    ) -> Result<Option<Credential>, ProviderError> {
        let (env, home) = (self.env.clone(), self.home.clone());
        let search = move || {
            let local = Local::new(&env, &home).which(which.as_deref());
            let local = if may_run { local } else { local.at_rest() };
            provider.look(&local)
        };
        let stuck = |_| ProviderError {
            cause: format!("the credential of `{}` could not be looked for in time", provider.name),
            hint: "see what `doppio secret discover` says".to_owned(),
        };
        detached(Some(DEADLINE), search).await.map_err(stuck)?
    }

    async fn part(&self, path: &str, may_run: bool) -> Result<(Option<SecretValue>, Metadata), SourceError> {
        let (provider, key) = of(path).ok_or(SourceError::Missing)?;
        let found = self.look(provider, None, may_run).await;
        let found =
            found.map_err(|error| SourceError::Unreachable { cause: error.cause, hint: error.hint })?;
        let credential = found.ok_or(SourceError::Missing)?;
        if let Some(why) = &credential.refusal {
            return Err(SourceError::not_allowed(
                format!("{} stays here: {why}", credential.place()),
                provider.alternative,
            ));
        }
        let part = credential.parts.iter().find(|part| part.key == key).ok_or(SourceError::Missing)?;
        Ok((part.value.clone(), credential.metadata(part)))
    }
}

fn of(path: &str) -> Option<(&'static Vendor, &'static Key)> {
    of_secret(&path.parse::<SecretName>().ok()?)
}

#[async_trait]
impl Source for Discovery {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        "the providers' own credentials".to_owned()
    }

    fn candidates(&self, name: &SecretName) -> Vec<String> {
        of_secret(name).map(|_| name.to_string()).into_iter().collect()
    }

    fn remedy(&self, path: &str) -> String {
        format!("run {}, or log in with the provider's own tool", typed(["doppio", "secret", "set", path]))
    }

    async fn get(&self, path: &str, _: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        let (value, metadata) = self.part(path, true).await?;
        Ok((value.ok_or(SourceError::Missing)?, metadata))
    }

    async fn locate(&self, path: &str, _: Option<&str>) -> Answer<Metadata> {
        self.part(path, false).await.map(|(_, metadata)| metadata)
    }
}
