//! Which host keys OpenSSH's client is to take, and what becomes of one that it learnt: the same
//! decision as for a connection of Doppio's own.

use std::fmt::Write;
use std::path::Path;

use russh::keys::PublicKey;
use russh::keys::PublicKeyOrCertificate;

use crate::HostError;
use crate::HostSpec;
use crate::spec::known_as;
use crate::ssh::host_key::Judge;
use crate::ssh::openssh_config::path;
use crate::ssh::openssh_config::word;
use crate::ssh::options::ConnectOptions;

/// Whose keys are right.
pub(crate) struct ClientTrust {
    /// That of each host on the way, the last one last, by the name that its key is listed under.
    judges: Vec<(String, Judge)>,
    /// Options of `ssh_config(5)` and their values.
    pub options: Vec<(&'static str, String)>,
    /// Lines of a list of host keys, for the file that the options name.
    pub lines: String,
}

impl ClientTrust {
    /// Reads what is known of the host. `keys` is where the lines will be; the client adds to them what
    /// it learns.
    ///
    /// # Errors
    ///
    /// When a list of host keys can't be read.
    pub(crate) fn of(spec: &HostSpec, keys: &Path, options: &ConnectOptions) -> Result<Self, HostError> {
        let judge = Judge::new(spec, options)?;
        let mut judges = Vec::new();
        for hop in &spec.jump {
            judges.push((hop.identity.to_lowercase(), Judge::new(hop, options)?));
        }
        let identity = spec.identity.to_lowercase();
        let users = spec.known_hosts.iter().map(|file| path(file));
        let files: Vec<String> = std::iter::once(path(keys)).chain(users).map(|file| word(&file)).collect();
        let (name, files, known) = if let Some(pins) = &spec.pins {
            (Some(identity), vec![word(&path(keys))], pins.keys.clone())
        } else if judge.has_authority() && !spec.is_alias {
            // A certificate is for the address: another name would be looked for in it.
            (None, files, judge.expected())
        } else {
            (Some(identity), files, judge.expected())
        };
        let mut lines = String::new();
        for key in known {
            let name = name.clone().unwrap_or_else(|| known_as(&spec.hostname, spec.port));
            writeln!(lines, "{name} {key}").expect("a string grows");
        }
        let is_strict = judge.is_strict() || spec.pins.is_some();
        let mut options = vec![
            ("UserKnownHostsFile", files.join(" ")),
            ("GlobalKnownHostsFile", "none".to_owned()),
            ("StrictHostKeyChecking", if is_strict { "yes" } else { "accept-new" }.to_owned()),
            ("CheckHostIP", "no".to_owned()),
            ("UpdateHostKeys", "no".to_owned()),
            ("HashKnownHosts", "no".to_owned()),
            ("VerifyHostKeyDNS", "no".to_owned()),
        ];
        judges.push((name.clone().unwrap_or_else(|| known_as(&spec.hostname, spec.port)), judge));
        options.extend(name.map(|name| ("HostKeyAlias", name)));
        Ok(Self { judges, options, lines })
    }

    /// Decides about what the client has added to the lines. A key of a first contact is shown and kept.
    ///
    /// # Errors
    ///
    /// When the key is not the host's.
    pub(crate) fn decide(&self, lines: &str) -> Result<(), HostError> {
        let added = lines.strip_prefix(self.lines.as_str()).unwrap_or(lines);
        for line in added.lines() {
            let Some((name, key)) = line.split_once(' ') else { continue };
            let judge = self.judges.iter().find(|(known, _)| known == name).or(self.judges.last());
            if let (Some((_, judge)), Ok(key)) = (judge, PublicKey::from_openssh(key)) {
                judge.decide(&PublicKeyOrCertificate::PublicKey { key, hash_alg: None })?;
            }
        }
        Ok(())
    }
}
