//! What a row of the table says.

use crate::provider::Credential;
use crate::provider::Exposure;
use crate::provider::Local;
use crate::provider::ProviderError;
use crate::provider::Several;
use crate::provider::url;

/// A provider: where its credential is on this machine, and what the far side needs.
#[derive(Debug)]
pub struct Provider {
    /// Its name, as in `credentials = ["huggingface"]`.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it is, in one line.
    pub summary: &'static str,
    /// How far its credential may go, unless the credential itself says otherwise.
    pub exposure: Exposure,
    /// What else to do where it may not go or does not suffice.
    pub alternative: &'static str,
    /// The secrets that make a credential; of several sets the first one that is whole counts.
    pub sets: &'static [&'static [Key]],
    /// Variables that are not secrets and go along when they are set, as `WANDB_BASE_URL`.
    pub companions: &'static [&'static str],
    /// What it has several of on one machine, to name one as in `aws:prod`.
    pub several: Option<Several>,
    /// What the values themselves say, wherever they were found: how far they may go, that they are
    /// of no use elsewhere, what they need beside them. None if they say nothing.
    pub(super) tell: Option<Tell>,
    /// Looks for it, in the vendor's own order.
    pub(super) look: fn(&'static Provider, &Local<'_>) -> Result<Option<Credential>, ProviderError>,
}

/// Completes a credential by what its values tell.
pub(super) type Tell = fn(Credential, &Local<'_>) -> Credential;

/// One secret of a provider.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// The name to store it under.
    pub name: &'static str,
    /// The variables that the vendor reads it from, in the vendor's order.
    pub read: &'static [&'static str],
    /// What the far side gets.
    pub sent: Sent,
    /// Whether the others of its set are of no use without it.
    pub needed: bool,
    /// Whether it is not a secret by itself, as a user's name: it is not masked, and may be short.
    pub is_public: bool,
}

/// How a secret is handed over on the far side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// In the environment of the step, under each of these names.
    As(&'static [&'static str]),
    /// As a file in memory that is removed when the step ends.
    File(&'static FileForm),
}

/// A file in memory, and the variable that says where it is.
#[derive(Debug, PartialEq, Eq)]
pub struct FileForm {
    /// The variable.
    pub variable: &'static str,
    /// What the file is called in its folder.
    pub file: &'static str,
    /// What stands before the path in the variable.
    pub before: &'static str,
    /// What stands behind it.
    pub after: &'static str,
    /// The variable has the folder of the file, not the file.
    pub names_folder: bool,
}

impl FileForm {
    /// A file whose path alone is in the variable.
    pub(super) const fn path(variable: &'static str, file: &'static str) -> Self {
        Self { variable, file, before: "", after: "", names_folder: false }
    }
}

impl Key {
    /// A needed secret that is read from and handed over in variables.
    pub(super) const fn variables(
        name: &'static str,
        read: &'static [&'static str],
        sent: &'static [&'static str],
    ) -> Self {
        Self { name, read, sent: Sent::As(sent), needed: true, is_public: false }
    }

    /// A needed secret that is handed over as a file.
    pub(super) const fn file(name: &'static str, form: &'static FileForm) -> Self {
        Self { name, read: &[], sent: Sent::File(form), needed: true, is_public: false }
    }

    /// The same, no secret.
    pub(super) const fn public(self) -> Self {
        Self { is_public: true, ..self }
    }

    /// The same, not needed.
    pub(super) const fn if_there(self) -> Self {
        Self { needed: false, ..self }
    }
}

impl Provider {
    /// All its secrets.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.sets.iter().flat_map(|set| set.iter())
    }

    /// Looks for its credential on this machine; none if there is none.
    ///
    /// # Errors
    ///
    /// When a file can't be read or understood, or two settings contradict each other.
    pub fn look(&'static self, local: &Local<'_>) -> Result<Option<Credential>, ProviderError> {
        let found = (self.look)(self, local)?;
        Ok(found.map(|credential| self.complete(credential, local)))
    }

    /// Whether only the values decide how far its credential may go.
    pub(crate) fn is_told_by_value(&self) -> bool {
        self.tell.is_some()
    }

    /// A credential with what its values tell, and what goes along with it.
    pub(crate) fn complete(&self, credential: Credential, local: &Local<'_>) -> Credential {
        let mut credential = match self.tell {
            Some(tell) => tell(credential, local),
            None => credential,
        };
        for name in self.companions {
            if let Some(value) = local.text(name)
                && credential.settings.iter().all(|(known, _)| known != name)
            {
                credential.settings.push(((*name).to_owned(), value.to_owned()));
            }
        }
        let addresses = credential.settings.iter().flat_map(|(_, value)| url::secrets(value));
        credential.inner.extend(addresses);
        credential
    }
}
