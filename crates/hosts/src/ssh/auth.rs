//! Logging in: keys, then questions, then a password. What was tried is kept for the error.

mod answers;

use std::time::Duration;

use russh::MethodKind;
use russh::MethodSet;
use russh::Signer;
use russh::client::AuthResult;
use russh::client::Handle;
use russh::keys::Algorithm;
use russh::keys::HashAlg;
use russh::keys::PrivateKey;
use tokio::sync::watch;
use tokio::time::Instant;

use doppio_secrets::SecretValue;
use doppio_text::shell::typed;

use crate::HostError;
use crate::HostSpec;
use crate::ssh::client;
use crate::ssh::client::Client;
use crate::ssh::identity;
use crate::ssh::identity::Candidate;
use crate::ssh::identity::Holder;
use crate::ssh::identity::Identities;
use crate::ssh::key_file;
use crate::ssh::key_file::Opened;
use crate::ssh::options::ConnectOptions;
use crate::ssh::signer::FileSigner;
use crate::ssh::signer::SignError;

/// Keys offered to one server. sshd counts each refused one, and bans the address for a while
/// above its limit (`MaxAuthTries`, `PerSourcePenalties`).
const MOST_KEYS: usize = 3;

/// How often a passphrase is asked for (`NumberOfPasswordPrompts` of OpenSSH).
const MOST_PASSPHRASES: usize = 3;

/// Why there is no login.
pub(in crate::ssh) enum Refusal {
    /// The server said no.
    Refused(HostError),
    /// The server did not answer.
    Silent(HostError),
    /// The session broke.
    Cut(HostError),
}

impl Refusal {
    pub(in crate::ssh) fn into_error(self) -> HostError {
        match self {
            Self::Refused(error) | Self::Silent(error) | Self::Cut(error) => error,
        }
    }
}

/// Logs in, and says by what.
pub(in crate::ssh) async fn log_in(
    spec: &HostSpec,
    options: &ConnectOptions,
    handle: &mut Handle<Client>,
    ended: &watch::Receiver<Option<String>>,
) -> Result<String, Refusal> {
    let binding = handle.agent_session_binding().cloned();
    let identities = identity::gather(spec, options, binding.as_ref()).await;
    let mut login = Login {
        spec,
        options,
        handle,
        ended,
        left: spec.deadlines.auth,
        offered: None,
        tried: Vec::new(),
        stored: Stored::default(),
        file_hint: None,
    };
    let Identities { candidates, mut agent, notes, file_hint } = identities;
    login.file_hint = file_hint;
    if candidates.is_empty() && login.ask_methods().await? {
        return Ok("no credentials".to_owned());
    }
    let held_back = candidates.len().saturating_sub(MOST_KEYS);
    for candidate in candidates.iter().take(MOST_KEYS) {
        if login.may(MethodKind::PublicKey) && login.offer(candidate, agent.as_mut()).await? {
            return Ok(candidate.label());
        }
    }
    // Where no key got as far as the server, it has not said yet what else it takes.
    if login.offered.is_none() && login.ask_methods().await? {
        return Ok("no credentials".to_owned());
    }
    if login.may(MethodKind::KeyboardInteractive) && login.answer_questions().await? {
        return Ok("answers to the server's questions".to_owned());
    }
    if login.may(MethodKind::Password) && login.give_passwords().await? {
        return Ok("password".to_owned());
    }
    Err(Refusal::Refused(login.refused(&candidates, held_back, notes)))
}

/// One login on its way.
struct Login<'a> {
    spec: &'a HostSpec,
    options: &'a ConnectOptions,
    handle: &'a mut Handle<Client>,
    ended: &'a watch::Receiver<Option<String>>,
    /// What is left of the deadline; a user's thinking does not count.
    left: Duration,
    /// The methods that the server named last.
    offered: Option<MethodSet>,
    tried: Vec<String>,
    stored: Stored,
    /// What to do about a key file that could not be used.
    file_hint: Option<String>,
}

/// Secrets of the vault that were used up: each is tried once per login.
#[derive(Default)]
struct Stored {
    password: bool,
}

