//! The source `vault` against a real `OpenBao` server, and against servers that misbehave.

mod commands;
mod leases;
mod leases_of_steps;
mod logins;
mod records;
mod server;
mod unseen;
mod writing;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Remote;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;

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
