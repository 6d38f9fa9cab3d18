//! Certificates of authorities that the user names.

use std::path::Path;

/// The certificates in a file in PEM form, at least one.
///
/// # Errors
///
/// Why there are none, in words.
pub fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, String> {
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let all = reqwest::Certificate::from_pem_bundle(&text).map_err(|_| "it is not PEM".to_owned())?;
    if all.is_empty() { Err("there is none in it".to_owned()) } else { Ok(all) }
}
