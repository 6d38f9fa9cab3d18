//! Leases: renewed while they are needed, then returned.
//!
//! A loan is a record that was created by being read. All who need it at the same time share it,
//! whichever of its keys they name; when the last of them drops it, it is returned. What could not
//! be returned then is tried again at the end, and reported if it fails again.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio::sync::RwLock;

use doppio_secrets::source::Lent;
use doppio_secrets::source::SourceError;

use crate::vault::api::Api;
use crate::vault::client::Reply;
use crate::vault::client::Request;
use crate::vault::renewal;
use crate::vault::session::broke_off;

/// How long the end waits for what is still under way.
const PATIENCE: Duration = Duration::from_secs(3);

/// A loan, or the place of one that is being made.
#[derive(Debug, Default)]
pub(super) struct Cell(OnceCell<Loan>);

impl Cell {
    /// The loan, if it was made.
    pub(super) fn get(&self) -> Option<&Loan> {
        self.0.get()
    }
}

/// All leases of this run.
#[derive(Debug, Default)]
pub(super) struct Leases {
    state: Mutex<State>,
    /// Held for reading by everything that borrows or gives back.
    work: Arc<RwLock<()>>,
}

#[derive(Debug, Default)]
struct State {
    /// By the path that was read, for those who need the same.
    loans: HashMap<String, Weak<Cell>>,
    /// Leases that are to be given back, and whether that is being done.
    held: HashMap<String, bool>,
    is_closed: bool,
}

/// A record that was made because it was read.
#[derive(Debug)]
pub(super) struct Loan {
    api: Arc<Api>,
    pub reply: Arc<Reply>,
    /// None where nothing is to be given back.
    id: Option<String>,
    /// It is valid until it is no longer needed.
    pub can_last: bool,
    /// When it expires, in seconds since 1970, as far as the server has said.
    end: Arc<AtomicI64>,
}

impl Leases {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loan at this path, or a place for one.
    fn cell(&self, path: &str) -> Arc<Cell> {
        let mut state = self.state();
        let is_good = |cell: &Arc<Cell>| !cell.get().is_some_and(Loan::has_ended);
        if let Some(cell) = state.loans.get(path).and_then(Weak::upgrade).filter(is_good) {
            return cell;
        }
        state.loans.retain(|_, cell| cell.strong_count() > 0);
        let cell = Arc::new(Cell::default());
        state.loans.insert(path.to_owned(), Arc::downgrade(&cell));
        cell
    }

    fn holds(&self, id: &str) -> bool {
        self.state().held.contains_key(id)
    }

    /// Claims a lease to return it; false if another task does or did.
    fn claim(&self, id: &str) -> bool {
        self.state().held.get_mut(id).is_some_and(|is_claimed| !std::mem::replace(is_claimed, true))
    }

    /// Claims all that are not being returned.
    fn claim_all(&self) -> Vec<String> {
        let mut state = self.state();
        let free = state.held.iter_mut().filter(|(_, is_claimed)| !**is_claimed);
        free.map(|(id, is_claimed)| {
            *is_claimed = true;
            id.clone()
        })
        .collect()
    }
}

impl Loan {
    fn new(api: &Arc<Api>, reply: Reply) -> Self {
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
        Self { api: Arc::clone(api), reply: Arc::new(reply), id, can_last, end }
    }

    fn has_ended(&self) -> bool {
        self.end.load(Ordering::Relaxed) <= Timestamp::now().as_second()
    }

    /// Whether there is something to give back.
    pub(super) fn has_lease(&self) -> bool {
        self.id.is_some()
    }

    /// When it expires, if that can't be extended.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        let end = self.end.load(Ordering::Relaxed);
        if self.can_last { None } else { Timestamp::from_second(end).ok() }
    }
}

impl Lent for Cell {
    fn is_over(&self) -> bool {
        self.get().is_some_and(Loan::has_ended)
    }

    fn has_end(&self) -> bool {
        self.get().is_some_and(Loan::has_lease)
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        // At the end, and where nothing can be done beside, `close` does it.
        let Ok(runtime) = Handle::try_current() else { return };
        let Ok(at_work) = Arc::clone(&self.api.leases.work).try_read_owned() else { return };
        let api = Arc::clone(&self.api);
        runtime.spawn(async move {
            let _at_work = at_work;
            if api.leases.claim(&id) {
                // What fails now is tried again at the end.
                api.give_back(&id).await.ok();
            }
        });
    }
}

fn end_of(good_for: Duration) -> i64 {
    Timestamp::now().as_second().saturating_add(i64::try_from(good_for.as_secs()).unwrap_or(i64::MAX))
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
    pub(super) async fn lend(self: &Arc<Self>, path: &str) -> Result<Arc<Cell>, SourceError> {
        let cell = self.leases.cell(path);
        cell.0
            .get_or_try_init(|| async {
                let at_work = Arc::clone(&self.leases.work).read_owned().await;
                let (api, path) = (Arc::clone(self), path.to_owned());
                let read = tokio::spawn(async move {
                    let _at_work = at_work;
                    let reply = api.call(Request::get(&path)).await?;
                    let reply = api.success(reply, "read", &path).await?;
                    let loan = Loan::new(&api, reply);
                    if api.leases.state().is_closed {
                        api.come_late().await?;
                        return Err(SourceError::unreachable("the run is over", "repeat the command"));
                    }
                    Ok(loan)
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
            format!("run `vault lease revoke {id}`"),
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
            state.loans.clear();
        }
        self.give_all_back().await.ok();
        // What is on its way gives back what it gets, and what was given back without success is
        // tried once more.
        let waited = tokio::time::timeout(PATIENCE, self.leases.work.write()).await.map(drop);
        let given = self.give_all_back().await;
        // With our own token goes all that it was lent.
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
