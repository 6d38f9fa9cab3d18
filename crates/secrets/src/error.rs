//! Why there is no value.

/// Why there is no value. The variants keep apart what is not there, what is not allowed, and
/// what could not be asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SecretError {
    /// No source that was asked has it.
    #[error("{cause}")]
    Missing {
        /// The reference as written.
        reference: String,
        /// What is not there, in words.
        cause: String,
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

impl SecretError {
    /// What to do, where there is something.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Missing { hint, .. } | Self::NotAllowed { hint, .. } | Self::Unreachable { hint, .. } => {
                Some(hint)
            }
            Self::Unfit { .. } => None,
        }
    }

    /// A secret that is not set, and the command that sets it.
    pub(crate) fn not_set(reference: String, hint: String) -> Self {
        Self::Missing { cause: format!("secret `{reference}` is not set"), reference, hint }
    }
}
