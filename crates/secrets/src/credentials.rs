//! `credentials = ["aws"]`: what a provider's name comes to when a step starts.
//!
//! What the user has stored under the provider's names counts first, then what the provider's own
//! tools keep on this machine. Each value is known to the mask before it is handed out.

use jiff::Timestamp;

use doppio_text::name::EnvName;
use doppio_text::name::SecretName;

use crate::Hold;
use crate::SecretError;
use crate::SecretRef;
use crate::SecretSession;
use crate::SecretValue;
use crate::Wanted;
use crate::consent::Providers;
use crate::vendor;
use crate::vendor::Credential;
use crate::vendor::Exposure;
use crate::vendor::FileForm;
use crate::vendor::Key;
use crate::vendor::Local;
use crate::vendor::Part;
use crate::vendor::ProviderError;
use crate::vendor::Sent;

/// What is known about a credential without reading it.
#[derive(Debug, Clone)]
pub struct CredentialMetadata {
    /// Where it is.
    pub place: String,
    /// How far it may go.
    pub exposure: Exposure,
    /// When it expires.
    pub expires: Option<Timestamp>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// A credential that is ready to be handed over.
#[derive(Debug, Clone)]
pub struct Handed {
    /// How far it may go.
    pub exposure: Exposure,
    /// Variables and files that hold a secret.
    pub secrets: Vec<HandedSecret>,
    /// Variables that are not secrets, but for a login in an address, which the mask knows.
    pub settings: Vec<(String, String)>,
    /// Files that are not secrets, each with the variable that names it.
    pub files: Vec<(&'static FileForm, String)>,
}

/// One variable, or one file that a variable names.
#[derive(Debug, Clone)]
pub struct HandedSecret {
    /// The variable.
    pub variable: EnvName,
    /// The secret's name.
    pub name: &'static str,
    /// Its value.
    pub value: SecretValue,
    /// The file that it goes as.
    pub file: Option<&'static FileForm>,
}

impl SecretSession {
    /// The same with providers to hand out credentials of.
    #[must_use]
    pub fn with_providers(mut self, providers: Providers) -> Self {
        self.providers = Some(providers);
        self
    }

    /// Whether the user lets this provider's credential go to hosts that are not the user's own.
    pub fn has_consent(&self, wanted: &Wanted) -> bool {
        self.providers.as_ref().is_some_and(|providers| providers.consented.contains(wanted.provider.name))
    }

    /// Where a credential would come from. Nothing is run for it.
    ///
    /// # Errors
    ///
    /// When it does not exist, a source can't be asked, or it can't leave this machine.
    pub async fn locate_credential(&self, wanted: &Wanted) -> Result<CredentialMetadata, SecretError> {
        self.credential(&Hold::default(), wanted, false).await.map(metadata_of)
    }

    /// A credential, with all its values known to the mask. Its leases stay valid as long as
    /// `hold`.
    ///
    /// # Errors
    ///
    /// As [`SecretSession::locate_credential`]; when a value can't be masked.
    pub async fn fetch_credential(&self, hold: &Hold, wanted: &Wanted) -> Result<Handed, SecretError> {
        let found = self.credential(hold, wanted, true).await?;
        let mut secrets = Vec::new();
        for part in &found.parts {
            let Some(value) = &part.value else { continue };
            self.register(part.key.name, Some(wanted.provider), value)?;
            // What is stored was written down when it was fetched.
            let known = self.known(part.key.name);
            if known.is_none_or(|(_, known)| !known.is_same(value)) {
                self.note_fetch(part.key.name, &part.place, value).await?;
            }
            secrets.extend(handed(part.key, value));
        }
        let name = found.parts.first().map_or(wanted.provider.name, |part| part.key.name);
        for value in &found.inner {
            self.register(name, Some(wanted.provider), value)?;
        }
        Ok(Handed { exposure: found.exposure, secrets, settings: found.settings, files: found.files })
    }

    /// What the environment has, else what is stored, else what the provider's own tools keep. With
    /// `read` all its values are there.
    async fn credential(&self, hold: &Hold, wanted: &Wanted, read: bool) -> Result<Credential, SecretError> {
        let found = match self.in_environment(wanted).await? {
            Some(found) => found,
            None => match self.stored(hold, wanted, read).await? {
                Some(found) if found.refusal.is_none() => found,
                // What is of no use as it was stored may be whole where it came from.
                refused => match (self.local(wanted, read).await, refused) {
                    (Err(SecretError::Missing { .. }), Some(refused)) => refused,
                    (Err(missing @ SecretError::Missing { .. }), None) => {
                        self.of_forge(hold, wanted, read).await?.ok_or(missing)?
                    }
                    (found, _) => found?,
                },
            },
        };
        match &found.refusal {
            None => Ok(found),
            Some(cause) => Err(SecretError::NotAllowed {
                reference: wanted.to_string(),
                source_name: found.place(),
                cause: cause.clone(),
                hint: wanted.provider.alternative.to_owned(),
            }),
        }
    }

