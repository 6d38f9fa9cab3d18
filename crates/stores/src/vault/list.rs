//! Every record of the key-value engines that a token sees.

use std::sync::PoisonError;

use doppio_secrets::source::Metadata;
use doppio_secrets::source::SourceError;

use crate::vault::VaultSource;
use crate::vault::client::Request;
use crate::vault::kv;
use crate::vault::kv::Engine;
use crate::vault::kv::Mount;
use crate::vault::kv::Part;
use crate::vault::kv::RecordPath;

/// Records that `list` looks at, at most.
const LISTED: usize = 20_000;

impl VaultSource {
    /// All records of the key-value engines that this token sees.
    pub(super) async fn all(&self) -> Result<Vec<(String, Metadata)>, SourceError> {
        let path = "sys/internal/ui/mounts";
        let reply = self.0.call(Request::get(path)).await?;
        let reply = self.0.success(reply, "read", path).await?;
        let engines = reply.json(&["data", "secret"]);
        let Some(engines) = engines.as_ref().and_then(serde_json::Value::as_object) else {
            return Err(self.0.client().await?.nonsense("its list of mounts has an unknown form"));
        };
        let (mut found, mut refused) = (Vec::new(), Vec::new());
        for (mount, metadata) in engines {
            let text = |value: Option<&serde_json::Value>| value.and_then(|v| v.as_str()).map(str::to_owned);
            let kind = text(metadata.get("type")).unwrap_or_default();
            let version = text(metadata.get("options").and_then(|options| options.get("version")));
            let engine = kv::engine(&kind, version.as_deref());
            if engine != Engine::Dynamic && kind != "cubbyhole" {
                self.records(&Mount { path: mount.clone(), engine }, &mut found, &mut refused).await?;
            }
        }
        *self.0.unlisted.lock().unwrap_or_else(PoisonError::into_inner) = may_not_list(&refused);
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }

    /// The records of one mount, folder by folder; `refused` are the folders that this token may
    /// not list.
    async fn records(
        &self,
        mount: &Mount,
        found: &mut Vec<(String, Metadata)>,
        refused: &mut Vec<String>,
    ) -> Result<(), SourceError> {
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let record_path = RecordPath { mount: mount.clone(), rest: folder.clone(), part: Part::Plain };
            let path = record_path.metadata();
            let reply =
                self.0.call(Request { method: "LIST", ..Request::get(path.trim_end_matches('/')) }).await?;
            match reply.status {
                403 => {
                    refused.push(path);
                    continue;
                }
                // A folder of nothing.
                404 => continue,
                _ => {}
            }
            let reply = self.0.success(reply, "list", &path).await?;
            let names = reply.json(&["data", "keys"]);
            for name in names.as_ref().and_then(serde_json::Value::as_array).into_iter().flatten() {
                let Some(name) = name.as_str() else { continue };
                if name.ends_with('/') {
                    folders.push(format!("{folder}{name}"));
                    continue;
                }
                if found.len() >= LISTED {
                    return Err(SourceError::unfit(format!(
                        "there are more than {LISTED} records: too many to list"
                    )));
                }
                let record_path = RecordPath { rest: format!("{folder}{name}"), ..record_path.clone() };
                let metadata =
                    Metadata { place: format!("record `{}`", record_path.shown()), ..Metadata::default() };
                found.push((record_path.shown(), metadata));
            }
        }
        Ok(())
    }
}

/// What a list that was refused here and there leaves out.
fn may_not_list(refused: &[String]) -> Option<SourceError> {
    const MOST: usize = 3;
    let first = refused.first()?;
    let mut shown = refused.iter().take(MOST).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
    if refused.len() > MOST {
        shown.extend([format!(" and {} more", refused.len() - MOST)]);
    }
    Some(SourceError::not_allowed(
        format!("no policy of this token allows it to list {shown}"),
        format!("have a policy with `path \"{first}\" {{ capabilities = [\"list\"] }}` attached"),
    ))
}
