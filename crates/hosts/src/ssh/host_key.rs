//! Whether the key that a server offers is the host's. Decided before anything secret is sent.

mod refusals;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use russh::keys::Algorithm;
use russh::keys::Certificate;
use russh::keys::HashAlg;
use russh::keys::PublicKey;
use russh::keys::PublicKeyOrCertificate;
use russh::keys::ssh_key::certificate::CertType;

use doppio_text::OwnFileError;
use doppio_text::open_own;

use crate::FirstContact;
use crate::HostError;
use crate::HostSpec;
use crate::PinnedKey;
use crate::Prompt;
use crate::spec::known_as;
use crate::ssh::known_hosts;
use crate::ssh::known_hosts::Entry;
use crate::ssh::known_hosts::KnownHosts;
use crate::ssh::known_hosts::Marker;
use crate::ssh::known_hosts::is_like;
use crate::ssh::options::ConnectOptions;
use crate::ssh::pinned_key::fingerprint;

/// The name of our own list of host keys in the state directory.
pub(crate) const OWN_FILE: &str = "known_hosts";

/// What decides about one host.
pub(in crate::ssh) struct Judge {
    spec: HostSpec,
    names: Names,
    first_contact: FirstContact,
    known: KnownHosts,
    own: PathBuf,
    hosts_toml: String,
    prompt: Arc<dyn Prompt>,
}

/// What lists of host keys may call the host, in OpenSSH's order (`check_host_key`): its identity,
/// its address as `[HOST]:PORT`, and, if the port is not 22, the host alone.
struct Names {
    identity: String,
    /// None where an alias stands for it.
    address: Option<String>,
    /// Every server of the machine has this name, whatever its port: a key that is known under it
    /// proves the host when it fits, and nothing when it does not.
    bare: Option<String>,
}

impl Names {
    fn of(spec: &HostSpec) -> Self {
        let address = known_as(&spec.hostname, spec.port);
        let bare = known_as(&spec.hostname, 22);
        let identity = spec.identity.clone();
        if spec.is_alias {
            return Self { identity, address: None, bare: None };
        }
        Self { bare: Some(bare).filter(|bare| *bare != address), address: Some(address), identity }
    }

    /// Those that mean this server and no other.
    fn own(&self) -> Vec<&str> {
        std::iter::once(&self.identity).chain(&self.address).map(String::as_str).collect()
    }

    fn all(&self) -> Vec<&str> {
        self.own().into_iter().chain(self.bare.as_deref()).collect()
    }
}

/// The keys that count as a host's, as fingerprint and location.
pub(crate) fn known(spec: &HostSpec, options: &ConnectOptions) -> Result<Vec<(String, String)>, HostError> {
    let pinned = |key: &PinnedKey| (key.fingerprint(), options.hosts_toml.clone());
    if let Some(pins) = &spec.pins {
        return Ok(pins.keys.iter().map(pinned).collect());
    }
    let judge = Judge::new(spec, options)?;
    let by = |name: &str| judge.known.about(Marker::Host, &[name]);
    let mut known = by(&judge.names.identity);
    if let Some(address) = judge.names.address.as_deref().filter(|_| known.is_empty()) {
        known = by(address);
    }
    Ok(known.into_iter().map(|entry| (fingerprint(entry.key.key_data()), entry.location())).collect())
}

impl Judge {
    /// Reads what is known of the host.
    ///
    /// # Errors
    ///
    /// When a list of host keys is there and can't be read, or others can write our own.
    pub(in crate::ssh) fn new(spec: &HostSpec, options: &ConnectOptions) -> Result<Self, HostError> {
        let own = options.state.join(OWN_FILE);
        // Whoever can write it decides who is trusted.
        if let Err(OwnFileError::NotOwn(error)) = open_own(&own, &options.home) {
            return Err(HostError::new(format!("cannot check the host key of `{}`", spec.name))
                .cause(error.to_string())
                .hint(error.hint()));
        }
        let mut files = vec![own.clone()];
        files.extend(spec.known_hosts.iter().cloned());
        let known = KnownHosts::read(&files).map_err(|(file, error)| {
            HostError::new(format!("cannot check the host key of `{}`", spec.name))
                .cause(format!("cannot read {}: {error}", file.display()))
        })?;
        Ok(Self {
            names: Names::of(spec),
            first_contact: spec.first_contact.unwrap_or(options.first_contact),
            spec: spec.clone(),
            known,
            own,
            hosts_toml: options.hosts_toml.clone(),
            prompt: options.prompt.clone(),
        })
    }