    /// The credential of the environment, which stands above all that is stored: it is taken as
    /// the vendor's own tools take it, with its end and what goes along. None where the command
    /// line or the settings say where one of its names is looked up.
    async fn in_environment(&self, wanted: &Wanted) -> Result<Option<Credential>, SecretError> {
        let Some(providers) = &self.providers else { return Ok(None) };
        let provider = wanted.provider;
        let env = providers.discovery.env();
        let is_set = |key: &Key| key.read.iter().any(|name| env.get(name).is_some());
        let is_bound = |key: &Key| key.name.parse().is_ok_and(|name| self.ladder().binding(&name).is_some());
        if wanted.which.is_some() || !provider.keys().any(is_set) || provider.keys().any(is_bound) {
            return Ok(None);
        }
        let found = providers.discovery.look(provider, None, false).await;
        let found = found.map_err(|error| unreachable(wanted, error))?;
        Ok(found.filter(|found| found.is_of_environment() && found.refusal.is_none()))
    }

    /// What is stored under the provider's names: the first set that is whole and of use. Values that say how
    /// far they may go are read even where only their provenance is asked for, if nothing has to be run
    /// for it.
    async fn stored(
        &self,
        hold: &Hold,
        wanted: &Wanted,
        read: bool,
    ) -> Result<Option<Credential>, SecretError> {
        let provider = wanted.provider;
        // Which one of several is asked for only the provider's own files can tell.
        if wanted.which.is_some() {
            return Ok(None);
        }
        let mut refused = None;
        'sets: for set in provider.sets {
            let mut found = Credential::new(provider);
            for key in *set {
                let Ok(name) = key.name.parse::<SecretName>() else { continue 'sets };
                let reference = SecretRef::from(name);
                // A token that belongs to other keys makes keys without an end invalid.
                let id = found.parts.first().and_then(|part| part.value.as_ref());
                if !key.needed && id.is_some_and(vendor::is_lasting_aws_key) {
                    continue;
                }
                let metadata = match self.locate(&reference).await {
                    Ok(location) => location.metadata,
                    Err(SecretError::Missing { .. }) if key.needed => continue 'sets,
                    Err(SecretError::Missing { .. }) => continue,
                    Err(error) => return Err(error),
                };
                let value = if read || (provider.is_told_by_value() && !metadata.unproven) {
                    Some(self.fetch_for(hold, &reference).await?.value().clone())
                } else {
                    None
                };
                found.parts.push(Part { key, value, place: metadata.place });
                found.expires = found.expires.into_iter().chain(metadata.expires).min();
                found.warnings.extend(metadata.warnings);
            }
            if found.parts.is_empty() {
                continue;
            }
            let found = self.complete(found);
            if found.refusal.is_none() {
                return Ok(Some(found));
            }
            refused.get_or_insert(found);
        }
        Ok(refused)
    }

