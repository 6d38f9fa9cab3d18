//! vast.ai.

mod calls;
mod create;
mod fields;
mod query;
mod read;
mod refused;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::account::Account;
use crate::caller::Call;
use crate::caller::Caller;
use crate::error::RentedError;
use crate::fields::Fields;
use crate::machine::Machine;
use crate::machine_id::MachineId;
use crate::machine_id::VendorName;
use crate::money::Dollars;
use crate::offer::Offer;
use crate::offer::Order;
use crate::offer::Search;
use crate::refusal::CallError;
use crate::vendor::AccountKey;
use crate::vendor::Balance;
use crate::vendor::Charge;
use crate::vendor::PriceRise;
use crate::vendor::Vendor;

pub use query::Query;
pub use query::QueryError;
pub use query::parse_order;

/// Where the API is.
const BASE: &str = "https://console.vast.ai";

/// Pages of a list, before something is wrong with it.
const MOST_PAGES: usize = 200;

/// How often a log that was asked for is looked for, and the pause between: vast.ai's own client does so.
const LOOKS: (usize, Duration) = (30, Duration::from_millis(300));

/// vast.ai's API for one account.
#[derive(Debug)]
pub struct Vast {
    caller: Caller,
}

impl Vast {
    /// vast.ai for this account. Nothing is sent.
    ///
    /// # Errors
    ///
    /// When there is no key, or the address is not one that a key may be sent to.
    pub fn new(account: &Account) -> Result<Self, RentedError> {
        Ok(Self { caller: Caller::new(VendorName::Vast, account, BASE, refused::is_expired)? })
    }

    /// Sends a request; `what` and `about` are for the error.
    async fn ask(&self, call: &Call, what: &str, about: Option<&MachineId>) -> Result<Value, RentedError> {
        self.caller.send(call).await.map_err(|error| refused::error(error, what, about))
    }

    async fn all(&self, filters: &Value) -> Result<Vec<Machine>, RentedError> {
        let pages = |after: Option<&str>| calls::list(filters, after);
        self.paged(pages, "list machines", "instances", read::machine).await
    }

    /// All pages of a list.
    async fn paged<T>(
        &self,
        page: impl Fn(Option<&str>) -> Call,
        what: &str,
        member: &str,
        read: impl Fn(Fields<'_>) -> Option<T>,
    ) -> Result<Vec<T>, RentedError> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let answer = self.ask(&page(after.as_deref()), what, None).await?;
            let fields = Fields(&answer);
            all.extend(fields.list(member).filter_map(&read));
            let next = fields.exactly("next_token").map(str::to_owned);
            if next.is_none() || next == after {
                break;
            }
            after = next;
        }
        Ok(all)
    }

    /// Takes a key from a machine.
    ///
    /// # Errors
    ///
    /// As every request.
    pub async fn detach_key(&self, id: &MachineId, key_id: &str) -> Result<(), RentedError> {
        self.ask(&calls::detach_key(&id.id, key_id), "take a key from a machine", Some(id)).await.map(drop)
    }

    /// What `ls`, `rm` or `du`, the only commands that vast.ai runs, print on a machine that is stopped.
    ///
    /// # Errors
    ///
    /// As every request, and when no result appears.
    pub async fn execute(&self, id: &MachineId, command: &str) -> Result<String, RentedError> {
        self.result(&calls::execute(&id.id, command), "run a command", id).await
    }

    /// Copies a path from one machine to another, in the background. vast.ai destroys what is copied to
    /// `/root` or `/`, so these are refused.
    ///
    /// # Errors
    ///
    /// As every request.
    pub async fn copy(&self, from: (&MachineId, &str), to: (&MachineId, &str)) -> Result<(), RentedError> {
        if matches!(to.1.trim_end_matches('/'), "" | "/root") {
            return Err(RentedError::BadOrder(format!("nothing may be copied to `{}` of a machine", to.1)));
        }
        let call = calls::copy((&from.0.id, from.1), (&to.0.id, to.1));
        self.ask(&call, "copy", Some(to.0)).await.map(drop)
    }

    /// Accepts or rejects that a host wants more for a machine.
    ///
    /// # Errors
    ///
    /// As every request.
    pub async fn answer_price_rise(&self, rise: &PriceRise, accept: bool) -> Result<(), RentedError> {
        let id = rise
            .id
            .parse()
            .map_err(|_| RentedError::BadOrder(format!("`{}` is not a price increase", rise.id)))?;
        self.ask(&calls::answer_price_rise(id, accept), "answer a price increase", Some(&rise.machine))
            .await
            .map(drop)
    }

    /// What a request leaves in a file, which is fetched without the key.
    async fn result(&self, call: &Call, what: &str, id: &MachineId) -> Result<String, RentedError> {
        let answer = self.ask(call, what, Some(id)).await?;
        // The address is long, and must not be cut.
        let Some(address) = answer["result_url"].as_str() else {
            let words = Fields(&answer).text("msg").unwrap_or_else(|| "it names no result".to_owned());
            return Err(RentedError::WrongState { id: id.clone(), words });
        };
        for _ in 0..LOOKS.0 {
            self.caller.pause(LOOKS.1).await;
            if let Some(text) = self.caller.fetch_openly(address).await? {
                return Ok(text);
            }
        }
        Err(RentedError::WrongState { id: id.clone(), words: "no result appears within 9 s".to_owned() })
    }
}

#[async_trait]
impl Vendor for Vast {
    fn name(&self) -> VendorName {
        VendorName::Vast
    }

    async fn list(&self) -> Result<Vec<Machine>, RentedError> {
        self.all(&json!({})).await
    }

