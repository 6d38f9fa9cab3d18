//! A lease is renewed while somebody needs it, then given back. What could not be given
//! back then is tried again at the end, and told if it fails again.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;

use doppio_secrets::source::SourceError;
use doppio_text::shell::typed;

use crate::vault::api::Api;
use crate::vault::client::Reply;
use crate::vault::client::Request;
use crate::vault::leased_record::Cell;
use crate::vault::leased_record::Issuer;
use crate::vault::leased_record::LeasedRecord;
use crate::vault::renewal;
use crate::vault::standing::broke_off;

/// How long the end waits for what is still under way.
const PATIENCE: Duration = Duration::from_secs(3);

/// The leased record that a reply tells of.
fn leased_record(api: &Arc<Api>, reply: Reply) -> LeasedRecord {
    let id = reply.text(&["lease_id"]).filter(|id| !id.is_empty());
    let good_for = Duration::from_secs(reply.number(&["lease_duration"]).unwrap_or(0));
    let has_end = id.is_some() && !good_for.is_zero();
    let can_last = !has_end || reply.text(&["renewable"]).as_deref() == Some("true");
    let end = Arc::new(AtomicI64::new(if has_end { end_of(good_for) } else { i64::MAX }));
    if let Some(id) = &id {
        api.leases.state().held.insert(id.clone(), false);
        if can_last && has_end {
            keep(api, id.clone(), good_for, Arc::clone(&end));
        }
    }
    let issuer: Arc<dyn Issuer> = Arc::clone(api) as _;
    LeasedRecord { issuer, reply: Arc::new(reply), id, can_last, end }
}

fn end_of(good_for: Duration) -> i64 {
    Timestamp::now().as_second().saturating_add(i64::try_from(good_for.as_secs()).unwrap_or(i64::MAX))
}

impl Issuer for Api {
    fn leave(&self, id: &str) {
        let mut state = self.leases.state();
        state.held.remove(id);
        state.is_left = true;
    }

    fn take_back(self: Arc<Self>, id: String) {
        // At the end, and where nothing can be done beside, `close` does it.
        let Ok(runtime) = Handle::try_current() else { return };
        let Ok(at_work) = Arc::clone(&self.leases.work).try_read_owned() else { return };
        runtime.spawn(async move {
            let _at_work = at_work;
            if self.leases.claim(&id) {
                // What fails now is tried again at the end.
                self.give_back(&id).await.ok();
            }
        });
    }
}

/// Renews a lease for as long as it is held and the source lives.
fn keep(api: &Arc<Api>, id: String, good_for: Duration, end: Arc<AtomicI64>) {
    let api = Arc::downgrade(api);
    tokio::spawn(renewal::keep(good_for, async move || {
        let api = api.upgrade().filter(|api| api.leases.holds(&id))?;
        let renewed = api.renew_lease(&id).await;
        if let Ok(good_for) = renewed {
            end.store(end_of(good_for), Ordering::Relaxed);
        }
        Some(renewed)
    }));
}

impl Api {
    /// Reads what may be made by that, or shares what was. It is read to its end even if no caller
    /// waits any more: then it is returned.
    pub(super) async fn lease(self: &Arc<Self>, path: &str) -> Result<Arc<Cell>, SourceError> {
        let cell = self.leases.cell(path);
        cell.0
            .get_or_try_init(|| async {
                let at_work = Arc::clone(&self.leases.work).read_owned().await;
                let (api, path) = (Arc::clone(self), path.to_owned());
                let read = tokio::spawn(async move {
                    let _at_work = at_work;
                    let reply = api.call(Request::get(&path)).await?;
                    let reply = api.success(reply, "read", &path).await?;
                    let leased = leased_record(&api, reply);
                    if api.leases.state().is_closed {
                        api.come_late().await?;
                        return Err(SourceError::unreachable("the run is over", "repeat the command"));
                    }
                    Ok(leased)
                });
                read.await.unwrap_or_else(|_| Err(broke_off("the read")))
            })
            .await?;
        Ok(cell)
    }

    async fn renew_lease(self: &Arc<Self>, id: &str) -> Result<Duration, SourceError> {
        let body = serde_json::json!({ "lease_id": id }).to_string();
        renewal::good_for(&self.call(Request::put("sys/leases/renew", body.as_bytes())).await?, &[])
    }

    /// Returns a lease that was claimed.
    async fn give_back(self: &Arc<Self>, id: &str) -> Result<(), SourceError> {
        let body = serde_json::json!({ "lease_id": id, "sync": true }).to_string();
        let cause = match self.call(Request::put("sys/leases/revoke", body.as_bytes())).await {
            Ok(reply) if matches!(reply.status, 200 | 204) => {
                self.leases.state().held.remove(id);
                return Ok(());
            }
            Ok(reply) => format!("status {} {}", reply.status, reply.words()),
            Err(error) => error.to_string(),
        };
        if let Some(is_claimed) = self.leases.state().held.get_mut(id) {
            *is_claimed = false;
        }
        Err(SourceError::unreachable(
            format!("the lease `{id}` was not revoked: {}", cause.trim_end()),
            format!("run {}", typed(["vault", "lease", "revoke", id])),
        ))
    }

    /// Returns every lease. All are tried; the first failure is reported.
    async fn give_all_back(self: &Arc<Self>) -> Result<(), SourceError> {
        let ids = self.leases.claim_all();
        let given = ids.iter().map(|id| self.give_back(id));
        futures_util::future::join_all(given).await.into_iter().collect()
    }

    /// Clears up after what came when all else was given back already.
    async fn come_late(self: &Arc<Self>) -> Result<(), SourceError> {
        let given = self.give_all_back().await;
        if self.leave().await? { Ok(()) } else { given }
    }

    /// Gives everything back: the leases, then the token, if it is ours. What is made from now on
    /// is given back at once.
    pub(super) async fn close(self: &Arc<Self>) -> Result<(), SourceError> {
        {
            let mut state = self.leases.state();
            state.is_closed = true;
            state.leased.clear();
        }
        self.give_all_back().await.ok();
        // What is on its way gives back what it gets, and what was given back without success is
        // tried once more.
        let waited = tokio::time::timeout(PATIENCE, self.leases.work.write()).await.map(drop);
        let given = self.give_all_back().await;
        // With our own token goes all of its leases.
        if self.leave().await? {
            return Ok(());
        }
        given.and(waited.map_err(|_| {
            SourceError::unreachable(
                "a request has no answer yet, and what it creates will last until its lease ends",
                "`vault list sys/leases/lookup/MOUNT` shows what there is",
            )
        }))
    }
}
