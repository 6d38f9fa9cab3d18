//! Whether the key that a server offers is the host's. Decided before anything secret is sent.

use std::path::Path;
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
use russh::keys::ssh_key::public::KeyData;

use crate::FirstContact;
use crate::HostError;
use crate::HostSpec;
use crate::Prompt;
use crate::Trust;
use crate::spec::address_of;
use crate::ssh::known_hosts;
use crate::ssh::known_hosts::Entry;
use crate::ssh::known_hosts::KnownHosts;
use crate::ssh::known_hosts::Marker;
use crate::ssh::known_hosts::is_like;

/// The name of our own list of host keys in the state directory.
pub(crate) const OWN_FILE: &str = "known_hosts";

/// What decides about one host.
pub(in crate::ssh) struct Judge {
    name: String,
    identity: String,
    address: String,
    hostname: String,
    trust: Trust,
    first_contact: FirstContact,
    known: KnownHosts,
    own: PathBuf,
    prompt: Arc<dyn Prompt>,
}

impl Judge {
    /// Reads what is known of the host.
    ///
    /// # Errors
    ///
    /// When a list of host keys is there and can't be read.
    pub(in crate::ssh) fn new(
        spec: &HostSpec,
        state: &Path,
        prompt: Arc<dyn Prompt>,
    ) -> Result<Self, HostError> {
        let own = state.join(OWN_FILE);
        let mut files = vec![own.clone()];
        files.extend(spec.known_hosts.iter().cloned());
        let known = KnownHosts::read(&files).map_err(|(file, error)| {
            HostError::new(format!("cannot check the host key of `{}`", spec.name))
                .cause(format!("cannot read {}: {error}", file.display()))
        })?;
        Ok(Self {
            name: spec.name.clone(),
            identity: spec.identity.clone(),
            address: address_of(spec),
            hostname: spec.hostname.clone(),
            trust: spec.trust,
            first_contact: spec.first_contact,
            known,
            own,
            prompt,
        })
    }

    /// The algorithms to ask for: those of known keys first.
    pub(in crate::ssh) fn algorithms(&self, all: &[Algorithm]) -> Vec<Algorithm> {
        let names = self.names();
        let known: Vec<Algorithm> =
            self.known.about(Marker::Host, &names).map(|entry| entry.key.algorithm()).collect();
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
        self.known.about(Marker::Authority, &self.names()).next().is_some()
    }

    /// Decides; a key of a first contact is shown and kept.
    ///
    /// # Errors
    ///
    /// When the key is not the host's, or that can't be known.
    pub(in crate::ssh) fn decide(&self, offered: &PublicKeyOrCertificate) -> Result<(), HostError> {
        let names = self.names();
        let key = offered.public_key();
        let signer = offered.certificate().map(Certificate::signature_key);
        let mut revoked = self.known.about(Marker::Revoked, &names);
        let is_offered = |entry: &&Entry| {
            entry.key.key_data() == key.key_data()
                || signer.is_some_and(|signer| entry.key.key_data() == signer)
        };
        if let Some(entry) = revoked.find(is_offered) {
            return Err(self.revoked(entry));
        }
        if let Some(certificate) = offered.certificate() {
            let is_signer = |entry: &Entry| entry.key.key_data() == certificate.signature_key();
            if self.known.about(Marker::Authority, &names).any(is_signer) {
                return self.check_certificate(certificate);
            }
        }
        self.check_key(&key)
    }

    fn names(&self) -> [&str; 2] {
        [&self.identity, &self.address]
    }

    fn check_key(&self, key: &PublicKey) -> Result<(), HostError> {
        let [identity, address] = self.names();
        let by_identity: Vec<_> = self.known.about(Marker::Host, &[identity]).collect();
        if !by_identity.is_empty() {
            return self.compare(&by_identity, key);
        }
        let by_address: Vec<_> = self.known.about(Marker::Host, &[address]).collect();
        // An address of a rented machine was somebody else's yesterday: a key that was learnt
        // there proves it when it fits, and nothing when it does not.
        let fits = by_address.iter().any(|entry| entry.key.key_data() == key.key_data());
        if !by_address.is_empty() && (fits || self.trust != Trust::Rented) {
            self.compare(&by_address, key)?;
            return self.keep(key);
        }
        let names = self.names();
        let mut authorities = self.known.about(Marker::Authority, &names);
        if let Some(authority) = authorities.find(|entry| !entry.is_about_all()) {
            return Err(self.without_certificate(authority, key));
        }
        if self.first_contact == FirstContact::Refuse {
            return Err(self.unknown(key));
        }
        self.keep(key)?;
        self.prompt.notice(&format!(
            "new host `{}`: its key {} is kept in {}",
            self.name,
            shown(key.key_data()),
            self.own.display()
        ));
        Ok(())
    }

