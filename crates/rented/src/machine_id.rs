//! Which machine is meant: `vast-12345`.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Whose machines they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VendorName {
    /// vast.ai.
    Vast,
    /// `RunPod`.
    Runpod,
    /// Lambda Cloud.
    Lambda,
}

impl VendorName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Vast, Self::Runpod, Self::Lambda];

    /// As ids and names of secrets begin with it: `vast`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vast => "vast",
            Self::Runpod => "runpod",
            Self::Lambda => "lambda",
        }
    }

    /// As messages call it.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Vast => "vast.ai",
            Self::Runpod => "RunPod",
            Self::Lambda => "Lambda",
        }
    }

    /// The name of the secret that is its key: `vast/api_key`.
    pub fn secret(self) -> String {
        format!("{}/api_key", self.as_str())
    }
}

/// A machine of a vendor: `vast-12345`, `vast:12345`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MachineId {
    /// Whose it is.
    pub vendor: VendorName,
    /// The vendor's own id of it: letters, digits, `-` and `_`.
    pub id: String,
}

/// A text that is not the id of a hired machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the id of a rented machine: expected one such as `vast-12345`")]
pub struct NotMachineId {
    /// The text.
    pub text: String,
}

impl MachineId {
    /// A machine of vast.ai.
    pub fn vast(id: impl fmt::Display) -> Self {
        Self { vendor: VendorName::Vast, id: id.to_string() }
    }
}

impl FromStr for MachineId {
    type Err = NotMachineId;

    fn from_str(text: &str) -> Result<Self, NotMachineId> {
        let parsed = VendorName::ALL.into_iter().find_map(|vendor| {
            let id = text.strip_prefix(vendor.as_str())?.strip_prefix(['-', ':'])?;
            let is_id = match vendor {
                // Two spellings would be two machines to whoever keeps a key by it.
                VendorName::Vast => id.bytes().all(|byte| byte.is_ascii_digit()) && !id.starts_with('0'),
                _ => id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
            };
            let fits = is_id && !id.is_empty() && id.len() <= 64;
            fits.then(|| Self { vendor, id: id.to_owned() })
        });
        parsed.ok_or_else(|| NotMachineId { text: text.to_owned() })
    }
}

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.vendor.as_str(), self.id)
    }
}

impl Serialize for MachineId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_in_both_spellings_and_shown_in_one() {
        for (text, shown) in [
            ("vast-12345", "vast-12345"),
            ("vast:12345", "vast-12345"),
            ("runpod-x7aq2_v", "runpod-x7aq2_v"),
            ("lambda-0920582c7ff041399e34823a0be62549", "lambda-0920582c7ff041399e34823a0be62549"),
        ] {
            assert_eq!(text.parse::<MachineId>().unwrap().to_string(), shown);
        }
        for text in [
            "vast-",
            "vast",
            "vast-12a",
            "vast-1/../2",
            "aws-12",
            "12345",
            "runpod-a/b",
            "vast--1",
            "vast-012",
        ] {
            assert!(text.parse::<MachineId>().is_err(), "{text}");
        }
    }
}
