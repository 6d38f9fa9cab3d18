//! The keys that can be offered to a host, in the order in which they are.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use russh::keys::Certificate;
use russh::keys::HashAlg;
use russh::keys::PrivateKey;
use russh::keys::PublicKey;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::AgentSessionBinding;
use russh::keys::agent::client::AgentClient;
use russh::keys::ssh_key::public::KeyData;
use tokio::net::UnixStream;

use crate::AgentChoice;
use crate::HostSpec;
use crate::ssh::options::ConnectOptions;

/// An agent that does not answer must not hold up a login that works without it.
const AGENT_DEADLINE: Duration = Duration::from_secs(5);

/// A connection to the agent.
pub(in crate::ssh) type Agent = AgentClient<UnixStream>;

/// Who can sign with a key.
#[derive(Debug)]
pub(in crate::ssh) enum Holder {
    /// The agent.
    Agent,
    /// A file that is in the clear.
    Open(Box<PrivateKey>),
    /// A file that wants a passphrase.
    Locked(PathBuf),
}

/// A key that can be offered.
#[derive(Debug)]
pub(in crate::ssh) struct Candidate {
    pub key: PublicKey,
    pub certificate: Option<Box<Certificate>>,
    pub holder: Holder,
    /// Where it comes from, as in `~/.ssh/id_ed25519` or `agent`.
    pub from: String,
}

impl Candidate {
    /// What messages call it.
    pub(in crate::ssh) fn label(&self) -> String {
        let what = if self.certificate.is_some() { "certificate" } else { "key" };
        format!("{what} {} ({})", self.key.fingerprint(HashAlg::Sha256), self.from)
    }

    fn same(&self, key: &KeyData, certificate: Option<&Certificate>) -> bool {
        self.key.key_data() == key && self.certificate.as_deref() == certificate
    }
}

/// All that was found, and what was not.
#[derive(Default)]
pub(in crate::ssh) struct Identities {
    pub candidates: Vec<Candidate>,
    pub agent: Option<Agent>,
    pub notes: Vec<String>,
}

/// A key file, read.
struct KeyFile {
    key: PublicKey,
    holder: Option<Holder>,
    path: PathBuf,
}

/// Looks in the agent and the files of the host. Order: certificates; keys of the agent that are
/// also named as files; named files; other keys of the agent; the default files.
pub(in crate::ssh) async fn gather(
    spec: &HostSpec,
    options: &ConnectOptions,
    binding: Option<&AgentSessionBinding>,
) -> Identities {
    let mut found = Identities::default();
    let mut files = Vec::new();
    for path in &spec.identity_files {
        match read_key(path) {
            Ok(file) => files.push(file),
            Err(why) if spec.identities_named || why != NOT_THERE => {
                found.notes.push(format!("{}: {why}", shown(path, &options.home)));
            }
            Err(_) => {}
        }
    }
    let mut in_agent = ask_agent(spec, options, binding, &mut found).await;
    let is_file = |key: &KeyData| files.iter().any(|file| file.key.key_data() == key);
    if spec.identities_only {
        in_agent.retain(|identity| match identity {
            AgentIdentity::PublicKey { key, .. } => is_file(key.key_data()),
            AgentIdentity::Certificate { certificate, .. } => is_file(certificate.public_key()),
        });
    }
    let certificates = certificates_of(spec, &files, &options.home, &mut found.notes);
    let (named, others): (Vec<_>, Vec<_>) = in_agent.into_iter().partition(|identity| match identity {
        AgentIdentity::Certificate { .. } => true,
        AgentIdentity::PublicKey { key, .. } => is_file(key.key_data()),
    });
    let (held_certificates, named): (Vec<_>, Vec<_>) =
        named.into_iter().partition(|identity| matches!(identity, AgentIdentity::Certificate { .. }));

    for identity in held_certificates {
        push_from_agent(&mut found.candidates, identity);
    }
    for (path, certificate) in certificates {
        let by_agent = named.iter().chain(&others).any(
            |identity| matches!(identity, AgentIdentity::PublicKey { key, .. } if key.key_data() == certificate.public_key()),
        );
        let holder = if by_agent {
            Some(Holder::Agent)
        } else {
            let file = files.iter().find(|file| file.key.key_data() == certificate.public_key());
            file.and_then(|file| file.holder.as_ref()).map(Holder::again)
        };
        match holder {
            Some(holder) => {
                let key = PublicKey::new(certificate.public_key().clone(), "");
                let from = shown(&path, &options.home);
                push(
                    &mut found.candidates,
                    Candidate { key, certificate: Some(Box::new(certificate)), holder, from },
                );
            }
            None => {
                found.notes.push(format!("{}: its private key was not found", shown(&path, &options.home)));
            }
        }
    }
    let files = files.into_iter().filter_map(|file| {
        let from = shown(&file.path, &options.home);
        Some(Candidate { key: file.key, certificate: None, holder: file.holder?, from })
    });
    for identity in named {
        push_from_agent(&mut found.candidates, identity);
    }
    if spec.identities_named {
        files.for_each(|file| push(&mut found.candidates, file));
        for identity in others {
            push_from_agent(&mut found.candidates, identity);
        }
    } else {
        for identity in others {
            push_from_agent(&mut found.candidates, identity);
        }
        files.for_each(|file| push(&mut found.candidates, file));
    }
    found
}

impl Holder {
    fn again(&self) -> Self {
        match self {
            Self::Agent => Self::Agent,
            Self::Open(key) => Self::Open(key.clone()),
            Self::Locked(path) => Self::Locked(path.clone()),
        }
    }
}