    /// A login of git to one host that is made from the token of the host's vendor, if that is known here.
    async fn of_forge(
        &self,
        hold: &Hold,
        wanted: &Wanted,
        read: bool,
    ) -> Result<Option<Credential>, SecretError> {
        let host = wanted.which.as_deref().filter(|_| wanted.provider.name == "git");
        let Some((host, (key, user))) = host.and_then(|host| Some((host, vendor::of_forge(host)?))) else {
            return Ok(None);
        };
        let Ok(name) = key.name.parse::<SecretName>() else { return Ok(None) };
        let reference = SecretRef::from(name);
        let metadata = match self.locate(&reference).await {
            Ok(location) => location.metadata,
            Err(SecretError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let token = if read { Some(self.fetch_for(hold, &reference).await?.value().clone()) } else { None };
        let place = format!("`{}` from {}", key.name, metadata.place);
        let mut found = self.complete(vendor::git_login(wanted.provider, host, user, token, &place));
        found.expires = metadata.expires;
        found.warnings.extend(metadata.warnings);
        Ok(Some(found))
    }

    /// What was stored, with what its values tell.
    fn complete(&self, found: Credential) -> Credential {
        match &self.providers {
            Some(providers) => providers.discovery.complete(found),
            None => found,
        }
    }

    async fn local(&self, wanted: &Wanted, may_run: bool) -> Result<Credential, SecretError> {
        let provider = wanted.provider;
        let missing = || {
            let first = provider.sets.first().and_then(|set| set.first());
            let hint = format!(
                "store it with `doppio secret set`, or log in with the provider's own tool; {}",
                provider.alternative
            );
            SecretError::not_set(first.map_or(provider.name, |key| key.name).to_owned(), hint)
        };
        let Some(providers) = &self.providers else { return Err(missing()) };
        let found = providers.discovery.look(provider, wanted.which.clone(), may_run).await;
        if let Some(found) = found.map_err(|error| unreachable(wanted, error))? {
            return Ok(found);
        }
        let local = Local::new(providers.discovery.env(), &providers.home).which(wanted.which.as_deref());
        Err(match provider.lack(&local) {
            Some(ProviderError { cause, hint }) => {
                SecretError::Missing { reference: wanted.to_string(), cause, hint }
            }
            None => missing(),
        })
    }
}

fn unreachable(wanted: &Wanted, error: ProviderError) -> SecretError {
    SecretError::Unreachable {
        reference: wanted.to_string(),
        source_name: "the provider's own credentials".to_owned(),
        cause: error.cause,
        hint: error.hint,
    }
}

fn metadata_of(found: Credential) -> CredentialMetadata {
    CredentialMetadata {
        place: found.place(),
        exposure: found.exposure,
        expires: found.expires,
        warnings: found.warnings,
    }
}

/// The variables that a secret goes under, or the one that names its file.
fn handed(key: &'static Key, value: &SecretValue) -> Vec<HandedSecret> {
    let (variables, file): (Vec<&str>, _) = match key.sent {
        Sent::As(variables) => (variables.to_vec(), None),
        Sent::File(form) => (vec![form.variable], Some(form)),
    };
    let named = variables.into_iter().filter_map(|variable| variable.parse::<EnvName>().ok());
    named.map(|variable| HandedSecret { variable, name: key.name, value: value.clone(), file }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use super::*;
    use crate::Environment;
    use crate::Ladder;
    use crate::Mask;

    fn session(variables: &[(&str, &str)], home: PathBuf) -> SecretSession {
        let env: Environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let session = SecretSession::new(Ladder::of_environment(env.clone()), Mask::default());
        session.with_providers(Providers::new(env, home, BTreeSet::from(["ssh".to_owned()])))
    }

    #[tokio::test]
    async fn a_set_is_whole_or_the_next_one_counts() {
        let home = tempfile::tempdir().unwrap();
        let pair = [("KAGGLE_USERNAME", "somebody"), ("KAGGLE_KEY", "0123456789abcdef")];
        let session = session(&pair, home.path().to_owned());
        let handed = session.fetch_credential(&Hold::default(), &"kaggle".parse().unwrap()).await.unwrap();
        let names: Vec<&str> = handed.secrets.iter().map(|secret| secret.variable.as_str()).collect();
        assert_eq!(names, ["KAGGLE_USERNAME", "KAGGLE_KEY"]);
        assert!(session.mask().finds(b"0123456789abcdef"));
        assert!(
            session.has_consent(&"ssh".parse().unwrap()) && !session.has_consent(&"aws".parse().unwrap())
        );
    }

    #[tokio::test]
    async fn keys_without_an_end_are_as_good_as_the_user() {
        let home = tempfile::tempdir().unwrap();
        let mut variables = vec![
            ("AWS_ACCESS_KEY_ID", "AKIAABCDEFGHIJKLMNOP"),
            ("AWS_SECRET_ACCESS_KEY", "secret-of-that-key"),
        ];
        let lasting = session(&variables, home.path().to_owned());
        let metadata = lasting.locate_credential(&"aws".parse().unwrap()).await.unwrap();
        assert_eq!((metadata.exposure, metadata.expires), (Exposure::Personal, None));
        variables.push(("AWS_SESSION_TOKEN", "token-of-that-key"));
        let besides = session(&variables, home.path().to_owned());
        let metadata = besides.locate_credential(&"aws".parse().unwrap()).await.unwrap();
        assert_eq!(metadata.exposure, Exposure::Personal, "a token makes it no shorter");
        variables[0].1 = "ASIAABCDEFGHIJKLMNOP";
        variables.push(("AWS_CREDENTIAL_EXPIRATION", "2026-11-22T12:00:00Z"));
        let short = session(&variables, home.path().to_owned());
        let metadata = short.locate_credential(&"aws".parse().unwrap()).await.unwrap();
        assert_eq!(metadata.exposure, Exposure::Scoped);
        assert_eq!(metadata.expires.unwrap().to_string(), "2026-11-22T12:00:00Z");
        assert_eq!(
            short.fetch_credential(&Hold::default(), &"aws".parse().unwrap()).await.unwrap().secrets.len(),
            3
        );
    }

    #[tokio::test]
    async fn a_file_of_the_home_is_masked_and_named_by_its_variable() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join(".config/gcloud")).unwrap();
        let key = r#"{"type":"service_account","private_key":"very private key","project_id":"p"}"#;
        let path = home.path().join(".config/gcloud/application_default_credentials.json");
        std::fs::write(path, key).unwrap();
        let session = session(&[], home.path().to_owned());
        let wanted: Wanted = "gcp".parse().unwrap();
        assert_eq!(session.locate_credential(&wanted).await.unwrap().exposure, Exposure::Scoped);
        let handed = session.fetch_credential(&Hold::default(), &wanted).await.unwrap();
        assert_eq!(handed.secrets[0].variable.as_str(), "GOOGLE_APPLICATION_CREDENTIALS");
        assert!(handed.secrets[0].file.is_some());
        assert!(session.mask().finds(b"a very private key b"));
        assert_eq!(handed.settings, [("GOOGLE_CLOUD_PROJECT".to_owned(), "p".to_owned())]);
    }
}
