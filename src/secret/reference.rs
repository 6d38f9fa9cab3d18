//! `${secret:REF}`: which secret is meant.

use std::fmt;
use std::str::FromStr;

use crate::name::InvalidName;
use crate::name::SecretName;

/// A reference as a recipe writes it: where to look, and which part of what is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecretRef {
    /// Where to look.
    pub origin: Origin,
    /// `#PROPERTY`: a member of a structured value, by key or JSON pointer.
    pub property: Option<String>,
    /// `@VERSION`, where the source keeps versions.
    pub version: Option<String>,
    /// `?default`: what stands in when the secret is missing; `?` alone is the empty text.
    pub default: Option<String>,
}

/// Where a reference points.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A name, looked up on the ladder.
    Name(SecretName),
    /// This source and no other.
    Source {
        /// The source's name, as in `vault`.
        scheme: String,
        /// The path as that source understands it.
        path: String,
    },
}

/// Why a text is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// The name part is not a secret's name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Nothing stands where something must.
    #[error("`{reference}` has an empty {part}")]
    Empty {
        /// The reference as written.
        reference: String,
        /// Which part is empty.
        part: &'static str,
    },
}

impl FromStr for SecretRef {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let _ = text;
        unimplemented!("SKELETON")
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f;
        unimplemented!("SKELETON")
    }
}
