//! Why a host key is not accepted, and what to type.

use russh::keys::Certificate;
use russh::keys::PublicKey;

use doppio_text::shell::typed;

use crate::HostError;
use crate::NamedBy;
use crate::hosts_file::NewEntry;
use crate::spec::Pins;
use crate::ssh::host_key::Judge;
use crate::ssh::known_hosts::Entry;
use crate::ssh::pinned_key::PinnedKey;
use crate::ssh::pinned_key::fingerprint;

impl Judge {
    /// The key is none of those that are known under the name.
    pub(super) fn differs(
        &self,
        name: &str,
        known: &Entry,
        is_same_kind: bool,
        offered: &PublicKey,
    ) -> HostError {
        let host = &self.spec.name;
        let is_identity = name == self.names.identity;
        let message = if !is_identity {
            format!("`{host}` offers another host key than the one that is known for its address `{name}`")
        } else if is_same_kind {
            format!("host key of `{host}` has changed")
        } else {
            format!("`{host}` offers a host key of a type that is not known for it")
        };
        let removal = self.removal(name, known);
        let hint = if is_identity {
            format!("if the host was rebuilt, run {removal}; if not, do not connect")
        } else {
            format!(
                "if another machine has this address now, as the next tenant of a rented one has, forget the old \
                 key with {removal}, or name the new one {}\n\nif not, do not connect",
                self.pinning(offered)
            )
        };
        HostError::new(message)
            .cause(format!("known:   {} ({})", fingerprint(known.key.key_data()), known.location()))
            .cause(format!("offered: {}", fingerprint(offered.key_data())))
            .hint(hint)
    }

    /// The command that takes out what a list says of a name.
    fn removal(&self, name: &str, known: &Entry) -> String {
        let file = known.file.display().to_string();
        if known.file == self.own {
            let host = if name == self.names.identity { &self.spec.name } else { name };
            typed(["doppio", "host", "forget", host])
        } else if known.is_about_one(name) {
            typed(["ssh-keygen", "-f", &file, "-R", name])
        } else {
            // A pattern, which `ssh-keygen -R` leaves alone.
            typed(["sed", "-i.old", &format!("{}d", known.line), &file])
        }
    }

    /// What to write to `hosts.toml` to accept this key and no other, and where.
    fn pinning(&self, key: &PublicKey) -> String {
        let spec = &self.spec;
        // Such a name can't stand in hosts.toml; the user's own list is read under the address.
        if spec.named_by == NamedBy::SshConfig
            && spec.name.contains(['@', ':'])
            && let Some(list) = spec.known_hosts.first()
        {
            let name = self.names.address.as_ref().unwrap_or(&self.names.identity);
            return format!("in {}:\n\n{name} {}", list.display(), PinnedKey::from(key));
        }
        let host_key = Some(PinnedKey::from(key).to_string());
        let trust = Some(spec.trust);
        let entry = match spec.named_by {
            NamedBy::HostsFile => return self.below_entry(&spec.name, key),
            NamedBy::SshConfig => NewEntry { trust, host_key, ..NewEntry::new(&spec.name) },
            NamedBy::Nobody => NewEntry {
                hostname: Some(spec.hostname.clone()),
                port: Some(spec.port),
                user: Some(spec.user.clone()),
                trust,
                host_key,
                ..NewEntry::new("NAME")
            },
        };
        format!("in {}:\n\n{entry}", self.hosts_toml)
    }

    /// The same for an entry that is there.
    fn below_entry(&self, name: &str, key: &PublicKey) -> String {
        let host_key = Some(PinnedKey::from(key).to_string());
        let entry = NewEntry { host_key, ..NewEntry::new(name) }.to_string();
        match entry.split_once('\n') {
            Some((head, line)) => format!("below `{head}` in {}:\n\n{line}", self.hosts_toml),
            None => format!("in {}:\n\n{entry}", self.hosts_toml),
        }
    }

    pub(super) fn not_pinned(&self, pins: &Pins, offered: &PublicKey) -> HostError {
        pins.keys
            .iter()
            .map(|key| format!("expected: {} (`host_key` in {})", key.fingerprint(), self.hosts_toml))
            .fold(
                HostError::new(format!(
                    "`{}` offers another host key than the one in hosts.toml",
                    self.spec.name
                )),
                HostError::cause,
            )
            .cause(format!("offered:  {}", fingerprint(offered.key_data())))
            .hint(format!(
                "if the host was rebuilt, write its new key {}\n\nif not, do not connect",
                self.below_entry(&pins.entry, offered)
            ))
    }

    pub(super) fn revoked(&self, entry: &Entry) -> HostError {
        HostError::new(format!("host key of `{}` is revoked", self.spec.name))
            .cause(format!(
                "{} is marked `@revoked` at {}",
                fingerprint(entry.key.key_data()),
                entry.location()
            ))
            .hint("do not connect; ask whoever runs the host for its new key")
    }

    pub(super) fn unknown(&self, key: &PublicKey) -> HostError {
        let spec = &self.spec;
        let why = if spec.first_contact.is_some() {
            "the host is set to accept known keys only"
        } else {
            "`CI` is set: nobody is there to look at a new key"
        };
        HostError::new(format!("host key of `{}` is not known", spec.name))
            .cause(format!("offered: {}", fingerprint(key.key_data())))
            .cause(why)
            .hint(format!(
                "compare the fingerprint with the host's own (`ssh-keygen -lf \
                 /etc/ssh/ssh_host_ed25519_key.pub` there), then write the key {}",
                self.pinning(key)
            ))
    }

    pub(super) fn without_certificate(&self, authority: &Entry, key: &PublicKey) -> HostError {
        HostError::new(format!(
            "`{}` offers a plain host key where a certificate is expected",
            self.spec.name
        ))
        .cause(format!(
            "expected: one signed by {} ({})",
            fingerprint(authority.key.key_data()),
            authority.location()
        ))
        .cause(format!("offered:  {}", fingerprint(key.key_data())))
        .hint("do not connect until whoever runs the host has explained it")
    }

    pub(super) fn bad_certificate(&self, certificate: &Certificate, wrong: String) -> HostError {
        HostError::new(format!("the host certificate of `{}` can't be trusted", self.spec.name))
            .cause(wrong)
            .cause(format!(
                "certificate `{}`, signed by {}",
                certificate.key_id(),
                fingerprint(certificate.signature_key())
            ))
            .hint("whoever runs the host has to renew its certificate; do not connect until then")
    }
}
