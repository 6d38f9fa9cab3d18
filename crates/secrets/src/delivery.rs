//! How a secret went to a process: said once, for the host that sends it, the audit log and the run.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use doppio_text::name::EnvName;

use crate::AuditAction;
use crate::Mask;
use crate::Masked;
use crate::Registered;
use crate::Use;

/// How the value of a variable travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Carrier {
    /// As the channel's own environment request, accepted by the server.
    #[serde(rename = "channel env")]
    ChannelEnv,
    /// In the preamble on the channel's stdin.
    #[serde(rename = "preamble")]
    Preamble,
    /// As the environment of a process of this machine.
    #[serde(rename = "local environment")]
    LocalEnv,
    /// As a file that only its owner can read, in memory where the host has a file system there, for large values and for credentials
    /// that are files: `NAME_FILE` has the path of the one, the variable itself of the other.
    /// It is removed when the script has ended.
    #[serde(rename = "private file", alias = "file in memory")]
    File,
    /// Through a private FIFO into a tmux session.
    #[serde(rename = "tmux fifo")]
    TmuxFifo,
    /// Pasted into a tmux session from a buffer that is deleted at once.
    #[serde(rename = "tmux buffer")]
    TmuxBuffer,
    /// As the standard input of the script.
    #[serde(rename = "stdin")]
    Stdin,
    /// Written by a later version.
    #[serde(other, rename = "unknown")]
    Unknown,
}

impl Carrier {
    /// The word for it, in reports and on disk.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChannelEnv => "channel env",
            Self::Preamble => "preamble",
            Self::LocalEnv => "local environment",
            Self::File => "private file",
            Self::TmuxFifo => "tmux fifo",
            Self::TmuxBuffer => "tmux buffer",
            Self::Stdin => "stdin",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How one secret went to one process. Its name is a `String` up to the audit log, which needs it as
/// it is, and [`Masked`] for all others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery<Name = Masked> {
    /// The variable that carries it; none where it goes as a process's input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<EnvName>,
    /// Which secret, as [`SecretRef::label`](crate::SecretRef::label) has it.
    pub secret: Name,
    /// The way it went.
    pub carrier: Carrier,
    /// It is not set: the default of the reference went in its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_default: bool,
}

impl<Name> Delivery<Name> {
    /// As what it went: the variable, or what else it was for the process.
    pub fn form(&self) -> &str {
        match (&self.variable, self.carrier) {
            (Some(variable), _) => variable.as_str(),
            (None, Carrier::TmuxBuffer) => "typed keys",
            (None, _) => "standard input",
        }
    }
}

impl Registered {
    /// The secrets in it, once they went as the standard input of a process.
    pub fn sent_as_input(&self) -> Vec<Delivery<String>> {
        self.sent_by(Carrier::Stdin)
    }

    /// The same as keys that were pasted into a tmux session.
    pub fn sent_as_keys(&self) -> Vec<Delivery<String>> {
        self.sent_by(Carrier::TmuxBuffer)
    }

    fn sent_by(&self, carrier: Carrier) -> Vec<Delivery<String>> {
        let (names, is_default) = self.names();
        names.into_iter().map(|secret| Delivery { variable: None, secret, carrier, is_default }).collect()
    }
}

impl Delivery<String> {
    /// The same for all to see.
    pub fn masked(&self, mask: &Mask) -> Delivery {
        Delivery {
            variable: self.variable.clone(),
            secret: mask.text(&self.secret),
            carrier: self.carrier,
            is_default: self.is_default,
        }
    }

    /// What the audit log says of it, once it went to `host`.
    pub fn to_use(&self, host: &str) -> Use {
        Use {
            action: AuditAction::Deliver,
            secret: self.secret.clone(),
            host: Some(host.to_owned()),
            variable: self.variable.as_ref().map(ToString::to_string),
            carrier: Some(self.carrier.to_string()),
            ..Use::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::SecretValue;

    use super::*;

    // case J1
    #[test]
    fn what_is_no_variable_says_what_it_is() {
        let value = SecretValue::new(b"correct-horse".to_vec());
        let secret = Registered::new(&Mask::default(), "a/b", value).unwrap();
        let form = |sent: &[Delivery<String>]| format!("{} as {}", sent[0].secret, sent[0].form());
        assert_eq!(form(&secret.sent_as_input()), "a/b as standard input");
        assert_eq!(form(&secret.sent_as_keys()), "a/b as typed keys");
    }

    #[test]
    fn every_carrier_reads_back_by_its_word() {
        use Carrier::{ChannelEnv, File, LocalEnv, Preamble, Stdin, TmuxBuffer, TmuxFifo, Unknown};
        for carrier in [ChannelEnv, Preamble, LocalEnv, File, TmuxFifo, TmuxBuffer, Stdin, Unknown] {
            assert_eq!(serde_json::to_value(carrier).unwrap(), carrier.as_str());
            assert_eq!(serde_json::from_value::<Carrier>(carrier.as_str().into()).unwrap(), carrier);
        }
        assert_eq!(serde_json::from_str::<Carrier>("\"by pigeon\"").unwrap(), Unknown);
    }
}