impl Login<'_> {
    fn may(&self, method: MethodKind) -> bool {
        self.offered.as_ref().is_none_or(|offered| offered.contains(&method))
    }

    /// Asks the server which methods it has. Whether it lets anybody in.
    async fn ask_methods(&mut self) -> Result<bool, Refusal> {
        let user = self.spec.user.clone();
        let limit = self.left;
        let start = Instant::now();
        let asked = tokio::time::timeout(limit, self.handle.authenticate_none(user)).await;
        self.left = self.left.saturating_sub(start.elapsed());
        let result = self.answered(asked).await?;
        self.note(result, None).await
    }

    /// Takes an answer apart, and keeps what it says of the methods.
    async fn note(&mut self, result: AuthResult, tried: Option<String>) -> Result<bool, Refusal> {
        let AuthResult::Failure { remaining_methods, partial_success } = result else { return Ok(true) };
        // This is how russh tells of a session that ended meanwhile.
        if remaining_methods.is_empty() && (self.handle.is_closed() || self.ended.borrow().is_some()) {
            return Err(self.lost(tried).await);
        }
        if let Some(tried) = tried {
            let end = if partial_success { "accepted, but the server wants more" } else { "refused" };
            self.tried.push(format!("{tried}: {end}"));
        }
        self.offered = Some(remaining_methods);
        Ok(false)
    }

    async fn answered<T>(
        &mut self,
        answer: Result<Result<T, russh::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, Refusal> {
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(self.lost(None).await),
            Err(_) => Err(self.silent()),
        }
    }

    fn silent(&self) -> Refusal {
        let spec = self.spec;
        let waited = spec.deadlines.auth;
        let mut error = HostError::silent(&spec.name, &spec.address(), "answer to the login", waited);
        error.causes.extend(self.tried.iter().cloned());
        Refusal::Silent(error)
    }

    /// The session ended in the middle: the server's reason, which comes a moment later.
    async fn lost(&mut self, tried: Option<String>) -> Refusal {
        let mut ended = self.ended.clone();
        let reason = tokio::time::timeout(Duration::from_millis(500), ended.wait_for(Option::is_some)).await;
        let reason = match reason {
            Ok(Ok(reason)) => reason.clone(),
            _ => None,
        };
        let reason = reason.unwrap_or_else(|| client::why(&russh::Error::Disconnect));
        if reason == client::NO_WAY_IN {
            self.offered = Some(MethodSet::empty());
            self.tried.extend(tried.map(|tried| format!("{tried}: refused")));
            return Refusal::Refused(self.refused(&[], 0, Vec::new()));
        }
        let mut error = HostError::new(format!("`{}` ended the session during the login", self.spec.name));
        error.causes = std::mem::take(&mut self.tried);
        error.causes.extend(tried);
        let is_refusal = reason.contains("Too many authentication failures");
        error.causes.push(reason);
        if is_refusal { Refusal::Refused(error.hint(key_hint())) } else { Refusal::Cut(error) }
    }

    /// Offers one key; asks for its passphrase when the server would take it.
    async fn offer(
        &mut self,
        candidate: &Candidate,
        agent: Option<&mut identity::Agent>,
    ) -> Result<bool, Refusal> {
        let hash = self.hash_for(candidate).await?;
        match &candidate.holder {
            Holder::Agent => match agent {
                Some(agent) => self.offer_from_agent(candidate, hash, agent).await,
                None => Ok(false),
            },
            Holder::Open(key) => {
                self.offer_from_file(candidate, hash, Some(key)).await.map(Option::unwrap_or_default)
            }
            Holder::Locked(path) => match self.offer_from_file(candidate, hash, None).await? {
                Some(done) => Ok(done),
                None => match self.unlock(path, candidate).await {
                    Some(key) => {
                        self.offer_from_file(candidate, hash, Some(&key)).await.map(Option::unwrap_or_default)
                    }
                    None => Ok(false),
                },
            },
            // As OpenSSH does it: whether the server wants the key can't be asked without the key.
            Holder::Sealed(path) => match self.unlock(path, candidate).await {
                Some(key) => {
                    let opened = Candidate {
                        key: Some(key.public_key().clone()),
                        certificate: None,
                        from: candidate.from.clone(),
                        path: candidate.path.clone(),
                        holder: Holder::Open(Box::new(key)),
                    };
                    Box::pin(self.offer(&opened, agent)).await
                }
                None => Ok(false),
            },
        }
    }

    /// The hash of RSA signatures. Asking waits up to a second where the server never tells.
    async fn hash_for(&mut self, candidate: &Candidate) -> Result<Option<HashAlg>, Refusal> {
        if !matches!(candidate.algorithm(), Some(Algorithm::Rsa { .. })) {
            return Ok(None);
        }
        match self.handle.best_supported_rsa_hash().await {
            Ok(Some(best)) => Ok(best),
            // SHA-1 is refused by all servers of these years; this one may do better than it tells.
            Ok(None) => Ok(Some(HashAlg::Sha256)),
            Err(_) => Err(self.lost(None).await),
        }
    }

    /// Offers a key and signs with it, while the deadline lasts.
    async fn sign_in<S: Signer>(
        &mut self,
        candidate: &Candidate,
        hash: Option<HashAlg>,
        signer: &mut S,
    ) -> Result<Result<AuthResult, S::Error>, Refusal> {
        let user = self.spec.user.clone();
        let start = Instant::now();
        let attempt = async {
            if let Some(certificate) = &candidate.certificate {
                let certificate = certificate.as_ref().clone();
                return self.handle.authenticate_certificate_with(user, certificate, hash, signer).await;
            }
            let key = candidate.key.clone().expect("a sealed file is opened first");
            self.handle.authenticate_publickey_with(user, key, hash, signer).await
        };
        let result = tokio::time::timeout(self.left, attempt).await;
        self.left = self.left.saturating_sub(start.elapsed());
        result.map_err(|_| self.silent())
    }

    async fn offer_from_agent(
        &mut self,
        candidate: &Candidate,
        hash: Option<HashAlg>,
        agent: &mut identity::Agent,
    ) -> Result<bool, Refusal> {
        if matches!(candidate.algorithm(), Some(Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256)) {
            self.options.prompt.notice(&format!("touch your security key: {}", candidate.label()));
        }
        match self.sign_in(candidate, hash, agent).await? {
            Ok(result) => self.note(result, Some(candidate.label())).await,
            Err(error) => {
                self.tried.push(format!("{}: the agent refused to sign: {error}", candidate.label()));
                Ok(false)
            }
        }
    }

    /// None when the server would take the key and it is locked.
    async fn offer_from_file(
        &mut self,
        candidate: &Candidate,
        hash: Option<HashAlg>,
        key: Option<&PrivateKey>,
    ) -> Result<Option<bool>, Refusal> {
        match self.sign_in(candidate, hash, &mut FileSigner { key }).await? {
            Ok(result) => self.note(result, Some(candidate.label())).await.map(Some),
            Err(SignError::Locked) => Ok(None),
            Err(SignError::Closed) => Err(self.lost(None).await),
            Err(SignError::Failed(error)) => {
                self.tried.push(format!("{}: it cannot sign: {error}", candidate.label()));
                Ok(Some(false))
            }
        }
    }

    /// The key of a locked file, with the passphrase of the vault or of the user.
    async fn unlock(&mut self, path: &std::path::Path, candidate: &Candidate) -> Option<PrivateKey> {
        // To try it on a file costs no login.
        let stored = self.fetch("ssh/passphrase").await;
        let label = candidate.label();
        let mut failed = format!("{label}: it is encrypted, and its passphrase is not known");
        let mut asked = 0;
        let mut next = stored;
        loop {
            let is_stored = asked == 0 && next.is_some();
            let passphrase = match next.take() {
                Some(passphrase) => passphrase,
                None if asked == MOST_PASSPHRASES => break,
                None => {
                    let question = if asked == 0 {
                        format!("passphrase of {}", candidate.from)
                    } else {
                        format!("that is not it; passphrase of {}", candidate.from)
                    };
                    asked += 1;
                    match self.ask(question).await {
                        // As with OpenSSH, nothing typed means that the key is not to be used.
                        Some(passphrase) if !text_of(&passphrase).is_empty() => passphrase,
                        _ => break,
                    }
                }
            };
            let text = text_of(&passphrase);
            match key_file::open(path, &text) {
                Opened::Key(key) => return Some(*key),
                Opened::Wrong if is_stored => {
                    failed = format!("{label}: the passphrase in `ssh/passphrase` does not open it");
                }
                Opened::Wrong => failed = format!("{label}: the passphrase is wrong"),
                Opened::Unreadable(why) => {
                    self.tried.push(format!("{label}: {why}"));
                    self.file_hint.get_or_insert_with(|| key_file::rewrite_hint(path));
                    return None;
                }
                Opened::Unsupported(why) => {
                    self.tried.push(format!("{label}: {why}"));
                    self.file_hint.get_or_insert_with(key_file::another_hint);
                    return None;
                }
            }
        }
        self.tried.push(failed);
        let path = path.display().to_string();
        self.file_hint.get_or_insert_with(|| {
            format!(
                "store its passphrase with `doppio secret set ssh/passphrase`, or give the key to an agent with {}",
                typed(["ssh-add", &path])
            )
        });
        None
    }

    fn refused(&mut self, candidates: &[Candidate], held_back: usize, notes: Vec<String>) -> HostError {
        let spec = self.spec;
        let mut error = HostError::new(format!("login as `{}` on `{}` refused", spec.user, spec.name));
        error.causes = std::mem::take(&mut self.tried);
        if candidates.is_empty() && error.causes.iter().all(|tried| !tried.contains("SHA256:")) {
            error.causes.push("there was no key to offer".to_owned());
        }
        if held_back > 0 {
            error.causes.push(match held_back {
                1 => "one more key was not offered: servers ban clients that offer many".to_owned(),
                more => format!("{more} more keys were not offered: servers ban clients that offer many"),
            });
        }
        error.causes.extend(notes);
        let methods: Vec<&str> =
            self.offered.iter().flat_map(|offered| offered.iter()).map(Into::into).collect();
        error.causes.push(match methods.as_slice() {
            [] => client::NO_WAY_IN.to_owned(),
            methods => format!("the server offers: {}", methods.join(", ")),
        });
        let has_keys = self.may(MethodKind::PublicKey);
        let file_hint = self.file_hint.take().filter(|_| has_keys);
        error.hint = Some(if methods.is_empty() {
            "its sshd_config lets nobody in; see PubkeyAuthentication and AuthenticationMethods there"
                .to_owned()
        } else if let Some(file_hint) = file_hint {
            file_hint
        } else if held_back > 0 {
            key_hint()
        } else if has_keys {
            let key = candidates.iter().find(|candidate| !matches!(candidate.holder, Holder::Agent));
            let file = key.and_then(|key| key.path.as_ref()).map(|path| path.display().to_string());
            let key = file.map(|file| ["-i".to_owned(), file]).into_iter().flatten();
            let to = ["-p".to_owned(), spec.port.to_string(), format!("{}@{}", spec.user, spec.hostname)];
            format!(
                "{} installs a key on the host; name another one with `identity_file` in hosts.toml",
                typed(std::iter::once("ssh-copy-id".to_owned()).chain(key).chain(to))
            )
        } else {
            "store the password with `doppio secret set ssh/password`".to_owned()
        });
        error
    }
}

fn key_hint() -> String {
    "name the right key with `identity_file = \"~/.ssh/KEY\"` and `identities_only = true` in hosts.toml, or \
     with `IdentityFile` and `IdentitiesOnly yes` in ssh_config; its public half is enough for a key of the agent"
        .to_owned()
}

/// The value as russh wants it.
fn text_of(value: &SecretValue) -> zeroize::Zeroizing<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a password goes into the encrypted login and nowhere else"
    )]
    value.reveal(|bytes| zeroize::Zeroizing::new(String::from_utf8_lossy(bytes).into_owned()))
}
