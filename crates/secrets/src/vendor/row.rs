//! A vendor's row, and what was found of it.

use std::fmt;

use jiff::Timestamp;

use crate::SecretValue;
use crate::address;
use crate::vendor::accounts::Accounts;
use crate::vendor::error::ProviderError;
use crate::vendor::exposure::Exposure;
use crate::vendor::key::FileForm;
use crate::vendor::key::Key;
use crate::vendor::key::Sent;
use crate::vendor::local::Local;
use crate::vendor::token::Token;
use crate::vendor::tool_file::ToolFile;

/// A vendor: what its secrets and tokens are called and look like; and of a provider, where its
/// credential is on this machine, and what the far side needs.
#[derive(Debug)]
pub struct Vendor {
    /// Its name, as in `huggingface/token` and in `credentials = ["huggingface"]`.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What its credential is, in one line.
    pub summary: &'static str,
    /// How far its credential may go, unless the credential itself says otherwise.
    pub exposure: Exposure,
    /// What else to do where it may not go or does not suffice.
    pub alternative: &'static str,
    /// The secrets that make a credential; of several sets the first one that is whole counts.
    pub sets: &'static [&'static [Key]],
    /// The host whose git takes its first secret as a password, and the user's name beside it.
    pub(super) forge: Option<(&'static str, &'static str)>,
    /// Secrets that are not part of a credential.
    pub(super) others: &'static [Key],
    /// Kinds of tokens that none of its secrets has.
    pub(super) tokens: &'static [Token],
    /// Variables that are not secrets and go along when they are set, as `WANDB_BASE_URL`.
    pub companions: &'static [&'static str],
    /// What those are where no variable says so: from the settings files of the vendor's tools.
    pub(super) defaults: Option<Defaults>,
    /// What it has several of on one machine, to name one as in `aws:prod`.
    pub accounts: Option<Accounts>,
    /// What the values themselves say, wherever they were found: how far they may go, that they are
    /// of no use elsewhere, what they need beside them. None if they say nothing.
    pub(super) tell: Option<Tell>,
    /// Recognises a file of its tools that is given to `import`.
    pub(super) file: Option<Recognise>,
    /// Where its credential is looked for.
    pub(super) search: Search,
}

/// Where the credential of a vendor is looked for.
#[derive(Debug)]
pub(super) enum Search {
    /// Nowhere: it is not a provider.
    Nowhere,
    /// In the environment.
    Environment,
    /// In the environment, and then where this looks.
    Then(Look),
    /// In an order of the vendor's own.
    Own(Look),
}

/// Looks for a credential on this machine.
type Look = fn(&'static Vendor, &Local<'_>) -> Looked;

/// What a look came to: none where there is no credential.
pub(super) type Looked = Result<Option<Credential>, ProviderError>;

/// Companions by what the vendor's settings files say.
type Defaults = fn(&Local<'_>) -> Vec<(&'static str, String)>;

/// Recognises a file of a vendor's tools by its name and its text.
type Recognise = fn(vendor: &'static Vendor, name: &str, text: &SecretValue) -> Option<ToolFile>;

/// Completes a credential by what its values tell.
type Tell = fn(Credential, &Local<'_>) -> Credential;

/// A credential of this machine: its secrets, and what is known of them.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Whose it is.
    pub provider: &'static Vendor,
    /// Its secrets.
    pub parts: Vec<Part>,
    /// Values inside the parts and the settings that are secrets by themselves, as the password in a
    /// netrc or in an address.
    pub inner: Vec<SecretValue>,
    /// Variables that the far side needs beside it, no secrets but for a login in an address.
    pub settings: Vec<(String, String)>,
    /// Files that are not secrets and that the far side needs beside it.
    pub files: Vec<(&'static FileForm, String)>,
    /// How far it may go.
    pub exposure: Exposure,
    /// When it expires, if that is known.
    pub expires: Option<Timestamp>,
    /// What the user should know, as an open file mode.
    pub warnings: Vec<String>,
    /// Why it can't be used away from this machine, if so.
    pub refusal: Option<String>,
    /// The one server that it is for, where its values don't say so: under the usual names it would be
    /// offered to another.
    pub only_for: Option<String>,
    /// Where it was found, for one whose parts are not available.
    pub(super) found_in: String,
}

/// One secret of a credential.
#[derive(Clone)]
pub struct Part {
    /// Which.
    pub key: &'static Key,
    /// Its value; none where a program would have to be run for it, which was not allowed.
    pub value: Option<SecretValue>,
    /// Where it is, as in "variable `HF_TOKEN`".
    pub place: String,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("name", &self.key.name)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Vendor {
    /// The row that says nothing.
    pub(super) const NONE: Self = Self {
        name: "",
        aliases: &[],
        summary: "",
        exposure: Exposure::DataPlane,
        alternative: "",
        sets: &[],
        forge: None,
        others: &[],
        tokens: &[],
        companions: &[],
        defaults: None,
        accounts: None,
        tell: None,
        file: None,
        search: Search::Nowhere,
    };

    /// Whether its credential is always handed over as a file.
    pub fn is_file(&self) -> bool {
        let is_file = |key: &Key| key.needed && matches!(key.sent, Sent::File(_));
        !self.sets.is_empty() && self.sets.iter().all(|set| set.iter().any(is_file))
    }

    /// The secrets of its credential.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.sets.iter().flat_map(|set| set.iter())
    }

    /// Whether its own tools keep credentials on this machine.
    pub fn is_provider(&self) -> bool {
        !matches!(self.search, Search::Nowhere)
    }

    /// Looks for its credential on this machine; none if there is none.
    ///
    /// # Errors
    ///
    /// When a file can't be read or understood, or two settings contradict each other.
    pub fn look(&'static self, local: &Local<'_>) -> Result<Option<Credential>, ProviderError> {
        let of_environment = || self.sets.iter().find_map(|set| local.set(self, set));
        let found = match self.search {
            Search::Nowhere => None,
            Search::Environment => of_environment(),
            Search::Then(look) => {
                of_environment().map_or_else(|| look(self, local), |found| Ok(Some(found)))?
            }
            Search::Own(look) => look(self, local)?,
        };
        Ok(found.map(|credential| self.complete(credential, local)))
    }

    /// What a companion is for the vendor's tools: what the variable says, else their settings files.
    pub(super) fn companion(&self, name: &str, local: &Local<'_>) -> Option<String> {
        let by_file = || {
            let defaults = self.defaults.into_iter().flat_map(|defaults| defaults(local));
            defaults.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
        };
        local.text(name).map(str::to_owned).or_else(by_file)
    }

    /// The error if the account that was asked for has no credential; none if no account was asked
    /// for.
    pub(crate) fn lack(&self, local: &Local<'_>) -> Option<ProviderError> {
        self.accounts.as_ref()?.lack(self.name, local)
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
        for (name, value) in self.defaults.into_iter().flat_map(|defaults| defaults(local)) {
            if credential.settings.iter().all(|(known, _)| known != name) {
                credential.settings.push((name.to_owned(), value));
            }
        }
        let addresses = credential.settings.iter().flat_map(|(_, value)| address::secrets(value));
        credential.inner.extend(addresses);
        credential
    }
}