fn push(candidates: &mut Vec<Candidate>, candidate: Candidate) {
    let known =
        candidates.iter().any(|other| other.same(candidate.key.key_data(), candidate.certificate.as_deref()));
    if !known {
        candidates.push(candidate);
    }
}

fn push_from_agent(candidates: &mut Vec<Candidate>, identity: AgentIdentity) {
    let (key, certificate, comment) = match identity {
        AgentIdentity::PublicKey { key, comment } => (key, None, comment),
        AgentIdentity::Certificate { certificate, comment } => {
            (PublicKey::new(certificate.public_key().clone(), ""), Some(Box::new(certificate)), comment)
        }
    };
    let from = if comment.is_empty() { "agent".to_owned() } else { format!("agent: {comment}") };
    push(candidates, Candidate { key, certificate, holder: Holder::Agent, from });
}

async fn ask_agent(
    spec: &HostSpec,
    options: &ConnectOptions,
    binding: Option<&AgentSessionBinding>,
    found: &mut Identities,
) -> Vec<AgentIdentity> {
    let socket = match (&spec.agent, &options.agent) {
        (AgentChoice::None, _) | (AgentChoice::Default, None) => return Vec::new(),
        (AgentChoice::Socket(path), _) | (AgentChoice::Default, Some(path)) => path,
    };
    let asked = tokio::time::timeout(AGENT_DEADLINE, async {
        let mut agent = Agent::connect_uds(socket).await?;
        if let Some(binding) = binding {
            // Keys that are bound to a destination are shown after this only. An agent that does
            // not know of it refuses, and has no such keys.
            drop(agent.bind_session(binding, false).await);
        }
        let identities = agent.request_identities().await?;
        Ok::<_, russh::keys::Error>((agent, identities))
    });
    match asked.await {
        Ok(Ok((agent, identities))) => {
            if identities.is_empty() {
                found.notes.push("the agent holds no keys".to_owned());
            }
            found.agent = Some(agent);
            identities
        }
        Ok(Err(error)) => {
            found.notes.push(format!("the agent at {}: {error}", socket.display()));
            Vec::new()
        }
        Err(_) => {
            found.notes.push(format!("the agent at {} does not answer", socket.display()));
            Vec::new()
        }
    }
}

const NOT_THERE: &str = "no such file";

fn read_key(path: &Path) -> Result<KeyFile, String> {
    let told = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => NOT_THERE.to_owned(),
        _ => error.to_string(),
    };
    let text = match fs::read_to_string(path) {
        Ok(text) => zeroize::Zeroizing::new(text),
        // A public key alone names a key of the agent.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = public_beside(path).ok_or_else(|| NOT_THERE.to_owned())?;
            return Ok(KeyFile { key, holder: None, path: path.to_owned() });
        }
        Err(error) => return Err(told(error)),
    };
    if let Ok(key) = PublicKey::from_openssh(text.trim()) {
        return Ok(KeyFile { key, holder: None, path: path.to_owned() });
    }
    let mode = fs::metadata(path).map_err(told)?.mode();
    if mode & 0o077 != 0 {
        return Err(format!(
            "others can read it (mode {:04o}); `chmod 600 {}`",
            mode & 0o7777,
            path.display()
        ));
    }
    match russh::keys::decode_secret_key(&text, None) {
        Ok(key) if !key.is_encrypted() => Ok(KeyFile {
            key: key.public_key().clone(),
            holder: Some(Holder::Open(Box::new(key))),
            path: path.to_owned(),
        }),
        // PKCS #8 says so in its first line, and russh tries to read what is inside.
        result if is_locked(&text, &result) => {
            // OpenSSH's own format has the public key in the clear; others have it beside.
            let inside = PrivateKey::from_openssh(text.as_bytes()).ok().map(|key| key.public_key().clone());
            let key = inside.or_else(|| public_beside(path)).ok_or_else(|| {
                format!("it is encrypted, and its public key {}.pub does not exist", path.display())
            })?;
            Ok(KeyFile { key, holder: Some(Holder::Locked(path.to_owned())), path: path.to_owned() })
        }
        Ok(_) => Err("no readable private key".to_owned()),
        Err(error) => Err(format!("no readable private key: {error}")),
    }
}

fn is_locked(text: &str, read: &Result<PrivateKey, russh::keys::Error>) -> bool {
    match read {
        Ok(key) => key.is_encrypted(),
        Err(russh::keys::Error::KeyIsEncrypted) => true,
        Err(_) => text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----"),
    }
}

fn public_beside(path: &Path) -> Option<PublicKey> {
    PublicKey::from_openssh(fs::read_to_string(with_suffix(path, ".pub")).ok()?.trim()).ok()
}

fn certificates_of(
    spec: &HostSpec,
    files: &[KeyFile],
    home: &Path,
    notes: &mut Vec<String>,
) -> Vec<(PathBuf, Certificate)> {
    let beside = files.iter().map(|file| with_suffix(&file.path, "-cert.pub"));
    let mut found = Vec::new();
    for (path, is_named) in
        spec.certificate_files.iter().map(|path| (path.clone(), true)).chain(beside.map(|path| (path, false)))
    {
        match fs::read_to_string(&path) {
            Ok(text) => match Certificate::from_openssh(text.trim()) {
                Ok(certificate) => found.push((path, certificate)),
                Err(error) => notes.push(format!("{}: {error}", shown(&path, home))),
            },
            Err(error) if is_named => notes.push(format!("{}: {error}", shown(&path, home))),
            Err(_) => {}
        }
    }
    found
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A path with `~` for the home.
fn shown(path: &Path, home: &Path) -> String {
    match path.strip_prefix(home) {
        Ok(rest) => format!("~/{}", rest.display()),
        Err(_) => path.display().to_string(),
    }
}
