//! Fetches values just in time, once per run, and teaches each to the mask in the same call.

use crate::secret::Mask;
use crate::secret::SecretRef;
use crate::secret::SecretValue;

/// Why there is no value. The variants keep apart what is not there, what is not allowed, and
/// what could not be asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SecretError {
    /// No source that was asked has it.
    #[error("secret `{reference}` is not set")]
    Missing {
        /// The reference as written.
        reference: String,
        /// The command that sets it.
        hint: String,
    },
    /// A source refused.
    #[error("secret `{reference}`: {source_name} does not allow it: {cause}")]
    NotAllowed {
        /// The reference as written.
        reference: String,
        /// Which source.
        source_name: String,
        /// Its own words.
        cause: String,
        /// What to do.
        hint: String,
    },
    /// A source could not be asked: locked, absent, out of reach, past its deadline.
    #[error("secret `{reference}`: could not ask {source_name}: {cause}")]
    Unreachable {
        /// The reference as written.
        reference: String,
        /// Which source.
        source_name: String,
        /// Its own words.
        cause: String,
        /// What to do.
        hint: String,
    },
    /// The value can't be used: too short to be masked, or with a NUL byte.
    #[error("secret `{reference}` can't be used: {cause}")]
    Unfit {
        /// The reference as written.
        reference: String,
        /// What is wrong with it; never the value, nor its length.
        cause: String,
    },
}

/// The run's door to all secrets. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Vault {
    mask: Mask,
}

impl Vault {
    /// The mask that every fetched value is taught to.
    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    /// The value, from the run's memory or its source; the mask knows it when this returns.
    pub async fn fetch(&self, reference: &SecretRef) -> Result<SecretValue, SecretError> {
        let _ = reference;
        unimplemented!("SKELETON")
    }
}
