//! The keys that can be offered to a host, in the order in which they are.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use russh::keys::Algorithm;
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
use crate::ssh::key_file;
use crate::ssh::key_file::Content;
use crate::ssh::key_file::KeyFile;
use crate::ssh::key_file::with_suffix;
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
    /// A file that wants a passphrase before it signs.
    Locked(PathBuf),
    /// A file that wants a passphrase before it says even which key it has.
    Sealed(PathBuf),
}

/// A key that can be offered.
#[derive(Debug)]
pub(in crate::ssh) struct Candidate {
    /// None in a sealed file.
    pub key: Option<PublicKey>,
    pub certificate: Option<Box<Certificate>>,
    pub holder: Holder,
    /// Where it comes from, as in `~/.ssh/id_ed25519` or `agent`.
    pub from: String,
    /// Its file; none in an agent.
    pub path: Option<PathBuf>,
}

impl Candidate {
    /// What messages call it.
    pub(in crate::ssh) fn label(&self) -> String {
        let what = if self.certificate.is_some() { "certificate" } else { "key" };
        match &self.key {
            Some(key) => format!("{what} {} ({})", key.fingerprint(HashAlg::Sha256), self.from),
            None => format!("{what} ({})", self.from),
        }
    }

    /// Which kind of key it is, as far as that is known.
    pub(in crate::ssh) fn algorithm(&self) -> Option<Algorithm> {
        self.key.as_ref().map(PublicKey::algorithm)
    }

    /// Whether both offer the same to a server.
    pub(in crate::ssh) fn same(&self, other: &Self) -> bool {
        let data = |candidate: &'_ Self| candidate.key.as_ref().map(|key| key.key_data().clone());
        match (data(self), data(other)) {
            (None, None) => self.from == other.from,
            (own, others) => own == others && self.certificate == other.certificate,
        }
    }
}

/// All that was found, and what was not.
#[derive(Default)]
pub(in crate::ssh) struct Identities {
    pub candidates: Vec<Candidate>,
    pub agent: Option<Agent>,
    pub notes: Vec<String>,
    /// What to do about a file that can't be used.
    pub file_hint: Option<String>,
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
        match key_file::read(path) {
            Ok(file) => files.push(file),
            Err(fault) if spec.identities_named || !fault.is_missing => {
                found.notes.push(format!("{}: {}", shown(path, &options.home), fault.why));
                found.file_hint.get_or_insert(fault.hint);
            }
            Err(_) => {}
        }
    }
    let mut in_agent = ask_agent(spec, options, binding, &mut found).await;
    let has = |file: &KeyFile, key: &KeyData| file.key.as_ref().is_some_and(|own| own.key_data() == key);
    let is_file = |key: &KeyData| files.iter().any(|file| has(file, key));
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
            let file = files.iter().find(|file| has(file, certificate.public_key()));
            file.and_then(|file| Some(holder_of(file.content.clone()?, file.path.clone())))
        };
        match holder {
            Some(holder) => {
                let key = Some(PublicKey::new(certificate.public_key().clone(), ""));
                let from = shown(&path, &options.home);
                push(
                    &mut found.candidates,
                    Candidate {
                        key,
                        certificate: Some(Box::new(certificate)),
                        holder,
                        from,
                        path: Some(path),
                    },
                );
            }
            None => {
                found.notes.push(format!("{}: its private key was not found", shown(&path, &options.home)));
            }
        }
    }
    let files = files.into_iter().filter_map(|file| {
        let from = shown(&file.path, &options.home);
        let holder = holder_of(file.content?, file.path.clone());
        Some(Candidate { key: file.key, certificate: None, holder, from, path: Some(file.path) })
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

/// The public half of the key that would be offered first, as a line of `authorized_keys`.
pub(crate) async fn own_key(spec: &HostSpec, options: &ConnectOptions) -> Option<String> {
    let found = gather(spec, options, None).await;
    let plain = found.candidates.iter().filter(|candidate| candidate.certificate.is_none());
    plain.filter_map(|candidate| candidate.key.as_ref()).find_map(|key| key.to_openssh().ok())
}

fn holder_of(content: Content, path: PathBuf) -> Holder {
    match content {
        Content::Open(key) => Holder::Open(key),
        Content::Locked => Holder::Locked(path),
        Content::Sealed => Holder::Sealed(path),
    }
}

fn push(candidates: &mut Vec<Candidate>, candidate: Candidate) {
    if !candidates.iter().any(|other| other.same(&candidate)) {
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
    push(candidates, Candidate { key: Some(key), certificate, holder: Holder::Agent, from, path: None });
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

/// A path with `~` for the home.
fn shown(path: &Path, home: &Path) -> String {
    match path.strip_prefix(home) {
        Ok(rest) => format!("~/{}", rest.display()),
        Err(_) => path.display().to_string(),
    }
}
