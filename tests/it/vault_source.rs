//! The source `vault` against a real `OpenBao` server, and against servers that misbehave.

mod commands;
mod leases;
mod lending;
mod logins;
mod records;
mod server;
mod writing;

use doppio::secret::SecretValue;
use doppio::secret::source::Remote;
use doppio::secret::source::Source;
use doppio::secret::source::SourceError;

use crate::support::far::open;
use crate::support::far::plain;

/// The source at this address with this token.
fn vault(url: &str, token: &str) -> Remote {
    open("vault", "/nonexistent".as_ref(), &[], &[("VAULT_ADDR", url), ("VAULT_TOKEN", token)], None)
}

async fn read(source: &Remote, path: &str, version: Option<&str>) -> Result<String, SourceError> {
    let (value, _) = source.get(path, version).await?;
    Ok(String::from_utf8(plain(&value)).expect("text"))
}

fn value(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}
