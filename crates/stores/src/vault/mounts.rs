//! Which engine is mounted where.

use std::sync::Arc;

use doppio_secrets::source::SourceError;

use crate::vault::api::Api;
use crate::vault::client::Request;
use crate::vault::kv::Engine;
use crate::vault::kv::Mount;
use crate::vault::kv::Part;
use crate::vault::kv::RecordPath;

impl Api {
    /// Where a path lies; none where the server does not tell this token.
    async fn mount(self: &Arc<Self>, path: &str) -> Result<Option<Mount>, SourceError> {
        let mut mounts = self.mounts.lock().await;
        if let Some(known) = mounts.iter().find(|mount| mount.below(path).is_some()) {
            return Ok(Some(known.clone()));
        }
        let asked = format!("sys/internal/ui/mounts/{path}");
        let reply = self.call(Request::get(&asked)).await?;
        match reply.status {
            200 => {
                let found = Mount::of_reply(&reply).filter(|mount| mount.below(path).is_some());
                let Some(mount) = found else {
                    return Err(self.client().await?.nonsense("it says nothing about the mount"));
                };
                mounts.push(mount.clone());
                Ok(Some(mount))
            }
            // The server says so too where nothing is mounted; reading will tell.
            403 | 404 => Ok(None),
            _ => Err(self.client().await?.refused(&reply)),
        }
    }

    /// Remembers which engine answered.
    pub(super) async fn remember(&self, mount: Mount) {
        let mut mounts = self.mounts.lock().await;
        if !mounts.contains(&mount) {
            mounts.push(mount);
        }
    }

    /// Where a path may lie; where the server does not say, version 2 is tried first, then what
    /// answers without versions.
    pub(super) async fn record_paths(self: &Arc<Self>, path: &str) -> Result<Vec<RecordPath>, SourceError> {
        let (path, part) = Part::split(path);
        let first = path.split('/').next().unwrap_or_default();
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) || !path.contains('/') {
            return Err(SourceError::unfit(format!("`{path}` is not a path of the form `MOUNT/PATH`")));
        }
        if matches!(first, "sys" | "auth" | "identity" | "cubbyhole") {
            return Err(SourceError::unfit(format!(
                "`{first}/` belongs to Vault itself and holds no secrets"
            )));
        }
        let mounts = match self.mount(path).await? {
            Some(mount) => vec![mount],
            None => [Engine::Kv2, Engine::Unknown].map(|engine| Mount::guess(path, engine)).to_vec(),
        };
        let record_path = |mount: Mount| {
            let rest = mount.below(path)?.to_owned();
            Some(RecordPath { mount, rest, part: part.clone() })
        };
        Ok(mounts.into_iter().filter_map(record_path).collect())
    }

    /// Whether a policy lets this token read a path; false where the server does not say.
    pub(super) async fn may_read(self: &Arc<Self>, path: &str) -> Result<bool, SourceError> {
        let body = serde_json::json!({ "paths": [path] }).to_string();
        let reply = self.call(Request::put("sys/capabilities-self", body.as_bytes())).await?;
        let found = (reply.status == 200).then(|| reply.json(&["data", path])).flatten();
        let found = found.as_ref().and_then(serde_json::Value::as_array).into_iter().flatten();
        Ok(found.filter_map(serde_json::Value::as_str).any(|word| matches!(word, "read" | "root")))
    }
}
