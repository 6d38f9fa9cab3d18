//! What opens the vault.
//!
//! A new vault is locked with, in this order: the age or SSH identity that the settings or
//! `DOPPIO_VAULT_IDENTITY` name; the passphrase of `DOPPIO_PASSPHRASE_FD` or
//! `DOPPIO_PASSPHRASE_FILE`; a key in the keychain; a passphrase that is asked for. There is no
//! other way: an unprotected key beside the vault would protect nothing. An existing vault says in
//! its header what it was locked with.

use std::fmt;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use age::secrecy::ExposeSecret;
use age::secrecy::SecretString;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use doppio_text::OwnFileError;
use doppio_text::check_own;
use doppio_text::shell::typed;

use crate::Prompt;
use crate::SecretValue;
use crate::source::Keychain;
use crate::source::SourceError;
use crate::source::age_vault::encryption::Encryption;
use crate::source::detached::detached;

/// The keychain's item that locks vaults; one for all vaults of a user.
const SERVICE: &str = "dev.doppio.vault";
const USER: &str = "key";

/// The shortest passphrase for a new vault.
const SHORTEST: usize = 8;

/// No passphrase and no identity is longer.
const LONGEST: u64 = 1 << 20;

/// How long a passphrase's file descriptor or file may take to give it.
const HAND_OVER: Duration = Duration::from_mins(1);

const WAYS: &str = "name an identity (`DOPPIO_VAULT_IDENTITY=~/.ssh/id_ed25519`, or `[vault] identity` in \
                    config.toml), or pass a passphrase (`DOPPIO_PASSPHRASE_FD=3 … 3< <(pass show doppio)`, \
                    or `DOPPIO_PASSPHRASE_FILE=PATH`)";

/// Where the vault's key may come from.
pub struct KeyOptions {
    /// An age or SSH identity.
    pub identity: Option<PathBuf>,
    /// `DOPPIO_PASSPHRASE_FD`: the number of an open file descriptor.
    pub passphrase_fd: Option<String>,
    /// `DOPPIO_PASSPHRASE_FILE`.
    pub passphrase_file: Option<PathBuf>,
    /// The user's home: up to it nobody else may have a hand in the file.
    pub home: PathBuf,
    /// Asks for a passphrase.
    pub prompt: Arc<dyn Prompt>,
    /// Where the key is kept if nothing else is said.
    pub keychain: Arc<Keychain>,
    /// Binary logarithm of scrypt's cost for a new passphrase vault, 10 to 22.
    pub work_factor: u8,
}

impl fmt::Debug for KeyOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyOptions").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// What locks and opens a vault.
#[derive(Debug, Clone)]
pub(super) enum Key {
    /// An age identity out of the keychain.
    Keychain(SecretValue),
    /// An identity file's text, and the passphrase of an encrypted SSH key.
    Identity { file: PathBuf, text: SecretValue, passphrase: Option<SecretValue> },
    /// A passphrase and the cost of deriving a key from it.
    Passphrase { passphrase: SecretValue, work_factor: u8 },
}

impl Key {
    /// How messages call it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Keychain(_) => "a key in the keychain".to_owned(),
            Self::Identity { file, .. } => format!("the identity `{}`", file.display()),
            Self::Passphrase { .. } => "a passphrase".to_owned(),
        }
    }
}

/// The keys that may open a vault.
#[derive(Debug)]
pub(super) struct Candidates {
    pub keys: Vec<Key>,
    /// Why the keychain's key, which may be the right one, is not among them.
    keychain: Option<SourceError>,
}

impl From<Vec<Key>> for Candidates {
    fn from(keys: Vec<Key>) -> Self {
        Self { keys, keychain: None }
    }
}

impl Candidates {
    /// The error when none of them opened the vault.
    pub(super) fn fault(&self, error: SourceError) -> SourceError {
        match (&self.keychain, &error) {
            // One that has no such key, or is not there, has locked nothing.
            (None | Some(SourceError::Missing | SourceError::Absent { .. }), _) => error,
            (Some(keychain), SourceError::NotAllowed { cause, .. }) => {
                without_keychain(&format!("{cause}, and "), keychain)
            }
            _ => error,
        }
    }
}

fn without_keychain(before: &str, error: &SourceError) -> SourceError {
    SourceError::unreachable(
        format!("{before}the age vault's key is not available from the keychain: {error}"),
        error.hint().unwrap_or("name the age identity that locks it: `DOPPIO_VAULT_IDENTITY=PATH`"),
    )
}

/// The keys of one vault.
#[derive(Debug)]
pub(super) struct Keys {
    options: KeyOptions,
    /// A file descriptor can be read only once.
    handed: OnceCell<Option<SecretValue>>,
}

impl Keys {
    pub(super) fn new(options: KeyOptions) -> Self {
        Self { options, handed: OnceCell::new() }
    }

