//! What is lent for the run: kept alive while it lasts, given back at its end.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::Weak;
use std::time::Duration;

use crate::secret::source::SourceError;
use crate::secret::source::vault::client::Request;
use crate::secret::source::vault::door::Door;

/// The leases of dynamic secrets that this run holds.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<Vec<String>>);

impl Leases {
    /// Remembers a lease.
    pub(super) fn add(&self, id: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }

    fn holds(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|held| held == id)
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Puts off the end of a lease for as long as it is held and the source lives.
pub(super) fn keep(door: &Arc<Door>, id: String, good_for: Duration) {
    let door = Arc::downgrade(door);
    tokio::spawn(async move {
        let mut good_for = good_for;
        while good_for > Duration::ZERO {
            tokio::time::sleep(good_for * 2 / 3).await;
            let Some(door) = Weak::upgrade(&door).filter(|door| door.leases.holds(&id)) else { return };
            let body = serde_json::json!({ "lease_id": id }).to_string();
            good_for = match door.call(Request::put("sys/leases/renew", body.as_bytes())).await {
                Ok(reply) if reply.status == 200 => {
                    Duration::from_secs(reply.number(&["lease_duration"]).unwrap_or(0))
                }
                // The server may be back before the lease ends.
                _ => good_for / 3,
            };
            if good_for < Duration::from_secs(1) {
                return;
            }
        }
    });
}

/// Gives back every lease. All are tried; the first failure is told.
pub(super) async fn revoke(door: &Arc<Door>) -> Result<(), SourceError> {
    let revoked = door.leases.take().into_iter().map(|id| async move {
        let body = serde_json::json!({ "lease_id": id }).to_string();
        let failed = |cause: String| {
            SourceError::unreachable(
                format!("the lease `{id}` was not revoked: {cause}"),
                format!("run `vault lease revoke {id}`"),
            )
        };
        match door.call(Request::put("sys/leases/revoke", body.as_bytes())).await {
            Ok(reply) if matches!(reply.status, 200 | 204) => Ok(()),
            Ok(reply) => Err(failed(format!("status {} {}", reply.status, reply.words()))),
            Err(error) => Err(failed(error.to_string())),
        }
    });
    futures_util::future::join_all(revoked).await.into_iter().collect()
}
