//! Writing and removing one key of a Secret, without losing what somebody else writes at the same
//! time.

use std::collections::BTreeMap;

use serde_json::json;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Remark;
use doppio_secrets::source::SourceError;

use crate::kubernetes::EXPIRES;
use crate::kubernetes::Kubernetes;
use crate::kubernetes::NOTE;
use crate::kubernetes::USUAL_KEY;
use crate::kubernetes::api::Found;
use crate::kubernetes::api::Written;
use crate::kubernetes::metadata_of;
use crate::kubernetes::only_key;
use crate::kubernetes::path::Path;

/// Says who made a Secret: <https://kubernetes.io/docs/reference/labels-annotations-taints/>.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "doppio");

/// How often a write is tried again when somebody else was faster.
const TRIES: usize = 4;

impl Kubernetes {
    fn may_override(&self) -> bool {
        self.setup.options.truth("override").unwrap_or(false)
    }

    /// Refuses to touch what Doppio did not create.
    fn guard(&self, written: &Written, action: &str) -> Result<(), SourceError> {
        let by = written.metadata.labels.as_ref().and_then(|labels| labels.get(MANAGED_BY.0));
        if self.may_override() || by.is_some_and(|by| by == MANAGED_BY.1) {
            return Ok(());
        }
        let by = by.map_or_else(|| "without Doppio".to_owned(), |by| format!("by `{by}`"));
        Err(SourceError::not_allowed(
            format!("the Secret was created {by}, and Doppio {action} only its own"),
            "write `override = true` to `[sources.kubernetes]` in config.toml, or take another name",
        ))
    }

    pub(super) async fn write(
        &self,
        path: &str,
        value: &SecretValue,
        remark: &Remark,
    ) -> Result<Metadata, SourceError> {
        let path = Path::parse(path)?;
        let api = self.api().await?;
        let namespace = path.namespace.unwrap_or(&api.namespace);
        for _ in 0..TRIES {
            let key = match api.look(namespace, path.name).await {
                Err(SourceError::Missing) => path.key.unwrap_or(USUAL_KEY).to_owned(),
                Err(error) => return Err(error),
                Ok(written) => {
                    self.guard(&written, "writes to")?;
                    let key = match path.key {
                        Some(key) => key.to_owned(),
                        None => single_key(&path, &api.get(namespace, path.name).await?)?,
                    };
                    let change = change(&written, &key, value, remark);
                    match api.patch(namespace, path.name, &change).await? {
                        Some(written) => return Ok(metadata_of(&path, namespace, &key, &written)),
                        None => continue,
                    }
                }
            };
            if let Some(written) = api.create(namespace, &fresh(path.name, &key, value, remark)).await? {
                return Ok(metadata_of(&path, namespace, &key, &written));
            }
        }
        Err(SourceError::unreachable(
            format!("`{namespace}/{}` keeps changing", path.name),
            "run the command again",
        ))
    }

    pub(super) async fn remove(&self, path: &str) -> Result<(), SourceError> {
        let path = Path::parse(path)?;
        let api = self.api().await?;
        let namespace = path.namespace.unwrap_or(&api.namespace);
        for _ in 0..TRIES {
            let found = api.get(namespace, path.name).await?;
            self.guard(&found.written, "removes")?;
            let key = match path.key {
                Some(key) if found.data.contains_key(key) => key.to_owned(),
                Some(_) => return Err(SourceError::Missing),
                None if found.data.is_empty() => String::new(),
                None => only_key(&path, &found)?.to_owned(),
            };
            let is_done = if found.data.len() > 1 {
                let change = json!({
                    "metadata": { "resourceVersion": found.written.metadata.resource_version },
                    "data": { key: null },
                });
                api.patch(namespace, path.name, &change).await?.is_some()
            } else {
                api.delete(namespace, path.name, &found.written.metadata).await?
            };
            if is_done {
                return Ok(());
            }
        }
        Err(SourceError::unreachable(
            format!("`{namespace}/{}` keeps changing", path.name),
            "run the command again",
        ))
    }
}

fn single_key(path: &Path<'_>, found: &Found) -> Result<String, SourceError> {
    if found.data.is_empty() {
        return Ok(USUAL_KEY.to_owned());
    }
    only_key(path, found).map(str::to_owned)
}

/// The annotations of a key; `null` removes one.
fn annotations(key: &str, remark: &Remark) -> BTreeMap<String, Option<String>> {
    remark.texts(NOTE, EXPIRES).map(|(name, text)| (format!("{name}.{key}"), text)).collect()
}

#[expect(clippy::disallowed_methods, reason = "the value goes to the cluster")]
fn encoded(value: &SecretValue) -> String {
    value.reveal(|bytes| data_encoding::BASE64.encode(bytes))
}

fn fresh(name: &str, key: &str, value: &SecretValue, remark: &Remark) -> serde_json::Value {
    let notes: BTreeMap<_, _> =
        annotations(key, remark).into_iter().filter(|(_, text)| text.is_some()).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "labels": { MANAGED_BY.0: MANAGED_BY.1 }, "annotations": notes },
        "type": "Opaque",
        "data": { key: encoded(value) },
    })
}

/// A JSON merge patch (RFC 7396) that only holds while nobody else has written.
fn change(written: &Written, key: &str, value: &SecretValue, remark: &Remark) -> serde_json::Value {
    json!({
        "metadata": {
            "resourceVersion": written.metadata.resource_version,
            "annotations": annotations(key, remark),
        },
        "data": { key: encoded(value) },
    })
}
