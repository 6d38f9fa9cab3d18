//! Random values, for secrets that nobody issues.

use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use doppio_secrets::SecretValue;
use doppio_secrets::vendor;
use doppio_text::name::SecretName;

use crate::cli::error::CliError;
use crate::cli::error::OrWorld;

/// 256 random bits as 43 characters of letters, digits, `-` and `_`.
pub(super) fn value(name: &SecretName) -> Result<SecretValue, CliError> {
    if let Some(known) = vendor::known(name) {
        return Err(CliError::usage(format!("{} is issued, not generated", known.one()))
            .hint(format!("get a new one: {}", known.get)));
    }
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *random).or_world("the system gives no random numbers")?;
    Ok(SecretValue::new(BASE64URL_NOPAD.encode(&*random).into_bytes()))
}