    /// The keys that may open a vault that is locked like this, the likeliest first.
    pub(super) async fn for_opening(
        &self,
        vault: &Path,
        encryption: &Encryption,
    ) -> Result<Candidates, SourceError> {
        let shown = vault.display();
        let keys = match encryption {
            Encryption::Passphrase => {
                match self.passphrase(&format!("passphrase of the age vault `{shown}`")).await? {
                    Some(passphrase) => Ok(vec![self.with_passphrase(passphrase)]),
                    None => Err(SourceError::unreachable(
                        format!(
                            "the age vault `{shown}` is locked with a passphrase, and nobody can be asked for it"
                        ),
                        "pass it with `DOPPIO_PASSPHRASE_FD` or `DOPPIO_PASSPHRASE_FILE`",
                    )),
                }
            }
            Encryption::Ssh => match self.identity().await? {
                Some(key) => Ok(vec![key]),
                None => Err(SourceError::unreachable(
                    format!("the age vault `{shown}` is locked with an SSH key, and none is named"),
                    "set `DOPPIO_VAULT_IDENTITY=~/.ssh/id_ed25519`, or `[vault] identity` in config.toml",
                )),
            },
            Encryption::Identity => {
                let named = self.identity().await?;
                match (self.options.keychain.get(SERVICE, USER).await, named) {
                    (Ok(text), named) => Ok(named.into_iter().chain([Key::Keychain(text)]).collect()),
                    (Err(error), Some(named)) => {
                        return Ok(Candidates { keys: vec![named], keychain: Some(error) });
                    }
                    (Err(error), None) => Err(without_keychain("", &error)),
                }
            }
        };
        keys.map(Candidates::from)
    }

    /// Whether the one who typed a wrong passphrase can type another, who is told so.
    pub(super) fn may_ask_again(&self, encryption: Encryption) -> bool {
        let is_typed =
            matches!(encryption, Encryption::Passphrase) && matches!(self.handed.get(), Some(None));
        if is_typed {
            self.options.prompt.notice("wrong passphrase, try again");
        }
        is_typed
    }

    /// The key for a vault that is about to be made.
    pub(super) async fn for_creating(&self, vault: &Path) -> Result<Key, SourceError> {
        if let Some(key) = self.identity().await? {
            return Ok(key);
        }
        if let Some(passphrase) = self.handed().await? {
            return self.checked(passphrase);
        }
        let keychain = match self.in_keychain().await {
            Ok(key) => return Ok(key),
            Err(error) => error,
        };
        let question = format!("passphrase for the new age vault `{}`", vault.display());
        let Some(passphrase) = self.ask(question.clone()).await else {
            return Err(SourceError::unreachable(
                format!("there is no key for the new age vault: {keychain}, and nobody can be asked"),
                WAYS,
            ));
        };
        let again = self.ask(format!("{question}, once more")).await;
        if again.is_none_or(|again| again.plain() != passphrase.plain()) {
            return Err(SourceError::Unfit { cause: "the two passphrases differ".to_owned() });
        }
        self.checked(passphrase)
    }

    fn checked(&self, passphrase: SecretValue) -> Result<Key, SourceError> {
        if passphrase.plain().len() < SHORTEST {
            let cause = format!(
                "the passphrase is too short for a new age vault: use at least {SHORTEST} characters"
            );
            return Err(SourceError::Unfit { cause });
        }
        Ok(self.with_passphrase(passphrase))
    }

    fn with_passphrase(&self, passphrase: SecretValue) -> Key {
        Key::Passphrase { passphrase, work_factor: self.options.work_factor }
    }

    /// The keychain's key, made if it does not exist and read back.
    async fn in_keychain(&self) -> Result<Key, SourceError> {
        let keychain = &self.options.keychain;
        match keychain.get(SERVICE, USER).await {
            Ok(text) => return Ok(Key::Keychain(text)),
            Err(SourceError::Missing) => {}
            Err(error) => return Err(error),
        }
        let made = age::x25519::Identity::generate().to_string();
        #[expect(clippy::disallowed_methods, reason = "the vault's new key goes into the keychain")]
        let made = SecretValue::new(made.expose_secret().as_bytes().to_vec());
        keychain.set(SERVICE, USER, &made).await?;
        keychain.get(SERVICE, USER).await.map(Key::Keychain)
    }

