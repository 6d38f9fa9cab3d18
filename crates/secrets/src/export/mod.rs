//! Secrets in the forms that other programs read.
//!
//! Where a form can hold a reference it does, and no value is looked at.

mod github;
mod references;
mod values;
mod wrapping;

use zeroize::Zeroizing;

use doppio_text::name::EnvName;

use crate::SecretRef;
use crate::SecretValue;

pub use github::Github;
pub use github::github;
pub use wrapping::Unwritable;
pub use wrapping::Wrapping;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `NAME='value'` lines that dotenv readers and shells read alike.
    Dotenv,
    /// `NAME=value` lines as `docker run --env-file` reads them: as they are.
    Docker,
    /// `export NAME='value'` lines for a POSIX shell.
    Shell,
    /// One JSON object.
    Json,
    /// A Kubernetes Secret.
    K8s,
    /// An `ExternalSecret` of external-secrets.io.
    ExternalSecret,
    /// A service of a Compose file that passes variables on.
    Compose,
    /// The block of an Amulet configuration.
    Amlt,
}

impl Format {
    /// Whether references are written, and no values.
    pub fn has_references(self) -> bool {
        matches!(self, Self::ExternalSecret | Self::Compose | Self::Amlt)
    }
}

/// Writes references.
///
/// # Errors
///
/// When a reference means nothing to the reader of the form.
pub fn references(
    format: Format,
    secrets: &[(EnvName, SecretRef)],
    wrapping: &Wrapping,
) -> Result<String, Unwritable> {
    match format {
        Format::Compose => Ok(references::compose(secrets, wrapping)),
        Format::Amlt => Ok(references::amlt(secrets)),
        _ => references::external_secret(secrets, wrapping),
    }
}

/// Writes values.
///
/// # Errors
///
/// When a value can't be written so that every reader of the form reads the same bytes.
pub fn values(
    format: Format,
    secrets: &[(EnvName, SecretValue)],
    wrapping: &Wrapping,
) -> Result<Zeroizing<Vec<u8>>, Unwritable> {
    match format {
        Format::Docker => values::docker(secrets),
        Format::Shell => Ok(values::shell(secrets)),
        Format::Json => values::json(secrets),
        Format::K8s => Ok(values::k8s(secrets, wrapping)),
        _ => values::dotenv(secrets),
    }
}