    /// The algorithms to ask for: those of known keys first.
    pub(in crate::ssh) fn algorithms(&self, all: &[Algorithm]) -> Vec<Algorithm> {
        let known: Vec<Algorithm> = if let Some(pins) = &self.spec.pins {
            pins.keys.iter().map(PinnedKey::algorithm).collect()
        } else {
            let known = self.known.about(Marker::Host, &self.names.all());
            known.into_iter().map(|entry| entry.key.algorithm()).collect()
        };
        let is_known = |algorithm: &Algorithm| {
            known.iter().any(|known| match (known, algorithm) {
                (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
                (known, algorithm) => known == algorithm,
            })
        };
        let (mut first, rest): (Vec<_>, Vec<_>) = all.iter().cloned().partition(is_known);
        first.extend(rest);
        first
    }

    /// Whether an authority is known that signs certificates for the host: only then is one asked
    /// for.
    pub(in crate::ssh) fn has_authority(&self) -> bool {
        !self.known.about(Marker::Authority, &self.names.all()).is_empty()
    }

    /// The keys that are known under the host's own name, as `TYPE BASE64`.
    pub(in crate::ssh) fn kept(&self) -> Vec<PinnedKey> {
        let known = self.known.about(Marker::Host, &[&self.names.identity]);
        known.into_iter().map(|entry| PinnedKey::from(&entry.key)).collect()
    }

    /// The keys that the host must have one of, if it is known, and those that it must not have.
    pub(in crate::ssh) fn ruled(&self) -> (Vec<PinnedKey>, Vec<PinnedKey>) {
        let all = |marker, names: &[&str]| {
            let entries = self.known.about(marker, names).into_iter();
            entries.map(|entry| PinnedKey::from(&entry.key)).collect::<Vec<_>>()
        };
        let mut right = all(Marker::Host, &[&self.names.identity]);
        if let Some(address) = self.names.address.as_deref().filter(|_| right.is_empty()) {
            right = all(Marker::Host, &[address]);
        }
        (right, all(Marker::Revoked, &self.names.all()))
    }

    /// The keys that the host may offer, as far as they are known: under its own name, else under its
    /// address. Where no other is accepted, those that are known of the machine count too.
    pub(in crate::ssh) fn expected(&self) -> Vec<PinnedKey> {
        let bare = self.names.bare.as_deref().filter(|_| self.first_contact == FirstContact::Refuse);
        let names = self.names.own().into_iter().chain(bare);
        let known = names.map(|name| self.known.about(Marker::Host, &[name]));
        let known = known.into_iter().find(|known| !known.is_empty()).unwrap_or_default();
        let revoked = self.known.about(Marker::Revoked, &self.names.all());
        let is_revoked =
            |entry: &&Entry| revoked.iter().any(|other| other.key.key_data() == entry.key.key_data());
        known
            .into_iter()
            .filter(|entry| !is_revoked(entry))
            .map(|entry| PinnedKey::from(&entry.key))
            .collect()
    }

    /// Whether a key that nobody knows is refused.
    pub(in crate::ssh) fn is_strict(&self) -> bool {
        self.first_contact == FirstContact::Refuse
    }

    /// Decides; a key of a first contact is shown and kept.
    ///
    /// # Errors
    ///
    /// When the key is not the host's, or that can't be known.
    pub(in crate::ssh) fn decide(&self, offered: &PublicKeyOrCertificate) -> Result<(), HostError> {
        let names = self.names.all();
        let key = offered.public_key();
        let signer = offered.certificate().map(Certificate::signature_key);
        let revoked = self.known.about(Marker::Revoked, &names);
        let is_offered = |entry: &&Entry| {
            entry.key.key_data() == key.key_data()
                || signer.is_some_and(|signer| entry.key.key_data() == signer)
        };
        if let Some(entry) = revoked.into_iter().find(is_offered) {
            return Err(self.revoked(entry));
        }
        if let Some(pins) = &self.spec.pins {
            let is_pinned = pins.keys.iter().any(|pinned| pinned.is(&key));
            return if is_pinned { Ok(()) } else { Err(self.not_pinned(pins, &key)) };
        }
        if let Some(certificate) = offered.certificate() {
            let is_signer = |entry: &&Entry| entry.key.key_data() == certificate.signature_key();
            if self.known.about(Marker::Authority, &names).iter().any(is_signer) {
                return self.check_certificate(certificate);
            }
        }
        self.check_key(&key)
    }

    fn check_key(&self, key: &PublicKey) -> Result<(), HostError> {
        let by = |name: &str| self.known.about(Marker::Host, &[name]);
        let identity = &self.names.identity;
        let by_identity = by(identity);
        if !by_identity.is_empty() {
            return self.compare(identity, &by_identity, key);
        }
        if let Some(address) = &self.names.address {
            let by_address = by(address);
            if !by_address.is_empty() {
                self.compare(address, &by_address, key)?;
                return self.keep(key);
            }
        }
        if let Some(bare) = &self.names.bare
            && by(bare).iter().any(|entry| entry.key.key_data() == key.key_data())
        {
            return self.keep(key);
        }
        let authorities = self.known.about(Marker::Authority, &self.names.own());
        if let Some(authority) = authorities.into_iter().find(|entry| !entry.is_about_all()) {
            return Err(self.without_certificate(authority, key));
        }
        if self.first_contact == FirstContact::Refuse {
            return Err(self.unknown(key));
        }
        self.keep(key)?;
        self.prompt.notice(&format!(
            "new host `{}`: its key {} is kept in {}",
            self.spec.name,
            fingerprint(key.key_data()),
            self.own.display()
        ));
        Ok(())
    }

    /// Whether the key is one of those that are known under a name.
    fn compare(&self, name: &str, known: &[&Entry], key: &PublicKey) -> Result<(), HostError> {
        if known.iter().any(|entry| entry.key.key_data() == key.key_data()) {
            return Ok(());
        }
        let same_kind = known.iter().find(|entry| entry.key.algorithm() == key.algorithm());
        let nearest = same_kind.or(known.first()).expect("something is known");
        Err(self.differs(name, nearest, same_kind.is_some(), key))
    }

    fn keep(&self, key: &PublicKey) -> Result<(), HostError> {
        let identity = &self.names.identity;
        let kept = known_hosts::keep(&self.own, identity, key).map_err(|error| {
            HostError::new(format!("cannot keep the host key of `{}`", self.spec.name))
                .cause(format!("cannot write {}: {error}", self.own.display()))
        })?;
        // Another process may have written it first.
        self.compare(identity, &kept.iter().collect::<Vec<_>>(), key)
    }

    fn check_certificate(&self, certificate: &Certificate) -> Result<(), HostError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
        let mut names = self.names.own();
        // An alias stands for the address, which others may share.
        let asked = if self.spec.is_alias { &self.names.identity } else { &self.spec.hostname };
        names.push(asked);
        let principals = certificate.valid_principals();
        let wrong = if certificate.cert_type() != CertType::Host {
            "it is a user's certificate".to_owned()
        } else if !certificate.critical_options().is_empty() {
            "it has unknown options".to_owned()
        } else if now < certificate.valid_after() {
            "it is not valid yet".to_owned()
        } else if now >= certificate.valid_before() {
            "it has expired".to_owned()
        } else if !principals.iter().any(|own| names.iter().any(|name| is_like(own, name))) {
            let principals: Vec<_> = principals.iter().map(|name| format!("`{name}`")).collect();
            match principals.as_slice() {
                [] => "it names no host".to_owned(),
                _ => format!("it is for {}, not for `{asked}`", principals.join(", ")),
            }
        } else if certificate.validate_at(now, [&authority]).is_err() {
            "its signature is wrong".to_owned()
        } else {
            return Ok(());
        };
        Err(self.bad_certificate(certificate, wrong))
    }
}