    async fn labelled(&self, label: &str) -> Result<Vec<Machine>, RentedError> {
        let found = self.all(&json!({ "label": { "eq": label } })).await?;
        Ok(found.into_iter().filter(|machine| machine.label.as_deref() == Some(label)).collect())
    }

    async fn show(&self, id: &MachineId) -> Result<Machine, RentedError> {
        let answer = self.ask(&calls::show(&id.id), "show a machine", Some(id)).await?;
        let fields = Fields(&answer).member("instances");
        // `null` with status 200 is how vast.ai says that it is gone; a list is how it once answered.
        let first = fields.0.as_array().and_then(|list| list.first()).map(Fields);
        read::machine(first.unwrap_or(fields)).ok_or_else(|| RentedError::NoMachine(id.clone()))
    }

    async fn offers(&self, search: &Search) -> Result<Vec<Offer>, RentedError> {
        let mut body = search.filters.clone();
        let order: Vec<Value> = search
            .sort
            .iter()
            .map(|(field, falls)| json!([field, if *falls { "desc" } else { "asc" }]))
            .collect();
        body.insert("order".to_owned(), order.into());
        body.insert("type".to_owned(), if search.interruptible { "bid" } else { "on-demand" }.into());
        body.insert("limit".to_owned(), search.limit.into());
        body.insert("allocated_storage".to_owned(), search.disk_gb.into());
        let answer = self.ask(&calls::search(body.into()), "search", None).await?;
        Ok(Fields(&answer).list("offers").filter_map(|fields| read::offer(fields, search.disk_gb)).collect())
    }

    async fn create(&self, order: &Order) -> Result<MachineId, RentedError> {
        create::create(self, &self.caller, order).await
    }

    async fn start(&self, id: &MachineId) -> Result<(), RentedError> {
        let call = calls::change(&id.id, json!({ "state": "running" }));
        self.ask(&call, "start a machine", Some(id)).await.map(drop)
    }

    async fn stop(&self, id: &MachineId) -> Result<(), RentedError> {
        let call = calls::change(&id.id, json!({ "state": "stopped" }));
        self.ask(&call, "stop a machine", Some(id)).await.map(drop)
    }

    async fn reboot(&self, id: &MachineId) -> Result<(), RentedError> {
        self.ask(&calls::reboot(&id.id), "reboot a machine", Some(id)).await.map(drop)
    }

    async fn destroy(&self, id: &MachineId) -> Result<(), RentedError> {
        match self.caller.send(&calls::destroy(&id.id)).await {
            Ok(_) => Ok(()),
            Err(CallError::Refused(refusal)) if refused::is_no_machine(&refusal) => Ok(()),
            Err(error) => Err(refused::error(error, "destroy a machine", Some(id))),
        }
    }

    async fn set_label(&self, id: &MachineId, label: &str) -> Result<(), RentedError> {
        let call = calls::change(&id.id, json!({ "label": label }));
        self.ask(&call, "label a machine", Some(id)).await.map(drop)
    }

    async fn attach_key(&self, id: &MachineId, public_key: &str) -> Result<(), RentedError> {
        match self.caller.send(&calls::attach_key(&id.id, public_key.trim())).await {
            Ok(_) => Ok(()),
            Err(CallError::Refused(refusal)) if refused::is_attached(&refusal) => Ok(()),
            Err(error) => Err(refused::error(error, "give a key to a machine", Some(id))),
        }
    }

    async fn account_keys(&self) -> Result<Vec<AccountKey>, RentedError> {
        let answer = match self.caller.send(&calls::account_keys()).await {
            Ok(answer) => answer,
            // That is how it says that there are none.
            Err(CallError::Refused(refusal)) if refusal.status == 404 => return Ok(Vec::new()),
            Err(error) => return Err(refused::error(error, "list the keys of the account", None)),
        };
        let inner = if answer.is_array() { json!({ "keys": answer }) } else { answer };
        let name = if inner["ssh_keys"].is_array() { "ssh_keys" } else { "keys" };
        let key = |fields: Fields<'_>| {
            let key = ["public_key", "ssh_key", "key"].into_iter().find_map(|name| fields.exactly(name))?;
            Some(AccountKey { id: fields.text("id")?, public_key: key.trim().to_owned() })
        };
        Ok(Fields(&inner).list(name).filter_map(key).collect())
    }

    async fn add_account_key(&self, public_key: &str) -> Result<(), RentedError> {
        self.ask(&calls::add_account_key(public_key), "add a key to the account", None).await.map(drop)
    }

    async fn remove_account_key(&self, id: &str) -> Result<(), RentedError> {
        self.ask(&calls::remove_account_key(id), "remove a key of the account", None).await.map(drop)
    }

    async fn logs(&self, id: &MachineId, lines: usize) -> Result<String, RentedError> {
        self.result(&calls::logs(&id.id, lines), "show the log of a machine", id).await
    }

    async fn balance(&self) -> Result<Balance, RentedError> {
        let answer = self.ask(&calls::user(), "show the account", None).await?;
        let fields = Fields(&answer);
        let credit = fields.number("credit").or_else(|| fields.number("balance")).unwrap_or_default();
        Ok(Balance { credit: Dollars(credit) })
    }

    async fn charges(&self, since: Timestamp) -> Result<Vec<Charge>, RentedError> {
        let (from, to) = (since.as_second(), Timestamp::now().as_second());
        let pages = |after: Option<&str>| calls::charges(from, to, after);
        self.paged(pages, "show what was spent", "results", read::charge).await
    }

    async fn price_rises(&self) -> Result<Vec<PriceRise>, RentedError> {
        let answer = self.ask(&calls::price_rises(), "list price increases", None).await?;
        Ok(Fields(&answer).list("pending_price_increases").filter_map(read::price_rise).collect())
    }
}

#[cfg(test)]
mod tests;