    /// The identity that was named, if one was.
    async fn identity(&self) -> Result<Option<Key>, SourceError> {
        let Some(file) = self.options.identity.clone() else { return Ok(None) };
        let text = private_file(&file, &self.options.home, "the identity")?;
        let passphrase = if is_encrypted_ssh(&text) {
            let question = format!("passphrase of `{}`", file.display());
            Some(self.passphrase(&question).await?.ok_or_else(|| {
                SourceError::unreachable(
                    format!(
                        "the identity `{}` has a passphrase, and nobody can be asked for it",
                        file.display()
                    ),
                    "pass it with `DOPPIO_PASSPHRASE_FD` or `DOPPIO_PASSPHRASE_FILE`",
                )
            })?)
        } else {
            None
        };
        Ok(Some(Key::Identity { file, text, passphrase }))
    }

    async fn passphrase(&self, question: &str) -> Result<Option<SecretValue>, SourceError> {
        match self.handed().await? {
            Some(passphrase) => Ok(Some(passphrase)),
            None => Ok(self.ask(question.to_owned()).await),
        }
    }

    async fn ask(&self, question: String) -> Option<SecretValue> {
        let prompt = Arc::clone(&self.options.prompt);
        let answer = detached(None, move || prompt.secret(&question)).await;
        answer.ok().flatten().filter(|answer| !answer.plain().is_empty())
    }

    /// The passphrase that was handed over, if one was.
    async fn handed(&self) -> Result<Option<SecretValue>, SourceError> {
        self.handed.get_or_try_init(|| self.hand_over()).await.cloned()
    }

    async fn hand_over(&self) -> Result<Option<SecretValue>, SourceError> {
        let (variable, path) = match (&self.options.passphrase_fd, &self.options.passphrase_file) {
            (Some(number), _) => {
                let number: u32 = number.parse().map_err(|_| SourceError::Unfit {
                    cause: "`DOPPIO_PASSPHRASE_FD` is not the number of a file descriptor".to_owned(),
                })?;
                ("DOPPIO_PASSPHRASE_FD", PathBuf::from(format!("/dev/fd/{number}")))
            }
            (None, Some(path)) => ("DOPPIO_PASSPHRASE_FILE", path.clone()),
            (None, None) => return Ok(None),
        };
        let is_file = variable == "DOPPIO_PASSPHRASE_FILE";
        let shown = path.display().to_string();
        let home = self.options.home.clone();
        let read =
            move || if is_file { private_file(&path, &home, "the passphrase") } else { text_of(&path) };
        let text = detached(Some(HAND_OVER), read).await.unwrap_or_else(|_| {
            Err(SourceError::unreachable(
                format!("no passphrase came from `{shown}`"),
                format!("close the writing end of what `{variable}` names after writing"),
            ))
        })?;
        let line = text.plain().split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Err(SourceError::Unfit { cause: format!("`{variable}` gives an empty passphrase") });
        }
        Ok(Some(SecretValue::new(line.to_vec())))
    }
}

/// The text of a file that only the user can read.
fn private_file(path: &Path, home: &Path, what: &str) -> Result<SecretValue, SourceError> {
    let shown = path.display();
    if let Ok(metadata) = fs::metadata(path)
        && metadata.mode() & 0o077 != 0
    {
        return Err(SourceError::not_allowed(
            format!("others can open {what} `{shown}` (mode {:03o}, expected 600)", metadata.mode() & 0o777),
            format!("run {}", typed(["chmod", "600", &shown.to_string()])),
        ));
    }
    if let Err(OwnFileError::NotOwn(error)) = check_own(path, home) {
        return Err(SourceError::not_allowed(error.to_string(), error.hint().to_owned()));
    }
    text_of(path)
}

fn text_of(path: &Path) -> Result<SecretValue, SourceError> {
    let shown = path.display();
    let broken = |error| {
        SourceError::unreachable(
            format!("cannot read `{shown}`: {error}"),
            format!("look at it with {}", typed(["ls", "-l", &shown.to_string()])),
        )
    };
    let file = fs::File::open(path).map_err(broken)?;
    let size = file.metadata().map_err(broken)?.len().clamp(4096, LONGEST);
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(4096) + 1));
    file.take(size + 1).read_to_end(&mut text).map_err(broken)?;
    Ok(SecretValue::new(std::mem::take(&mut *text)))
}

/// Whether the text is an SSH key with a passphrase.
fn is_encrypted_ssh(text: &SecretValue) -> bool {
    matches!(ssh_identity(text), Some(age::ssh::Identity::Encrypted(_)))
}

/// The text as an SSH identity, if it is one.
pub(super) fn ssh_identity(text: &SecretValue) -> Option<age::ssh::Identity> {
    age::ssh::Identity::from_buffer(text.plain(), None).ok()
}

/// Bytes as the kind of text that `age` takes.
pub(super) fn secret_string(value: &SecretValue) -> Result<SecretString, SourceError> {
    match std::str::from_utf8(value.plain()) {
        Ok(text) => Ok(SecretString::from(text)),
        Err(_) => Err(SourceError::Unfit { cause: "a passphrase must be UTF-8 text".to_owned() }),
    }
}