    fn compare(&self, known: &[&Entry], key: &PublicKey) -> Result<(), HostError> {
        if known.iter().any(|entry| entry.key.key_data() == key.key_data()) {
            return Ok(());
        }
        let same_kind = known.iter().find(|entry| entry.key.algorithm() == key.algorithm());
        Err(self.differs(same_kind.or(known.first()).expect("something is known"), same_kind.is_some(), key))
    }

    fn keep(&self, key: &PublicKey) -> Result<(), HostError> {
        let kept = known_hosts::keep(&self.own, &self.identity, key).map_err(|error| {
            HostError::new(format!("cannot keep the host key of `{}`", self.name))
                .cause(format!("cannot write {}: {error}", self.own.display()))
        })?;
        // Another process may have written it first.
        self.compare(&kept.iter().collect::<Vec<_>>(), key)
    }

    fn check_certificate(&self, certificate: &Certificate) -> Result<(), HostError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
        let names = [&self.hostname, &self.identity, &self.address];
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
                _ => format!("it is for {}, not for `{}`", principals.join(", "), self.hostname),
            }
        } else if certificate.validate_at(now, [&authority]).is_err() {
            "its signature is wrong".to_owned()
        } else {
            return Ok(());
        };
        Err(HostError::new(format!("the host certificate of `{}` can't be trusted", self.name))
            .cause(wrong)
            .cause(format!(
                "certificate `{}`, signed by {}",
                certificate.key_id(),
                shown(certificate.signature_key())
            ))
            .hint("whoever runs the host has to renew its certificate; do not connect until then"))
    }

    fn differs(&self, known: &Entry, is_same_kind: bool, offered: &PublicKey) -> HostError {
        let message = if is_same_kind {
            format!("host key of `{}` has changed", self.name)
        } else {
            format!("`{}` offers a host key of a type that is not known for it", self.name)
        };
        let hint = if known.file == self.own {
            format!("if the host was rebuilt, run `doppio host forget {}`; if not, do not connect", self.name)
        } else {
            format!(
                "if the host was rebuilt, remove line {} of {}; if not, do not connect",
                known.line,
                known.file.display()
            )
        };
        HostError::new(message)
            .cause(format!("known:   {} ({})", shown(known.key.key_data()), known.location()))
            .cause(format!("offered: {}", shown(offered.key_data())))
            .hint(hint)
    }

    fn revoked(&self, entry: &Entry) -> HostError {
        HostError::new(format!("host key of `{}` is revoked", self.name))
            .cause(format!("{} is marked `@revoked` at {}", shown(entry.key.key_data()), entry.location()))
            .hint("do not connect; ask whoever runs the host for its new key")
    }

    fn unknown(&self, key: &PublicKey) -> HostError {
        HostError::new(format!("host key of `{}` is not known", self.name))
            .cause(format!("offered: {}", shown(key.key_data())))
            .cause("the host is set to accept known keys only")
            .hint(format!(
                "compare the fingerprint with the host's own (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), \
                 then add its key to {}",
                self.own.display()
            ))
    }

    fn without_certificate(&self, authority: &Entry, key: &PublicKey) -> HostError {
        HostError::new(format!("`{}` offers a plain host key where a certificate is expected", self.name))
            .cause(format!(
                "expected: one signed by {} ({})",
                shown(authority.key.key_data()),
                authority.location()
            ))
            .cause(format!("offered:  {}", shown(key.key_data())))
            .hint("do not connect until whoever runs the host has explained it")
    }
}

/// A key as messages have it: `ssh-ed25519 SHA256:…`.
pub(in crate::ssh) fn shown(key: &KeyData) -> String {
    let algorithm = key.algorithm();
    // An RSA key is the same with every hash.
    let name = if matches!(algorithm, Algorithm::Rsa { .. }) { "ssh-rsa" } else { algorithm.as_str() };
    format!("{name} {}", key.fingerprint(HashAlg::Sha256))
}
