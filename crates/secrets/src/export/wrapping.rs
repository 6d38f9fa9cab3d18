//! What stands around the secrets, and why one can't be written.

use doppio_text::name::EnvName;

/// The object that some forms need around the secrets.
#[derive(Debug, Clone)]
pub struct Wrapping {
    /// Its name.
    pub name: String,
    /// Its namespace, where it has one.
    pub namespace: Option<String>,
    /// The `SecretStore` that references are looked up in.
    pub store: String,
}

/// Why a secret can't be written in a form. No value is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{variable}` can't be written: {why}")]
pub struct Unwritable {
    /// Which.
    pub variable: EnvName,
    /// Why.
    pub why: &'static str,
}

/// A text in YAML's double quotes, which are JSON's.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The head of a Kubernetes object.
pub(super) fn head(api: &str, kind: &str, wrapping: &Wrapping) -> String {
    let mut text =
        format!("apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {}\n", quoted(&wrapping.name));
    if let Some(namespace) = &wrapping.namespace {
        text.extend([format!("  namespace: {}\n", quoted(namespace))]);
    }
    text
}
