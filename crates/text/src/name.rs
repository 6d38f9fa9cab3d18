//! Names that are checked once, where they are made, and are right from then on.

use std::str::FromStr;

use crate::show::has_controls;

/// A text that was checked: all but the check.
macro_rules! text_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::name::invalid_name::InvalidName;

            fn try_from(text: String) -> Result<Self, $crate::name::invalid_name::InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// The same with a check of the text as it stands.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $valid:expr) => {
        text_name!($(#[$doc])* $name);

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidName::new(text, $what, $expected))
                }
            }
        }
    };
}

mod host_id;
mod invalid_name;
mod ssh_command;

pub use host_id::HostId;
pub use invalid_name::InvalidName;
pub use ssh_command::SshCommand;

name!(
    /// The id of a step: what `depends_on` names. A step that stands for one host or one
    /// combination of a matrix has its place in brackets, as in `train[lr=1e-3]`.
    StepId,
    "step id",
    "use letters, digits, `_` and `-`",
    |text| {
        let (base, place) = text.split_once('[').map_or((text, None), |(base, rest)| (base, Some(rest)));
        let base_is_valid = !base.is_empty()
            && base.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        base_is_valid
            && place.is_none_or(|rest| rest.ends_with(']') && !has_controls(rest))
    }
);

name!(
    /// The name of a secret: `service/key`.
    SecretName,
    "secret name",
    "use letters, digits, `_`, `-`, `.` and `/`, as in `huggingface/token`",
    |text| {
        text.len() <= 128
            && text.split('/').all(|segment| {
                !segment.is_empty()
                    && segment != "."
                    && segment != ".."
                    && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
            })
    }
);

name!(
    /// The name of an environment variable: a POSIX name.
    EnvName,
    "variable name",
    "use letters, digits and `_`, not starting with a digit",
    |text| {
        text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && text.bytes().next().is_some_and(|b| !b.is_ascii_digit())
    }
);

name!(
    /// The id of one run: the name of its folder in the journal.
    RunId,
    "run id",
    "use letters, digits and `-`",
    |text| !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_where_they_are_made() {
        assert!("train".parse::<StepId>().is_ok());
        assert!("train[lr=1e-3]".parse::<StepId>().is_ok());
        assert!("train step".parse::<StepId>().is_err());
        assert!("".parse::<StepId>().is_err());
        assert!("-oProxyCommand=x".parse::<HostId>().is_err());
        assert!("root@10.0.0.7:2222".parse::<HostId>().is_ok());
        assert!("huggingface/token".parse::<SecretName>().is_ok());
        assert!("a//b".parse::<SecretName>().is_err());
        assert!("../b".parse::<SecretName>().is_err());
        assert!("HF_TOKEN".parse::<EnvName>().is_ok());
        assert!("1X".parse::<EnvName>().is_err());
    }
}
